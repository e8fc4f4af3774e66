"""What members agree to and by what they want to be addressed, as partner apps tell and read it."""

from typing import Any

import pytest

from functions.privacy.routes import routes
from loyalty.core.errors import MemberRestricted
from loyalty.core.http import api
from loyalty.core.table import Table
from loyalty.publishing.outbox import events_of
from tests.apikit.gateway import Gateway, Reply, proxy_event
from tests.ledgerkit.interleaving import interrupted
from tests.unit.privacy.rig import Rights

YES: dict[str, Any] = {
    "purpose": "marketing", "given": True, "wording": "2026-01", "language": "it-IT", "channel": "web",
}  # fmt: skip
NO = {**YES, "given": False}


class Api:
    """The routes over the rig, and a member."""

    def __init__(self, rights: Rights) -> None:
        self.rights = rights
        rights.programs.clients.bind("app", {"acme"})
        made = routes(rights.programs, rights.consents, rights.restricting, rights.exports, rights.erasing)
        self.call = Gateway(api(made))
        self.member = rights.person("ada")
        self.path = f"/v1/programs/acme/members/{self.member}"

    def say(self, body: dict[str, Any], key: str = "k-1") -> Reply:
        return self.call("POST", f"{self.path}/consents", body, Idempotency_Key=key)

    def allowed(self) -> dict[str, bool]:
        found = self.call("GET", f"{self.path}/consents").json["purposes"]
        return {one["purpose"]: one["allowed"] for one in found}

    def prefer(self, wanted: dict[str, list[str]], etag: str | None) -> Reply:
        body = {"purposes": [{"purpose": name, "channels": channels} for name, channels in wanted.items()]}
        headers = {} if etag is None else {"If_Match": etag}
        return self.call("PUT", f"{self.path}/preferences", body, **headers)

    def in_force(self) -> dict[str, list[str]]:
        found = self.call("GET", f"{self.path}/preferences").json["purposes"]
        return {one["purpose"]: one["in_force"] for one in found}


@pytest.fixture
def app(table: Table) -> Api:
    return Api(Rights(table))


def test_nothing_is_allowed_before_a_yes_but_what_rests_on_an_interest(app: Api) -> None:
    assert app.allowed() == {"marketing": False, "surveys": True, "profiling": False}
    said = app.say(YES)
    assert (said.status, said.headers["Idempotent-Replayed"]) == (201, "false")
    assert app.allowed() == {"marketing": True, "surveys": True, "profiling": False}
    app.say({**NO, "purpose": "surveys", "wording": "1"}, "k-2")
    app.say(NO, "k-3")
    assert app.allowed() == {"marketing": False, "surveys": False, "profiling": False}


def test_every_yes_and_no_stays_in_the_log_and_is_told_by_an_event(app: Api) -> None:
    for number, body in enumerate((YES, NO, {**YES, "wording": "2025-01"})):
        assert app.say(body, f"k-{number}").status == 201
        app.rights.clock.advance(minutes=1)
    store = app.rights.consents._store
    lines = [(one.given, one.wording, one.client_id) for one in store.log("acme", app.member)]
    assert lines == [(True, "2026-01", "app"), (False, "2026-01", "app"), (True, "2025-01", "app")]
    raw = next(raw for (_, sk), raw in app.rights.world.dump().items() if sk.startswith("CONSENT#"))
    record = {"eventName": "INSERT", "dynamodb": {"SequenceNumber": "1", "Keys": {}, "NewImage": raw}}
    (event,) = events_of(record)
    assert event.detail_type == "consent.changed"
    assert event.detail.model_dump().keys() == {
        "schema_version", "id", "program", "member_id", "purpose", "given", "wording", "at",
    }  # fmt: skip


def test_a_request_that_is_late_changes_nothing_again(app: Api) -> None:
    first = app.say(YES)
    app.say(NO, "k-2")
    before = app.rights.world.dump()
    late = app.say(YES)
    assert (late.json, late.headers["Idempotent-Replayed"]) == (first.json, "true")
    assert app.rights.world.dump() == before
    app.say(NO).problem(422, "idempotency_key_reused")
    assert app.allowed()["marketing"] is False


@pytest.mark.parametrize(
    ("change", "code", "pointer"),
    [
        ({"purpose": "sales"}, "purpose_unknown", "/purpose"),
        ({"wording": "2024-01"}, "wording_unknown", "/wording"),
        ({"given": "yes"}, "invalid", "/given"),
        ({"language": "Italian!"}, "invalid", "/language"),
        ({"channel": "ada@example.com"}, "invalid", "/channel"),
        ({"note": "by phone"}, "invalid", "/note"),
    ],
)
def test_what_cannot_be_is_refused_with_its_place(app: Api, change: dict[str, Any], code: str, pointer: str) -> None:
    before = app.rights.world.dump()
    problem = app.say({**YES, **change}).problem(422, code)
    assert pointer.startswith(problem["errors"][0]["pointer"])
    assert app.rights.world.dump() == before


