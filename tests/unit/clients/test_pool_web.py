"""Reading a pool's keys over the network: again after a failure, not for ever, and never past HTTPS."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from loyalty.core.errors import Unavailable
from loyalty.core.tokens import PoolWeb


class Pool(ThreadingHTTPServer):
    """Answers with each status in turn; ``0`` hangs up."""

    statuses: list[int]
    asked = 0


class Handler(BaseHTTPRequestHandler):
    server: Pool

    def do_GET(self) -> None:
        status = self.server.statuses[min(self.server.asked, len(self.server.statuses) - 1)]
        self.server.asked += 1
        if status:
            self.send_response(status)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def pool() -> Iterator[Pool]:
    server = Pool(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("statuses", "attempts", "asked"), [([200], 2, 1), ([503, 200], 2, 2), ([0, 200], 2, 2), ([200], 1, 1)]
)
def test_keys_are_asked_for_again_after_a_failure(pool: Pool, statuses: list[int], attempts: int, asked: int) -> None:
    pool.statuses = statuses
    assert PoolWeb(1, 2, attempts=attempts).get(f"http://127.0.0.1:{pool.server_port}/") == b"{}"
    assert pool.asked == asked


@pytest.mark.parametrize(("statuses", "attempts"), [([503], 2), ([0], 2), ([404], 1)])
def test_a_pool_that_stays_away_is_given_up(pool: Pool, statuses: list[int], attempts: int) -> None:
    pool.statuses = statuses
    with pytest.raises(Unavailable):
        PoolWeb(1, 2, attempts=attempts).get(f"http://127.0.0.1:{pool.server_port}/")
    assert pool.asked == attempts


def test_keys_are_not_read_over_plain_http_from_elsewhere() -> None:
    with pytest.raises(ValueError, match="HTTPS"):
        PoolWeb().get("http://idp.test/keys")
