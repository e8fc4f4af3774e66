"""Holds that time out, parts that are captured, captures that are cancelled, as partner apps see them."""

from datetime import timedelta
from typing import Any

import pytest

from tests.apikit.gateway import proxy_event
from tests.unit.functions.test_ledger_routes import BASE, MEMBER, Api, acme

__all__ = ["acme"]


def held(acme: Api, key: str = "k-1", **body: object) -> dict[str, Any]:
    reply = acme.call("POST", f"{BASE}/redemptions", {"reward_id": "coffee"} | body, Idempotency_Key=key)
    assert reply.status == 201
    shown: dict[str, Any] = reply.json
    return shown


@pytest.fixture
def hold(acme: Api) -> str:
    """The path of a redemption that holds 50 of 100 points for an hour from noon."""
    acme.post_accrual("R-1")
    return f"{BASE}/redemptions/{held(acme, hold_minutes=60)['redemption_id']}"


def test_a_hold_shows_when_it_times_out(acme: Api) -> None:
    acme.post_accrual("R-1")
    shown = held(acme, hold_minutes=60)
    assert shown == {
        "redemption_id": shown["redemption_id"],
        "status": "held",
        "reward_id": "coffee",
        "reward_type": "perk",
        "quantity": 1,
        "points": 50,
        "wallet": "points",
        "cash": None,
        "value": None,
        "country": None,
        "held_at": "2026-03-15T12:00:00.000Z",
        "expires_at": "2026-03-15T13:00:00.000Z",
        "ended_at": None,
        "captured_points": None,
        "cancelled_at": None,
        "reference": None,
        "tracking_url": None,
    }
    assert held(acme, "k-2")["expires_at"] == "2026-03-22T12:00:00.000Z"


def test_a_hold_that_nobody_ended_is_shown_as_timed_out(acme: Api, hold: str) -> None:
    acme.world.clock.set("2026-03-15T12:59:59.999Z")
    assert acme.call("GET", hold).json["status"] == "held"
    acme.world.clock.set("2026-03-15T13:00:00Z")
    before = acme.world.dump()
    shown = acme.call("GET", hold).json
    assert (shown["status"], shown["ended_at"]) == ("timed_out", "2026-03-15T13:00:00.000Z")
    acme.call("POST", f"{hold}/capture").problem(409, "redemption_timed_out")
    acme.call("POST", f"{hold}/capture", {"points": 1}).problem(409, "redemption_timed_out")
    acme.call("POST", f"{hold}/release").problem(409, "redemption_timed_out")
    acme.call("POST", f"{hold}/cancel").problem(409, "redemption_timed_out")
    assert acme.world.dump() == before
    assert acme.call("GET", f"{BASE}/wallet").json["available"] == 100


def test_a_part_is_captured_and_the_capture_is_cancelled(acme: Api, hold: str) -> None:
    acme.world.clock.advance(minutes=5)
    captured = acme.call("POST", f"{hold}/capture", {"points": 20})
    assert (captured.status, captured.json["status"], captured.json["captured_points"]) == (200, "captured", 20)
    assert captured.json["ended_at"] == "2026-03-15T12:05:00.000Z"
    assert acme.call("GET", f"{BASE}/wallet").json["available"] == 80
    assert acme.call("POST", f"{hold}/capture", {"points": 20}).json == captured.json
    acme.call("POST", f"{hold}/capture", {"points": 21}).problem(409, "redemption_already_captured")
    acme.call("POST", f"{hold}/capture").problem(409, "redemption_already_captured")
    acme.world.clock.advance(days=3)
    cancelled = acme.call("POST", f"{hold}/cancel")
    assert cancelled.json == captured.json | {"status": "cancelled", "cancelled_at": "2026-03-18T12:05:00.000Z"}
    assert acme.call("POST", f"{hold}/cancel").json == acme.call("GET", hold).json == cancelled.json
    acme.call("POST", f"{hold}/capture", {"points": 20}).problem(409, "redemption_already_cancelled")
    acme.call("POST", f"{hold}/release").problem(409, "redemption_already_cancelled")
    assert acme.world.proven(MEMBER).available == 100


