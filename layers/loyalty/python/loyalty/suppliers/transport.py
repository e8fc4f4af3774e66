"""HTTP to a supplier, the same for all of them: over TLS, bounded in time and size, and never more than was asked for.

=====================  ======================================================================================
time                   to connect, of silence, and of the whole answer: what drips in is given up too
size                   an answer above :data:`MAX_ANSWER_BYTES` is refused unread
encryption             certificates and names are verified; plain HTTP is taken for the loopback interface alone
redirects              not followed: a key is sent to the host that the operator named
connections            none is used twice: one that went stale while the function was frozen looks like a lost answer
repeats                of reads alone, once, and only where the first failed at once; see :meth:`Transport.call`
=====================  ======================================================================================

No message repeats anything of an answer but its status: a body may hold a link or a code.
"""

import json
import random
import re
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final
from urllib.parse import urlsplit

import urllib3
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

from loyalty.suppliers.model import SupplierError, SupplierProtocolError, SupplierTimeout, SupplierUnavailable

CONNECT_SECONDS: Final = 2.0
READ_SECONDS: Final = 10.0
MAX_ANSWER_BYTES: Final = 256 * 1024
REPEAT_WITHIN_SECONDS: Final = 0.5
AT_ONCE: Final = 0.3
"""Of the time for an answer: a read that failed later than that is not repeated, so that two fit into a function's time."""
MAX_RETRY_AFTER_SECONDS: Final = 3600.0

_PART_BYTES: Final = 16 * 1024
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_PASSING: Final = frozenset({502, 503, 504})
_REQUEST_ID_HEADERS: Final = ("x-request-id", "x-amzn-requestid", "x-correlation-id")
_REQUEST_ID: Final = re.compile(r"[\w.:=/+-]{1,128}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, whatever its status. Its content is kept out of ``repr``."""

    status: int
    content: bytes
    content_type: str = ""
    request_id: str | None = None
    retry_after: float | None = None

    def __repr__(self) -> str:
        return f"Answer(status={self.status}, request_id={self.request_id!r})"

    @property
    def is_json(self) -> bool:
        """Whether it says that it is JSON: a proxy's page does not."""
        kind = self.content_type.split(";")[0].strip().lower()
        return kind == "application/json" or kind.endswith("+json")


def failed(error: SupplierError, answer: Answer | None) -> SupplierError:
    """The error, with the supplier's name for the request."""
    error.request_id = None if answer is None else answer.request_id
    if isinstance(error, SupplierUnavailable) and answer is not None:
        error.retry_after = answer.retry_after
    return error


class Transport:
    """Requests to one supplier.

    Args:
        base_url: scheme, host and path without a trailing slash.
        connect_seconds: for making a connection.
        read_seconds: of silence while an answer is awaited; the whole of it may take twice as long.
        sleep: waits before a repeat.

    Raises:
        ValueError: the URL is not https, nor that of this machine itself.
    """

    def __init__(
        self,
        base_url: str,
        *,
        connect_seconds: float = CONNECT_SECONDS,
        read_seconds: float = READ_SECONDS,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        if not is_safe(base_url) or base_url.endswith("/"):
            raise ValueError("the supplier's URL must be https and end without a slash")
        self._base = base_url
        self._timeout = urllib3.Timeout(connect=connect_seconds, read=read_seconds)
        self._whole_seconds = connect_seconds + 2 * read_seconds
        self._at_once_seconds = AT_ONCE * read_seconds
        self._sleep = sleep

    @cached_property
    def _pool(self) -> urllib3.PoolManager:
        # Made at the first call: loading the root certificates takes a while. The default context verifies chain and name.
        context = ssl.create_default_context() if self._base.startswith("https:") else None
        return urllib3.PoolManager(ssl_context=context, retries=False, timeout=self._timeout)

    def call(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str],
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, str] | None = None,
        repeat: bool = False,
    ) -> Answer:
        """Sends one request; of the answer's status nothing is concluded here.

        Args:
            method: of HTTP.
            path: below the base URL, with a leading slash.
            headers: those of the supplier's own, its authorization.
            body: sent as JSON.
            query: names and values, as yet not encoded.
            repeat: it reads and changes nothing, so it is sent once more where it failed at once (no connection, one cut
                off, 502 to 504). Not after silence, which has used up the time, nor after 429, which asks for peace.

        Raises:
            SupplierUnavailable: no connection was made: nothing was sent.
            SupplierTimeout: it was sent, and no whole answer came.
            SupplierProtocolError: the answer is larger than any of the API.
        """
        until = time.monotonic() + self._at_once_seconds
        try:
            answer = self._send(method, path, headers, body, query)
        except (SupplierUnavailable, SupplierTimeout):
            if not repeat or time.monotonic() > until:
                raise
        else:
            if not repeat or answer.status not in _PASSING or time.monotonic() > until:
                return answer
        self._sleep(random.uniform(0, REPEAT_WITHIN_SECONDS))  # noqa: S311 -- spreads repeats, protects nothing
        return self._send(method, path, headers, body, query)

    def _send(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: Mapping[str, Any] | None,
        query: Mapping[str, str] | None,
    ) -> Answer:
        until = time.monotonic() + self._whole_seconds
        try:
            response = self._pool.request(
                method,
                self._base + path,
                body=None if body is None else json.dumps(body).encode(),
                fields=query,
                headers={**_headers(has_body=body is not None), **headers},
                redirect=False,
                preload_content=False,
            )
            with response:
                content = _read(response, until)
        except (ConnectTimeoutError, NewConnectionError) as error:
            # The connection was never made, so nothing was sent.
            raise SupplierUnavailable(f"no connection to the supplier: {type(error).__name__}") from error
        except HTTPError as error:
            raise SupplierTimeout(f"the supplier has not answered {method} {path}: {type(error).__name__}") from error
        finally:
            self._pool.clear()
        return Answer(
            status=response.status,
            content=content,
            content_type=response.headers.get("Content-Type", ""),
            request_id=_request_id(response.headers),
            retry_after=_retry_after(response.headers.get("Retry-After")),
        )


def _headers(*, has_body: bool) -> dict[str, str]:
    return {
        "Accept": "application/json",
        "Accept-Encoding": "identity",  # so that the size limit is that of what is parsed
        "Connection": "close",
    } | ({"Content-Type": "application/json"} if has_body else {})


def _read(response: urllib3.BaseHTTPResponse, until: float) -> bytes:
    """The whole body; urllib3 raises where the connection ends before it does."""
    content = bytearray()
    for part in response.stream(_PART_BYTES, decode_content=False):
        content += part
        if len(content) > MAX_ANSWER_BYTES:
            raise SupplierProtocolError(f"the supplier's answer exceeds {MAX_ANSWER_BYTES} bytes")
        if time.monotonic() > until:
            raise SupplierTimeout("the supplier's answer takes too long to arrive")
    return bytes(content)


def _request_id(headers: Mapping[str, str]) -> str | None:
    named = (headers.get(name) for name in _REQUEST_ID_HEADERS)
    return next((value for value in named if value and _REQUEST_ID.fullmatch(value)), None)


def _retry_after(text: str | None) -> float | None:
    """Seconds; its other form, a date, is no use to a machine whose clock may differ."""
    if text is None or not text.isascii() or not text.isdigit() or len(text) > 9:
        return None
    return min(float(text), MAX_RETRY_AFTER_SECONDS)


def is_safe(url: str) -> bool:
    """Whether it is reached over TLS, or is on this machine itself."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return bool(parts.hostname) and (
        parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    )
