"""Servers as processes: started, known again, stopped with all that they started."""

import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from infra.local.processes import ProcessFailed, Server

ENV: Mapping[str, str] = {"PATH": os.environ["PATH"]}
PARENT = """
import pathlib, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
pathlib.Path(sys.argv[1]).write_text(str(child.pid))
time.sleep(60)
"""


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_server_is_stopped_with_its_children(tmp_path: Path) -> None:
    child = tmp_path / "child"
    server = Server("s", tmp_path)
    pid = server.start(
        [sys.executable, "-c", PARENT, str(child)], ENV, lambda: child.exists() and bool(child.read_text()), 10
    )
    assert server.pid() == pid
    assert Server("s", tmp_path).pid() == pid, "another process knows it by its pid file"
    assert server.stop()
    deadline = time.monotonic() + 5
    while _alive(int(child.read_text())) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _alive(pid)
    assert not _alive(int(child.read_text()))
    assert not server.pid_file.exists()
    assert not server.stop(), "nothing is left to stop"


def test_an_early_end_shows_the_log(tmp_path: Path) -> None:
    with pytest.raises(ProcessFailed, match="no such port"):
        Server("s", tmp_path).start([sys.executable, "-c", "raise SystemExit('no such port')"], ENV, lambda: False, 10)


def test_one_that_does_not_become_ready_is_stopped(tmp_path: Path) -> None:
    server = Server("s", tmp_path)
    with pytest.raises(ProcessFailed, match="not ready after 0 s"):
        server.start([sys.executable, "-c", "import time; time.sleep(60)"], ENV, lambda: False, 0.3)
    assert server.pid() is None


def test_a_pid_that_another_process_got_is_not_ours(tmp_path: Path) -> None:
    server = Server("s", tmp_path)
    server.pid_file.write_text(f"{os.getpid()} 1\n")
    assert server.pid() is None
    assert not server.stop()
