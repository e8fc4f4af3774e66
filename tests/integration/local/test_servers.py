"""The servers as processes: on loopback only, and gone with the one that started them."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from infra.local.ministack import REPOSITORY, Ministack
from infra.local.processes import ProcessFailed, free_port
from infra.local.suppliers import SupplierProcess
from tests.integration.local.sockets import addresses_of

pytestmark = pytest.mark.integration

STARTER = """
import sys, time
from pathlib import Path
from infra.local.ministack import Ministack
from infra.local.suppliers import SupplierProcess

workdir = Path(sys.argv[1])
Ministack(workdir, int(sys.argv[2]), "eu-south-1", persistent=False, tied=True).start()
SupplierProcess(workdir, int(sys.argv[3]), tied=True).start()
print("started", flush=True)
time.sleep(60)
"""


def test_the_supplier_listens_on_loopback_only(tmp_path: Path) -> None:
    supplier = SupplierProcess(tmp_path, free_port(), tied=True)
    supplier.start()
    try:
        pid = supplier.server.pid()
        assert pid is not None
        assert addresses_of(pid) == {"127.0.0.1"}
    finally:
        supplier.stop()


def test_servers_end_with_a_starter_that_is_killed(tmp_path: Path) -> None:
    ports = (free_port(), free_port())
    command = [sys.executable, "-c", STARTER, str(tmp_path), *map(str, ports)]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout is not None
        assert starter.stdout.readline() == "started\n"
        servers = [Ministack(tmp_path, ports[0], "eu-south-1").server, SupplierProcess(tmp_path, ports[1]).server]
        assert all(server.pid() for server in servers)
        os.kill(starter.pid, signal.SIGKILL)
    deadline = time.monotonic() + 15
    while any(server.pid() for server in servers):
        assert time.monotonic() < deadline, "a server outlived its starter"
        time.sleep(0.1)


def test_a_port_that_somebody_else_uses_is_named_with_the_way_out(tmp_path: Path) -> None:
    port = free_port()
    first = SupplierProcess(tmp_path / "1", port, tied=True)
    first.start()
    try:
        with pytest.raises(ProcessFailed, match=f"port {port} is taken; choose another with LOYALTY_SUPPLIER_PORT"):
            SupplierProcess(tmp_path / "2", port, tied=True).start()
        with pytest.raises(ProcessFailed, match="LOYALTY_LOCAL_PORT"):
            Ministack(tmp_path / "3", port, "eu-south-1", tied=True).start()
    finally:
        first.stop()
