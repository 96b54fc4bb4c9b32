# SPDX-License-Identifier: Apache-2.0
"""Words that may not stand in the tree: banned functions, places of a machine, grab-bag names."""
import os
import re

import tree

BANNED = {  # the message names the replacement
    "sprintf": "snprintf", "vsprintf": "vsnprintf", "strcpy": "memcpy with a checked length",
    "strcat": "snprintf", "strtok": "strcspn", "gets": "fgets", "atoi": "hy__number_*",
    "atol": "hy__number_*", "atof": "hy__number_*", "strtol": "hy__number_*",
    "strtoul": "hy__number_*", "strtoll": "hy__number_*", "strtoull": "hy__number_*",
    "strtod": "hy__number_*", "strtof": "hy__number_*", "sscanf": "a bounded reader",
    "rand": "hy__random_*", "srand": "a seed passed in", "random": "hy__random_*",
    "localtime": "market's zones", "localtime_r": "market's zones", "setlocale": "nothing",
    "abort": "a status", "exit": "a status", "alloca": "an arena", "strncpy": "memcpy",
    "tmpnam": "a name beside the target", "mktemp": "a name beside the target",
}
ALLOCATING = ("malloc", "calloc", "realloc", "free", "strdup", "strndup", "aligned_alloc",
              "posix_memalign", "asprintf")
# Files where one of the words has a reason.
ALLOWED = {}
# The parts of machine paths and registries are put together here, so that this file passes itself.
FORBIDDEN = [re.compile(p) for p in (
    r"/wo" + r"rk/", r"\.\./sha" + r"red", r"/home/\w+", r"/ro" + r"ot/", r"/Users/\w+",
    r"pypi\." + r"org/simple", r"files\.python" + r"hosted\.org", r"registry\.npm" + r"js\.org",
    r"\bTO" + r"DO\b", r"\bFIX" + r"ME\b", r"\bfor now\b")]
GRAB_BAGS = re.compile(r"(^|[_/])(utils?|common|misc|helpers?)\.(c|h|py)$")


def calls(path, words):
    text = tree.code(path)
    for m in re.finditer(r"(?<![\w.>])(" + "|".join(words) + r")\s*\(", text):
        before = text[:m.start()].rstrip()
        if before.endswith("#define"):
            continue
        yield tree.line_of(text, m.start()), m.group(1)


def test_banned_functions():
    faults = []
    for path in tree.some(".c", ".h", under=["src/", "include/", "bench/", "examples/"]):
        for line, word in calls(path, BANNED):
            if word not in ALLOWED.get(path, ()):
                faults.append(f"{path}:{line}: {word}: use {BANNED[word]}")
    tree.report(faults, "banned functions")


def test_memory_comes_from_the_runtime():
    faults = []
    for path in tree.some(".c", ".h", under=["src/"]):
        if path.startswith("src/base/"):
            continue
        for line, word in calls(path, ALLOCATING):
            if word not in ALLOWED.get(path, ()):
                faults.append(f"{path}:{line}: {word}: use hy__alloc_* or an arena")
    tree.report(faults, "memory outside src/base is the runtime's")


def test_each_file_says_its_licence_and_purpose():
    faults = []
    for path in tree.some(".c", ".h", ".inc", under=["src/", "include/", "tests/", "fuzz/",
                                                     "bench/", "examples/"]):
        text = tree.read(path)
        head = text.lstrip()[:400]
        if not head.startswith("/* SPDX-License-Identifier: Apache-2.0"):
            faults.append(f"{path}: does not begin with its SPDX line")
            continue
        after = head.split("Apache-2.0", 1)[1]
        after = after.replace("*/", " ", 1) if after.lstrip().startswith("*/") else after
        prose = after.replace("/*", " ").replace("*", " ").lstrip()
        if len(prose) < 20 or prose.startswith("#"):
            faults.append(f"{path}: no comment says its purpose and place")
    for path in tree.some(".py", ".cmake", ".sh", under=["tests/", "tools/", "cmake/", "bench/",
                                                         "python/", "examples/"]):
        if "SPDX-License-Identifier: Apache-2.0" not in tree.read(path)[:200]:
            faults.append(f"{path}: has no SPDX line at its head")
    tree.report(faults, "each file opens with SPDX and a purpose")


def test_no_machine_in_the_tree():
    faults = []
    for path in tree.files():
        if path.endswith((".onnx", ".npz", ".npy", ".h5", ".png", ".gz", ".csv", ".hyp")):
            continue
        if "/corpus/" in path or path == "LICENSE":
            continue
        for number, line in enumerate(tree.read(path).splitlines(), 1):
            for pattern in FORBIDDEN:
                if pattern.search(line):
                    faults.append(f"{path}:{number}: {pattern.pattern}")
    tree.report(faults, "words of one machine, or of unfinished work")


def test_no_grab_bags():
    tree.report([f for f in tree.files() if GRAB_BAGS.search(f)],
                "a file is named for what it holds")


def test_fallible_functions_are_checked():
    """A function of a header that returns hy_status is HY_CHECKED, unless it is the error's own."""
    faults = []
    for path in tree.some(".h", under=["include/"]):
        text = tree.code(path)
        for m in re.finditer(r"^HY_API\s+(?!HY_CHECKED)hy_status\s+(\w+)", text, re.M):
            faults.append(f"{path}:{tree.line_of(text, m.start())}: {m.group(1)}")
    tree.report(faults, "returns hy_status without HY_CHECKED")


def test_no_large_files():
    limit = 4 << 20
    faults = [f"{f}: {os.path.getsize(os.path.join(tree.ROOT, f)) >> 10} KiB" for f in tree.files()
              if os.path.getsize(os.path.join(tree.ROOT, f)) > limit]
    tree.report(faults, "files over 4 MiB")
