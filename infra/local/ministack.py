"""Start and stop ministack, bound to loopback, with IAM enforcement on."""

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from infra.local.probe import answer_of
from infra.local.processes import LOOPBACK, Server, require_free

PORT_VARIABLE: Final = "LOYALTY_LOCAL_PORT"
READY_TIMEOUT: Final = 60.0
REPOSITORY: Final = Path(__file__).resolve().parents[2]

CALLS_FILE: Final = "calls.jsonl"
"""In the working folder: what roles did, a line for each call that was not made before (see ``recorded_calls``)."""

ACCOUNT: Final = "000000000000"
ACCESS_KEY: Final = "test"
SECRET_KEY: Final = "test"  # noqa: S105 -- the local cloud's root key, accepted on loopback only
"""The local cloud's root credentials. Every other key must be one that its IAM or STS issued."""


@dataclass(frozen=True)
class Ministack:
    """One ministack process.

    Args:
        workdir: holds its pid file, log and state.
        port: TCP port on the loopback interface.
        region: the region of requests that name none.
        persistent: keep the state over a clean stop.
        enforce_iam: check every request against the caller's policies.
        tied: end with this process (tests); otherwise it outlives the shell.
    """

    workdir: Path
    port: int
    region: str
    persistent: bool = True
    enforce_iam: bool = True
    tied: bool = False

    @property
    def server(self) -> Server:
        """The process, its pid file and its log."""
        return Server("ministack", self.workdir)

    @property
    def endpoint(self) -> str:
        """Base URL of every AWS service, without a trailing slash."""
        return f"http://{LOOPBACK}:{self.port}"

    def start(self) -> None:
        """Start it, unless it runs already.

        Raises:
            ProcessFailed: the port is taken, or it did not become ready.
        """
        if self.server.pid() is None or not self._ready():
            self.server.stop()
            require_free(self.port, PORT_VARIABLE)
            shutil.rmtree(self.workdir / "tmp", ignore_errors=True)
            command = [sys.executable, "-m", "infra.local.server"]
            self.server.start(command, self._environment(), self._ready, READY_TIMEOUT)

    def stop(self) -> bool:
        """Stop it; its state is saved first where it is persistent. True if it was running."""
        return self.server.stop()

    def _ready(self) -> bool:
        return answer_of(f"{self.endpoint}/_ministack/health") is not None

    def _environment(self) -> dict[str, str]:
        state = self.workdir / "state"
        temporary = self.workdir / "tmp"
        temporary.mkdir(parents=True, exist_ok=True)
        ours = {
            "BIND_HOST": LOOPBACK,
            "GATEWAY_PORT": str(self.port),
            "MINISTACK_HOST": LOOPBACK,
            "MINISTACK_REGION": self.region,
            "MINISTACK_ACCOUNT_ID": ACCOUNT,
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "AUTH": "true" if self.enforce_iam else "false",
            "LAMBDA_EXECUTOR": "local",
            "PERSIST_STATE": "1" if self.persistent else "0",
            "STATE_DIR": str(state),
            "S3_PERSIST": "1" if self.persistent else "0",
            "S3_DATA_DIR": str(state / "s3"),
            "TMPDIR": str(temporary),
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_ENDPOINT_URL": self.endpoint,
            "LOYALTY_LOCAL_LAYERS": str(self.workdir / "layers"),
            "LOYALTY_LOCAL_CALLS": str(self.workdir / CALLS_FILE),
            "PYTHONPATH": str(REPOSITORY),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        if self.tied:
            ours["LOYALTY_LOCAL_PARENT"] = str(os.getpid())
        # Only what a process needs: the caller's AWS profile and the project's own variables must not reach handlers.
        inherited = {key: os.environ[key] for key in ("PATH", "HOME", "LANG", "LC_ALL") if key in os.environ}
        return inherited | ours
