# SPDX-License-Identifier: Apache-2.0
"""What the tidy tests share: the files of the repository, and C read without its comments."""
import functools
import os
import re
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SKIP = ("build/", ".git/")


@functools.lru_cache(maxsize=None)
def files():
    """All files of the repository that git does not ignore, as paths from its root."""
    try:
        out = subprocess.run(["git", "-C", ROOT, "-c", f"safe.directory={ROOT}", "ls-files", "-co",
                              "--exclude-standard", "-z"], capture_output=True, check=True).stdout
        found = [f for f in out.decode().split("\0") if f]
    except (OSError, subprocess.CalledProcessError):  # an unpacked archive without git
        found = [os.path.relpath(os.path.join(folder, name), ROOT)
                 for folder, _, names in os.walk(ROOT) for name in names]
    return sorted(f for f in found
                  if not f.startswith(SKIP) and os.path.isfile(os.path.join(ROOT, f)))


def some(*suffixes, under=("",)):
    return [f for f in files() if f.endswith(suffixes) and f.startswith(tuple(under))]


@functools.lru_cache(maxsize=None)
def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8", errors="replace") as f:
        return f.read()


@functools.lru_cache(maxsize=None)
def code(path):
    """The C of a file with comments blanked and strings emptied; lines keep their numbers."""
    keep_lines = lambda m: "\n" * m.group().count("\n")
    pattern = r'/\*.*?\*/|//[^\n]*|"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\''

    def blank(m):
        text = m.group()
        return '""' if text[0] == '"' else "' '" if text[0] == "'" else " " + keep_lines(m)
    return re.sub(pattern, blank, read(path), flags=re.S)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def layers():
    """room -> the rooms it may include, in the order of src/LAYERS."""
    out = {}
    for line in read("src/LAYERS").splitlines():
        if ":" in line:
            room, below = line.split(":")
            out[room.strip()] = below.split()
    return out


def rows(path, macro):
    """The rows MACRO(...) of an .inc table, each a list of its cells as written."""
    if not os.path.exists(os.path.join(ROOT, path)):
        return []
    text = re.sub(r"/\*.*?\*/", "", read(path), flags=re.S)
    out = []
    for m in re.finditer(rf"^\s*{macro}\(", text, flags=re.M):
        depth, at, cell, cells, quoted = 1, m.end(), "", [], False
        while depth:
            c = text[at]
            if c == '"' and text[at - 1] != "\\":
                quoted = not quoted
            if not quoted and c in "([{":
                depth += 1
            if not quoted and c in ")]}":
                depth -= 1
            if (c == "," and depth == 1 and not quoted) or not depth:
                cells.append(cell.strip())
                cell = ""
            else:
                cell += c
            at += 1
        out.append(cells)
    return out


def report(faults, rule):
    """Fails with one line per fault."""
    assert not faults, f"{rule}\n  " + "\n  ".join(faults)
