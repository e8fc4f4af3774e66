"""What a hostile client sends by hand: every answer is a refusal with a name, and nothing of it is stored."""

import json
import socket
from typing import Final
from urllib.parse import urlsplit

import pytest
import requests

import loyalty_contract as contract
from infra.local.cloud import LocalCloud
from tests.e2e.partner import Partner, eventually, new_email, unique

pytestmark = pytest.mark.e2e

DEEP: Final = 10_000
MEGABYTE: Final = 1_000_000


def enrollment(**fields: str) -> bytes:
    """A body for a new member, with every text written as JSON escapes where it is not ASCII."""
    return json.dumps({"email": "nobody@example.com"} | fields).encode()


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b'{"email": "' + b"a" * MEGABYTE + b'"}', 413, "body_too_large"),
        (b"[" * DEEP + b"]" * DEEP, 400, "json_too_deep"),
        (b'{"a":' * DEEP + b"1" + b"}" * DEEP, 400, "json_too_deep"),
        (b'{"email": "a@example.com", "email": "b@example.com"}', 400, "malformed_json"),
        (b'{"email": NaN}', 400, "malformed_json"),
        (b'{"email": ' + b"9" * 5_000 + b"}", 400, "malformed_json"),
        (b'{"email": "\xff\xfe"}', 400, "malformed_json"),
        (b"\xef\xbb\xbf{}", 400, "malformed_json"),
        (b"", 422, "invalid"),
        (b"[]", 422, "invalid"),
        (b'"text"', 422, "invalid"),
        (enrollment(given_name="\ud800"), 422, "invalid"),
        (enrollment(given_name="a\x00b"), 422, "invalid"),
        (enrollment(given_name="\u202egnp.exe"), 422, "invalid"),
        (enrollment(given_name="A\u2066B"), 422, "invalid"),
        (enrollment(given_name="A\r\nSet-Cookie: a=b"), 422, "invalid"),
        (enrollment(email="ada@example.com\r\nBcc: b@example.com"), 422, "invalid"),
        (enrollment(email="ad\u0430\u202e@example.com"), 422, "invalid"),
        (enrollment(email="a\x00da@example.com"), 422, "invalid"),
        (enrollment(is_admin="yes"), 422, "invalid"),
        (enrollment(__class__="x"), 422, "invalid"),
    ],
    ids=lambda value: repr(value)[:40] if isinstance(value, bytes) else None,
)
def test_a_body_that_is_not_what_it_should_be(partner: Partner, body: bytes, status: int, code: str) -> None:
    answer = partner.call("POST", "/members", body)
    assert (answer.status_code, answer.json().get("code")) == (status, code), answer.text[:400]
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("name", ["X-Big", "Idempotency-Key", "If-Match", "Accept-Language"])
def test_oversize_headers(partner: Partner, name: str) -> None:
    member = partner.enroll()["member_id"]
    answer = partner.call("GET", f"/members/{member}/rewards", **{name: "a" * 100_000})
    assert answer.status_code < 500, answer.text[:200]


@pytest.mark.parametrize("value", ["k\tk", "k k", "ké", "k'; DROP", "../../x", "k" * 129, "k\x7f"])
def test_headers_that_are_no_keys(partner: Partner, value: str) -> None:
    member = partner.enroll()["member_id"]
    body = {"reward_id": "coffee"}
    path = f"/members/{member}/redemptions"
    answer = partner.call("POST", path, body, **{"Idempotency-Key": value.encode("latin-1")})  # type: ignore[arg-type]
    assert (answer.status_code, answer.json()["code"]) in {(400, "invalid_header"), (400, "idempotency_key_required")}


class Raw:
    """Speaks to the gateway without a client's care: bytes as they are, over one connection."""

    def __init__(self, cloud: LocalCloud, token: str) -> None:
        self.url = urlsplit(cloud.api_url)
        self._token = token

    def head(self, method: str, path: str, *lines: str) -> str:
        common = (f"Host: {self.url.netloc}", f"Authorization: Bearer {self._token}", "Content-Type: application/json")
        return "\r\n".join((f"{method} {self.url.path}{path} HTTP/1.1", *common, *lines, "", ""))

    def send(self, request: str) -> str:
        """Everything that comes back until the gateway has no more to say."""
        with socket.create_connection((self.url.hostname or "", self.url.port or 80), timeout=5) as connection:
            connection.sendall(request.encode("latin-1"))
            connection.shutdown(socket.SHUT_WR)
            parts = []
            try:
                while part := connection.recv(65_536):
                    parts.append(part)
            except TimeoutError:
                pass
        return b"".join(parts).decode("latin-1")


