"""Signing in: what ends as it began, by this browser, with a token that is right in every part."""

from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from loyalty.core.table import Table
from tests.financekit.console import POOL, ConsoleRig
from tests.ledgerkit.clock import at


@pytest.fixture
def rig(table: Table) -> ConsoleRig:
    rig = ConsoleRig(table)
    rig.people.add("staff-17", {"acme"}, {"acme"})
    return rig


def begin(rig: ConsoleRig) -> tuple[str, str]:
    """Where the browser is sent, and its cookie."""
    answer = rig.get("/console/sign-in")
    assert answer.status == 303
    return answer.headers["Location"], answer.cookie()


def back(rig: ConsoleRig, cookie: str, **query: str) -> Any:
    return rig.get(f"/console/signed-in?{urlencode(query)}", cookie)


def test_the_pool_is_asked_for_a_code_with_pkce(rig: ConsoleRig) -> None:
    location, _ = begin(rig)
    parts = urlsplit(location)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == f"{POOL.sign_in_url}/oauth2/authorize"
    assert (query["response_type"], query["client_id"], query["code_challenge_method"]) == (
        "code",
        POOL.client_id,
        "S256",
    )
    assert query["prompt"] == "login"
    assert query["redirect_uri"] == "https://api.test/live/console/signed-in"
    again = parse_qs(urlsplit(begin(rig)[0]).query)
    for name in ("state", "nonce", "code_challenge"):
        assert len(query[name]) >= 43
        assert again[name] != [query[name]]


def test_who_comes_back_with_the_code_has_a_session(rig: ConsoleRig) -> None:
    location, cookie = begin(rig)
    answer = back(rig, cookie, **rig.pool.approve(location, "staff-17"))
    assert (answer.status, answer.headers["Location"]) == (303, "/live/console")
    session, forgotten = answer.cookies
    assert session.startswith("__Host-loyalty-session=")
    assert all(part in session for part in ("; Path=/;", "; HttpOnly", "; Secure", "; SameSite=Lax", "Max-Age=1800"))
    assert forgotten.startswith("__Host-loyalty-sign-in=;")
    page = rig.get("/console/acme/runs", answer.cookie())
    assert page.status == 200
    assert "staff-17@example.com" in page.text


def test_a_code_is_good_once_and_for_the_browser_that_began(rig: ConsoleRig) -> None:
    location, cookie = begin(rig)
    query = rig.pool.approve(location, "staff-17")
    _, other = begin(rig)
    assert back(rig, other, **query).status == 401
    assert back(rig, "", **query).status == 401
    assert back(rig, cookie, **{**query, "state": query["state"][:-1] + "x"}).status == 401
    assert back(rig, cookie, code=query["code"]).status == 401
    assert back(rig, cookie, error="access_denied", state=query["state"]).status == 401
    assert back(rig, cookie, **query).status == 303
    assert back(rig, cookie, **query).status == 401


def test_a_sign_in_that_takes_too_long_begins_anew(rig: ConsoleRig) -> None:
    location, cookie = begin(rig)
    query = rig.pool.approve(location, "staff-17")
    rig.clock.advance(minutes=10)
    assert back(rig, cookie, **query).status == 401


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://idp.test/other"},
        {"aud": "another-client"},
        {"exp": int(at("2026-03-15T11:59:30Z").timestamp())},
        {"iat": int(at("2026-03-15T12:00:31Z").timestamp())},
        {"exp": "never"},
        {"token_use": "access"},
        {"nonce": "another"},
        {"nonce": None},
        {"exp": None},
        {"token_use": None},
    ],
    ids=str,
)
def test_a_token_that_is_wrong_in_one_part_is_refused(rig: ConsoleRig, changes: dict[str, Any]) -> None:
    location, cookie = begin(rig)
    query = rig.pool.approve(location, "staff-17")
    rig.pool.changes = changes
    answer = back(rig, cookie, **query)
    assert answer.status == 401
    assert not [one for one in answer.cookies if "session" in one]


@pytest.mark.parametrize(("key", "algorithm"), [("strange", "RS256"), ("first", "HS256")])
def test_a_token_that_the_pool_did_not_sign_is_refused(
    rig: ConsoleRig, monkeypatch: pytest.MonkeyPatch, key: str, algorithm: str
) -> None:
    location, cookie = begin(rig)
    query = rig.pool.approve(location, "staff-17")
    honest = rig.pool.token
    monkeypatch.setattr(rig.pool, "token", lambda nonce, name: honest(nonce, name, key=key, algorithm=algorithm))
    assert back(rig, cookie, **query).status == 401


def test_a_key_that_the_pool_made_since_is_found_and_no_other_is_looked_for_oftener_than_once_a_minute(
    rig: ConsoleRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    passed = [0.0]
    monkeypatch.setattr(rig.console._sign_in._tokens._keys, "_seconds", lambda: passed[0])

    def sign_in(key: str) -> int:
        location, cookie = begin(rig)
        query = rig.pool.approve(location, "staff-17")
        honest = type(rig.pool).token
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(rig.pool, "token", lambda nonce, name: honest(rig.pool, nonce, name, key=key))
            status: int = back(rig, cookie, **query).status
        return status

    assert [sign_in("first"), sign_in("first"), sign_in("second")] == [303, 303, 401]
    assert rig.pool.calls["keys"] == 1
    rig.pool.key_names = ["second", "first"]
    assert sign_in("second") == 401
    passed[0] = 60.0
    assert [sign_in("second"), sign_in("first")] == [303, 303]
    assert rig.pool.calls["keys"] == 2


def test_who_was_never_added_sees_nothing(rig: ConsoleRig) -> None:
    location, cookie = begin(rig)
    answer = back(rig, cookie, **rig.pool.approve(location, "stranger"))
    assert rig.get("/console/acme/runs", answer.cookie()).status == 401


def test_whoever_was_not_signed_in_comes_to_the_page_they_asked_for(rig: ConsoleRig) -> None:
    shown = rig.get("/console/acme/runs/rdm_1")
    assert shown.status == 401
    assert "Sign in to see this page." in shown.text
    assert "/live/console/sign-in?to=acme/runs/rdm_1" in shown.text
    answer = rig.get("/console/sign-in?to=acme/runs/rdm_1")
    there = back(rig, answer.cookie(), **rig.pool.approve(answer.headers["Location"], "staff-17"))
    assert (there.status, there.headers["Location"]) == (303, "/live/console/acme/runs/rdm_1")
    over = rig.get("/console/acme/runs", "__Host-loyalty-session=of-yesterday")
    assert "Your session is over. Sign in again." in over.text


@pytest.mark.parametrize(
    "to",
    [
        "//evil.test",
        "https://evil.test",
        "/evil.test",
        "..",
        "acme/../..",
        "acme\\evil",
        "a b",
        "sign-out",
        "x" * 201,
        "@e",
    ],
)
def test_nobody_is_sent_elsewhere_after_signing_in(rig: ConsoleRig, to: str) -> None:
    answer = rig.get(f"/console/sign-in?{urlencode({'to': to})}")
    there = back(rig, answer.cookie(), **rig.pool.approve(answer.headers["Location"], "staff-17"))
    assert there.headers["Location"] == "/live/console"
