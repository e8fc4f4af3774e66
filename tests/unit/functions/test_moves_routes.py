"""Adjustments, transfers, households and merges as partner apps and staff tools see them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from functions.accrual.routes import routes as accrual_routes
from functions.adjustment.routes import routes as adjustment_routes
from functions.enrollment.routes import routes as enrollment_routes
from functions.merge.routes import routes as merge_routes
from functions.redemption.routes import routes as redemption_routes
from functions.transfer.routes import routes as transfer_routes
from functions.wallet.routes import routes as wallet_routes
from loyalty.core.cursor import Cursors
from loyalty.core.http import api
from loyalty.core.pii import Lookups
from loyalty.core.table import Table
from loyalty.members.service import MemberService
from loyalty.members.store import MemberStore
from loyalty.members.vault import MemberVault
from loyalty.programs.store import ProgramStore
from loyalty.rewards.catalogue import Catalogue
from loyalty.rewards.history import History
from loyalty.segments.service import SegmentService
from loyalty.segments.store import SegmentStore
from loyalty.tiers.grants import TierGrants
from tests.apikit.gateway import Gateway, Reply, proxy_event
from tests.apikit.keys import FakeKeys
from tests.apikit.pictures import FakePictures
from tests.ledgerkit.moves import ADA, BOB, CLEO, DAN, Moves

PROGRAM = "/v1/programs/acme"
ADAS, BOBS = f"{PROGRAM}/members/{ADA}", f"{PROGRAM}/members/{BOB}"
NOBODYS = "hsh_" + "0" * 26


@dataclass
class Api:
    moves: Moves
    call: Gateway
    stranger: Gateway
    office: Gateway
    """Another client of the program, through which a second person decides."""

    def get(self, path: str, **query: str) -> Reply:
        return self.call.send(proxy_event("GET", path, query=query or None))

    def adjust(self, points: Any = 500, *, key: str = "k", path: str = ADAS, **changes: object) -> Reply:
        body = {"points": points, "reason": "goodwill", "actor": "staff-1", **changes}
        return self.call("POST", f"{path}/adjustments", body, Idempotency_Key=key)

    def give(self, points: Any = 40, *, key: str = "k", path: str = ADAS, **changes: object) -> Reply:
        return self.call("POST", f"{path}/transfers", {"to_member_id": BOB, "points": points, **changes},
                         Idempotency_Key=key)  # fmt: skip

    def found(self, head: str = ADA, *, key: str = "k") -> Reply:
        return self.call("POST", f"{PROGRAM}/households", {"head": head}, Idempotency_Key=key)

    def merge(self, absorbed: str = BOB, *, path: str = ADAS) -> Reply:
        return self.call("POST", f"{path}/merge", {"from_member_id": absorbed, "actor": "staff-1"})


@pytest.fixture
def acme(table: Table) -> Iterator[Api]:
    moves, keys = Moves(table).enroll(), FakeKeys()
    clock = moves.world.clock
    programs = ProgramStore(table, clock)
    programs.publish(moves.program.document, expected_version=0, actor="test")
    programs.bind_client("app", {"acme"})
    programs.bind_client("stranger", {"other"})
    programs.bind_client("office", {"acme"})
    members = MemberService(MemberStore(table), MemberVault(keys, clock), Lookups(keys), clock)
    app = api(
        adjustment_routes(programs, moves.adjustments, moves.store, TierGrants(moves.world.ledger)),
        transfer_routes(programs, moves.transfers, moves.households, moves.pools),
        merge_routes(programs, moves.merging),
        enrollment_routes(programs, members, SegmentService(SegmentStore(table), clock)),
        wallet_routes(programs, moves.world.store, Cursors(keys), clock),
        accrual_routes(programs, moves.world.accruals, moves.world.reversals),
        redemption_routes(
            programs,
            moves.world.redemptions,
            Catalogue(table, clock, FakePictures()),
            History(table, clock, Cursors(keys)),
        ),
    )  # fmt: skip
    yield Api(moves, Gateway(app), Gateway(app, "stranger"), Gateway(app, "office"))
    assert moves.world.audit() == []


@pytest.fixture
def rich(acme: Api) -> Api:
    acme.moves.grant(ADA, {"2027-03-31": 1_000})
    return acme


def test_an_adjustment_within_the_limit_is_posted(acme: Api) -> None:
    reply = acme.adjust()
    assert (reply.status, reply.headers["Idempotent-Replayed"]) == (201, "false")
    shown = reply.json
    assert (shown["status"], shown["points"], shown["reason"], shown["actor"], shown["posted_to"]) == (
        "posted", 500, "goodwill", "staff-1", ADA,
    )  # fmt: skip
    assert acme.get(f"{ADAS}/adjustments/{shown['adjustment_id']}").json == shown
    again = acme.adjust()
    assert (again.status, again.json, again.headers["Idempotent-Replayed"]) == (201, shown, "true")
    (line,) = acme.get(f"{ADAS}/entries").json["items"]
    assert (line["kind"], line["points"], line["reason"], line["actor"]) == ("adjustment", 500, "goodwill", "staff-1")


@pytest.mark.parametrize(("decision", "status", "points"), [("approve", "posted", 5_000), ("reject", "rejected", 0)])
def test_a_large_adjustment_waits_for_a_second_person(acme: Api, decision: str, status: str, points: int) -> None:
    reply = acme.adjust(5_000)
    assert (reply.status, reply.json["status"]) == (202, "proposed")
    path = f"{ADAS}/adjustments/{reply.json['adjustment_id']}"
    assert acme.get(f"{ADAS}/adjustments", status="proposed").json == {"items": [reply.json], "next_after": None}
    # Neither the person who asked, nor under any other name the client that they used.
    acme.office("POST", f"{path}/{decision}", {"actor": "staff-1"}).problem(422, "second_person_required")
    acme.call("POST", f"{path}/{decision}", {"actor": "staff-2"}).problem(422, "second_person_required")
    decided = acme.office("POST", f"{path}/{decision}", {"actor": "staff-2"})
    assert (decided.status, decided.json["status"], decided.json["decided_by"]) == (200, status, "staff-2")
    assert acme.office("POST", f"{path}/{decision}", {"actor": "staff-2"}).json == decided.json
    assert acme.get(f"{ADAS}/adjustments", status="proposed").json["items"] == []
    assert acme.get(f"{ADAS}/wallet").json["available"] == points
    again = acme.adjust(5_000)
    assert (again.status, again.json) == (202, reply.json)


def test_a_transfer_shows_who_and_what_is_left(rich: Api) -> None:
    reply = rich.give()
    assert (reply.status, reply.headers["Idempotent-Replayed"]) == (201, "false")
    assert reply.json | {"transfer_id": "", "posted_at": ""} == {
        "transfer_id": "", "from_member_id": ADA, "to_member_id": BOB, "points": 40, "wallet": "points",
        "posted_at": "", "balances": {"available": 960, "pending": 0, "held": 0, "debt": 0},
    }  # fmt: skip
    again = rich.give()
    assert (again.status, again.json, again.headers["Idempotent-Replayed"]) == (201, reply.json, "true")
    (line,) = rich.get(f"{BOBS}/entries").json["items"]
    assert (line["kind"], line["points"], line["other_member"]) == ("transfer_in", 40, ADA)


def test_a_household_from_its_founding_to_its_end(rich: Api) -> None:
    founded = rich.found()
    assert (founded.status, founded.json["head"], founded.json["pool"]["available"]) == (201, ADA, 0)
    again = rich.found()
    assert (again.json, again.headers["Idempotent-Replayed"]) == (founded.json, "true")
    path = f"{PROGRAM}/households/{founded.json['household_id']}"
    joined = rich.call("POST", f"{path}/members", {"member_id": BOB})
    assert (joined.status, [one["member_id"] for one in joined.json["members"]]) == (200, [ADA, BOB])
    put_in = rich.call("POST", f"{path}/contributions", {"member_id": ADA, "points": 100}, Idempotency_Key="k")
    assert (put_in.status, put_in.json["member"]["available"], put_in.json["pool"]["available"]) == (201, 900, 100)
    taken = rich.call("POST", f"{path}/withdrawals", {"member_id": BOB, "points": 100}, Idempotency_Key="k")
    assert (taken.status, taken.json["member"]["available"], taken.json["pool"]["available"]) == (201, 100, 0)
    assert rich.get(f"{BOBS}/household").json == rich.get(path).json
    assert rich.call("DELETE", f"{path}/members/{ADA}").json["head"] == BOB
    assert rich.call("DELETE", f"{path}/members/{BOB}").json["closed_at"] is not None
    rich.get(f"{BOBS}/household").problem(404, "household_not_found")


def test_a_pool_is_nobodys_member(rich: Api) -> None:
    """It never earns, redeems, gives or gets: its id is no member's."""
    pool = rich.found().json["household_id"]
    rich.call(
        "POST", f"{PROGRAM}/households/{pool}/contributions", {"member_id": ADA, "points": 100}, Idempotency_Key="c"
    )
    before = rich.moves.world.dump()
    accrual = {
        "activity": "purchase", "source": "pos", "source_id": "R-1", "occurred_at": "2026-03-15T11:00:00Z",
        "channel": "in_store", "amount": {"value": "100", "currency": "EUR"},
    }  # fmt: skip
    reversal = {
        "source": "pos", "source_id": "F-1", "accrual_source_id": "R-1", "occurred_at": "2026-03-15T11:00:00Z",
        "reason": "refund", "everything": True,
    }  # fmt: skip
    path = f"{PROGRAM}/members/{pool}"
    for tail, body in (
        ("accruals", accrual),
        ("reversals", reversal),
        ("redemptions", {"reward_id": "coffee"}),
        ("transfers", {"to_member_id": BOB, "points": 10}),
        ("adjustments", {"points": 5, "reason": "goodwill", "actor": "staff-1"}),
        ("merge", {"from_member_id": BOB, "actor": "staff-1"}),
    ):
        rich.call("POST", f"{path}/{tail}", body, Idempotency_Key="k").problem(404, "member_not_found")
    for tail in ("wallet", "entries"):
        rich.get(f"{path}/{tail}").problem(404, "member_not_found")
    rich.get(path).problem(404, "member_not_found")
    rich.give(to_member_id=pool).problem(422, "invalid")
    rich.merge(pool).problem(422, "invalid")
    rich.call("POST", f"{PROGRAM}/households/{pool}/members", {"member_id": pool}).problem(422, "invalid")
    assert rich.moves.world.dump() == before


