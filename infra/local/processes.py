"""Start a server process, know it again later by its pid file, and stop it with all its children."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

LOOPBACK: Final = "127.0.0.1"
STOP_GRACE_SECONDS: Final = 20.0
POLL_SECONDS: Final = 0.05


_children: dict[int, subprocess.Popen[bytes]] = {}
"""Processes that this one started: kept, since Python warns of a child that is dropped while it runs."""


class ProcessFailed(RuntimeError):
    """A server ended early or did not answer in time. The message carries the end of its log."""


def free_port() -> int:
    """A TCP port that nothing on the loopback interface listens on at this moment."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def require_free(port: int, variable: str) -> None:
    """See that nothing of somebody else's listens on the port, which would be taken for the server to be started.

    Raises:
        ProcessFailed: the port is taken; the message names the variable that chooses another.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            raise ProcessFailed(f"port {port} is taken; choose another with {variable}=<port>") from error


@dataclass(frozen=True)
class Server:
    """A server process of the local cloud: its name, and the folder that holds its pid file and log."""

    name: str
    folder: Path

    @property
    def pid_file(self) -> Path:
        """Holds the pid and the process's start time, so that a reused pid is not mistaken for ours."""
        return self.folder / f"{self.name}.pid"

    @property
    def log_file(self) -> Path:
        """Everything that the server printed since it was last started."""
        return self.folder / f"{self.name}.log"

    def pid(self) -> int | None:
        """The pid while the process that we started is alive, else None."""
        try:
            text, _, started = self.pid_file.read_text().strip().partition(" ")
            pid = int(text)
        except (FileNotFoundError, ValueError):
            return None
        return pid if _start_time(pid) == started else None

    def start(self, command: Sequence[str], env: Mapping[str, str], ready: Callable[[], bool], timeout: float) -> int:
        """Start ``command`` in a session of its own and wait until ``ready`` answers true.

        Args:
            command: program and arguments.
            env: the whole environment of the process.
            ready: asked repeatedly; must not raise.
            timeout: seconds to wait for it.

        Returns:
            The pid.

        Raises:
            ProcessFailed: it ended, or did not become ready in time; in that case it is stopped.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with self.log_file.open("wb") as log:
            process = subprocess.Popen(  # noqa: S603 - what callers of ours start, no shell
                list(command),
                env=dict(env),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        _children[process.pid] = process
        self.pid_file.write_text(f"{process.pid} {_start_time(process.pid)}\n")
        deadline = time.monotonic() + timeout
        while process.poll() is None and time.monotonic() < deadline:
            if ready():
                return process.pid
            time.sleep(POLL_SECONDS)
        reason = (
            f"ended with {process.returncode}" if process.poll() is not None else f"not ready after {timeout:.0f} s"
        )
        self.stop()
        raise ProcessFailed(f"{self.name}: {reason}\n{self.log_tail()}")

    def stop(self) -> bool:
        """Stop the process and what it started. True if it was running.

        It gets SIGTERM and time to save its state; whatever is left of its session then gets SIGKILL.
        """
        pid = self.pid()
        if pid is not None:
            os.kill(pid, signal.SIGTERM)
            deadline = time.monotonic() + STOP_GRACE_SECONDS
            while self.pid() is not None and time.monotonic() < deadline:
                time.sleep(POLL_SECONDS)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)
            child = _children.pop(pid, None)
            if child is not None:
                child.wait()
        self.pid_file.unlink(missing_ok=True)
        return pid is not None

    def log_tail(self, lines: int = 20) -> str:
        """The last lines of the log, for an error message."""
        try:
            return "\n".join(self.log_file.read_text(errors="replace").splitlines()[-lines:])
        except FileNotFoundError:
            return "(no log)"


def _start_time(pid: int) -> str | None:
    """What tells two processes of the same pid apart, or None for a process that is gone or a zombie."""
    if sys.platform != "linux":
        shown = subprocess.run(  # noqa: S603 - fixed words and a number
            ["/bin/ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
        )
        state, _, started = shown.stdout.strip().partition(" ")
        return None if not state or state.startswith("Z") else "".join(started.split())
    try:
        # The command name, in parentheses, may hold spaces: the fixed fields follow the last one.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] == "Z" else fields[19]
