# SPDX-License-Identifier: Apache-2.0
"""The progress bar on a terminal, and Ctrl-C: `hayate gen` of a universe too large to wait for."""
import os
import pty
import select
import subprocess
import time

import pytest

HAYATE = os.environ["HAYATE"]


def start_on_terminal(*words):
    try:
        pid, terminal = pty.fork()
    except OSError as why:  # a chroot without /dev/pts
        pytest.skip(f"no terminal can be made here: {why}")
    if pid == 0:
        os.execv(HAYATE, ["hayate", *words])
    return pid, terminal


def read_until(terminal, wanted, limit_s=60):
    """What the terminal shows until `wanted` has come (or the other side has gone)."""
    shown, end = b"", time.monotonic() + limit_s
    while wanted not in shown and time.monotonic() < end:
        if select.select([terminal], [], [], 0.1)[0]:
            try:
                more = os.read(terminal, 65536)
            except OSError:
                break
            if not more:
                break
            shown += more
    return shown


def test_bar_and_interrupt(tmp_path):
    target = tmp_path / "u.h5"
    pid, terminal = start_on_terminal("gen", "--symbols", "3000", "--bars", "20000", "-o",
                                      str(target))
    shown = read_until(terminal, b" left")
    assert b"gen [" in shown and b"/3000 symbols" in shown
    os.write(terminal, b"\x03")
    shown = read_until(terminal, b"\x00never\x00")
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 130
    assert shown.rstrip().rsplit(b"\x1b[K", 1)[-1].startswith(b"hayate: ")
    assert list(tmp_path.iterdir()) == []


def test_no_bar_on_a_pipe(tmp_path):
    done = subprocess.run([HAYATE, "gen", "--symbols", "40", "--bars", "400", "-o",
                           str(tmp_path / "u.h5")], capture_output=True, text=True)
    assert done.returncode == 0 and "\x1b" not in done.stderr and "[" not in done.stderr
