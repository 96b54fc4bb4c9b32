# SPDX-License-Identifier: Apache-2.0
"""The Makefile's face and tools/deps: what the first minute with the repository meets."""
import os
import re
import shutil
import subprocess

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DEPS = os.path.join(ROOT, "tools", "deps")


def run(*words, **more):
    return subprocess.run(words, capture_output=True, text=True, cwd=ROOT, timeout=60, **more)


@pytest.mark.parametrize("target", ["all", "demo", "test", "check", "bench", "lint", "format",
                                    "install", "uninstall", "clean"])
def test_make_knows(target):
    done = run("make", "-n", target)
    assert done.returncode == 0, done.stderr
    for tool in re.findall(r"tools/\w+", done.stdout):
        assert os.access(os.path.join(ROOT, tool), os.X_OK), f"{tool} cannot be run"


def test_ci_runs_make_test():
    with open(os.path.join(ROOT, ".ci", "run")) as f:
        assert "exec make test" in f.read()


def test_table_says_what_each_package_is_for():
    rows = [line.split(None, 2) for line in run(DEPS, "--list").stdout.splitlines()]
    assert len(rows) > 15
    for row in rows:
        assert len(row) == 3 and row[0] in ("build", "test", "demo", "check", "arm64", "lint", "bench", "peers"), row


@pytest.mark.skipif(not shutil.which("dpkg-query"), reason="not a Debian machine")
def test_silent_when_nothing_is_missing():
    done = run(DEPS, "build", "test")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_missing_packages_ask_for_root(tmp_path):
    """With a dpkg that knows nothing, no sudo and no root, it says what to install and leaves."""
    for name, text in {"dpkg-query": "exit 1", "id": "echo 1000"}.items():
        path = tmp_path / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
    for name in ("sh", "awk", "sort", "cat", "mktemp", "rm", "tail"):
        os.symlink(shutil.which(name), tmp_path / name)
    done = run("/bin/sh", DEPS, "build", env={"PATH": str(tmp_path)})
    assert done.returncode == 3
    assert "as root run: apt-get install" in done.stderr and "libhdf5-dev" in done.stderr
