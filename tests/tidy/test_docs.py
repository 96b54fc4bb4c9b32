# SPDX-License-Identifier: Apache-2.0
"""The documents hold: their links lead somewhere, the files and commands they name exist."""
import os
import re
import shlex

import tree

LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")
PATH = re.compile(r"`((?:src|docs|tests|tools|examples|bench|fuzz|include|cmake|python)/[\w./-]+\w)`")


def pages():
    return [f for f in tree.some(".md") if not f.startswith("docs/plans/")]


def test_links_lead_somewhere():
    faults = []
    for path in pages():
        for number, line in enumerate(tree.read(path).splitlines(), 1):
            for target in LINK.findall(line):
                if re.match(r"[a-z]+:", target):
                    continue
                there = os.path.normpath(os.path.join(tree.ROOT, os.path.dirname(path), target))
                if not os.path.exists(there):
                    faults.append(f"{path}:{number}: {target}")
    tree.report(faults, "links that lead nowhere")


def test_paths_exist():
    faults = []
    for path in pages():
        for number, line in enumerate(tree.read(path).splitlines(), 1):
            for target in PATH.findall(line):
                if not os.path.exists(os.path.join(tree.ROOT, target)):
                    faults.append(f"{path}:{number}: {target}")
    tree.report(faults, "paths that are not there")


def shown_commands():
    """(page, line, words) of each `hayate ...` line in a block of code."""
    for path in pages():
        fenced = False
        for number, line in enumerate(tree.read(path).splitlines(), 1):
            if line.startswith("```"):
                fenced = not fenced
            text = line.strip().removeprefix("$ ")
            if (fenced or line.startswith("    ")) and re.match(r"(build/release/)?hayate [a-z]", text):
                try:
                    yield path, number, shlex.split(text.split(" #")[0], comments=False)
                except ValueError:
                    continue  # a quotation that goes on in the next line


def test_commands_shown_exist():
    rows = [row[1].strip('"').split() for row in tree.rows("src/cli/command.inc", "CLI_COMMAND")]
    known = rows + [["COMMAND"]]
    faults = []
    for path, number, words in shown_commands():
        if not any(words[1:1 + len(row)] == row for row in known):
            faults.append(f"{path}:{number}: {' '.join(words[:4])}")
    tree.report(faults, "documents show commands that `hayate --help` does not list")
