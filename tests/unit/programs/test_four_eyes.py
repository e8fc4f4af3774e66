"""Which acts take two people is what the version in force says."""

from typing import Any

import pytest

from loyalty.adjustments.model import Asked
from loyalty.core.errors import SecondPersonRequired
from loyalty.core.table import Table
from loyalty.programs.diff import diff
from loyalty.programs.drafts import DraftStore
from loyalty.programs.errors import VersionInForce
from loyalty.programs.lifecycle import ProgramLifecycle
from loyalty.programs.publication import Proposal, Version
from loyalty.programs.versions import VersionStore
from loyalty.programs.writing import as_stored
from tests.ledgerkit.clock import SettableClock, at
from tests.ledgerkit.programs import document

NOON, EVENING = "2026-03-15T12:00:00Z", at("2026-03-15T18:00:00Z")
TWO: dict[str, Any] = {"four_eyes": {"publishing": True}}


class Desk:
    """``acme``, of which version 1 asks for one person, and version 2 for two to publish."""

    def __init__(self, table: Table) -> None:
        clock = SettableClock(at(NOON))
        self.lifecycle = ProgramLifecycle(DraftStore(table), VersionStore(table, clock), clock)
        for version, changes in enumerate(({}, TWO)):
            self.lifecycle.publish(Proposal(document(**changes), "ann"), expected_version=version)

    def draft(self, actor: str, through: str | None = None, **changes: Any) -> int:
        text = as_stored(document(**changes))
        return self.lifecycle.begin("acme", text, actor, through=through).draft.revision

    def publish(self, revision: int, actor: str, through: str | None = None, **more: Any) -> Version:
        return self.lifecycle.publish_draft("acme", actor, revision=revision, through=through, **more)


@pytest.mark.parametrize(
    ("saved", "publishes"),
    [
        (("ann", None), ("ann", None)),
        (("ann", None), ("ANN", None)),
        (("ann", "operator:arn:1"), ("bob", "operator:arn:1")),
    ],
    ids=["the same person", "in other letters", "another name in the same shell"],
)
@pytest.mark.parametrize("moment", [None, EVENING], ids=["at once", "scheduled"])
def test_who_saved_the_draft_does_not_publish_it(
    table: Table, saved: tuple[str, str | None], publishes: tuple[str, str | None], moment: Any
) -> None:
    desk = Desk(table)
    revision = desk.draft(*saved, name="Better")
    with pytest.raises(SecondPersonRequired):
        desk.publish(revision, *publishes, effective_at=moment)
    assert desk.lifecycle.state("acme").latest == 2
    assert desk.publish(revision, "carol", "operator:arn:2", effective_at=moment).number == 3


def test_the_one_who_saved_it_last_is_its_author(table: Table) -> None:
    desk = Desk(table)
    first = desk.draft("ann", name="Better")
    changed = desk.lifecycle.change("acme", as_stored(document(name="Best")), "bob", revision=first, through=None)
    with pytest.raises(SecondPersonRequired):
        desk.publish(changed.draft.revision, "bob")
    assert desk.publish(changed.draft.revision, "ann").number == 3


def test_a_version_that_turns_it_off_takes_two_and_the_next_one_takes_one(table: Table) -> None:
    desk = Desk(table)
    revision = desk.draft("ann", four_eyes={"publishing": False})
    with pytest.raises(SecondPersonRequired):
        desk.publish(revision, "ann")
    desk.publish(revision, "bob")
    assert desk.publish(desk.draft("ann", name="Better"), "ann").number == 4


@pytest.mark.parametrize("switch", ["adjustments", "approvals", "erasure", "releases"])
def test_a_version_that_turns_any_off_takes_two_where_others_take_one(table: Table, switch: str) -> None:
    desk = Desk(table)
    desk.publish(desk.draft("ann"), "bob")  # publishing takes one again
    alone = document(four_eyes={switch: False})
    with pytest.raises(SecondPersonRequired, match="Save the document as the draft"):
        desk.lifecycle.publish(Proposal(alone, "ann"), expected_version=3)
    revision = desk.draft("ann", four_eyes={switch: False})
    with pytest.raises(SecondPersonRequired):
        desk.publish(revision, "ann")
    assert desk.publish(revision, "bob").number == 4
    assert desk.lifecycle.publish(Proposal(document(), "ann"), expected_version=4).number == 5, "turned on by one"
    with pytest.raises(SecondPersonRequired, match="Save the document of version 4 as the draft"):
        desk.lifecycle.roll_back("acme", 4, "ann", revision=None)


def test_without_a_draft_nothing_is_published_nor_rolled_back(table: Table) -> None:
    desk = Desk(table)
    with pytest.raises(SecondPersonRequired, match="Save the document as the draft"):
        desk.lifecycle.publish(Proposal(document(), "bob"), expected_version=2)
    with pytest.raises(SecondPersonRequired, match="Save the document of version 1 as the draft"):
        desk.lifecycle.roll_back("acme", 1, "bob", revision=None)
    with pytest.raises(VersionInForce):
        desk.lifecycle.roll_back("acme", 2, "bob", revision=None)
    assert desk.lifecycle.state("acme").latest == 2


def test_one_person_takes_back_what_two_have_scheduled(table: Table) -> None:
    desk = Desk(table)
    desk.publish(desk.draft("ann", name="Better"), "bob", effective_at=EVENING)
    assert desk.lifecycle.unschedule("acme", "ann", revision=None).number == 3


@pytest.mark.parametrize(
    ("changes", "needed"), [({}, True), ({"adjustments": True}, True), ({"adjustments": False}, False)]
)
def test_adjustments_above_the_limit_ask_for_two_unless_the_program_does_not(
    changes: dict[str, bool], needed: bool
) -> None:
    asked = Asked(10_001, "goodwill", "ann", "points")
    assert asked.needs_second_person(document(four_eyes=changes)) is needed


def test_a_switch_is_a_change_that_is_told() -> None:
    (change,) = diff(document(), document(**TWO))
    assert (change.where, change.text) == ("four_eyes.publishing", "four eyes: publishing no → yes")
