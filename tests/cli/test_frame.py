# SPDX-License-Identifier: Apache-2.0
"""The command from outside: what the frame gives every command, each of which has its own
test file."""
import json
import os
import re
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tidy"))
import tree  # noqa: E402

HAYATE = os.environ["HAYATE"]
ROWS = tree.rows("src/cli/command.inc", "CLI_COMMAND")
COMMANDS = [(row[0], row[1].strip('"')) for row in ROWS]


def hayate(*words, **more):
    env = {k: v for k, v in os.environ.items() if not k.startswith("HAYATE_")}
    return subprocess.run([HAYATE, *words], capture_output=True, text=True, env=env, timeout=60,
                          **more)


def options():
    """words -> the options that the table has, read from the completion script."""
    script = hayate("--completion", "bash").stdout
    return {m.group(1): m.group(2).split()
            for m in re.finditer(r"^      '([^']+)'\) words='([^']*)' ;;$", script, re.M)}


def test_help_lists_every_command():
    out = hayate("--help")
    assert out.returncode == 0 and not out.stderr
    for _, words in COMMANDS:
        assert re.search(rf"^  {re.escape(words)}\s", out.stdout, re.M), words


def test_no_command_is_usage():
    out = hayate()
    assert out.returncode == 2 and not out.stdout and "hayate COMMAND" in out.stderr


def test_unknown_command_suggests():
    out = hayate("scroe")
    assert out.returncode == 2
    assert "unknown command 'scroe'" in out.stderr
    if "score" in dict((w, i) for i, w in COMMANDS):
        assert "did you mean 'score'?" in out.stderr


def test_version():
    out = hayate("--version")
    assert out.returncode == 0 and re.match(r"hayate \d+\.\d+\.\d+ ", out.stdout)
    keys = json.loads(hayate("--version", "--json").stdout)
    assert keys["components"]["hdf5"]["on"] is True
    assert all(c["reason"] for c in keys["components"].values())


@pytest.mark.parametrize("ident,words", COMMANDS)
def test_help_of_every_command(ident, words):
    out = hayate(*words.split(), "--help")
    assert out.returncode == 0 and not out.stderr
    assert out.stdout.startswith(f"hayate {words}\n")
    assert re.search(r"^Examples?:$", out.stdout, re.M), "the page has no example"
    assert re.search(rf"^    hayate {re.escape(words)} ", out.stdout, re.M)
    for option in options()[words]:
        if option != "--help":
            assert re.search(rf"{option}\b", out.stdout), f"{option} is not on the page"
    for option in set(re.findall(r"^  (?:-\w, )?(--[a-z][a-z0-9-]*)", out.stdout, re.M)):
        assert option in options()[words] + ["--help"], f"{option} is on the page alone"
    assert hayate("help", *words.split()).stdout == out.stdout


@pytest.mark.parametrize("ident,words", COMMANDS)
def test_unknown_option_of_every_command(ident, words):
    out = hayate(*words.split(), "--nonsense-option")
    assert out.returncode == 2 and not out.stdout
    assert "unknown option --nonsense-option" in out.stderr


@pytest.mark.parametrize("ident,words", COMMANDS)
def test_json_errors(ident, words):
    if "--json" not in options()[words]:
        pytest.skip("has no --json")
    out = hayate(*words.split(), "--nonsense-option", "--json")
    error = json.loads(out.stdout)["error"]
    assert out.returncode == 2
    assert error["status"] == "INVALID_ARGUMENT" and "--nonsense-option" in error["message"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(shell):
    out = hayate("--completion", shell)
    assert out.returncode == 0
    for _, words in COMMANDS:
        assert words.split()[-1] in out.stdout
    if shell == "bash":
        assert subprocess.run(["bash", "-n"], input=out.stdout, text=True).returncode == 0
    assert hayate("--completion", "csh").returncode == 2


def complete(*words):
    """What bash offers after these words."""
    script = hayate("--completion", "bash").stdout
    line = " ".join(f"'{w}'" for w in words)
    script += (f"\nCOMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; _hayate; "
               "echo \"${COMPREPLY[@]}\"")
    return subprocess.run(["bash", "-c", script], capture_output=True, text=True).stdout.split()


def test_bash_completes_commands_and_options():
    offered = complete("hayate", "")
    assert "--help" in offered
    for _, words in COMMANDS:
        assert words.split()[0] in offered
        typed = ["hayate", *words.split(), "--"]
        assert set(options()[words]) <= set(complete(*typed))
