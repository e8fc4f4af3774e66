"""What all suppliers' clients have in common: bounds, and which requests are sent again."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from loyalty.suppliers.model import SupplierError, SupplierProtocolError, SupplierTimeout, SupplierUnavailable
from loyalty.suppliers.transport import MAX_ANSWER_BYTES, Transport
from tests.unit.suppliers.canned import Canned, canned_server


@pytest.fixture
def canned() -> Iterator[Canned]:
    with canned_server() as server:
        yield server


class Sleeps:
    def __init__(self) -> None:
        self.taken: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.taken.append(seconds)


def call(canned: Canned, *, repeat: bool = False, **more: Any) -> Any:
    return Transport(canned.url, **more).call("GET", "/x", headers={"X-Ours": "1"}, repeat=repeat)


@pytest.mark.parametrize(
    ("repeat", "statuses", "asked"),
    [
        (True, [200], 1),
        (True, [503, 200], 2),
        (True, [502, 504], 2),  # once, and no more
        (True, [500], 1),
        (True, [429], 1),
        (True, [404], 1),
        (False, [503], 1),
    ],
)
def test_a_read_is_repeated_once_after_what_may_pass_at_once(
    canned: Canned, repeat: bool, statuses: list[int], asked: int
) -> None:
    canned.then = [(status, b"{}") for status in statuses]
    sleeps = Sleeps()
    answer = call(canned, repeat=repeat, sleep=sleeps)
    assert answer.status == statuses[-1]
    assert len(canned.asked) == asked
    assert len(sleeps.taken) == asked - 1
    assert all(0 <= each <= 0.5 for each in sleeps.taken)


def test_an_answer_cut_off_is_asked_for_again_by_a_read_alone(canned: Canned) -> None:
    canned.body, canned.cut_after = b'{"a": 1}', 3
    for repeat, asked in ((False, 1), (True, 3)):
        with pytest.raises(SupplierTimeout):
            call(canned, repeat=repeat, sleep=Sleeps())
        assert len(canned.asked) == asked


def test_a_closed_port_is_tried_again_by_a_read() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        sleeps = Sleeps()
        transport = Transport(f"http://127.0.0.1:{bound.getsockname()[1]}", sleep=sleeps)
        with pytest.raises(SupplierUnavailable):
            transport.call("GET", "/x", headers={}, repeat=True)
        assert len(sleeps.taken) == 1


@contextmanager
def raw_server(chunks: list[bytes], pause: float) -> Iterator[tuple[str, list[int]]]:
    """Sends its chunks with a pause before each, to whoever connects."""
    connections: list[int] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(5)

        def serve() -> None:
            try:
                while True:
                    client, _ = server.accept()
                    connections.append(1)
                    with client:
                        client.recv(65536)
                        for chunk in chunks:
                            time.sleep(pause)
                            client.sendall(chunk)
            except OSError:
                return

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}", connections


def test_silence_is_not_followed_by_more_of_it() -> None:
    """A second wait of the same length would outlast the function."""
    with raw_server([b"never"], 3) as (url, connections), pytest.raises(SupplierTimeout):
        Transport(url, read_seconds=0.5, sleep=Sleeps()).call("GET", "/x", headers={}, repeat=True)
    assert len(connections) == 1


def test_a_late_failure_is_not_followed_by_another_wait() -> None:
    late = b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"
    with raw_server([late], 0.5) as (url, connections):
        answer = Transport(url, read_seconds=1, sleep=Sleeps()).call("GET", "/x", headers={}, repeat=True)
    assert (answer.status, len(connections)) == (503, 1)


def test_an_answer_that_drips_in_is_given_up() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"
    part = b"x" * 16 * 1024
    with raw_server([head, *[part] * 12], 0.15) as (url, connections):
        started = time.monotonic()
        with pytest.raises(SupplierTimeout, match="too long"):
            Transport(url, connect_seconds=0.1, read_seconds=0.3).call("GET", "/x", headers={}, repeat=True)
        assert time.monotonic() - started < 1.5
    assert len(connections) == 1


def test_an_answer_is_read_up_to_the_limit(canned: Canned) -> None:
    canned.body = b"x" * MAX_ANSWER_BYTES
    assert len(call(canned).content) == MAX_ANSWER_BYTES
    canned.body += b"x"
    with pytest.raises(SupplierProtocolError, match=str(MAX_ANSWER_BYTES)):
        call(canned)


@pytest.mark.parametrize(
    ("headers", "request_id", "retry_after"),
    [
        ({"X-Request-Id": "abc-123"}, "abc-123", None),
        ({"x-amzn-RequestId": "1:2/3=", "Retry-After": "30"}, "1:2/3=", 30.0),
        ({"X-REQUEST-ID": "with space", "Retry-After": "Sun, 22 Nov 2026 10:00:00 GMT"}, None, None),
        ({"X-Request-Id": "x" * 129, "Retry-After": "99999999"}, None, 3600.0),
        ({"Retry-After": "-1"}, None, None),
    ],
)
def test_headers_that_matter(
    canned: Canned, headers: dict[str, str], request_id: str | None, retry_after: float | None
) -> None:
    canned.headers = headers
    answer = call(canned)
    assert (answer.request_id, answer.retry_after) == (request_id, retry_after)


def test_a_content_is_in_no_representation(canned: Canned) -> None:
    canned.body = b'{"link": "planted"}'
    assert "planted" not in repr(call(canned))


def test_redirects_are_not_followed_and_connections_not_kept(canned: Canned) -> None:
    canned.status, canned.headers = 302, {"Location": canned.url + "/elsewhere"}
    assert call(canned, repeat=True).status == 302
    ((_, path, headers, _),) = canned.asked
    assert (path, headers["Connection"], headers["X-Ours"]) == ("/x", "close", "1")


@pytest.mark.parametrize(
    "url", ["http://supplier.example", "ftp://127.0.0.1", "supplier.example", "", "https://", "https://a.example/"]
)
def test_a_supplier_is_named_by_a_url_over_tls_without_a_slash(url: str) -> None:
    with pytest.raises(ValueError, match="https"):
        Transport(url)


def test_errors_are_told_apart_by_their_bare_names() -> None:
    """A state machine sees nothing else of them."""
    names = {kind.__name__ for kind in SupplierError.__subclasses__()}
    assert names >= {"SupplierUnavailable", "SupplierTimeout", "SupplierAccessDenied", "SupplierProtocolError"}
    assert not [each for kind in SupplierError.__subclasses__() for each in kind.__subclasses__()]