def test_after_a_merge_both_ids_lead_to_the_survivor(acme: Api) -> None:
    ada = acme.call("POST", f"{PROGRAM}/members", {"email": "ada@example.com", "given_name": "Ada"}).json
    bob = acme.call("POST", f"{PROGRAM}/members", {"email": "bob@example.com", "given_name": "Bob"}).json
    adas, bobs = (f"{PROGRAM}/members/{one['member_id']}" for one in (ada, bob))
    acme.adjust(100, path=bobs)
    merged = acme.merge(bob["member_id"], path=adas)
    assert (merged.status, merged.headers["Idempotent-Replayed"]) == (201, "false")
    assert merged.json | {"merged_at": ""} == {
        "member_id": ada["member_id"], "merged_from": bob["member_id"], "points": 100,
        "balances": {"available": 100, "pending": 0, "held": 0, "debt": 0}, "actor": "staff-1", "merged_at": "",
    }  # fmt: skip
    assert acme.merge(bob["member_id"], path=adas).headers["Idempotent-Replayed"] == "true"
    seen = acme.get(bobs).json
    assert (seen["member_id"], seen["given_name"], seen["merged_from"]) == (ada["member_id"], "Ada", bob["member_id"])
    assert acme.get(adas).json == seen | {"merged_from": None}
    assert acme.get(f"{bobs}/wallet").json["available"] == 100
    assert [line["kind"] for line in acme.get(f"{bobs}/entries").json["items"]] == ["merge_out", "adjustment"]
    (line,) = acme.get(f"{adas}/entries").json["items"]
    assert (line["kind"], line["other_member"], line["actor"]) == ("merge_in", bob["member_id"], "staff-1")


