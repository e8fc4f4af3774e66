"""Accruals by rules, and their preview, as partner apps see them."""

from typing import Any

import pytest

from functions.accrual.routes import routes
from loyalty.core.http import api
from loyalty.core.table import Table
from loyalty.ledger.model import EntryKey, EntryKind
from loyalty.programs.store import ProgramStore
from tests.apikit.gateway import Gateway
from tests.ledgerkit.deeds import BASE_RULE, rule
from tests.ledgerkit.programs import program
from tests.ledgerkit.world import World
from tests.unit.functions.test_ledger_routes import BASE, MEMBER, OTHER, Api

__all__ = ["acme"]

RULES = [
    BASE_RULE,
    rule("double-shoes", name="Double points for shoes", multiplier="2", lines="line.category == 'shoes'"),
    rule("web", fixed_points=10, when="channel == 'web' && store == 'roma-1'"),
    rule("large", fixed_points=10, when="attributes.size == 'l'"),
    rule("few", fixed_points=5, group="g"),
    rule("more", fixed_points=7, group="g"),
    rule("one-euro-only", maximum_points=1, fixed_points=3),
    {"id": "review", "activity": "review", "fixed_points": 25, "when": "member.first"},
]


def euros(value: str) -> dict[str, str]:
    return {"value": value, "currency": "EUR"}


SHOES: dict[str, Any] = {"line_id": "1", "category": "shoes", "amount": euros("60")}
SHIRT: dict[str, Any] = {"line_id": "2", "category": "shirts", "amount": euros("40"), "discount": euros("5")}


@pytest.fixture
def acme(table: Table) -> Api:
    world = World(table, of=program(earn_rules=RULES)).enroll(MEMBER)
    programs = ProgramStore(table, world.clock)
    programs.publish(world.program.document, expected_version=0, actor="test")
    programs.clients.bind("app", {"acme"})
    app = api(routes(programs, world.accruals, world.reversals))
    return Api(world, Gateway(app), Gateway(app, "stranger"))


def test_an_accrual_answers_with_what_each_rule_gave(acme: Api) -> None:
    reply = acme.call("POST", f"{BASE}/accruals", acme.accrue("R-1", lines=[SHOES, SHIRT]))
    assert (reply.status, reply.json["points"]) == (201, 168)
    assert reply.json["rules"] == [
        {"rule": "base", "wallet": "points", "points": 100},
        {"rule": "double-shoes", "wallet": "points", "points": 60},
        {"rule": "more", "wallet": "points", "points": 7},
        {"rule": "one-euro-only", "wallet": "points", "points": 1},
    ]


def test_what_the_platform_posts_itself_is_no_partner_s_to_post(acme: Api) -> None:
    before = acme.world.dump()
    for path in ("accruals", "accruals/preview"):
        sent = acme.accrue("R-1") | {"source": "enrollment"}
        problem = acme.call("POST", f"{BASE}/{path}", sent).problem(422, "invalid")
        assert [(field["pointer"], field["detail"]) for field in problem["errors"]] == [
            ("/source", "Send a name for your own system; this one is the platform's.")
        ]
    assert acme.world.dump() == before


def test_a_preview_tells_of_every_rule_why_and_writes_nothing(acme: Api) -> None:
    before = acme.world.dump()
    reply = acme.call("POST", f"{BASE}/accruals/preview", acme.accrue("R-1", lines=[SHOES, SHIRT]))
    assert (reply.status, reply.json["points"], reply.json["others"]) == (200, 168, [])
    assert acme.world.dump() == before
    assert [(one["rule"], one["counted"], one["points"], one["reason"]) for one in reply.json["rules"]] == [
        ("base", True, 100, None),
        ("double-shoes", True, 60, None),
        ("web", False, 0, "condition_not_met"),
        ("large", False, 0, "condition_error"),
        ("few", False, 0, "lost_to"),
        ("more", True, 7, None),
        ("one-euro-only", True, 1, None),
    ]
    assert [one["text"] for one in reply.json["rules"]][1:5] == [
        "'Double points for shoes' gives 60.",
        "'web' gives nothing: its condition is not met.",
        "'large' gives nothing: its condition cannot be evaluated (NOT_FOUND: Key not found in map : \"size\").",
        "'few' gives nothing: 'more' counts instead.",
    ]
    assert reply.json["rules"][4]["lost_to"] == "more"


