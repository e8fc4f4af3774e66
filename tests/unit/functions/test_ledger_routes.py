"""Wallets, statements, accruals and redemptions as partner apps see them."""

from dataclasses import dataclass
from typing import Any

import pytest

from functions.accrual.routes import routes as accrual_routes
from functions.redemption.routes import routes as redemption_routes
from functions.wallet.routes import routes as wallet_routes
from loyalty.core.cursor import Cursors
from loyalty.core.http import api
from loyalty.core.table import Table
from loyalty.programs.store import ProgramStore
from loyalty.rewards.catalogue import Catalogue
from loyalty.rewards.history import History
from tests.apikit.gateway import Gateway, Reply, proxy_event
from tests.apikit.keys import FakeKeys
from tests.apikit.pictures import FakePictures
from tests.ledgerkit.programs import program
from tests.ledgerkit.world import World

MEMBER = "mbr_" + "0" * 26
OTHER = "mbr_" + "1" * 26
BASE = f"/v1/programs/acme/members/{MEMBER}"


@dataclass
class Api:
    world: World
    call: Gateway
    stranger: Gateway

    def accrue(self, number: str, value: str = "100", **changes: object) -> dict[str, object]:
        return {
            "activity": "purchase",
            "source": "pos",
            "source_id": number,
            "occurred_at": "2026-03-15T11:00:00Z",
            "channel": "in_store",
            "amount": {"value": value, "currency": "EUR"},
        } | changes

    def get(self, path: str, query: dict[str, str]) -> Reply:
        return self.call.send(proxy_event("GET", path, query=query))

    def post_accrual(self, source_id: str, value: str = "100") -> None:
        assert self.call("POST", f"{BASE}/accruals", self.accrue(source_id, value)).status == 201


def api_of(table: Table, **changes: Any) -> Api:
    """One member of a program, which is the plain one but for what changes."""
    world = World(table, of=program(**changes)).enroll(MEMBER)
    programs, keys = ProgramStore(table, world.clock), FakeKeys()
    programs.publish(world.program.document, expected_version=0, actor="test")
    programs.clients.bind("app", {"acme"})
    programs.clients.bind("stranger", {"other"})
    app = api(
        accrual_routes(programs, world.accruals, world.reversals),
        wallet_routes(programs, world.store, Cursors(keys), world.clock),
        redemption_routes(
            programs,
            world.redemptions,
            Catalogue(table, world.clock, FakePictures()),
            History(table, world.clock, Cursors(keys)),
        ),
    )
    return Api(world, Gateway(app), Gateway(app, "stranger"))


@pytest.fixture
def acme(table: Table) -> Api:
    return api_of(table)


def test_an_accrual_answers_with_its_entry_and_the_balances_after_it(acme: Api) -> None:
    reply = acme.call("POST", f"{BASE}/accruals", acme.accrue("R-1"))
    assert reply.status == 201
    assert reply.json == {
        "entry_id": "accrual:pos:R-1",
        "points": 100,
        "wallet": {"available": 100, "pending": 0, "held": 0, "debt": 0},
        "others": [],
        "rules": [{"rule": "shop", "wallet": "points", "points": 100}],
    }
    assert reply.headers["Idempotent-Replayed"] == "false"


def test_an_accrual_sent_again_gives_its_first_result(acme: Api) -> None:
    first = acme.call("POST", f"{BASE}/accruals", acme.accrue("R-1"))
    acme.post_accrual("R-2")
    again = acme.call("POST", f"{BASE}/accruals", acme.accrue("R-1"))
    assert (again.status, again.json, again.headers["Idempotent-Replayed"]) == (201, first.json, "true")
    assert acme.world.wallet(MEMBER).available == 200


def test_an_accrual_sent_again_with_other_lines_is_refused(acme: Api) -> None:
    acme.post_accrual("R-1")
    lines = [{"sku": "A", "amount": {"value": "100", "currency": "EUR"}}]
    reply = acme.call("POST", f"{BASE}/accruals", acme.accrue("R-1", lines=lines))
    reply.problem(409, "entry_exists_with_different_request")


