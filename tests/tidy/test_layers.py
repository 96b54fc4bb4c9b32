# SPDX-License-Identifier: Apache-2.0
"""src/LAYERS holds: every #include goes to the own room, or to the façade of a room that
is listed."""
import os
import re

import tree

INCLUDE = re.compile(r'^\s*#\s*include\s+(?:"([^"]+)"|<([^>]+)>)', re.M)

# An external library enters at one file; the name of the header, where it may stand.
EXTERNAL = {
    "yaml.h": ("src/codec/yaml.c",),
    "zlib.h": ("src/codec/npz.c",),
    "xxhash.h": ("src/base/hash.c",),
    "hdf5.h": None,  # any one file
}
# The C library's, POSIX's and Linux's headers, and the compiler's intrinsics.
SYSTEM = re.compile(r"""
    (assert|complex|ctype|errno|fenv|float|inttypes|limits|math|setjmp|signal|stdalign|stdarg
    |stdatomic|stdbool|stddef|stdint|stdio|stdlib|stdnoreturn|string|threads|time|wchar
    |dirent|fcntl|pthread|sched|semaphore|strings|termios|unistd|poll|netdb|getopt|cpuid|elf
    |arm_neon|immintrin|x86intrin|xmmintrin|emmintrin|malloc|dlfcn|endian|byteswap|link)\.h
    |(sys|linux|sanitizer|arpa|netinet|asm)/\w+\.h""", re.X)
# Written by the build for one file.
GENERATED = {"components.h": "src/cli/main.c"}


def sources():
    return tree.some(".c", ".h", ".inc", under=["src/"])


def includes(path):
    text = re.sub(r"/\*.*?\*/", lambda m: "\n" * m.group().count("\n"), tree.read(path), flags=re.S)
    for m in INCLUDE.finditer(text):
        yield tree.line_of(text, m.start()), m.group(1), m.group(2)


def is_facade(room, name):
    return name in (f"{room}/{room}.h", f"{room}/{room}_types.h")


def refusal(room, path, quoted, angled, layers):
    """Why a file of `room` may not include this, or None."""
    if angled:
        if angled.startswith("hayate/"):
            exists = os.path.exists(os.path.join(tree.ROOT, "include", angled))
            return None if exists else "there is no such public header"
        if angled in EXTERNAL:
            where = EXTERNAL[angled]
            return None if not where or path in where else f"enters at {where[0]} alone"
        return None if SYSTEM.fullmatch(angled) else "is no system header and no library we use"
    if quoted in GENERATED:
        return None if path == GENERATED[quoted] else f"is for {GENERATED[quoted]} alone"
    if ".." in quoted or "/" not in quoted:
        return "paths are written from src/"
    if not os.path.exists(os.path.join(tree.ROOT, "src", quoted)):
        return "there is no such file under src/"
    other = quoted.split("/")[0]
    if other == room:
        return None
    if other not in layers[room]:
        return f"src/LAYERS does not let {room} see {other}"
    if is_facade(other, quoted):
        return None
    return f"is private to {other}; its façade is {other}/{other}.h"


def test_rooms_are_listed():
    rooms = {f.split("/")[1] for f in tree.files() if f.startswith("src/") and f.count("/") > 1}
    tree.report(sorted(rooms - set(tree.layers())), "rooms that src/LAYERS does not list")


def test_layers_have_no_cycle():
    seen = []
    for room, below in tree.layers().items():
        tree.report([f"{room} : {b}" for b in below if b not in seen],
                    "a room may list only rooms above it in src/LAYERS")
        seen.append(room)


def test_includes_follow_the_layers():
    layers, faults = tree.layers(), []
    for path in sources():
        if path.count("/") < 2:
            continue
        room = path.split("/")[1]
        for line, quoted, angled in includes(path):
            why = refusal(room, path, quoted, angled, layers)
            if why:
                faults.append(f"{path}:{line}: {quoted or angled}: {why}")
    tree.report(faults, "includes against src/LAYERS")


def test_external_libraries_enter_once():
    found = {}
    for path in sources():
        for _, _, angled in includes(path):
            if angled in EXTERNAL:
                found.setdefault(angled, []).append(path)
    tree.report([f"{h}: {', '.join(where)}" for h, where in found.items() if len(where) > 1],
                "a library enters at one file")


def refuse_a_cycle(graph):
    done, trail = set(), []

    def visit(name):
        if name in trail:
            ring = trail[trail.index(name):] + [name]
            raise AssertionError("include cycle: " + " -> ".join(ring))
        if name in done or name.endswith(".inc"):
            return
        trail.append(name)
        for other in graph.get(name, []):
            visit(other)
        done.add(trail.pop())
    for name in list(graph):
        visit(name)


def test_headers_have_no_cycle():
    refuse_a_cycle({f[len("src/"):]: [q for _, q, _ in includes(f) if q] for f in sources()})


def test_folders_of_a_room_have_no_cycle():
    graph = {}
    for path in sources():
        folder = path[len("src/"):].rpartition("/")[0]
        others = {q.rpartition("/")[0] for _, q, _ in includes(path) if q}
        # what lies in the room itself is for all its folders
        graph.setdefault(folder, set()).update(o for o in others - {folder} if "/" in o)
    refuse_a_cycle({folder: sorted(o) for folder, o in graph.items() if "/" in folder})


def test_public_headers_include_public_headers_alone():
    faults = []
    for path in tree.some(".h", ".inc", under=["include/"]):
        for line, quoted, angled in includes(path):
            if quoted or not (angled.startswith("hayate/") or
                              angled in ("stddef.h", "stdint.h", "stdbool.h")):
                faults.append(f"{path}:{line}: {quoted or angled}")
    tree.report(faults, "a public header includes public headers and three of C's")


def test_examples_use_the_public_headers():
    faults = []
    for path in tree.some(".c", under=["examples/"]):
        faults += [f"{path}:{line}: {q}" for line, q, _ in includes(path) if q]
    tree.report(faults, "an example includes <hayate/...> alone")
