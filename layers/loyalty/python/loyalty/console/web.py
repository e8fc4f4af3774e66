"""Requests of browsers and the answers to them: paths, queries, forms; headers that leave nothing to chance."""

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from loyalty.core.errors import BodyTooLarge, Invalid

MAX_FORM_BYTES: Final = 16 * 1024
MAX_FIELDS: Final = 40
_PART: Final = re.compile(r"[A-Za-z0-9_-]+")
_LONGEST_PAGE: Final = 200
_NO_PAGES: Final = frozenset({"sign-in", "signed-in", "sign-out", "static"})
HTML: Final = "text/html; charset=utf-8"


@dataclass(frozen=True)
class Request:
    """One request to the console, from the gateway's event."""

    method: str
    parts: Sequence[str]
    """Of the path behind ``/console``."""
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    id: str

    @classmethod
    def of(cls, event: Mapping[str, Any]) -> "Request":
        """The request that an event of the gateway is.

        Raises:
            BodyTooLarge: a form has no use for so much.
            Invalid: the body is not what its encoding says.
        """
        # Not the path: at a domain of one's own it begins with whatever that domain puts before the API.
        page = str((event.get("pathParameters") or {}).get("page") or "")
        query = event.get("queryStringParameters") or {}
        return cls(
            method=str(event.get("httpMethod")),
            parts=tuple(part for part in page.split("/") if part),
            query={str(name): str(value) for name, value in query.items()},
            headers={name.lower(): str(value) for name, value in (event.get("headers") or {}).items()},
            body=_bytes_of(event),
            id=str((event.get("requestContext") or {}).get("requestId") or "unknown"),
        )

    @property
    def cookies(self) -> str:
        """The ``Cookie`` header."""
        return self.headers.get("cookie", "")

    @cached_property
    def form(self) -> Mapping[str, str]:
        """The fields of a form.

        Raises:
            Invalid: it is no form.
        """
        if not self.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            raise Invalid("Send the form of the page.")
        try:
            pairs = parse_qsl(self.body.decode(), keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS)
        except ValueError:
            raise Invalid("The form cannot be read.") from None
        return dict(pairs)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the browser gets."""

    status: int
    body: str = ""
    content_type: str = HTML
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: Sequence[str] = ()


def see_other(location: str, *cookies: str) -> Answer:
    """To another page, by GET."""
    return Answer(HTTPStatus.SEE_OTHER, headers={"Location": location}, cookies=cookies)


def own_page(path: str) -> str:
    """A path below the console that somebody may be sent to after signing in; empty where it is none.

    It comes from a link that anybody can write, so it is nothing but the names of a page's parts: no host, no query,
    no way up, and neither in nor out.
    """
    parts = path.split("/")
    named = all(_PART.fullmatch(part) for part in parts) and len(path) <= _LONGEST_PAGE
    return path if named and parts[0] not in _NO_PAGES else ""


def with_query(query: Mapping[str, str], **changes: str | None) -> str:
    """A query with some fields changed, or left out where None; with its question mark."""
    changed = {name: value for name, value in {**query, **changes}.items() if value}
    return "?" + urlencode(changed) if changed else "?"


class Headers:
    """The headers of every answer of a console that is reached at one address.

    No script, no frame, no file from elsewhere; forms go to the console itself, and from there to the page that
    signs people out.
    """

    def __init__(self, console_url: str, sign_in_url: str) -> None:
        elsewhere = urlsplit(sign_in_url)
        policy = (
            "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; "
            f"form-action 'self' {elsewhere.scheme}://{elsewhere.netloc}"
        )
        self._always = {
            "Content-Security-Policy": policy,
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
            "Referrer-Policy": "same-origin",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
        }
        if console_url.startswith("https://"):
            self._always["Strict-Transport-Security"] = "max-age=31536000"

    def proxy_answer(self, answer: Answer) -> dict[str, Any]:
        """The answer as the gateway takes it."""
        headers = {"Cache-Control": "no-store", **self._always, **answer.headers, "Content-Type": answer.content_type}
        several = {name: [value] for name, value in headers.items()}
        if answer.cookies:
            several["Set-Cookie"] = list(answer.cookies)
        return {
            "statusCode": int(answer.status),
            "body": answer.body,
            "isBase64Encoded": False,
            "multiValueHeaders": several,
        }


def _bytes_of(event: Mapping[str, Any]) -> bytes:
    body = str(event.get("body") or "")
    try:
        raw = base64.b64decode(body, validate=True) if event.get("isBase64Encoded") else body.encode()
    except (binascii.Error, ValueError):
        raise Invalid("The form cannot be read.") from None
    if len(raw) > MAX_FORM_BYTES:
        raise BodyTooLarge(f"A form may have {MAX_FORM_BYTES} bytes at most.")
    return raw