BAD_ACCRUALS: dict[str, tuple[dict[str, object], int, str]] = {
    "unknown field": ({"points": 5}, 422, "invalid"),
    "negative amount": ({"amount": {"value": "-1.00", "currency": "EUR"}}, 422, "invalid"),
    "amount as a number": ({"amount": {"value": 1.5, "currency": "EUR"}}, 422, "invalid"),
    "currency of nowhere": ({"amount": {"value": "1", "currency": "XXQ"}}, 422, "unknown_currency"),
    "currency without a rate": ({"amount": {"value": "1", "currency": "JPY"}}, 422, "currency_not_in_program"),
    "too many decimals": ({"amount": {"value": "1.001", "currency": "EUR"}}, 422, "too_many_decimals"),
    "unrewarded activity": ({"activity": "napping"}, 422, "activity_not_rewarded"),
    "no amount": ({"amount": None}, 422, "amount_required"),
    "tomorrow": ({"occurred_at": "2026-03-16T12:00:00Z"}, 422, "occurred_in_future"),
    "no time zone": ({"occurred_at": "2026-03-15T11:00:00"}, 422, "invalid"),
    "an address as source id": ({"source_id": "nora@example.com"}, 422, "invalid"),
    "fractional quantity": (
        {"lines": [{"quantity": 1.5, "amount": {"value": "1", "currency": "EUR"}}]}, 422, "invalid",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD_ACCRUALS)
def test_a_bad_accrual_is_named_and_nothing_is_written(acme: Api, case: str) -> None:
    changes, status, code = BAD_ACCRUALS[case]
    before = acme.world.dump()
    acme.call("POST", f"{BASE}/accruals", acme.accrue("R-1") | changes).problem(status, code)
    assert acme.world.dump() == before


def test_a_member_of_another_program_or_of_nobody_is_not_found(acme: Api) -> None:
    for method, path, body in (
        ("POST", "accruals", acme.accrue("R-1")),
        ("GET", "wallet", None),
        ("GET", "entries", None),
        ("POST", "redemptions", {"reward_id": "coffee"}),
    ):
        headers = {"Idempotency_Key": "k"} if path == "redemptions" else {}
        unknown = f"/v1/programs/acme/members/{OTHER}/{path}"
        acme.call(method, unknown, body, **headers).problem(404, "member_not_found")
        acme.stranger(method, f"{BASE}/{path}", body, **headers).problem(404, "program_not_found")


def test_a_wallet_shows_its_live_lots(acme: Api) -> None:
    acme.post_accrual("R-1", "70")
    acme.world.clock.set("2026-04-02T12:00:00Z")
    acme.post_accrual("R-2", "30")
    wallet = acme.call("GET", f"{BASE}/wallet").json
    assert (wallet["available"], wallet["pending"], wallet["held"], wallet["seq"]) == (100, 0, 0, 2)
    april = {"expires_on": "2027-04-30", "points": 30, "warnings_on": ["2027-03-31", "2027-04-23"]}
    assert wallet["lots"] == [
        {"expires_on": "2027-03-31", "points": 70, "warnings_on": ["2027-03-01", "2027-03-24"]},
        april,
    ]
    acme.world.clock.set("2027-04-01T00:00:00Z")
    later = acme.call("GET", f"{BASE}/wallet").json
    assert (later["available"], later["lots"]) == (30, [april])


def test_a_balance_is_explained_as_of_any_past_moment(acme: Api) -> None:
    acme.post_accrual("R-1", "70")
    acme.world.clock.set("2026-04-02T12:00:00Z")
    acme.post_accrual("R-2", "30")
    path = f"{BASE}/wallet/explain"
    now = acme.call("GET", path).json
    assert (now["available"], now["seq"], len(now["steps"]), now["next_cursor"]) == (100, 2, 2, None)
    then = acme.get(path, {"at": "2026-04-02T11:59:59Z"}).json
    assert (then["available"], then["seq"], then["wallet"]) == (70, 1, "points")
    assert then["text"] == "2 April 2026, 11:59: 70 points can be spent."
    assert [step["entry_id"] for step in then["steps"]] == ["accrual:pos:R-1"]
    assert then["steps"][0]["text"].startswith("70 points for 'purchase' of 70.00 EUR (pos R-1), by rule 'shop'")


def test_an_explanation_is_paged_as_of_one_moment(acme: Api) -> None:
    for number in range(1, 6):
        acme.post_accrual(f"R-{number}", str(number))
    path, seen, query = f"{BASE}/wallet/explain", [], {"limit": "2"}
    while True:
        page = acme.get(path, query).json
        seen += [step["seq"] for step in page["steps"]]
        acme.post_accrual(f"later-{len(seen)}", "1")  # what comes meanwhile is not in it
        if page["next_cursor"] is None:
            break
        query = {"limit": "2", "cursor": page["next_cursor"]}
        acme.world.clock.advance(seconds=1)
    assert seen == [5, 4, 3, 2, 1]


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ({"at": "2026-03-15T12:00:01Z"}, 422, "moment_in_future"),
        ({"at": "yesterday"}, 422, "invalid"),
        ({"at": "2026-03-14T12:00:00Z"}, 404, "member_not_found"),
        ({"wallet": "miles"}, 404, "wallet_not_found"),
        ({"cursor": "nonsense"}, 400, "invalid_cursor"),
    ],
)
def test_what_cannot_be_explained_is_refused_by_name(acme: Api, query: dict[str, str], status: int, code: str) -> None:
    acme.get(f"{BASE}/wallet/explain", query).problem(status, code)


def test_a_statement_is_paged_newest_first_and_adds_up(acme: Api) -> None:
    for number in range(1, 6):
        acme.post_accrual(f"R-{number}", str(number))
    lines: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    for _ in range(3):
        page = acme.get(f"{BASE}/entries", {"limit": "2"} | cursor).json
        lines += page["items"]
        cursor = {"cursor": page["next_cursor"]}
    assert cursor == {"cursor": None}
    assert [line["seq"] for line in lines] == [5, 4, 3, 2, 1]
    assert sum(line["points"] for line in lines) == 15
    assert all(sum(line["postings"].values()) == 0 for line in lines)


