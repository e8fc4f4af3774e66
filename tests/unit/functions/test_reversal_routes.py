"""Reversals as partner apps send them."""

from typing import Any

import pytest

from tests.unit.functions.test_ledger_routes import BASE, MEMBER, OTHER, Api, acme

__all__ = ["acme"]

REVERSALS = f"{BASE}/reversals"
LINES = [
    {"line_id": "lamp", "quantity": 2, "amount": {"value": "60", "currency": "EUR"}},
    {"line_id": "bulb", "amount": {"value": "40", "currency": "EUR"}},
]


def reversal(source_id: str = "F-1", of: str = "R-1", **form: Any) -> dict[str, Any]:
    return {
        "source": "pos",
        "source_id": source_id,
        "accrual_source_id": of,
        "occurred_at": "2026-03-15T11:30:00Z",
        "reason": "return",
    } | (form or {"amount": {"value": "30", "currency": "EUR"}})


def test_money_given_back_takes_its_points(acme: Api) -> None:
    acme.post_accrual("R-1")
    reply = acme.call("POST", REVERSALS, reversal())
    assert (reply.status, reply.headers["Idempotent-Replayed"]) == (201, "false")
    assert reply.json == {
        "status": "posted",
        "entry_id": "reversal:pos:F-1",
        "reverses": "accrual:pos:R-1",
        "amount": {"value": "30.00", "currency": "EUR"},
        "points": 30,
        "wallet": {"available": 70, "pending": 0, "held": 0, "debt": 0},
        "others": [],
    }
    again = acme.call("POST", REVERSALS, reversal())
    assert (again.status, again.json, again.headers["Idempotent-Replayed"]) == (201, reply.json, "true")
    (entry, _) = acme.call("GET", f"{BASE}/entries").json["items"]
    assert (entry["kind"], entry["reverses"], entry["reason"]) == ("reversal", "accrual:pos:R-1", "return")
    assert acme.world.proven(MEMBER).available == 70


def test_lines_given_back_take_theirs(acme: Api) -> None:
    acme.call("POST", f"{BASE}/accruals", acme.accrue("R-1", lines=LINES))
    body = reversal(lines=[{"line_id": "lamp", "quantity": 1}, {"line_id": "bulb", "quantity": 1}])
    reply = acme.call("POST", REVERSALS, body).json
    assert (reply["points"], reply["amount"]) == (70, {"value": "70.00", "currency": "EUR"})
    rest = acme.call("POST", REVERSALS, reversal("F-2", everything=True)).json
    assert (rest["points"], rest["amount"]) == (30, None)
    assert acme.world.proven(MEMBER).available == 0


def test_a_reversal_before_its_accrual_waits_and_is_posted_with_it(acme: Api) -> None:
    reply = acme.call("POST", REVERSALS, reversal(lines=[{"line_id": "lamp", "quantity": 1}]))
    assert (reply.status, reply.headers["Idempotent-Replayed"]) == (202, "false")
    assert reply.json == {
        "status": "waiting",
        "code": None,
        "entry_id": "reversal:pos:F-1",
        "source": "pos",
        "source_id": "F-1",
        "accrual_source_id": "R-1",
        "occurred_at": "2026-03-15T11:30:00.000Z",
        "received_at": "2026-03-15T12:00:00.000Z",
        "reason": "return",
        "channel": None,
        "amount": None,
        "lines": [{"line_id": "lamp", "quantity": 1}],
        "everything": False,
    }
    again = acme.call("POST", REVERSALS, reversal(lines=[{"line_id": "lamp", "quantity": 1}]))
    assert (again.status, again.json, again.headers["Idempotent-Replayed"]) == (202, reply.json, "true")
    assert acme.call("GET", REVERSALS).json == {"items": [reply.json], "next_after": None}
    acme.call("POST", REVERSALS, reversal()).problem(409, "entry_exists_with_different_request")

    acme.call("POST", f"{BASE}/accruals", acme.accrue("R-1", lines=LINES))
    assert acme.call("GET", REVERSALS).json == {"items": [], "next_after": None}
    posted = acme.call("POST", REVERSALS, reversal(lines=[{"line_id": "lamp", "quantity": 1}]))
    assert (posted.status, posted.json["points"], posted.headers["Idempotent-Replayed"]) == (201, 30, "true")
    assert acme.world.proven(MEMBER).available == 70


def test_what_its_accrual_refused_is_listed_with_the_reason(acme: Api) -> None:
    acme.call("POST", REVERSALS, reversal(amount={"value": "200", "currency": "EUR"}))
    acme.post_accrual("R-1")
    (refused,) = acme.call("GET", REVERSALS).json["items"]
    assert (refused["status"], refused["code"]) == ("refused", "amount_exceeds_accrual")


