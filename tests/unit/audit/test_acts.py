"""Each act of staff or of an operator leaves one line, in its own transaction; said again, or refused, it leaves none."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from loyalty.audit.model import PLATFORM
from loyalty.core.errors import LoyaltyError, SecondPersonRequired, Stale
from loyalty.core.origin import Origin, coming_from
from loyalty.core.table import Table, TransactionRefused
from loyalty.people.store import PersonStore
from loyalty.programs.drafts import DraftStore
from loyalty.programs.lifecycle import ProgramLifecycle
from loyalty.programs.publication import Proposal
from loyalty.programs.versions import VersionStore
from loyalty.programs.writing import as_stored
from loyalty.stock.service import StockService
from loyalty.stock.store import StockStore
from loyalty.tiers.grants import Asked, TierGrants
from tests.ledgerkit.clock import at
from tests.ledgerkit.moves import ADA, BOB, Moves, generous
from tests.ledgerkit.programs import BASE, document
from tests.ledgerkit.trails import lines

FROM = Origin("client:desk", "192.0.2.7", "req-1")


class Office:
    """Everything that staff do, at one desk."""

    def __init__(self, table: Table) -> None:
        limited = [*BASE["rewards"], {"id": "mug", "name": "Mug", "type": "product", "points": 10, "limited": True}]
        self.moves = Moves(table, of=generous(rewards=limited)).enroll()
        self.moves.world.clock.set("2026-03-15T12:00:00Z")
        clock, self.table = self.moves.world.clock, table
        self.people = PersonStore(table, clock)
        self.lifecycle = ProgramLifecycle(DraftStore(table), VersionStore(table, clock), clock)
        self.stock = StockService(StockStore(table), clock)
        self.grants = TierGrants(self.moves.world.ledger)

    def asked(self) -> str:
        return self.moves.adjust(5_000, key="much")[0].adjustment_id

    def grant(self, key: str = "g") -> None:
        tier = self.moves.program.document.tiers[1].id
        asked = Asked("status", "goodwill", "ann", "app", key)
        self.grants.grant(self.moves.program, ADA, asked, tier=tier, until=date(2026, 6, 30))

    def end(self) -> None:
        self.grants.end(self.moves.program, ADA, Asked("status", "goodwill", "ann", "app", "e"))

    def restock(self, add: int, key: str = "r") -> None:
        words = {"reference": "PO-1", "actor": "ann", "client_id": "app", "idempotency_key": key}
        self.stock.add(self.moves.program, "mug", add=add, **words)

    def draft(self) -> None:
        self.lifecycle.begin("acme", as_stored(document(name="Better")), "ann")

    def first_version(self) -> None:
        self.lifecycle.publish(Proposal(document(), "ann"), expected_version=0)


def _nothing(_: Office) -> None:
    return None


def _published(office: Office) -> None:
    office.first_version()
    office.draft()


def _scheduled(office: Office) -> None:
    _published(office)
    office.lifecycle.publish_draft("acme", "bob", revision=None, effective_at=at("2026-03-15T18:00:00Z"))


def _twice(office: Office) -> None:
    _published(office)
    office.lifecycle.publish_draft("acme", "bob", revision=None)


@pytest.mark.parametrize(
    ("before", "act", "told"),
    [
        (_nothing, lambda o: o.moves.adjust(25), ("adjustment.posted", f"members/{ADA}/adjustments/", "staff-1")),
        (_nothing, lambda o: o.asked(), ("adjustment.proposed", f"members/{ADA}/adjustments/", "staff-1")),
        (
            lambda o: o.asked(),
            lambda o: o.moves.approve(o.asked()),
            ("adjustment.approved", f"members/{ADA}/adjustments/", "staff-2"),
        ),
        (
            lambda o: o.asked(),
            lambda o: o.moves.reject(o.asked()),
            ("adjustment.rejected", f"members/{ADA}/adjustments/", "staff-2"),
        ),
        (_nothing, lambda o: o.grant(), ("tier.granted", f"members/{ADA}/tiers/status", "ann")),
        (lambda o: o.grant(), lambda o: o.end(), ("tier.grant_ended", f"members/{ADA}/tiers/status", "ann")),
        (_nothing, lambda o: o.moves.merge(), ("member.merged", f"members/{BOB}", "staff-1")),
        (_nothing, lambda o: o.restock(5), ("stock.added", "rewards/mug/restocks/", "ann")),
        (lambda o: o.restock(5), lambda o: o.restock(-2, "w"), ("stock.withdrawn", "rewards/mug/restocks/", "ann")),
    ],
    ids=lambda one: one[0] if isinstance(one, tuple) else "",
)
def test_an_act_leaves_one_line_however_often_it_is_asked_for(
    table: Table, before: Callable[[Office], Any], act: Callable[[Office], Any], told: tuple[str, str, str]
) -> None:
    office = Office(table)
    before(office)
    seen = {line["sk"] for line in lines(table)}
    with coming_from(FROM):
        act(office)
        act(office)
    (line,) = [line for line in lines(table) if line["sk"] not in seen]
    assert (line["action"], line["actor"]) == (told[0], told[2])
    assert line["target"].startswith(told[1])
    assert (line["by"], line["address"], line["request_id"]) == ("client:desk", "192.0.2.7", "req-1")


@pytest.mark.parametrize(
    ("before", "act", "action", "target"),
    [
        (_nothing, lambda o: o.first_version(), "program.published", "versions/1"),
        (lambda o: o.first_version(), lambda o: o.draft(), "program.draft_saved", "draft"),
        (_published, lambda o: o.lifecycle.discard("acme", "bob", revision=None), "program.draft_discarded", "draft"),
        (_nothing, _scheduled, "program.scheduled", "versions/2"),
        (
            _scheduled,
            lambda o: o.lifecycle.unschedule("acme", "bob", revision=None),
            "program.unscheduled",
            "versions/2",
        ),
        (
            _twice,
            lambda o: o.lifecycle.roll_back("acme", 1, "bob", revision=2),
            "program.rolled_back",
            "versions/3",
        ),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_what_is_done_to_a_program_leaves_a_line_and_refused_it_leaves_none(
    table: Table, before: Callable[[Office], Any], act: Callable[[Office], Any], action: str, target: str
) -> None:
    office = Office(table)
    before(office)
    act(office)
    count = len(lines(table))
    (line,) = [line for line in lines(table) if line["action"] == action]
    assert line["target"] == target
    with pytest.raises((LoyaltyError, Stale)):
        act(office)
    assert len(lines(table)) == count


def test_people_are_in_the_trail_of_the_platform_with_the_rights_that_they_had(table: Table) -> None:
    office = Office(table)
    office.people.add("ada", {"acme"}, set())
    office.people.add("ada", {"acme", "aurora"}, {"acme"})
    office.people.disable("ada")
    office.people.disable("ada")
    kept = sorted(lines(table, PLATFORM), key=lambda line: (line["action"], line.get("before", "")))
    assert [(line["action"], line["target"]) for line in kept] == [
        ("person.added", "people/ada"), ("person.added", "people/ada"), ("person.disabled", "people/ada"),
    ]  # fmt: skip
    assert kept[1]["before"] == '{"approves":"","programs":"acme","suppliers":false}'
    assert kept[1]["after"] == '{"approves":"acme","programs":"acme,aurora","suppliers":false}'


def test_an_act_that_is_not_written_has_no_line_and_one_that_is_not_allowed_neither(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = Office(table)
    proposed = office.asked()
    count = len(lines(table))
    with pytest.raises(SecondPersonRequired):
        office.moves.approve(proposed, actor="staff-1")
    monkeypatch.setattr(Table, "write", _refusing)
    with pytest.raises(LoyaltyError):
        office.moves.reject(proposed)
    monkeypatch.undo()
    assert len(lines(table)) == count


def _refusing(*_: Any) -> None:
    raise TransactionRefused({}, ["TransactionConflict"], contended=True)