def test_the_absorbed_members_profile_is_no_longer_changed(acme: Api) -> None:
    ada = acme.call("POST", f"{PROGRAM}/members", {"email": "ada@example.com"}).json
    bob = acme.call("POST", f"{PROGRAM}/members", {"email": "bob@example.com"}).json
    acme.merge(bob["member_id"], path=f"{PROGRAM}/members/{ada['member_id']}")
    before = acme.moves.world.dump()
    change = {"given_name": "Robert"}
    acme.call("PATCH", f"{PROGRAM}/members/{bob['member_id']}", change).problem(409, "member_merged")
    acme.call("POST", f"{PROGRAM}/members", {"email": "bob@example.com"}).problem(409, "already_enrolled")
    assert acme.moves.world.dump() == before
    taken_over = acme.call("PATCH", f"{PROGRAM}/members/{ada['member_id']}", {"email": "bob@example.com"})
    assert (taken_over.status, taken_over.json["email"]) == (200, "bob@example.com")


ADJUSTMENT = {"points": 5, "reason": "goodwill", "actor": "staff-1"}
BAD: dict[str, tuple[Callable[[Api], Reply], int, str]] = {
    "an adjustment of nothing": (lambda acme: acme.adjust(0), 422, "adjustment_is_zero"),
    "of too much": (lambda acme: acme.adjust(1_000_000_001), 422, "points_limit_exceeded"),
    "of a fraction": (lambda acme: acme.adjust(1.5), 422, "invalid"),
    "of a text": (lambda acme: acme.adjust("5"), 422, "invalid"),
    "of more than there is": (lambda acme: acme.adjust(-1_500), 409, "insufficient_points"),
    "without a reason": (lambda acme: acme.adjust(5, reason=None), 422, "adjustment_reason_unknown"),
    "with a reason of nobody": (lambda acme: acme.adjust(5, reason="because I can"), 422, "adjustment_reason_unknown"),
    "by an address": (lambda acme: acme.adjust(5, actor="ada@example.com"), 422, "invalid"),
    "by a name": (lambda acme: acme.adjust(5, actor="Ada Lovelace"), 422, "invalid"),
    "by nobody": (lambda acme: acme.adjust(5, actor=None), 422, "invalid"),
    "of a wallet of nobody": (lambda acme: acme.adjust(5, wallet="purse"), 404, "wallet_not_found"),
    "of nobody": (lambda acme: acme.adjust(5, path=f"{PROGRAM}/members/{DAN}"), 404, "member_not_found"),
    "without a key": (lambda acme: acme.call("POST", f"{ADAS}/adjustments", ADJUSTMENT), 400, "idempotency_key_required"),
    "an adjustment that is none": (lambda acme: acme.get(f"{ADAS}/adjustments/adj_1"), 404, "adjustment_not_found"),
    "one that is not there": (lambda acme: acme.get(f"{ADAS}/adjustments/adj_{'0' * 26}"), 404, "adjustment_not_found"),
    "a list of any status": (lambda acme: acme.get(f"{ADAS}/adjustments"), 422, "invalid"),
    "a list of no status": (lambda acme: acme.get(f"{ADAS}/adjustments", status="lost"), 422, "invalid"),
    "a transfer to oneself": (lambda acme: acme.give(to_member_id=ADA), 422, "transfer_to_self"),
    "to nobody": (lambda acme: acme.give(to_member_id=DAN), 404, "member_not_found"),
    "too small": (lambda acme: acme.give(4), 422, "transfer_below_minimum"),
    "negative": (lambda acme: acme.give(-40), 422, "transfer_below_minimum"),
    "too large": (lambda acme: acme.give(301), 422, "transfer_above_maximum"),
    "without points": (lambda acme: acme.give(40, path=BOBS, to_member_id=ADA), 409, "insufficient_points"),
    "out of a wallet that stays": (lambda acme: acme.give(40, wallet="cash"), 422, "wallet_not_transferable"),
    "a transfer without a key": (
        lambda acme: acme.call("POST", f"{ADAS}/transfers", {"to_member_id": BOB, "points": 40}),
        400, "idempotency_key_required",
    ),
    "a household of nobody": (lambda acme: acme.found(DAN), 404, "member_not_found"),
    "a household that is not there": (lambda acme: acme.get(f"{PROGRAM}/households/{NOBODYS}"), 404, "household_not_found"),
    "a household that is none": (lambda acme: acme.get(f"{PROGRAM}/households/h1"), 404, "household_not_found"),
    "a household of a loner": (lambda acme: acme.get(f"{BOBS}/household"), 404, "household_not_found"),
    "a merge with itself": (lambda acme: acme.merge(ADA), 422, "merge_with_self"),
    "a merge of nobody": (lambda acme: acme.merge(DAN), 404, "member_not_found"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_a_bad_request_is_named_and_nothing_is_written(rich: Api, case: str) -> None:
    send, status, code = BAD[case]
    before = rich.moves.world.dump()
    send(rich).problem(status, code)
    assert rich.moves.world.dump() == before


def test_a_day_has_its_limit(rich: Api) -> None:
    rich.give(300, key="1")
    rich.give(200, key="2")
    rich.give(5, key="3").problem(409, "daily_transfer_limit_exceeded")


def test_keys_used_for_something_else_are_refused(rich: Api) -> None:
    rich.adjust()
    rich.adjust(501).problem(422, "idempotency_key_reused")
    rich.give()
    rich.give(41).problem(422, "idempotency_key_reused")


def test_refusals_of_households_have_their_names(rich: Api) -> None:
    path = f"{PROGRAM}/households/{rich.found().json['household_id']}"
    other = f"{PROGRAM}/households/{rich.found(CLEO, key='other').json['household_id']}"
    put = {"member_id": ADA, "points": 300}
    assert rich.call("POST", f"{path}/contributions", put, Idempotency_Key="c").status == 201
    before = rich.moves.world.dump()
    rich.found(key="second").problem(409, "member_in_household")
    rich.call("POST", f"{other}/members", {"member_id": ADA}).problem(409, "member_in_household")
    for what in ("contributions", "withdrawals"):
        send = rich.call("POST", f"{path}/{what}", {"member_id": BOB, "points": 5}, Idempotency_Key="k")
        send.problem(409, "member_not_in_household")
    over = rich.call("POST", f"{path}/withdrawals", {"member_id": ADA, "points": 201}, Idempotency_Key="k")
    over.problem(409, "daily_household_limit_exceeded")
    rich.call("DELETE", f"{path}/members/{BOB}").problem(409, "member_not_in_household")
    rich.call("DELETE", f"{path}/members/{ADA}").problem(409, "household_has_points")
    rich.merge(CLEO).problem(409, "member_in_household")
    assert rich.moves.world.dump() == before
    rich.call("DELETE", f"{other}/members/{CLEO}")
    rich.call("POST", f"{other}/members", {"member_id": BOB}).problem(409, "household_closed")


def test_a_client_of_another_program_sees_nothing(rich: Api) -> None:
    household = rich.found().json["household_id"]
    pooling, key = {"member_id": ADA, "points": 5}, {"Idempotency_Key": "k"}
    pools = f"{PROGRAM}/households/{household}"
    adjustment = f"{ADAS}/adjustments/adj_{'0' * 26}"
    for method, path, body in (
        ("POST", f"{ADAS}/adjustments", ADJUSTMENT),
        ("GET", adjustment, None),
        ("POST", f"{adjustment}/approve", {"actor": "staff-2"}),
        ("POST", f"{adjustment}/reject", {"actor": "staff-2"}),
        ("POST", f"{ADAS}/transfers", {"to_member_id": BOB, "points": 40}),
        ("POST", f"{ADAS}/merge", {"from_member_id": BOB, "actor": "staff-1"}),
        ("POST", f"{PROGRAM}/households", {"head": CLEO}),
        ("GET", pools, None),
        ("GET", f"{ADAS}/household", None),
        ("POST", f"{pools}/members", {"member_id": BOB}),
        ("DELETE", f"{pools}/members/{ADA}", None),
        ("POST", f"{pools}/contributions", pooling),
        ("POST", f"{pools}/withdrawals", pooling),
    ):
        rich.stranger(method, path, body, **key).problem(404, "program_not_found")
    listed = proxy_event("GET", f"{ADAS}/adjustments", query={"status": "proposed"}, client_id="stranger")
    rich.stranger.send(listed).problem(404, "program_not_found")


def test_what_identifies_a_request_for_ever_is_pinned(rich: Api) -> None:
    """Were a hash or an id another one tomorrow, what is sent again then would count twice."""
    rich.adjust()
    rich.give()
    pool = f"{PROGRAM}/households/{rich.found().json['household_id']}"
    rich.call("POST", f"{pool}/contributions", {"member_id": ADA, "points": 9}, Idempotency_Key="k")
    rich.call("POST", f"{pool}/withdrawals", {"member_id": ADA, "points": 4}, Idempotency_Key="k")
    rich.merge()
    found = {entry.entry_id: entry.request_hash for entry in rich.moves.world.entries(ADA)[1:]}
    assert found == {
        "adjustment:adjustment:adj_7sky9yyb7n19fyj83bsz227hfb": "af144dbb5e08e9179494579e9cf920e1",
        "merge_in:merge:mbr_bbbbbbbbbbbbbbbbbbbbbbbbbb": "20508a6a2e2d41ba3eaae5d987d830e0",
        "transfer_in:household:trf_3ge51xnxc6sb0qy1m05dnbs33q": "d33bbecc3d703ee95c6e17a0a72746e3",
        "transfer_out:household:trf_0bbqc4enktga52kkhjza0tcn82": "7500722ceb41664050447863208ade4d",
        "transfer_out:transfer:trf_0j46xxy515cz76c7bhyng8wz1w": "6bab3284ce70d4d727a73e8cf6a91e21",
    }
