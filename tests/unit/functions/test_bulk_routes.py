"""Bulk fulfilments as partner apps and staff tools see them: created, started, decided on, followed."""

import hashlib
from dataclasses import dataclass
from typing import Any

import pytest

from functions.bulk.routes import routes
from loyalty.core.cursor import Cursors
from loyalty.core.http import api
from loyalty.core.table import Table
from loyalty.programs.store import ProgramStore
from tests.apikit.gateway import Gateway, proxy_event
from tests.apikit.keys import FakeKeys
from tests.reconkit.campaigns import Desk, member, one_each

PATH = "/v1/programs/acme/bulk-fulfillments"
LIST = one_each(range(11))
BODY: dict[str, Any] = {
    "campaign": "spring", "reward_id": "card", "paid_by": "program", "actor": "ada",
    "sha256": hashlib.sha256(LIST).hexdigest(),
}  # fmt: skip


@dataclass
class Api:
    desk: Desk
    call: Gateway
    stranger: Gateway
    office: Gateway
    """Another client of the program, through which a second person decides."""


@pytest.fixture
def acme(table: Table) -> Api:
    """Eleven members; eleven cards of 10 dollars are above the threshold of 100."""
    desk = Desk(table, 10)
    programs = ProgramStore(table, desk.world.clock)
    programs.publish(desk.world.program.document, expected_version=0, actor="test")
    programs.clients.bind("app", {"acme"})
    programs.clients.bind("stranger", {"other"})
    programs.clients.bind("office", {"acme"})
    app = api(routes(programs, desk.campaigns, desk.store, desk.files, Cursors(FakeKeys())))
    return Api(desk, Gateway(app), Gateway(app, "stranger"), Gateway(app, "office"))


def created(acme: Api, **changes: Any) -> Any:
    return acme.call("POST", PATH, BODY | changes)


def test_a_list_is_created_sent_started_approved_and_followed(acme: Api) -> None:
    first = created(acme)
    assert (first.status, first.json["status"], first.json["started_by"]) == (201, "created", "person:ada")
    key = acme.desk.get().list_key
    assert first.json["upload_url"] == f"memory:{key}?put=900"
    acme.call("POST", f"{PATH}/spring/start").problem(404, "file_not_stored")
    acme.desk.files.stored[key] = LIST
    assert (acme.call("POST", f"{PATH}/spring/start").status, acme.desk.started) == (202, ["spring"])

    acme.desk.run()
    waiting = acme.call("GET", f"{PATH}/spring").json
    assert (waiting["status"], waiting["lines"], waiting["points"], waiting["value"], waiting["batches"]) == (
        "awaiting_approval", 11, 0, {"value": "110.00", "currency": "USD"}, 1,
    )  # fmt: skip
    # Neither the person who started it, nor under any other name the client that they used.
    for client, actor in ((acme.office, "Ada"), (acme.call, "bob")):
        for decision in ("approve", "reject"):
            refused = client("POST", f"{PATH}/spring/{decision}", {"actor": actor})
            refused.problem(422, "second_person_required")
    approved = acme.office("POST", f"{PATH}/spring/approve", {"actor": "bob", "note": "budget 7"})
    assert (approved.status, approved.json["status"], approved.json["decided_by"]) == (200, "running", "person:bob")
    acme.office("POST", f"{PATH}/spring/reject", {"actor": "bob"}).problem(409, "campaign_not_awaiting_approval")

    acme.desk.run()
    followed = acme.call("GET", f"{PATH}/spring").json
    assert (followed["status"], followed["held"], followed["refused"]) == ("unfinished", 10, 1)
    assert followed["failures_url"] == f"memory:{acme.desk.get().failures_key}?900"
    assert acme.desk.failures() == ["12,R-10,member_not_found"]
    assert acme.desk.holds(10 - 1) == 1, f"{member(9)} has one"
    assert (acme.desk.get().started_through, acme.desk.get().decided_through) == ("client:app", "client:office")
    held = acme.desk.held(9)
    assert (held.requested_by, held.requested_through) == ("person:ada", "client:app")


def test_campaigns_are_listed_page_by_page(acme: Api) -> None:
    for name in ("a", "b", "c"):
        assert created(acme, campaign=name).status == 201
        acme.desk.world.clock.advance(minutes=1)
    first = acme.call.send(_listing(limit="2")).json
    second = acme.call.send(_listing(limit="2", cursor=first["next_cursor"])).json
    assert [one["campaign"] for one in first["items"] + second["items"]] == ["a", "b", "c"]
    assert second["next_cursor"] is None
    acme.call.send(_listing(cursor="nonsense")).problem(400, "invalid_cursor")


def _listing(**query: str) -> Any:
    return proxy_event("GET", PATH, query=query)


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"reward_id": "nothing"}, 404, "reward_not_found"),
        ({"reward_id": "coffee"}, 422, "reward_not_for_lists"),
        ({"sha256": "x"}, 422, "invalid"),
        ({"campaign": "Spring!"}, 422, "invalid"),
        ({"paid_by": "nobody"}, 422, "invalid"),
    ],
)
def test_what_cannot_be_created_is_refused_by_its_name(
    acme: Api, changes: dict[str, Any], status: int, code: str
) -> None:
    before = acme.desk.world.dump()
    created(acme, **changes).problem(status, code)
    assert acme.desk.world.dump() == before


def test_a_name_stands_for_one_list_and_strangers_see_nothing(acme: Api) -> None:
    assert created(acme).status == created(acme).status == 201
    created(acme, sha256="0" * 64).problem(409, "campaign_differs")
    acme.call("GET", f"{PATH}/autumn").problem(404, "campaign_not_found")
    for method, path in (("GET", PATH), ("GET", f"{PATH}/spring"), ("POST", f"{PATH}/spring/start")):
        acme.stranger(method, path).problem(404, "program_not_found")
    acme.stranger("POST", f"{PATH}/spring/approve", {"actor": "bob"}).problem(404, "program_not_found")