def test_a_yes_to_a_wording_that_is_no_longer_used_is_none_and_can_be_withdrawn(app: Api) -> None:
    app.say({**YES, "wording": "2025-01"})
    app.rights.publish(privacy={"purposes": [{"id": "marketing", "name": "News", "wordings": ["2026-01"]}]})
    later = routes(
        app.rights.programs, app.rights.consents, app.rights.restricting, app.rights.exports, app.rights.erasing
    )
    app.call = Gateway(api(later))
    assert app.allowed() == {"marketing": False}
    assert app.say({**NO, "wording": "2025-01"}, "k-2").status == 201


def test_channels_count_where_the_purpose_is_allowed(app: Api) -> None:
    assert app.in_force() == {"marketing": [], "surveys": ["email"], "profiling": []}
    app.say(YES)
    assert app.in_force() == {"marketing": ["email", "sms"], "surveys": ["email"], "profiling": []}
    assert app.prefer({"marketing": ["sms"], "surveys": []}, '"0"').headers["ETag"] == '"1"'
    assert app.in_force() == {"marketing": ["sms"], "surveys": [], "profiling": []}
    assert app.prefer({"surveys": [], "marketing": ["sms"]}, '"1"').headers["ETag"] == '"1"'
    app.prefer({}, '"0"').problem(412, "precondition_failed")
    app.prefer({}, None).problem(428, "precondition_required")
    app.prefer({"marketing": ["post"]}, "*").problem(422, "channel_unknown")
    app.prefer({"sales": []}, "*").problem(422, "purpose_unknown")


def test_a_restricted_member_may_be_addressed_for_nothing_and_spends_nothing(app: Api) -> None:
    app.say(YES)
    app.rights.bought(app.member, "R-1", "500")
    restricted = app.call("PUT", f"{app.path}/restriction", {"actor": "staff-1"})
    assert restricted.json == {"member_id": app.member, "restricted": True, "since": "2026-11-22T09:00:00.000Z"}
    again = app.call("PUT", f"{app.path}/restriction", {"actor": "staff-2"})
    assert again.json == restricted.json
    assert app.in_force() == {"marketing": [], "surveys": [], "profiling": []}
    other = app.rights.person("bob")
    for act in (
        lambda: app.rights.world.hold("h-1", member=app.member),
        lambda: app.rights.merging.merge(app.rights.program, other, absorbed=app.member, actor="staff-1"),
        lambda: app.rights.merging.merge(app.rights.program, app.member, absorbed=other, actor="staff-1"),
    ):
        with pytest.raises(MemberRestricted):
            act()
    app.rights.bought(app.member, "R-2", "10")  # the contract's own course
    app.rights.world.refund("F-1", "R-1", "100", currency="USD", member=app.member)
    assert app.rights.world.book(app.member).restricted_at is not None
    lifted = app.call.send(proxy_event("DELETE", f"{app.path}/restriction", query={"actor": "staff-1"}))
    assert lifted.json == {"member_id": app.member, "restricted": False, "since": None}
    assert app.rights.restricting.lift("acme", app.member, actor="staff-1").since is None
    held = app.rights.world.hold("h-1", member=app.member)[0]
    assert held.points == 50
    assert app.rights.world.audit() == []


def test_a_restriction_in_the_moment_of_a_hold_is_not_lost(app: Api) -> None:
    app.rights.bought(app.member, "R-1", "500")
    with (
        interrupted(app.rights.table.client, lambda: app.rights.restricting.restrict("acme", app.member, actor="s")),
        pytest.raises(MemberRestricted),
    ):
        app.rights.world.hold("h-1", member=app.member)
    assert app.rights.world.book(app.member).restricted_at is not None


def test_nobody_is_told_of_members_who_are_none(app: Api) -> None:
    nobody = "/v1/programs/acme/members/mbr_00000000000000000000000000"
    for path in ("consents", "preferences", "exports/exp_00000000000000000000000000"):
        app.call("GET", f"{nobody}/{path}").problem(404, "member_not_found")
    app.call("GET", f"{app.path}/erasure").problem(404, "erasure_not_found")
    app.call("GET", f"{app.path}/exports/exp_00000000000000000000000000").problem(404, "export_not_found")
    app.rights.erase(app.member)
    for path in ("consents", "preferences", "exports/exp_00000000000000000000000000"):
        app.call("GET", f"{app.path}/{path}").problem(410, "member_erased")
    assert app.call("GET", f"{app.path}/erasure").json["status"] == "erased"


def test_nobody_asks_for_an_erasure_by_the_platform_s_own_reason(app: Api) -> None:
    reply = app.call("POST", f"{app.path}/erasure", {"reason": "restored", "actor": "staff-1"})
    assert reply.problem(422, "invalid")["errors"][0]["pointer"] == "/reason"
    app.call("GET", f"{app.path}/erasure").problem(404, "erasure_not_found")
