# SPDX-License-Identifier: Apache-2.0
"""The sizes of files and functions: printed as a distribution, refused past the limit unless
tests/tidy/allow.txt gives the reason."""
import re

import tree

FILE_MAX, FUNCTION_MAX, PARAMETERS_MAX, COLUMNS_MAX = 800, 70, 6, 100
PYTHON_COLUMNS_MAX = 120
NOT_A_FUNCTION = re.compile(r"^\s*(typedef|struct|enum|union|extern \"C\"|#|\})|=\s*\{?$|= \{")


def allowed():
    """path[:function] -> reason."""
    out = {}
    for line in tree.read("tests/tidy/allow.txt").splitlines():
        if line.strip() and not line.startswith("#"):
            what, reason = line.split(None, 1)
            out[what] = reason
    return out


def c_files():
    return tree.some(".c", ".h", under=["src/", "include/", "fuzz/", "bench/", "examples/",
                                       "tests/"])


def functions(path):
    """(name, first line, lines, parameters) of each function: a head at column 0 that opens a brace
    by the end of a line, to the next brace at column 0."""
    blank = lambda m: "\n" * m.group().count("\n")
    lines = re.sub(r"^\s*#(?:[^\n]*\\\n)*[^\n]*", blank, tree.code(path), flags=re.M).splitlines()
    at = 0
    while at < len(lines):
        line = lines[at]
        if not line or not (line[0].isalpha() or line[0] == "_") or "(" not in line or \
                NOT_A_FUNCTION.search(line) or line.rstrip().endswith(";"):
            at += 1
            continue
        head, end = line, at
        while "{" not in head and end + 1 < len(lines) and not head.rstrip().endswith(";") and \
                lines[end + 1][:1] in (" ", "{"):
            end += 1
            head += " " + lines[end].strip()
        body = head.split("{", 1)
        if len(body) < 2 or "=" in body[0]:
            at = end + 1
            continue
        close = end
        if not lines[end].rstrip().endswith("}"):
            while close + 1 < len(lines) and not lines[close].startswith("}"):
                close += 1
        m = re.search(r"(\w+)\s*\(((?:[^()]|\([^()]*\))*)\)[^()]*$", body[0])
        if m:
            parameters = re.sub(r"\([^()]*\)", "", m.group(2))
            n = 0 if parameters.strip() in ("", "void") else parameters.count(",") + 1
            n -= "hy_error *err" in parameters  # comes with all that can fail
            yield m.group(1), at + 1, close - at + 1, n
        at = close + 1


def percentile(values, q):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * q))] if values else 0


def show(what, values):
    print(f"{what}: {len(values)}, median {percentile(values, 0.5)}, "
          f"p90 {percentile(values, 0.9)}, max {max(values, default=0)}")


def test_files():
    sizes = {f: tree.read(f).count("\n") for f in c_files()}
    show("lines of a file of src", [n for f, n in sizes.items() if f.startswith("src/")])
    allow = allowed()
    tree.report([f"{f}: {n} lines" for f, n in sizes.items() if n > FILE_MAX and f not in allow],
                f"files past {FILE_MAX} lines")


def test_functions():
    allow, faults, lengths = allowed(), [], []
    for path in c_files():
        for name, line, n, parameters in functions(path):
            if path.startswith("src/"):
                lengths.append(n)
            if f"{path}:{name}" in allow or path in allow:
                continue
            if n > FUNCTION_MAX:
                faults.append(f"{path}:{line}: {name} has {n} lines")
            # cmocka's and callbacks' signatures are given; ours are counted
            if parameters > PARAMETERS_MAX and path.startswith(("src/", "include/")):
                faults.append(f"{path}:{line}: {name} has {parameters} parameters")
    show("lines of a function of src", lengths)
    tree.report(faults, f"functions past {FUNCTION_MAX} lines, or {PARAMETERS_MAX} parameters beside err")


def test_columns():
    faults = []
    for path in c_files() + tree.some(".py", ".cmake", "Makefile", "CMakeLists.txt",
                                      under=["tests/", "tools/", "cmake/", "python/", "Make",
                                             "CMake", "bench/"]):
        python = path.endswith(".py")
        for number, line in enumerate(tree.read(path).splitlines(), 1):
            if len(line) > (PYTHON_COLUMNS_MAX if python else COLUMNS_MAX):
                faults.append(f"{path}:{number}: {len(line)} columns")
    tree.report(faults, f"lines past {COLUMNS_MAX} columns")


def test_allowances_are_used():
    faults = []
    for what in allowed():
        path, _, name = what.partition(":")
        if path not in tree.files():
            faults.append(f"{what}: there is no such file")
        elif name and name not in [f[0] for f in functions(path)]:
            faults.append(f"{what}: there is no such function")
    tree.report(faults, "tests/tidy/allow.txt names what is no more")
