"""microburst, the fault proxy: faults between a client and an engine, in the wire format of AWS."""

import json
import os
import sys
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from infra.local.probe import answer_of
from infra.local.processes import LOOPBACK, Server

READY_TIMEOUT: Final = 30.0


class FaultProxy:
    """One proxy in front of an engine; without rules it passes everything through.

    Args:
        workdir: holds its pid file and log.
        port: TCP port.
        upstream: the engine's URL.
    """

    def __init__(self, workdir: Path, port: int, upstream: str) -> None:
        self._server = Server(f"microburst-{port}", workdir)
        self._port = port
        self._upstream = upstream

    @property
    def endpoint(self) -> str:
        """Its URL: give it to a client in place of the engine's."""
        return f"http://{LOOPBACK}:{self._port}"

    def start(self) -> None:
        """Start it and wait until it answers.

        Raises:
            ProcessFailed: it did not become ready.
        """
        command = [sys.executable, "-m", "microburst", "--host", LOOPBACK, "--port", str(self._port)]
        command += ["--upstream", self._upstream, "--no-resign"]
        environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")}
        self._server.start(command, environment, self._answers, READY_TIMEOUT)

    def stop(self) -> None:
        """Stop it."""
        self._server.stop()

    def inject(self, *rules: dict[str, Any]) -> None:
        """Put these rules in force instead of the present ones; none clears them."""
        request = urllib.request.Request(  # noqa: S310 -- always a loopback URL
            f"{self.endpoint}/_microburst/rules",
            data=json.dumps(list(rules)).encode(),
            headers={"Content-Type": "application/json"},
            method="POST",
        )
        with urllib.request.urlopen(request, timeout=10):  # noqa: S310 -- as above
            pass

    def fired(self) -> list[dict[str, Any]]:
        """The faults that struck so far, oldest first."""
        found: list[dict[str, Any]] = answer_of(f"{self.endpoint}/_microburst/fired")
        return found

    def _answers(self) -> bool:
        return answer_of(f"{self.endpoint}/_microburst/rules") is not None


def lost_request(operation: str, times: int = 1) -> dict[str, Any]:
    """The connection is reset before the engine sees the request: a write is not applied."""
    return {"service": "dynamodb", "operation": operation, "times": times, "reset": True}


def lost_reply(operation: str, times: int = 1) -> dict[str, Any]:
    """The engine applies the request, and the connection is reset instead of the reply."""
    return {"service": "dynamodb", "operation": operation, "times": times, "response": {"abort_bytes": 0}}


def throttled(operation: str, times: int = 1) -> dict[str, Any]:
    """The engine is said to be out of throughput; it does not see the request."""
    code = "ProvisionedThroughputExceededException"
    return {"service": "dynamodb", "operation": operation, "times": times, "error": {"code": code}}


def cancelled(reasons: Sequence[str], times: int = 1) -> dict[str, Any]:
    """A transaction is cancelled for these reasons, one code for each of its items (``None`` where it is not to blame)."""
    return {
        "service": "dynamodb",
        "operation": "TransactWriteItems",
        "times": times,
        "error": {
            "code": "TransactionCanceledException",
            "message": f"Transaction cancelled, please refer cancellation reasons for specific reasons [{', '.join(reasons)}]",
            "fields": {"CancellationReasons": [{"Code": reason} for reason in reasons]},
        },
    }
