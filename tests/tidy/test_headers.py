# SPDX-License-Identifier: Apache-2.0
"""Each public header compiles alone, as C11, C17 and C++17, with warnings as errors; and the
libraries export hy_* alone, the list in tests/abi/symbols.txt."""
import os
import re
import shutil
import subprocess

import pytest
import tree

STRICT = ["-Wall", "-Wextra", "-Wundef", "-Werror", "-pedantic-errors", "-fsyntax-only"]
MODES = [("c", "c11"), ("c", "c17"), ("c++", "c++17")]


@pytest.mark.parametrize("language,standard", MODES)
def test_public_headers_compile_alone(language, standard, tmp_path):
    compiler = os.environ.get("CC", "cc") if language == "c" else "g++"
    if not shutil.which(compiler):
        pytest.skip(f"{compiler} is not here")
    faults = []
    for path in tree.some(".h", under=["include/"]):
        name = path[len("include/"):]
        source = tmp_path / "one.c"
        source.write_text(f"#include <{name}>\n#include <{name}>\n")
        done = subprocess.run([compiler, "-x", language, f"-std={standard}", *STRICT, "-I",
                               os.path.join(tree.ROOT, "include"), str(source)],
                              capture_output=True, text=True)
        if done.returncode:
            faults.append(f"{name}: {done.stderr[:600]}")
    tree.report(faults, f"public headers as {standard}")


def exported(library):
    out = subprocess.run(["nm", "-D", "--defined-only", library], capture_output=True, text=True,
                         check=True).stdout
    return sorted(line.split()[-1] for line in out.splitlines())


@pytest.mark.parametrize("library", ["libhayate.so", "libhayate-infer.so"])
def test_exported_symbols(library):
    if os.environ.get("HAYATE_SANITIZE"):
        pytest.skip("sanitizers export names of their own")
    path = os.path.join(os.environ["HAYATE_BUILD"], library)
    names = exported(path)
    listed = [line.split() for line in tree.read("tests/abi/symbols.txt").splitlines()
              if line and not line.startswith("#")]
    wanted = sorted(name for name, where in listed if where == "both" or library == "libhayate.so")
    faults = [f"{n} is exported but not listed" for n in names if n not in wanted]
    faults += [f"{n} is listed but not exported" for n in wanted if n not in names]
    faults += [f"{n} is not hy_*" for n in names if not re.match(r"hy_[a-z]", n)]
    tree.report(faults, f"{library} against tests/abi/symbols.txt (tools/abi writes it)")


def test_declared_functions_are_exported():
    """A name that a header promises is in the library."""
    if os.environ.get("HAYATE_SANITIZE"):
        pytest.skip("the release build is the one that is looked at")
    names = exported(os.path.join(os.environ["HAYATE_BUILD"], "libhayate.so"))
    faults = []
    for path in tree.some(".h", under=["include/"]):
        for name in re.findall(r"HY_API[^;{]*?\b(hy_\w+)\s*\(", tree.code(path)):
            if name not in names:
                faults.append(f"{path}: {name}")
    tree.report(faults, "declared in a public header, but libhayate lacks it")