def test_the_list_has_pages(acme: Api) -> None:
    for number in range(5):
        acme.call("POST", REVERSALS, reversal(f"F-{number}", of=f"R-{number}"))
    seen: list[str] = []
    query = {"limit": "2"}
    while True:
        page = acme.get(REVERSALS, query).json
        assert len(page["items"]) <= 2
        seen += [item["source_id"] for item in page["items"]]
        if page["next_after"] is None:
            break
        query["after"] = page["next_after"]
    assert seen == [f"F-{number}" for number in range(5)]
    acme.get(REVERSALS, {"after": "F-1"}).problem(422, "invalid")
    acme.get(REVERSALS, {"limit": "101"}).problem(422, "invalid")


EUR = {"value": "1", "currency": "EUR"}
BAD: dict[str, tuple[dict[str, Any], int, str, str | None]] = {
    "nothing": (reversal(channel="web"), 422, "one_of_required", ""),
    "two forms": (reversal(amount=EUR, everything=True), 422, "one_of_required", ""),
    "lines and money": (reversal(amount=EUR, lines=[{"line_id": "a", "quantity": 1}]), 422, "one_of_required", ""),
    "not everything": (reversal(everything=False), 422, "invalid", "/everything"),
    "no lines": (reversal(lines=[]), 422, "one_of_required", ""),
    "a line twice": (reversal(lines=[{"line_id": "lamp", "quantity": 1}] * 2), 422, "line_repeated", "/lines/1/line_id"),
    "no quantity": (reversal(lines=[{"line_id": "lamp", "quantity": 0}]), 422, "invalid", "/lines/0/quantity"),
    "unknown line": (reversal(lines=[{"line_id": "x", "quantity": 1}]), 422, "line_not_in_accrual", "/lines/0/line_id"),
    "too many of a line": (
        reversal(lines=[{"line_id": "lamp", "quantity": 3}]), 422, "line_quantity_exceeded", "/lines/0/quantity",
    ),
    "too much": (reversal(amount={"value": "100.01", "currency": "EUR"}), 422, "amount_exceeds_accrual", None),
    "other currency": (reversal(amount={"value": "1", "currency": "USD"}), 422, "currency_mismatch", None),
    "too many decimals": (
        reversal(amount={"value": "1.001", "currency": "EUR"}), 422, "too_many_decimals", "/amount/value",
    ),
    "no reason": ({key: value for key, value in reversal().items() if key != "reason"}, 422, "invalid", "/reason"),
    "unknown reason": (reversal() | {"reason": "mood"}, 422, "invalid", "/reason"),
    "in the future": (reversal() | {"occurred_at": "2026-03-15T13:00:00Z"}, 422, "occurred_in_future", "/occurred_at"),
    "of nothing more": (reversal("F-9", of="gone", everything=True), 409, "accrual_fully_reversed", None),
    "unknown field": (reversal() | {"points": 3}, 422, "invalid", ""),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_a_bad_reversal_is_named_and_nothing_is_written(acme: Api, case: str) -> None:
    acme.call("POST", f"{BASE}/accruals", acme.accrue("R-1", lines=LINES))
    acme.post_accrual("gone")
    acme.call("POST", REVERSALS, reversal("F-0", of="gone", everything=True))
    before = acme.world.dump()
    body, status, code, pointer = BAD[case]
    problem = acme.call("POST", REVERSALS, body).problem(status, code)
    if pointer is not None:
        assert [error["pointer"] for error in problem["errors"]] == [pointer]
    assert acme.world.dump() == before


def test_a_twenty_first_reversal_that_waits_is_refused(acme: Api) -> None:
    for number in range(20):
        assert acme.call("POST", REVERSALS, reversal(f"F-{number}")).status == 202
    acme.call("POST", REVERSALS, reversal("F-20")).problem(409, "too_many_awaited_reversals")


def test_a_member_of_another_program_or_of_nobody_is_not_found(acme: Api) -> None:
    for method, body in (("POST", reversal()), ("GET", None)):
        unknown = f"/v1/programs/acme/members/{OTHER}/reversals"
        acme.call(method, unknown, body).problem(404, "member_not_found")
        acme.stranger(method, REVERSALS, body).problem(404, "program_not_found")


@pytest.mark.parametrize(
    ("lines", "code", "pointer"),
    [
        ([LINES[0], LINES[0]], "line_repeated", "/lines/1/line_id"),
        (
            [LINES[0], {"line_id": "b", "amount": {"value": "1", "currency": "USD"}}],
            "currency_mismatch",
            "/lines/1/amount/currency",
        ),
    ],
)
def test_lines_of_an_accrual_that_cannot_be_are_named(acme: Api, lines: Any, code: str, pointer: str) -> None:
    before = acme.world.dump()
    reply = acme.call("POST", f"{BASE}/accruals", acme.accrue("R-1", lines=lines))
    assert reply.problem(422, code)["errors"][0]["pointer"] == pointer
    assert acme.world.dump() == before
