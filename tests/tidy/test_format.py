# SPDX-License-Identifier: Apache-2.0
"""The code has the one layout of .clang-format (where clang-format is installed)."""
import os
import shutil
import subprocess

import pytest
import tree


def test_clang_format():
    if not shutil.which("clang-format"):
        pytest.skip("clang-format is not here; tools/deps lint installs it")
    version = subprocess.run(["clang-format", "--version"], capture_output=True, text=True).stdout
    if " 14." not in version:
        pytest.skip(f"{version.strip()}: Debian 12's version 14 decides the layout")
    paths = tree.some(".c", ".h")
    done = subprocess.run(["clang-format", "--dry-run", "-Werror", *paths], cwd=tree.ROOT,
                          capture_output=True, text=True)
    bad = sorted({line.split(":")[0] for line in done.stderr.splitlines() if ": error:" in line})
    tree.report([os.path.relpath(p, tree.ROOT) if os.path.isabs(p) else p for p in bad],
                "not in the layout of .clang-format (make format)")
