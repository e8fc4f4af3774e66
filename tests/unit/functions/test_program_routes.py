"""Programs, drafts and versions, as an editor's tool and a member's app see them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from functions.program.routes import routes
from loyalty.core.http import api
from loyalty.core.table import Operation, Table
from loyalty.programs.drafts import DraftStore
from loyalty.programs.lifecycle import ProgramLifecycle
from loyalty.programs.publication import LEAD
from loyalty.programs.store import ProgramStore
from loyalty.programs.validation import assess
from loyalty.programs.versions import VersionStore
from tests.apikit.gateway import Gateway, Reply, proxy_event
from tests.ledgerkit.clock import SettableClock, at
from tests.ledgerkit.programs import BASE, document

PROGRAM = "/v1/programs/acme"
DRAFT = f"{PROGRAM}/draft"
VERSIONS = f"{PROGRAM}/versions"
EVENING = "2026-03-15T18:00:00Z"
STAMPS = {"id": "stamps", "name": "Stamps", "expiry": {"policy": "never"}}
ITALIAN = {
    "locales": ["en", "it", "ar"],
    "translations": {"it": "Acme Italia", "ar": "أكمي"},
    "rewards": [{**BASE["rewards"][0], "translations": {"it": "Un caffè"}}],
}


@dataclass
class Desk:
    clock: SettableClock
    table: Table
    call: Gateway
    stranger: Gateway
    programs: ProgramStore

    def get(self, path: str, **query: str) -> Reply:
        return self.call.send(proxy_event("GET", path, query=query))

    def save(self, **changes: Any) -> str:
        """Saves a first draft of ``acme`` with these changes; its ETag."""
        reply = self.call("PUT", DRAFT, {**BASE, **changes}, If_None_Match="*")
        assert reply.status == 200, reply.text
        return reply.headers["ETag"]

    def publish(self, etag: str, **body: Any) -> Reply:
        return self.call("POST", VERSIONS, body or None, If_Match=etag)

    def revision(self) -> str:
        return self.call("GET", VERSIONS).headers["ETag"]

    def dump(self) -> list[Any]:
        return sorted(self.table.scan(), key=lambda item: (item["pk"]["S"], item["sk"]["S"]))


@pytest.fixture
def desk(table: Table) -> Desk:
    clock = SettableClock(at("2026-03-15T12:00:00Z"))
    programs = ProgramStore(table, clock)
    programs.publish(document(), expected_version=0, actor="ops")
    programs.clients.bind("app", {"acme", "fresh"})
    programs.clients.bind("stranger", {"other"})
    lifecycle = ProgramLifecycle(DraftStore(table), VersionStore(table, clock), clock)
    app = api(routes(programs, lifecycle, clock))
    return Desk(clock, table, Gateway(app), Gateway(app, "stranger"), programs)


def test_an_offer_is_what_a_member_may_see(desk: Desk) -> None:
    reply = desk.call("GET", PROGRAM)
    assert reply.status == 200
    offer = reply.json
    assert {name: offer[name] for name in ("program", "version", "name", "language", "dir", "languages", "brand")} == {
        "program": "acme",
        "version": 1,
        "name": "Acme",
        "language": "en",
        "dir": "ltr",
        "languages": ["en"],
        "brand": None,
    }
    assert offer["wallets"] == [{"wallet": "points", "name": None, "currency": None}]
    assert offer["earn_rules"][1] == {
        "rule": "review",
        "name": None,
        "activity": "review",
        "wallet": "points",
        "campaign": None,
        "conditional": False,
        "rates": [],
        "fixed_points": 25,
        "points_per_line": None,
        "points_per_item": None,
        "multiplier": None,
        "return_days": 0,
    }
    assert offer["earn_rules"][0]["rates"][2] == {"points": 3, "per": "1.000", "currency": "KWD"}
    silver = {"tier": "silver", "name": "Silver", "threshold": 500, "multiplier": "1.25", "perks": []}
    assert offer["tiers"][1] == silver
    assert [(ladder["ladder"], ladder["metric"], ladder["tiers"][1]) for ladder in offer["ladders"]] == [
        ("status", "points", silver)
    ]
    assert offer["rewards"][0] == {
        "reward_id": "coffee",
        "name": "Coffee",
        "type": "perk",
        "points": 50,
        "wallet": "points",
        "cash": None,
        "denominations": [],
        "tiers": [],
    }
    assert offer["campaigns"] == []
    assert not {"limits", "shopify_shops", "adjustment_reasons"} & set(offer)


def test_names_inside_of_others_are_in_the_reader_s_language(desk: Desk) -> None:
    perk = {"id": "lounge", "name": "Lounge", "translations": {"it": "Sala d'attesa"}}
    status = {**BASE["tiers"][1], "perks": [perk]}
    ladder = {
        "id": "nights", "name": "Nights", "translations": {"it": "Notti"}, "qualification": {"period": "lifetime"},
        "tiers": [{"id": "guest", "name": "Guest", "threshold": 0, "translations": {"it": "Ospite"}}],
    }  # fmt: skip
    week = {"id": "week", "name": "A week", "translations": {"it": "Una settimana"},
            "starts_at": "2026-03-01T00:00", "ends_at": "2026-03-08T00:00"}  # fmt: skip
    changed = document(
        locales=["en", "it"], tiers=[BASE["tiers"][0], status, BASE["tiers"][2]], ladders=[ladder], campaigns=[week]
    )
    desk.programs.publish(changed, expected_version=1, actor="ops")
    desk.clock.advance(minutes=2)
    offer = desk.call("GET", PROGRAM, Accept_Language="it").json
    assert offer["tiers"][1]["perks"] == [{"perk": "lounge", "name": "Sala d'attesa"}]
    assert [ladder["name"] for ladder in offer["ladders"]] == ["Acme", "Notti"]
    assert offer["ladders"][1]["tiers"][0]["name"] == "Ospite"
    assert offer["campaigns"] == [
        {
            "campaign": "week",
            "name": "Una settimana",
            "starts_at": "2026-03-01T00:00:00",
            "ends_at": "2026-03-08T00:00:00",
        }
    ]
    missing = {finding.path for finding in assess(changed.model_dump(mode="json"), desk.clock()).findings.warnings}
    assert {"translations", "tiers.0.translations", "rewards.0.translations"} <= missing
    assert not {"tiers.1.perks.0.translations", "ladders.0.tiers.0.translations", "campaigns.0.translations"} & missing
    with pytest.raises(ValueError, match="'lounge': 'ar' is not among the program's locales"):
        document(tiers=[BASE["tiers"][0], {**status, "perks": [perk | {"translations": {"ar": "x"}}]}])


@pytest.mark.parametrize(
    ("accepted", "language", "name", "reward"),
    [
        (None, "en", "Acme", "Coffee"),
        ("it", "it", "Acme Italia", "Un caffè"),
        ("it-IT, en;q=0.9", "it", "Acme Italia", "Un caffè"),
        ("en;q=0.4, AR-eg;q=0.5", "ar", "أكمي", "Coffee"),
        ("fr, de", "en", "Acme", "Coffee"),
        ("fr, *;q=0.1", "en", "Acme", "Coffee"),
        ("it;q=0, ar;q=0.1", "ar", "أكمي", "Coffee"),
        ("it;q=0", "en", "Acme", "Coffee"),
        (";;q=x,,it;q=what", "en", "Acme", "Coffee"),
    ],
)
def test_an_offer_is_in_the_members_language(
    desk: Desk, accepted: str | None, language: str, name: str, reward: str
) -> None:
    desk.programs.publish(document(**ITALIAN), expected_version=1, actor="ops")
    reply = desk.call("GET", PROGRAM, **({"Accept_Language": accepted} if accepted else {}))
    offer = reply.json
    assert (offer["language"], offer["name"], offer["rewards"][0]["name"]) == (language, name, reward)
    assert offer["dir"] == ("rtl" if language == "ar" else "ltr")
    assert (reply.headers["Content-Language"], reply.headers["Vary"]) == (language, "Accept-Language")


def test_an_offer_that_the_reader_has_is_not_sent_again(desk: Desk) -> None:
    desk.programs.publish(document(**ITALIAN), expected_version=1, actor="ops")
    first = desk.call("GET", PROGRAM)
    assert first.headers["Cache-Control"] == "private, max-age=60"
    again = desk.call("GET", PROGRAM, If_None_Match=f'W/"x", {first.headers["ETag"]}')
    assert (again.status, again.text, again.headers["ETag"]) == (304, "", first.headers["ETag"])
    italian = desk.call("GET", PROGRAM, Accept_Language="it", If_None_Match=first.headers["ETag"])
    assert (italian.status, italian.headers["ETag"] != first.headers["ETag"]) == (200, True)


def test_an_offer_is_not_kept_longer_than_it_holds(desk: Desk) -> None:
    etag = desk.save(name="Acme Club")
    assert desk.publish(etag, effective_at=EVENING).status == 201
    for seconds, kept in ((90, 60), (60, 60), (45, 45), (0.5, 0)):
        desk.clock.now = at(EVENING) - timedelta(seconds=seconds)
        shown = desk.call("GET", PROGRAM)
        assert (shown.headers["Cache-Control"], shown.json["name"]) == (f"private, max-age={kept}", "Acme")
    desk.clock.now = at(EVENING)
    assert (desk.call("GET", PROGRAM).json["name"], desk.call("GET", PROGRAM).json["version"]) == ("Acme Club", 2)


def test_a_draft_is_saved_read_changed_and_discarded(desk: Desk) -> None:
    desk.call("GET", DRAFT).problem(404, "draft_not_found")
    first = desk.save(name="Acme Club")
    read = desk.call("GET", DRAFT)
    assert read.headers["ETag"] == first == '"1"'
    assert {name: read.json[name] for name in ("program", "based_on", "saved_at", "saved_by", "findings")} == {
        "program": "acme",
        "based_on": 1,
        "saved_at": "2026-03-15T12:00:00.000Z",
        "saved_by": "app",
        "findings": {"errors": [], "warnings": []},
    }
    assert read.json["document"] == {**BASE, "name": "Acme Club"}
    second = desk.call("PUT", DRAFT, {**BASE, "name": "Acme Circle"}, If_Match=first)
    assert (second.status, second.headers["ETag"]) == (200, '"2"')
    gone = desk.call("DELETE", DRAFT, If_Match='"2"')
    assert (gone.status, gone.text) == (204, "")
    desk.call("GET", DRAFT).problem(404, "draft_not_found")
    # An ETag of an earlier draft is none of a later one.
    assert desk.save() == '"4"'
    desk.call("PUT", DRAFT, BASE, If_Match='"2"').problem(412, "precondition_failed")


@pytest.mark.parametrize(
    ("method", "headers", "status", "code"),
    [
        ("PUT", {}, 428, "precondition_required"),
        ("DELETE", {}, 428, "precondition_required"),
        ("POST", {}, 428, "precondition_required"),
        ("PUT", {"If_Match": '"7"'}, 412, "precondition_failed"),
        ("DELETE", {"If_Match": '"7"'}, 412, "precondition_failed"),
        ("POST", {"If_Match": '"7"'}, 412, "precondition_failed"),
        ("PUT", {"If_None_Match": "*"}, 412, "precondition_failed"),
        ("PUT", {"If_None_Match": '"1"'}, 400, "invalid_header"),
        ("PUT", {"If_Match": "1"}, 400, "invalid_header"),
    ],
)
def test_a_draft_is_changed_only_by_who_read_it(
    desk: Desk, method: str, headers: dict[str, str], status: int, code: str
) -> None:
    desk.save(name="Acme Club")
    before = desk.dump()
    path, body = (VERSIONS, None) if method == "POST" else (DRAFT, BASE if method == "PUT" else None)
    desk.call(method, path, body, **headers).problem(status, code)
    assert desk.dump() == before


def test_a_wrong_draft_is_saved_with_what_is_wrong_and_not_published(desk: Desk) -> None:
    rate = {"points": 2, "per": "1", "currency": "EUR", "pionts": 3}
    etag = desk.save(nmae="x", earn_rules=[{"id": "shop", "activity": "purchase", "rates": [rate]}])
    errors = [
        {"pointer": "/earn_rules/0/rates/0/pionts", "detail": "unknown field 'pionts'; did you mean 'points'?"},
        {"pointer": "/nmae", "detail": "unknown field 'nmae'; did you mean 'name'?"},
    ]
    assert desk.call("GET", DRAFT).json["findings"]["errors"] == errors
    assert desk.call("POST", f"{DRAFT}/validate").json == {"errors": errors, "warnings": []}
    for refused in (desk.publish(etag), desk.call("GET", f"{DRAFT}/diff")):
        problem = refused.problem(422, "document_invalid")
        assert [(one["pointer"], one["detail"]) for one in problem["errors"]] == [
            (one["pointer"], one["detail"]) for one in errors
        ]
    assert desk.call("GET", VERSIONS).json["in_force"] == 1


def test_a_draft_of_another_program_is_an_error(desk: Desk) -> None:
    etag = desk.save(id="other")
    (error,) = desk.call("POST", f"{DRAFT}/validate").json["errors"]
    assert error["pointer"] == "/id"
    desk.publish(etag).problem(422, "document_invalid")


def test_warnings_do_not_keep_a_draft_from_being_published(desk: Desk) -> None:
    etag = desk.save(locales=["en", "it"])
    warnings = desk.call("POST", f"{DRAFT}/validate").json["warnings"]
    assert warnings[0]["pointer"] == "/translations"
    assert desk.publish(etag).status == 201


def test_decimals_of_a_draft_are_kept_to_the_last_digit(desk: Desk) -> None:
    body = json.dumps(BASE).replace('"10.00"', "10.00000000000000001")
    assert desk.call("PUT", DRAFT, body, If_None_Match="*").status == 200
    assert desk.call("GET", DRAFT).json["document"]["earn_rules"][0]["rates"][0]["per"] == "10.00000000000000001"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ("[1]", 422, "invalid"),
        ('{"id": "acme", "id": "acme"}', 400, "malformed_json"),
        ('{"id": ', 400, "malformed_json"),
        ('{"name": "\\ud800"}', 400, "malformed_json"),
        ('{"a": ' * 30 + "1" + "}" * 30, 422, "invalid"),
        (json.dumps({"name": "x" * 70_000}), 413, "body_too_large"),
        (None, 422, "invalid"),
    ],
)
def test_what_can_be_no_document_is_not_saved(desk: Desk, body: str | None, status: int, code: str) -> None:
    before = desk.dump()
    desk.call("PUT", DRAFT, body, If_None_Match="*").problem(status, code)
    assert desk.dump() == before


def test_a_draft_tells_what_it_changes(desk: Desk) -> None:
    tiers = [*BASE["tiers"][:2], {**BASE["tiers"][2], "threshold": 1500}]
    desk.save(name="Acme Club", tiers=tiers)
    shown = desk.call("GET", f"{DRAFT}/diff").json
    assert shown == {
        "version": 1,
        "summary": "name Acme → Acme Club; tier 'gold': threshold 2000 → 1500",
        "changes": [
            {
                "path": "name",
                "kind": "changed",
                "before": "Acme",
                "after": "Acme Club",
                "text": "name Acme → Acme Club",
            },
            {
                "path": "tiers.gold.threshold",
                "kind": "changed",
                "before": 2000,
                "after": 1500,
                "text": "tier 'gold': threshold 2000 → 1500",
            },
        ],
    }


def test_a_published_draft_is_the_next_version_and_no_draft_any_more(desk: Desk) -> None:
    etag = desk.save(name="Acme Club")
    reply = desk.publish(etag, comment="A better name")
    assert reply.status == 201
    assert reply.headers["Location"] == f"{VERSIONS}/2"
    shown = reply.json
    assert {name: shown[name] for name in shown if name != "digest"} == {
        "version": 2,
        "status": "in_force",
        "published_at": "2026-03-15T12:00:00.000Z",
        "published_by": "app",
        "effective_at": "2026-03-15T12:00:00.000Z",
        "comment": "A better name",
        "changes": "name Acme → Acme Club",
        "rolled_back_to": None,
        "cancelled_at": None,
        "cancelled_by": None,
    }
    assert len(shown["digest"]) == 64
    problem = desk.publish(etag).problem(412, "precondition_failed")
    assert "became version 2 at 2026-03-15T12:00:00.000Z" in problem["detail"]
    assert "became version 2" in desk.call("GET", DRAFT).problem(404, "draft_not_found")["detail"]
    one, two = (desk.call("GET", f"{VERSIONS}/{number}").json for number in (1, 2))
    assert (one["status"], one["document"]["name"], two["document"]["name"]) == ("superseded", "Acme", "Acme Club")
    assert desk.call("GET", VERSIONS).json["items"][0] == shown


def test_a_draft_follows_the_version_that_its_author_saw(desk: Desk) -> None:
    etag = desk.save(name="Acme Club")
    desk.programs.publish(document(rounding="up"), expected_version=1, actor="ops")
    problem = desk.publish(etag).problem(412, "program_changed")
    assert "based on version 1, but version 2 is in force" in problem["detail"]
    saved = desk.call("PUT", DRAFT, {**BASE, "name": "Acme Club", "rounding": "up"}, If_Match=etag)
    desk.publish(saved.headers["ETag"]).problem(412, "program_changed")
    event = proxy_event(
        "PUT", DRAFT, body=json.dumps(BASE), query={"based_on": "2"}, headers={"If-Match": saved.headers["ETag"]}
    )
    rebased = desk.call.send(event)
    assert (rebased.status, rebased.json["based_on"]) == (200, 2)
    assert desk.publish(rebased.headers["ETag"]).json["version"] == 3


def test_a_draft_that_is_changed_while_it_is_published_is_not_published(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    etag = desk.save(name="Acme Club")
    write = desk.table.write

    def late(operations: Sequence[Operation]) -> None:
        monkeypatch.undo()
        assert desk.call("PUT", DRAFT, {**BASE, "name": "Other"}, If_Match=etag).status == 200
        write(operations)

    monkeypatch.setattr(desk.table, "write", late)
    desk.publish(etag).problem(412, "precondition_failed")
    assert (desk.call("GET", DRAFT).json["document"]["name"], desk.call("GET", VERSIONS).json["in_force"]) == (
        "Other",
        1,
    )


def test_a_draft_is_not_based_on_what_is_not_in_force(desk: Desk) -> None:
    def based_on(version: str, header: dict[str, str]) -> Reply:
        body = json.dumps(BASE)
        return desk.call.send(proxy_event("PUT", DRAFT, body=body, query={"based_on": version}, headers=header))

    based_on("5", {"If-None-Match": "*"}).problem(412, "program_changed")
    etag = based_on("1", {"If-None-Match": "*"}).headers["ETag"]
    based_on("5", {"If-Match": etag}).problem(412, "program_changed")
    assert based_on("1", {"If-Match": etag}).json["based_on"] == 1


def test_a_draft_is_scheduled_and_cancelled(desk: Desk) -> None:
    etag = desk.save(name="Acme Club")
    scheduled = desk.publish(etag, effective_at="2026-03-15T19:00:00+01:00", comment="From tonight on").json
    assert (scheduled["status"], scheduled["effective_at"]) == ("scheduled", "2026-03-15T18:00:00.000Z")
    listed = desk.call("GET", VERSIONS).json
    assert (listed["in_force"], listed["scheduled"]) == (1, 2)
    desk.publish(desk.save(name="Other")).problem(409, "version_scheduled")
    desk.call("DELETE", f"{VERSIONS}/scheduled").problem(428, "precondition_required")
    desk.call("DELETE", f"{VERSIONS}/scheduled", If_Match='"1"').problem(412, "precondition_failed")
    cancelled = desk.call("DELETE", f"{VERSIONS}/scheduled", If_Match=desk.revision())
    assert (cancelled.status, cancelled.json["status"], cancelled.json["cancelled_by"]) == (200, "cancelled", "app")
    desk.call("DELETE", f"{VERSIONS}/scheduled", If_Match="*").problem(404, "nothing_scheduled")
    desk.clock.set(EVENING)
    assert desk.call("GET", PROGRAM).json["version"] == 1


def test_a_scheduled_version_is_replaced_where_that_is_said(desk: Desk) -> None:
    desk.publish(desk.save(name="Tonight"), effective_at=EVENING)
    etag = desk.save(name="Now")
    assert desk.publish(etag, replace_scheduled=True).json["version"] == 3
    assert [one["status"] for one in desk.call("GET", VERSIONS).json["items"]] == [
        "in_force",
        "cancelled",
        "superseded",
    ]
    desk.publish(desk.save(name="Tomorrow"), effective_at=EVENING)
    desk.clock.now = at(EVENING) - LEAD + timedelta(seconds=1)
    desk.call("DELETE", f"{VERSIONS}/scheduled", If_Match=desk.revision()).problem(409, "schedule_due")


def test_that_a_version_came_into_force_by_itself_is_a_change_of_the_list(desk: Desk) -> None:
    desk.publish(desk.save(name="Tonight"), effective_at=EVENING)
    before = desk.revision()
    desk.clock.set(EVENING)
    listed = desk.call("GET", VERSIONS)
    assert listed.headers["ETag"] != before
    assert [one["status"] for one in listed.json["items"]] == ["in_force", "superseded"]
    desk.call("POST", f"{VERSIONS}/1/rollback", If_Match=before).problem(412, "precondition_failed")


def test_an_older_version_is_published_again(desk: Desk) -> None:
    desk.publish(desk.save(name="Acme Club", tiers=BASE["tiers"][:2]))
    desk.call("POST", f"{VERSIONS}/1/rollback").problem(428, "precondition_required")
    desk.call("POST", f"{VERSIONS}/2/rollback", If_Match=desk.revision()).problem(409, "version_in_force")
    desk.call("POST", f"{VERSIONS}/9/rollback", If_Match=desk.revision()).problem(404, "version_not_found")
    reply = desk.call("POST", f"{VERSIONS}/1/rollback", {"comment": "Too soon"}, If_Match=desk.revision())
    assert (reply.status, reply.headers["Location"]) == (201, f"{VERSIONS}/3")
    assert (reply.json["rolled_back_to"], reply.json["comment"], reply.json["changes"]) == (
        1,
        "Too soon",
        "name Acme Club → Acme; tier 'gold' added: name Gold, threshold 2000, multiplier 1.5",
    )
    one, three = (desk.call("GET", f"{VERSIONS}/{number}").json for number in (1, 3))
    assert (one["document"], one["digest"]) == (three["document"], three["digest"])


def test_a_rollback_keeps_what_every_version_keeps(desk: Desk) -> None:
    desk.publish(desk.save(wallets=[STAMPS]))
    before = desk.dump()
    problem = desk.call("POST", f"{VERSIONS}/1/rollback", If_Match=desk.revision()).problem(409, "wallet_fixed")
    assert problem["errors"][0]["pointer"] == "/wallets"
    assert desk.dump() == before


@pytest.mark.parametrize(
    ("body", "status", "code", "pointer"),
    [
        ({"effective_at": "tomorrow"}, 422, "invalid", "/effective_at"),
        ({"effective_at": "2026-03-15T12:01:59Z"}, 422, "version_not_schedulable", "/effective_at"),
        ({"effective_at": "2026-03-16T12:00:00"}, 422, "invalid", "/effective_at"),
        ({"comment": " "}, 422, "invalid", "/comment"),
        ({"comment": "x" * 501}, 422, "invalid", "/comment"),
        ({"replace_scheduled": "yes"}, 422, "invalid", "/replace_scheduled"),
        ({"when": "now"}, 422, "invalid", ""),
    ],
)
def test_a_bad_publication_is_named_and_nothing_is_written(
    desk: Desk, body: dict[str, Any], status: int, code: str, pointer: str
) -> None:
    etag = desk.save(name="Acme Club")
    before = desk.dump()
    problem = desk.call("POST", VERSIONS, body, If_Match=etag).problem(status, code)
    assert [one["pointer"] for one in problem["errors"]] == [pointer]
    assert desk.dump() == before


def test_versions_are_paged(desk: Desk) -> None:
    for number in range(1, 4):
        desk.programs.publish(document(name=f"Name {number}"), expected_version=number, actor="ops")
    first = desk.get(VERSIONS, limit="3").json
    second = desk.get(VERSIONS, limit="3", before=str(first["next_before"])).json
    assert [[one["version"] for one in page["items"]] for page in (first, second)] == [[4, 3, 2], [1]]
    assert (first["next_before"], second["next_before"]) == (2, None)
    desk.get(VERSIONS, limit="51").problem(422, "invalid")
    desk.get(VERSIONS, before="0").problem(422, "invalid")
    for nothing in ("x", "0", "99"):
        desk.call("GET", f"{VERSIONS}/{nothing}").problem(404, "version_not_found")


def test_a_program_that_has_no_version_may_begin_with_a_draft_of_a_client_that_is_bound_to_it(desk: Desk) -> None:
    path = "/v1/programs/fresh"
    desk.call("GET", path).problem(404, "program_not_found")
    desk.call("GET", f"{path}/versions").problem(404, "program_not_found")
    saved = desk.call("PUT", f"{path}/draft", {**BASE, "id": "fresh"}, If_None_Match="*")
    assert (saved.status, saved.json["based_on"]) == (200, 0)
    assert desk.call("GET", f"{path}/draft/diff").json == {"version": 0, "summary": "the first version", "changes": []}
    later = desk.call("POST", f"{path}/versions", {"effective_at": EVENING}, If_Match=saved.headers["ETag"])
    later.problem(422, "version_not_schedulable")
    published = desk.call("POST", f"{path}/versions", If_Match=saved.headers["ETag"])
    assert (published.status, published.json["version"], published.json["changes"]) == (201, 1, "the first version")
    assert desk.call("GET", path).json["program"] == "fresh"


def test_another_programs_client_sees_and_changes_nothing(desk: Desk) -> None:
    etag = desk.save(name="Acme Club")
    before = desk.dump()
    for method, path, body in (
        ("GET", PROGRAM, None),
        ("GET", DRAFT, None),
        ("PUT", DRAFT, BASE),
        ("DELETE", DRAFT, None),
        ("POST", f"{DRAFT}/validate", None),
        ("GET", f"{DRAFT}/diff", None),
        ("GET", VERSIONS, None),
        ("POST", VERSIONS, None),
        ("GET", f"{VERSIONS}/1", None),
        ("POST", f"{VERSIONS}/1/rollback", None),
        ("DELETE", f"{VERSIONS}/scheduled", None),
    ):
        desk.stranger(method, path, body, If_Match=etag).problem(404, "program_not_found")
    assert desk.dump() == before
