"""The local cloud's command line: ``python -m infra.local up|down|status|logs``."""

import argparse
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from infra.local import ministack, suppliers
from infra.local.assembly import AssemblyError
from infra.local.cloud import ASSEMBLY, LocalCloud, synthesize
from infra.local.deploy import DeployFailed
from infra.local.discovery import NotDeployed
from infra.local.envfile import read_env, write_env
from infra.local.lost_executions import told
from infra.local.ministack import REPOSITORY
from infra.local.processes import ProcessFailed, Server
from infra.local.restore import NotRestored
from infra.local.sample_access import SampleDayFailed
from infra.local.sample_day import play
from infra.local.seed import PASSWORD_FILE, SeedFailed
from infra.local.unsupported import DanglingReference

WORKDIR: Final = REPOSITORY / ".local"
PORT: Final = 4566
SUPPLIER_PORT: Final = 4570

EXPECTED: Final = (
    AssemblyError,
    BotoCoreError,
    ClientError,
    DanglingReference,
    DeployFailed,
    NotDeployed,
    NotRestored,
    ProcessFailed,
    SampleDayFailed,
    SeedFailed,
    subprocess.CalledProcessError,
)
"""What a person can do something about: shown without a traceback."""


def main() -> int:
    """Run one command. Returns the exit code: 0 only if it did what it says."""
    ports = f"{ministack.PORT_VARIABLE} (default {PORT}) and {suppliers.PORT_VARIABLE} (default {SUPPLIER_PORT})"
    parser = argparse.ArgumentParser(
        prog="python -m infra.local", description="The local cloud.", epilog=f"Ports, on loopback only: {ports}."
    )
    parser.add_argument("--workdir", type=Path, default=WORKDIR, help="state, logs, env (default: .local)")
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="start it, deploy into it, play the sample day")
    up.add_argument("--no-synth", action="store_true", help="deploy what the last up synthesized")
    up.add_argument("--no-sample-day", action="store_true", help="deploy and seed only")
    commands.add_parser("down", help="stop what up started; its state stays").add_argument(
        "--wipe", action="store_true", help="forget its state too"
    )
    commands.add_parser("status", help="what runs, and where")
    logs = commands.add_parser("logs", help="print what the servers logged")
    logs.add_argument("server", nargs="?", choices=("ministack", "supplier"), default="ministack")
    arguments = parser.parse_args()
    console = Console(highlight=False, soft_wrap=True)
    run: dict[str, Callable[[argparse.Namespace, Console], int]] = {
        "up": _up,
        "down": _down,
        "status": _status,
        "logs": _logs,
    }
    try:
        return run[arguments.command](arguments, console)
    except EXPECTED as error:
        console.print(f"[red]{type(error).__name__}[/red]", end=": ")
        console.print(str(error), markup=False)
        if isinstance(error, SampleDayFailed):
            console.print(
                "If it was played before, by an earlier version: make reset forgets that, make up begins anew."
            )
        return 1


def _up(arguments: argparse.Namespace, console: Console) -> int:
    started = time.monotonic()

    def report(line: str) -> None:
        console.print(f"[dim]{time.monotonic() - started:6.1f} s[/dim] ", end="")
        console.print(line, markup=False)

    if not arguments.no_synth:
        report("synthesizing the templates")
        synthesize(arguments.workdir / ASSEMBLY)
    cloud = LocalCloud(
        arguments.workdir,
        port=int(os.environ.get(ministack.PORT_VARIABLE, str(PORT))),
        supplier_port=int(os.environ.get(suppliers.PORT_VARIABLE, str(SUPPLIER_PORT))),
        tied=False,
        persistent=True,
        report=report,
    )
    cloud.start()
    cloud.deploy()
    cloud.seed()
    write_env(arguments.workdir / "env", cloud.variables)
    report(f"wrote {arguments.workdir / 'env'}; source it to use the API from this shell")
    if not arguments.no_sample_day:
        play(cloud, report, console)
    for line in told(cloud.lost):
        console.print(line, markup=False)
    if cloud.person is not None:
        console.print(f"The console: {cloud.platform.console_url}", markup=False)
        console.print(
            f"  sign in as {cloud.person.id}, with the password in {arguments.workdir / PASSWORD_FILE}", markup=False
        )
    return 0


def _down(arguments: argparse.Namespace, console: Console) -> int:
    for server in _servers(arguments.workdir):
        console.print(f"{server.name}: {'stopped' if server.stop() else 'was not running'}")
    (arguments.workdir / "env").unlink(missing_ok=True)
    if arguments.wipe:
        shutil.rmtree(arguments.workdir, ignore_errors=True)
        console.print(f"{arguments.workdir}: removed")
    return 0


def _status(arguments: argparse.Namespace, console: Console) -> int:
    running = True
    for server in _servers(arguments.workdir):
        pid = server.pid()
        running = running and pid is not None
        console.print(f"{server.name}: {f'runs as process {pid}' if pid else 'does not run'}")
    env = arguments.workdir / "env"
    if running and env.exists():
        for name, value in read_env(env).items():
            if "SECRET" not in name:
                console.print(f"  {name}={value}", markup=False)
    return 0 if running else 1


def _logs(arguments: argparse.Namespace, console: Console) -> int:
    log = Server(arguments.server, arguments.workdir).log_file
    if not log.exists():
        console.print(f"no log: {log}", markup=False)
        return 1
    console.print(log.read_text(errors="replace"), markup=False)
    return 0


def _servers(workdir: Path) -> tuple[Server, ...]:
    return (Server("ministack", workdir), Server("supplier", workdir))


if __name__ == "__main__":
    sys.exit(main())
