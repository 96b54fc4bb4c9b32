# SPDX-License-Identifier: Apache-2.0
"""The tables are whole: each row has its file, page, golden and test, and the documents follow."""
import os
import re
import subprocess
import sys

import tree



def exists(path):
    return path in tree.files()


def test_documents_follow_the_tables():
    tool = os.path.join(tree.ROOT, "tools", "docs")
    done = subprocess.run([sys.executable, "-B", tool, "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_commands():
    faults, idents = [], set()
    for ident, words, summary in tree.rows("src/cli/command.inc", "CLI_COMMAND"):
        idents.add(ident)
        if words.strip('"').replace(" ", "_") != ident:
            faults.append(f"{ident}: its words are {words}")
        for path in (f"src/cli/cmd_{ident}.c", f"docs/cli/{ident}.md"):
            if not exists(path):
                faults.append(f"{ident}: {path} is missing")
        if len(summary) > 72:
            faults.append(f"{ident}: the summary has {len(summary)} characters, at most 72")
        if not any(re.search(rf"\b{words.strip(chr(34)).replace(' ', '.{1,8}')}\b", tree.read(t))
                   for t in tree.some(".py", under=["tests/cli/"]) if not t.endswith("_frame.py")):
            faults.append(f"{ident}: no tests/cli/test_*.py names it")
    for path in tree.some(".c", under=["src/cli/cmd_"]):
        if os.path.basename(path)[4:-2] not in idents:
            faults.append(f"{path}: no row of command.inc names it")
    for path in tree.some(".md", under=["docs/cli/"]):
        if os.path.basename(path)[:-3] not in idents | {"hayate", "README"}:
            faults.append(f"{path}: no row of command.inc names it")
    tree.report(faults, "src/cli/command.inc")


def test_indicators():
    """Each row of indicator.inc has its golden and origin, its code, and its line in the page."""
    faults, ids = [], set()
    page = tree.read("docs/features.md") if exists("docs/features.md") else ""
    sources = "\n".join(tree.code(f) for f in tree.some(".c", ".h", under=["src/feature/"]))
    for cells in tree.rows("src/feature/indicator.inc", "HY_IND"):
        ident, version, symbol = cells[0].strip('"'), cells[1], cells[2]
        if (ident, version) in ids:
            faults.append(f"{ident}@{version}: stands twice")
        ids.add((ident, version))
        golden = f"tests/golden/feature/{ident}.npz"
        for path in (golden, golden + ".origin"):
            if not exists(path):
                faults.append(f"{ident}: {path} is missing")
        if not re.search(rf"\b{symbol}\b", sources):
            faults.append(f"{ident}: no HY_IND_CODE({symbol}) in src/feature")
        if f"`{ident}@{version}`" not in page:
            faults.append(f"{ident}: docs/features.md has no line for it (tools/docs)")
    tree.report(faults, "src/feature/indicator.inc")


def test_operators():
    """Each row of op.inc has its file, and stands in a golden model that ONNX Runtime answered."""
    faults, models = [], b""
    for path in tree.some(".onnx", under=["tests/golden/"]):
        with open(os.path.join(tree.ROOT, path), "rb") as f:
            models += f.read()
    for cells in tree.rows("src/op/op.inc", "HY_OP"):
        domain, name, file = cells[0].strip('"'), cells[1].strip('"'), cells[9]
        if not exists(f"src/op/{file}.c"):
            faults.append(f"{name}: src/op/{file}.c is missing")
        field = b"\x22" + bytes([len(name)]) + name.encode()  # NodeProto.op_type
        if domain != "hayate" and field not in models:
            faults.append(f"{name}: no model of tests/golden has a node of it")
    named = {cells[9] for cells in tree.rows("src/op/op.inc", "HY_OP")}
    for path in tree.some(".c", under=["src/op/"]):
        stem = os.path.basename(path)[:-2]
        if f"hy__op_{stem}_lower" in tree.code(path) and stem not in named:
            faults.append(f"{path}: no row of op.inc names it")
    tree.report(faults, "src/op/op.inc")


def test_kernels():
    """Each row of kernel.inc has its file and a reason for its tolerance; each family a scalar row,
    last, and a test; each kernel file of one instruction set a row."""
    faults, families, named = [], {}, set()
    tests = "\n".join(tree.read(t) for t in tree.some(".c", ".h", under=["tests/kernel/",
                                                                                 "tests/op/"]))
    files = {os.path.basename(f)[:-2] for f in tree.some(".c", under=["src/kernel/"])}
    for cells in tree.rows("src/kernel/kernel.inc", "HY_KERNEL"):
        family, isa, reason = cells[0], cells[1], cells[5].strip('"')
        families.setdefault(family, []).append(isa)
        named.add(f"{family}_{isa}")
        if not files & {f"{family}_{isa}", f"{family}_isa"}:
            faults.append(f"{family} {isa}: no src/kernel/*/{family}_{isa}.c")
        if len(reason) < 5:
            faults.append(f"{family} {isa}: its tolerance has no reason")
    for family, isas in families.items():
        if isas[-1] != "scalar":
            faults.append(f"{family}: the last row is not scalar")
        if family.split("_")[0] not in tests.lower():
            faults.append(f"{family}: no test of tests/kernel or tests/op names it")
    for stem in files:
        if re.search(r"_(scalar|avx2|avxvnni|avx512|vnni|amx)$", stem) and stem not in named:
            faults.append(f"{stem}.c: no row of kernel.inc names it")
    tree.report(faults, "src/kernel/kernel.inc")


def test_passes():
    faults = []
    for name, _ in tree.rows("src/pass/pass.inc", "HY_PASS"):
        if not exists(f"src/pass/{name}.c"):
            faults.append(f"{name}: src/pass/{name}.c is missing")
    tree.report(faults, "src/pass/pass.inc")


def test_cross_sections():
    """Each row of cross.inc has its function and golden, and its id stands in a page."""
    faults = []
    pages = "\n".join(tree.read(f) for f in tree.some(".md", under=["docs/"]))
    code = "".join(tree.code(f) for f in tree.some(".c", under=["src/feature/cross"]))
    for cells in tree.rows("src/feature/cross.inc", "HY_CROSS"):
        ident, symbol = cells[0].strip('"'), cells[2]
        if f"hy__cross_{symbol}" not in code and not re.search(rf"\({symbol}\b", code):
            faults.append(f"{ident}: src/feature/cross*.c have no hy__cross_{symbol}")
        if ident not in pages:
            faults.append(f"{ident}: no page of docs/ names it")
        if not exists(f"tests/golden/feature/{ident}.npz"):
            faults.append(f"{ident}: tests/golden/feature/{ident}.npz is missing")
    tree.report(faults, "src/feature/cross.inc")


def test_a_bare_family_means_one_row():
    """No family has two default rows; where none is, the bare family is refused by name."""
    families, faults = {}, []
    for cells in tree.rows("src/feature/indicator.inc", "HY_IND"):
        if cells[4].strip() == "1":
            families.setdefault(cells[0].strip('"').split(".")[0], set()).add(cells[0])
    for family, ids in families.items():
        if len(ids) > 1:
            faults.append(f"{family}: {', '.join(sorted(ids))}")
    tree.report(faults, "two rows are what a bare family means")


def test_status_numbers_are_unique():
    numbers = [row[0] for row in tree.rows("include/hayate/status.inc", "HY_STATUS")]
    assert len(numbers) > 10 and len(set(numbers)) == len(numbers)


def test_goldens_have_an_origin():
    faults = []
    for path in tree.some(".npy", ".npz", under=["tests/golden/"]):
        folder = os.path.dirname(path)
        stem = path.rsplit(".", 1)[0]
        if not any(exists(o) for o in (stem + ".origin", path + ".origin", folder + "/.origin")):
            faults.append(path)
    tree.report(faults, "a golden file has its .origin beside it (tool, version, command, licence)")


def test_readers_have_a_fuzz_target():
    faults = []
    for path in tree.some(".c", under=["fuzz/"]):
        m = re.fullmatch(r"fuzz/(\w+)/fuzz_(\w+)\.c", path)
        if not m:
            continue
        if m.group(1) != m.group(2):
            faults.append(f"{path}: the folder and the file differ in name")
        if not [f for f in tree.files() if f.startswith(f"fuzz/{m.group(1)}/corpus/")]:
            faults.append(f"{path}: has no corpus")
    tree.report(faults, "fuzz targets")


DEFINED = re.compile(r"^[a-z][\w *]*?\b(hy_\w+|hy__\w+|cli_\w+)\(", re.M)
NAMES = re.compile(r"\b(?:hy_|hy__|cli_)\w+")


def test_every_source_is_reached_by_a_test():
    """From the names that tests, fuzz targets and the commands call, through the files that define
    them, to the names that those use, and so on: what is not met on the way is tested by none."""
    sources = {f: tree.code(f) for f in tree.some(".c", under=["src/"])}
    defines = {}
    for path, text in sources.items():
        for name in DEFINED.findall(text):
            defines.setdefault(name, set()).add(path)
    todo = set()
    for path in tree.some(".c", ".h", under=["tests/", "fuzz/"]):
        todo |= set(NAMES.findall(tree.code(path)))
    met = {f for f in sources if re.search(r"/indicator/|/op/|/kernel/\w+/|\.tmpl\.c$", f)}
    met |= {f for f in sources if re.search(r"/cli/(main|rows|cmd_\w+)\.c$", f)}  # from outside
    for path in met:
        todo |= set(NAMES.findall(sources[path]))
    # A row makes names by pasting: hy__cross_##id, hy__pass_##file##_run.
    pasted = set().union(*(re.findall(r"\w+", tree.code(f)) for f in tree.some(".inc",
                                                                              under=["src/"])))
    for name in defines:
        parts = name.split("_")
        if any("_".join(parts[i:j]) in pasted for i in range(2, len(parts))
               for j in (len(parts), len(parts) - 1) if j > i):
            todo.add(name)
    while todo:
        fresh = set().union(*(defines.get(name, set()) for name in todo)) - met
        met |= fresh
        todo = set().union(*(set(NAMES.findall(sources[f])) for f in fresh)) if fresh else set()
    faults = [f for f in sources if f not in met and DEFINED.search(sources[f])]
    tree.report(faults, "no test reaches these files")


def test_rooms_have_a_page():
    faults = []
    for room in tree.layers():
        if not tree.some(".c", under=[f"src/{room}/"]):
            continue
        page = f"src/{room}/README.md"
        if not exists(page):
            faults.append(f"{page} is missing")
        elif tree.read(page).count("\n") > 60:
            faults.append(f"{page} has more than 60 lines")
    tree.report(faults, "each room with sources has a README of at most 60 lines")