@pytest.mark.parametrize("body", [None, "", "{}", '{"points": null}', '{"points": 50}'])
def test_a_capture_of_all_points_may_say_nothing(acme: Api, hold: str, body: str | None) -> None:
    reply = acme.call.send(proxy_event("POST", f"{hold}/capture", body=body))
    assert (reply.status, reply.json["captured_points"]) == (200, 50)


BAD_CAPTURES: dict[str, tuple[str, int, str, str | None]] = {
    "none": ('{"points": 0}', 422, "invalid", "/points"),
    "fewer than none": ('{"points": -5}', 422, "invalid", "/points"),
    "a part of a point": ('{"points": 1.5}', 422, "invalid", "/points"),
    "a text": ('{"points": "20"}', 422, "invalid", "/points"),
    "a truth": ('{"points": true}', 422, "invalid", "/points"),
    "more than are held": ('{"points": 51}', 422, "capture_exceeds_hold", "/points"),
    "more than there are": ('{"points": 1000000001}', 422, "invalid", "/points"),
    "another field": ('{"amount": 20}', 422, "invalid", ""),
    "a list": ("[20]", 422, "invalid", ""),
    "no JSON": ('{"points"', 400, "malformed_json", None),
}


@pytest.mark.parametrize("case", BAD_CAPTURES)
def test_a_bad_capture_is_named_and_nothing_is_written(acme: Api, hold: str, case: str) -> None:
    body, status, code, pointer = BAD_CAPTURES[case]
    before = acme.world.dump()
    problem = acme.call("POST", f"{hold}/capture", body).problem(status, code)
    assert [error["pointer"] for error in problem.get("errors", [])] == ([] if pointer is None else [pointer])
    assert acme.world.dump() == before


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"reward_id": "coffee", "hold_minutes": 0}, "invalid"),
        ({"reward_id": "coffee", "hold_minutes": 43_201}, "invalid"),
        ({"reward_id": "coffee", "hold_minutes": 1.5}, "invalid"),
        ({"reward_id": "coffee", "hold_minutes": "60"}, "invalid"),
        ({"reward_id": "coffee", "hold_minutes": 10_081}, "hold_minutes_limit_exceeded"),
        ({"reward_id": "card", "hold_minutes": 60}, "hold_minutes_not_allowed"),
    ],
)
def test_a_bad_time_out_is_named_and_nothing_is_written(acme: Api, body: dict[str, object], code: str) -> None:
    acme.post_accrual("R-1", "300")
    before = acme.world.dump()
    problem = acme.call("POST", f"{BASE}/redemptions", body, Idempotency_Key="k").problem(422, code)
    assert problem["errors"][0]["pointer"] == "/hold_minutes"
    assert acme.world.dump() == before


def test_one_hold_too_many_is_named(acme: Api) -> None:
    acme.post_accrual("R-1", "300")
    for number in range(20):
        held(acme, f"k-{number}", reward_id="ten")
    reply = acme.call("POST", f"{BASE}/redemptions", {"reward_id": "ten"}, Idempotency_Key="k-20")
    reply.problem(409, "too_many_holds")


def test_what_is_held_is_released_and_not_cancelled(acme: Api, hold: str) -> None:
    acme.call("POST", f"{hold}/cancel").problem(409, "redemption_not_captured")
    assert acme.call("POST", f"{hold}/release").json["status"] == "released"
    acme.call("POST", f"{hold}/cancel").problem(409, "redemption_already_released")


def test_a_gift_card_is_not_cancelled(acme: Api) -> None:
    acme.post_accrual("R-1", "300")
    card = held(acme, reward_id="card")
    assert card["expires_at"] is None
    reply = acme.call("POST", f"{BASE}/redemptions/{card['redemption_id']}/cancel")
    reply.problem(409, "redemption_not_cancellable")


def test_another_programs_client_cancels_nothing(acme: Api, hold: str) -> None:
    acme.call("POST", f"{hold}/capture")
    acme.stranger("POST", f"{hold}/cancel").problem(404, "program_not_found")
    acme.call("POST", f"{BASE}/redemptions/rdm_{'9' * 26}/cancel").problem(404, "redemption_not_found")
    acme.world.clock.advance(seconds=timedelta(days=1).total_seconds())
    assert acme.call("GET", hold).json["status"] == "captured"
