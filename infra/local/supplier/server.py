"""The sandbox supplier's transport: HTTP/1.1 on the loopback interface."""

import json
import sys
import threading
import time
import uuid
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import parse_qsl, urlsplit

from infra.local.processes import LOOPBACK
from infra.local.supplier.api import Api
from infra.local.supplier.exchange import Answer, Request
from infra.local.supplier.orders import OrderBook

MAX_BODY: Final = 1 << 20
STOP_POLL_SECONDS: Final = 0.05
SANDBOX_KEY: Final = "TEST_loyalty_local_sandbox"
"""The API key that the sandbox accepts. It is no secret: it opens nothing but a server on loopback."""


class SandboxSupplier:
    """A supplier that serves while it is entered.

    Args:
        port: TCP port, 0 for any free one.
        book: keeps the orders.
        key: the API key that it accepts.
    """

    def __init__(self, port: int = 0, book: OrderBook | None = None, key: str = SANDBOX_KEY) -> None:
        self.key = key
        self._server = _Server((LOOPBACK, port), _Handler)
        self._server.api = self.api = Api(key, self.url, book or OrderBook())
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """The base URL, without ``/api/v2`` and without a trailing slash."""
        return f"http://{LOOPBACK}:{self._server.server_address[1]}"

    def serve(self) -> None:
        """Serve until the process ends."""
        self._server.serve_forever()

    def __enter__(self) -> Self:
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(STOP_POLL_SECONDS,), name="sandbox-supplier", daemon=True
        )
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.closing.set()
        self.api.webhooks.stop()
        self._server.shutdown()
        self._server.server_close()
        if self._thread is not None:
            self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    api: Api

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(address, handler)
        self.closing = threading.Event()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is what the slow faults are for; anything else is reported."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length", "0"))
        parts = urlsplit(self.path)
        request = Request(
            method=self.command,
            path=parts.path,
            query=dict(parse_qsl(parts.query)),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=self.rfile.read(min(length, MAX_BODY)),
        )
        answer = self.server.api.answer(request)
        if answer.delay:
            self.server.closing.wait(answer.delay)
        self._send(answer)

    def _send(self, answer: Answer) -> None:
        if answer.status is None:
            self.close_connection = True
            return
        body, kind = _content(answer)
        self.send_response(answer.status)
        self.send_header("Content-Type", kind)
        self.send_header("X-Request-Id", str(uuid.uuid4()))
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815 -- the base class looks for these names

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the base class's name
        """One line for each request, with the time in UTC; never a header, so no key."""
        print(time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), format % args, flush=True)


def _content(answer: Answer) -> tuple[bytes, str]:
    if answer.html is not None:
        return answer.html.encode(), "text/html; charset=utf-8"
    body = b"" if answer.document is None else json.dumps(answer.document, default=_number).encode()
    return body, "application/json"


def _number(value: Any) -> float:
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(f"not JSON: {value!r}")
