"""Tiers as partner apps and staff tools see them: progress, grants and their end."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from functions.adjustment.routes import routes as adjustment_routes
from functions.wallet.routes import routes as wallet_routes
from loyalty.core.cursor import Cursors
from loyalty.core.http import api
from loyalty.core.table import Table
from loyalty.programs.store import ProgramStore
from loyalty.tiers.grants import TierGrants
from tests.apikit.gateway import Gateway, Reply, proxy_event
from tests.apikit.keys import FakeKeys
from tests.ledgerkit.clock import SettableClock, at
from tests.ledgerkit.ladders import TIERS, laddered
from tests.ledgerkit.moves import ADA, BOB, Moves

ADAS = f"/v1/programs/acme/members/{ADA}"
PERKS = [TIERS[0], {**TIERS[1], "perks": [{"id": "lounge", "name": "The lounge"}]}, TIERS[2]]
BODY = {"tier": "gold", "until": "2026-06-30", "reason": "goodwill", "actor": "staff-1"}


@dataclass
class Api:
    moves: Moves
    call: Gateway
    stranger: Gateway

    def get(self, path: str) -> Reply:
        return self.call.send(proxy_event("GET", path))

    def grant(self, *, key: str = "k", ladder: str = "status", **changes: object) -> Reply:
        return self.call("POST", f"{ADAS}/tier-grants/{ladder}", {**BODY, **changes}, Idempotency_Key=key)

    def end(self, *, key: str = "end") -> Reply:
        body = {"reason": "correction", "actor": "staff-2"}
        return self.call("POST", f"{ADAS}/tier-grants/status/end", body, Idempotency_Key=key)


@pytest.fixture
def acme(table: Table) -> Iterator[Api]:
    of = laddered(tiers=PERKS, downgrade={"grace_days": 31})
    moves, keys = Moves(table, of=of, clock=SettableClock(at("2026-03-15T12:00:00Z"))).enroll(ADA, BOB), FakeKeys()
    programs = ProgramStore(table, moves.world.clock)
    programs.publish(of.document, expected_version=0, actor="test")
    programs.clients.bind("app", {"acme"})
    programs.clients.bind("stranger", {"other"})
    app = api(
        adjustment_routes(programs, moves.adjustments, moves.store, TierGrants(moves.world.ledger)),
        wallet_routes(programs, moves.world.store, Cursors(keys), moves.world.clock),
    )
    yield Api(moves, Gateway(app), Gateway(app, "stranger"))
    assert moves.world.audit() == []


def test_where_a_member_stands_and_what_is_missing(acme: Api) -> None:
    world = acme.moves.world
    world.accrue("R-1", "620", member=ADA)
    world.recalculate("R-1", member=ADA)
    assert acme.get(f"{ADAS}/tier").json == {
        "member_id": ADA,
        "ladders": [
            {
                "ladder": "status", "name": "Acme", "tier": "silver", "tier_name": "Silver",
                "perks": [{"perk_id": "lounge", "name": "The lounge"}], "earned": "silver",
                "valid_until": "2027-12-31", "kept_until": "2028-01-31", "grant": None,
                "metric": "points", "currency": None, "tally": 620,
                "period_from": "2026-01-01", "period_until": "2026-12-31",
                "next": {"tier": "gold", "threshold": 2000, "missing": 1380, "by": "2026-12-31"},
                "keep": {"tier": "silver", "threshold": 500, "missing": 500, "by": "2027-12-31"},
            }
        ],
    }  # fmt: skip


def test_a_tier_is_shown_as_of_now_whatever_was_written_down(acme: Api) -> None:
    acme.grant()
    before = acme.moves.world.dump()
    acme.moves.world.clock.set("2026-07-01T00:00:00Z")
    (ladder,) = acme.get(f"{ADAS}/tier").json["ladders"]
    assert (ladder["tier"], ladder["grant"], acme.moves.world.dump() == before) == ("bronze", None, True)
    assert acme.get(f"{ADAS}/wallet").json["tier"] == "bronze"


def test_a_tier_is_granted_once_and_ended(acme: Api) -> None:
    reply = acme.grant()
    assert (reply.status, reply.headers["Idempotent-Replayed"]) == (201, "false")
    assert reply.json | {"entry_id": ""} == {
        "entry_id": "", "ladder": "status", "tier": "gold", "earned": "bronze",
        "grant": {"tier": "gold", "until": "2026-06-30"}, "reason": "goodwill", "actor": "staff-1",
        "posted_at": "2026-03-15T12:00:00.000Z",
    }  # fmt: skip
    again = acme.grant()
    assert (again.status, again.json, again.headers["Idempotent-Replayed"]) == (201, reply.json, "true")
    acme.grant(tier="silver").problem(422, "idempotency_key_reused")
    (ladder,) = acme.get(f"{ADAS}/tier").json["ladders"]
    assert (ladder["tier"], ladder["earned"], ladder["grant"]) == ("gold", "bronze", reply.json["grant"])
    ended = acme.end()
    assert (ended.status, ended.json["tier"], ended.json["grant"], ended.json["actor"]) == (
        201,
        "bronze",
        None,
        "staff-2",
    )
    acme.end(key="again").problem(409, "tier_not_granted")
    lines = acme.get(f"{ADAS}/entries").json["items"]
    assert [(line["kind"], line["ladder"], line["tier_from"], line["tier_to"], line["reason"]) for line in lines] == [
        ("tier", "status", "gold", "bronze", "correction"),
        ("tier", "status", "bronze", "gold", "goodwill"),
    ]


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"ladder": "nowhere"}, 404, "ladder_not_found"),
        ({"tier": "diamond"}, 422, "tier_unknown"),
        ({"until": "2026-03-14"}, 422, "tier_grant_date_refused"),
        ({"until": "soon"}, 422, "invalid"),
        ({"until": None}, 422, "invalid"),
        ({"reason": "whim"}, 422, "adjustment_reason_unknown"),
        ({"actor": "nora@example.com"}, 422, "invalid"),
        ({"for_ever": True}, 422, "invalid"),
    ],
)
def test_a_bad_grant_is_named_and_nothing_is_written(
    acme: Api, changes: dict[str, object], status: int, code: str
) -> None:
    before = acme.moves.world.dump()
    acme.grant(**changes).problem(status, code)  # type: ignore[arg-type]
    assert acme.moves.world.dump() == before


def test_a_client_of_another_program_sees_nothing(acme: Api) -> None:
    acme.stranger("GET", f"{ADAS}/tier").problem(404, "program_not_found")
    acme.stranger("POST", f"{ADAS}/tier-grants/status", BODY, Idempotency_Key="k").problem(404, "program_not_found")
    nobody = f"/v1/programs/acme/members/mbr_{'9' * 26}"
    acme.get(f"{nobody}/tier").problem(404, "member_not_found")
    acme.call("POST", f"{nobody}/tier-grants/status", BODY, Idempotency_Key="k").problem(404, "member_not_found")
