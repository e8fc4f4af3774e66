"""Start and stop the sandbox supplier as a process."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import requests

from infra.local.ministack import REPOSITORY
from infra.local.probe import answer_of
from infra.local.processes import LOOPBACK, ProcessFailed, Server, require_free

PORT_VARIABLE: Final = "LOYALTY_SUPPLIER_PORT"
READY_TIMEOUT: Final = 20.0


@dataclass(frozen=True)
class SupplierProcess:
    """One sandbox supplier.

    Args:
        workdir: holds its pid file, its log and the journal of its orders.
        port: TCP port on the loopback interface.
        tied: end with this process (tests); otherwise it outlives the shell.
    """

    workdir: Path
    port: int
    tied: bool = False

    @property
    def server(self) -> Server:
        """The process, its pid file and its log."""
        return Server("supplier", self.workdir)

    @property
    def url(self) -> str:
        """Base URL, without ``/api/v2`` and without a trailing slash."""
        return f"http://{LOOPBACK}:{self.port}"

    def start(self) -> None:
        """Start it, unless it runs already.

        Raises:
            ProcessFailed: the port is taken, or it did not become ready.
        """
        if self.server.pid() is not None and self._ready():
            return
        self.server.stop()
        require_free(self.port, PORT_VARIABLE)
        command = [sys.executable, "-m", "infra.local.supplier", "--port", str(self.port)]
        command += ["--journal", str(self.workdir / "supplier-orders.jsonl")]
        command += ["--parent", str(os.getpid())] if self.tied else []
        inherited = {key: os.environ[key] for key in ("PATH", "HOME", "LANG", "LC_ALL") if key in os.environ}
        self.server.start(command, inherited | {"PYTHONPATH": str(REPOSITORY)}, self._ready, READY_TIMEOUT)

    def call_back(self, url: str) -> None:
        """Have it post there what becomes of its orders. It forgets that when it stops.

        Raises:
            ProcessFailed: it does not take the address, or does not answer.
        """
        try:
            requests.put(f"{self.url}/_sandbox/webhooks", json={"url": url}, timeout=READY_TIMEOUT).raise_for_status()
        except requests.RequestException as error:
            raise ProcessFailed(f"the sandbox supplier does not take {url} to call back to: {error}") from error

    def stop(self) -> bool:
        """Stop it. True if it was running."""
        return self.server.stop()

    def _ready(self) -> bool:
        return answer_of(f"{self.url}/_sandbox/health") is not None