def test_a_preview_is_what_the_accrual_then_is_also_the_second_time(acme: Api) -> None:
    review = acme.accrue("V-1", activity="review", amount=None)
    assert acme.call("POST", f"{BASE}/accruals/preview", review).json["points"] == 25
    assert acme.call("POST", f"{BASE}/accruals", review).json["points"] == 25
    again = acme.accrue("V-2", activity="review", amount=None)
    assert acme.call("POST", f"{BASE}/accruals/preview", again).json["points"] == 0
    assert acme.call("POST", f"{BASE}/accruals", again).json == {
        "entry_id": "accrual:pos:V-2",
        "points": 0,
        "wallet": {"available": 25, "pending": 0, "held": 0, "debt": 0},
        "others": [],
        "rules": [],
    }
    assert acme.world.audit() == []


def test_conditions_ask_for_store_channel_and_attributes(acme: Api) -> None:
    body = acme.accrue("R-1", channel="web", store="roma-1", attributes={"size": "l"})
    assert acme.call("POST", f"{BASE}/accruals", body).json["points"] == 128


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "tax above the amount": ({"tax": euros("90"), "shipping": euros("20")}, "invalid"),
    "tax in another currency": ({"tax": {"value": "1", "currency": "USD"}}, "invalid"),
    "tax of no amount": ({"tax": euros("1"), "amount": None}, "invalid"),
    "tax too fine": ({"tax": euros("1.001")}, "too_many_decimals"),
    "a discount in another currency": ({"lines": [SHOES | {"discount": {"value": "1", "currency": "USD"}}]}, "invalid"),
    "too many attributes": ({"attributes": {f"a{number}": "x" for number in range(21)}}, "invalid"),
    "an attribute that is no text": ({"attributes": {"size": 5}}, "invalid"),
    "an attribute of several words": ({"attributes": {"shoe size": "5"}}, "invalid"),
    "a long attribute": ({"attributes": {"size": "x" * 101}}, "invalid"),
    "a gift card that may be one": ({"lines": [SHOES | {"gift_card": "yes"}]}, "invalid"),
    "an activity without rules": ({"activity": "napping"}, "activity_not_rewarded"),
    "tomorrow": ({"occurred_at": "2026-03-16T12:00:00Z"}, "occurred_in_future"),
}


@pytest.mark.parametrize("case", BAD)
@pytest.mark.parametrize("path", ["accruals", "accruals/preview"])
def test_what_is_wrong_is_named_the_same_in_both(acme: Api, path: str, case: str) -> None:
    changes, code = BAD[case]
    before = acme.world.dump()
    acme.call("POST", f"{BASE}/{path}", acme.accrue("R-1") | changes).problem(422, code)
    assert acme.world.dump() == before


def test_a_preview_is_for_members_of_programs_of_the_client(acme: Api) -> None:
    body = acme.accrue("R-1")
    unknown = f"/v1/programs/acme/members/{OTHER}/accruals/preview"
    acme.call("POST", unknown, body).problem(404, "member_not_found")
    acme.stranger("POST", f"{BASE}/accruals/preview", body).problem(404, "program_not_found")


@pytest.mark.parametrize(
    ("changes", "golden"),
    [
        ({}, "47f8dcf860ea3ff04cd357659b292a12"),
        ({"lines": [SHOES | {"gift_card": False, "discount": None}], "attributes": {}}, None),
        ({"store": "roma-1"}, None),
    ],
)
def test_a_field_that_is_left_out_changes_no_identity(acme: Api, changes: dict[str, Any], golden: str | None) -> None:
    assert acme.call("POST", f"{BASE}/accruals", acme.accrue("R-1", "100.5", **changes)).status == 201
    entry = acme.world.store.entry("acme", MEMBER, EntryKey(EntryKind.ACCRUAL, "pos", "R-1"))
    assert entry is not None
    assert golden is None or entry.request_hash == golden
    spelled = acme.accrue("R-1", "100.50", **changes)
    assert acme.call("POST", f"{BASE}/accruals", spelled).headers["Idempotent-Replayed"] == "true"


@pytest.mark.parametrize(
    "other",
    [
        {"store": "roma-2"}, {"attributes": {"size": "m"}}, {"tax": euros("2")}, {"shipping": euros("1")},
        {"lines": [SHOES | {"gift_card": True}]}, {"lines": [SHOES | {"discount": euros("2")}]},
    ],
)  # fmt: skip
def test_another_value_of_a_field_is_another_request(acme: Api, other: dict[str, Any]) -> None:
    first: dict[str, Any] = {
        "store": "roma-1", "attributes": {"size": "l"}, "tax": euros("1"), "shipping": euros("2"), "lines": [SHOES],
    }  # fmt: skip
    assert acme.call("POST", f"{BASE}/accruals", acme.accrue("R-1", **first)).status == 201
    again = acme.call("POST", f"{BASE}/accruals", acme.accrue("R-1", **(first | other)))
    again.problem(409, "entry_exists_with_different_request")