def test_a_cursor_of_another_member_or_made_up_is_refused(acme: Api) -> None:
    acme.world.enroll(OTHER)
    acme.post_accrual("R-1")
    acme.post_accrual("R-2")
    cursor = acme.get(f"{BASE}/entries", {"limit": "1"}).json["next_cursor"]
    other = f"/v1/programs/acme/members/{OTHER}/entries"
    acme.get(other, {"cursor": cursor}).problem(400, "invalid_cursor")
    acme.get(f"{BASE}/entries", {"cursor": "AAAA"}).problem(400, "invalid_cursor")
    acme.get(f"{BASE}/entries", {"limit": "0"}).problem(422, "invalid")


def test_a_redemption_is_held_then_captured_once(acme: Api) -> None:
    acme.post_accrual("R-1")
    held = acme.call("POST", f"{BASE}/redemptions", {"reward_id": "coffee"}, Idempotency_Key="k-1")
    assert (held.status, held.json["status"], held.json["points"]) == (201, "held", 50)
    path = f"{BASE}/redemptions/{held.json['redemption_id']}"
    assert acme.call("GET", path).json == held.json
    captured = acme.call("POST", f"{path}/capture")
    assert (captured.status, captured.json["status"]) == (200, "captured")
    assert acme.call("POST", f"{path}/capture").json == captured.json
    acme.call("POST", f"{path}/release").problem(409, "redemption_already_captured")
    again = acme.call("POST", f"{BASE}/redemptions", {"reward_id": "coffee"}, Idempotency_Key="k-1")
    assert (again.json, again.headers["Idempotent-Replayed"]) == (held.json, "true")
    assert acme.world.proven(MEMBER).available == 50


def test_released_points_are_there_again(acme: Api) -> None:
    acme.post_accrual("R-1")
    held = acme.call("POST", f"{BASE}/redemptions", {"reward_id": "coffee"}, Idempotency_Key="k-1").json
    path = f"{BASE}/redemptions/{held['redemption_id']}"
    assert acme.call("POST", f"{path}/release").json["status"] == "released"
    acme.call("POST", f"{path}/capture").problem(409, "redemption_already_released")
    assert acme.world.proven(MEMBER).available == 100


BAD_REDEMPTIONS: dict[str, tuple[dict[str, object], dict[str, str], int, str]] = {
    "no key": ({"reward_id": "coffee"}, {}, 400, "idempotency_key_required"),
    "unknown reward": ({"reward_id": "yacht"}, {"Idempotency_Key": "k"}, 404, "reward_not_found"),
    "too few points": ({"reward_id": "card"}, {"Idempotency_Key": "k"}, 409, "insufficient_points"),
    "fractional quantity": ({"reward_id": "ten", "quantity": 1.5}, {"Idempotency_Key": "k"}, 422, "invalid"),
    "negative quantity": ({"reward_id": "ten", "quantity": -1}, {"Idempotency_Key": "k"}, 422, "invalid"),
    "too many": ({"reward_id": "ten", "quantity": 11}, {"Idempotency_Key": "k"}, 422, "quantity_limit_exceeded"),
    "unknown field": ({"reward_id": "ten", "points": 1}, {"Idempotency_Key": "k"}, 422, "invalid"),
}


@pytest.mark.parametrize("case", BAD_REDEMPTIONS)
def test_a_bad_redemption_is_named_and_nothing_is_written(acme: Api, case: str) -> None:
    acme.post_accrual("R-1")
    before = acme.world.dump()
    body, headers, status, code = BAD_REDEMPTIONS[case]
    acme.call("POST", f"{BASE}/redemptions", body, **headers).problem(status, code)
    assert acme.world.dump() == before


def test_a_key_used_for_another_reward_is_refused(acme: Api) -> None:
    acme.post_accrual("R-1")
    acme.call("POST", f"{BASE}/redemptions", {"reward_id": "coffee"}, Idempotency_Key="k-1")
    before = acme.world.dump()
    reply = acme.call("POST", f"{BASE}/redemptions", {"reward_id": "ten"}, Idempotency_Key="k-1")
    reply.problem(422, "idempotency_key_reused")
    assert acme.world.dump() == before


def test_a_gift_card_is_the_platforms_to_end(acme: Api) -> None:
    acme.post_accrual("R-1", "300")
    held = acme.call("POST", f"{BASE}/redemptions", {"reward_id": "card"}, Idempotency_Key="k-1").json
    path = f"{BASE}/redemptions/{held['redemption_id']}"
    acme.call("POST", f"{path}/capture").problem(409, "fulfillment_in_progress")
    acme.call("POST", f"{path}/release").problem(409, "fulfillment_in_progress")


def test_health_needs_no_token(acme: Api) -> None:
    assert acme.call("GET", "/health").json == {"status": "ok"}