@pytest.mark.parametrize(
    "lines",
    [
        ("Content-Length: 2", "Content-Length: 80"),
        ("Content-Length: 2", "Transfer-Encoding: chunked"),
        ("Transfer-Encoding: chunked", "Transfer-Encoding: identity"),
        ("Transfer-Encoding: xchunked", "Content-Length: 2"),
        ("Content-Length: +2",),
        ("Content-Length: -1",),
        ("Content-Length: 0x2",),
        ("Content-Length : 2",),
        ("X-A: b\r\n Content-Length: 80", "Content-Length: 2"),
        ("X-A: b\nX-Injected: c", "Content-Length: 2"),
    ],
    ids=repr,
)
def test_no_second_request_is_smuggled_in_a_body(cloud: LocalCloud, partner: Partner, lines: tuple[str, ...]) -> None:
    """A request to enroll hides in the body of another: it is never made, however the lengths contradict each other."""
    email = new_email()
    raw = Raw(cloud, cloud.token())
    hidden_body = json.dumps({"email": email})
    path = f"/v1/programs/{cloud.program}/members"
    hidden = raw.head("POST", path, f"Content-Length: {len(hidden_body)}") + hidden_body
    answers = raw.send(raw.head("POST", path, *lines) + "0\r\n\r\n" + hidden)
    statuses = [line.split(" ")[1] for line in answers.splitlines() if line.startswith("HTTP/1.1 ")]
    assert "500" not in statuses
    assert "201" not in statuses, answers[:600]
    assert partner.call("POST", "/members", {"email": email}).status_code == 201, "the hidden request was made"


@pytest.mark.parametrize(
    "path", ["/%0d%0aSet-Cookie:%20a=b", "/members/%00", "/members/%2e%2e%2fdraft", "/members/mbr_%ff"]
)
def test_paths_that_carry_more_than_a_path(partner: Partner, path: str) -> None:
    answer = partner.call("GET", path)
    assert answer.status_code in {400, 403, 404}, answer.text
    assert "Set-Cookie" not in answer.headers


def test_cursors_are_replayed_by_their_own_resource_alone(cloud: LocalCloud, partner: Partner) -> None:
    member, other = partner.enroll()["member_id"], partner.enroll()["member_id"]
    for _ in range(3):
        partner.accrue(member, "10.00")
    first = partner.call("GET", f"/members/{member}/entries?limit=2").json()
    cursor = first["next_cursor"]
    page = partner.call("GET", f"/members/{member}/entries?limit=2&cursor={cursor}")
    assert page.json() == partner.call("GET", f"/members/{member}/entries?limit=2&cursor={cursor}").json()
    elsewhere = [
        f"/members/{other}/entries?cursor={cursor}",
        f"/members/{member}/redemptions?cursor={cursor}",
        f"/members/{member}/wallet/explain?cursor={cursor}",
        f"/fulfillment-runs?status=failed&cursor={cursor}",
        f"{cloud.api_url}/v1/programs/meridian/members/{member}/entries?cursor={cursor}",
    ]
    changed = [cursor[:-1] + ("A" if cursor[-1] != "A" else "B"), cursor[1:], cursor + "AAAA", cursor * 50, "%00"]
    places = [*elsewhere, *(f"/members/{member}/entries?cursor={text}" for text in changed)]
    answers = {place: partner.call("GET", place) for place in places}
    assert {
        place[:90]: answer.status_code for place, answer in answers.items() if answer.status_code not in {400, 404, 422}
    } == {}


def test_formulas_do_not_reach_spreadsheets(cloud: LocalCloud, partner: Partner) -> None:
    """A note of finance that a spreadsheet would run stands in the export as text."""
    client_id, secret = cloud.new_client(f"finance-{unique()}", list(contract.SCOPES), [cloud.program])
    finance = Partner(cloud, cloud.token(client_id=client_id, client_secret=secret))
    member = partner.enroll()["member_id"]
    partner.accrue(member, "500.00")
    held = partner.hold(member, "gift-card-25").json()["redemption_id"]
    formula = f'=HYPERLINK("https://example.com/{unique()}")'
    decided = _decided(finance, held, formula)
    assert decided.status_code == 200, decided.text
    day = decided.json()["opened_at"][:10]
    quoted = formula.replace('"', '""')

    def exported() -> str | None:
        text = finance.call("GET", f"/fulfillment-exports?from={day}&until={day}").text
        return text if quoted in text else None

    export = eventually("the run in the export", exported)
    assert f'"\'{quoted}"' in export
    assert f'"{quoted}"' not in export


def _decided(finance: Partner, held: str, note: str) -> requests.Response:
    def look() -> requests.Response | None:
        answer = finance.call("POST", f"/fulfillment-runs/{held}/reject", {"note": note})
        return None if answer.status_code in {404, 409} else answer

    return eventually("a run to decide about", look)
