"""Who enrolls in a program that rewards it gets the points once, whenever and however often it is told."""

from typing import Any, NoReturn

import pytest

from loyalty.accruals.awaited import AwaitedReversals
from loyalty.accruals.model import Activity, Refund
from loyalty.accruals.service import AccrualService
from loyalty.commerce.model import MemberSignal
from loyalty.commerce.outcomes import Outcome, Unfinished
from loyalty.core.errors import WalletBusy
from loyalty.core.table import Table
from loyalty.ledger.service import Ledger
from loyalty.merging.service import MergeService
from loyalty.programs.model import ProgramDocument
from loyalty.programs.publication import Proposal
from loyalty.programs.store import ProgramStore
from loyalty.programs.versions import VersionStore
from tests.ledgerkit.calls import recorded
from tests.ledgerkit.clock import at
from tests.ledgerkit.programs import SEGMENTS, document
from tests.unit.commerce.shopify_samples import SHOP
from tests.unit.commerce.test_service import EMAIL, paid
from tests.unit.commerce.world import PROGRAM, RATES, Commerce

WELCOME: dict[str, Any] = {"id": "welcome", "activity": "signup", "fixed_points": 50}
ADA = "ada@example.com"


def rewarding(*rules: dict[str, Any], **more: Any) -> ProgramDocument:
    return document(id=PROGRAM, earn_rules=[*RATES, *rules], shopify_shops=[SHOP], **more)


def publish(commerce: Commerce, *rules: dict[str, Any], **more: Any) -> None:
    """The next version; a minute later, when every function knows of it."""
    number = commerce.programs.version(PROGRAM)
    commerce.programs.publish(rewarding(*rules, **more), expected_version=number, actor="test")
    commerce.clock.advance(minutes=1)
    commerce.programs = ProgramStore(commerce.table, commerce.clock)
    commerce.service = commerce.service_with()


@pytest.fixture
def commerce(table: Table) -> Commerce:
    """A program that gives 50 points for signing up."""
    commerce = Commerce(table)
    publish(commerce, WELCOME)
    return commerce


def test_a_signup_is_posted_once(commerce: Commerce) -> None:
    member = commerce.enroll(ADA)
    enrolled_at = commerce.clock.now
    commerce.clock.advance(hours=1)
    assert commerce.signal(member, enrolled=True) == [Outcome.SIGNED_UP]
    commerce.clock.advance(days=400)
    assert commerce.signal(member, enrolled=True) == [Outcome.REPLAYED]
    (entry,) = commerce.ledger.entries(PROGRAM, member, limit=10).entries
    assert (entry.entry_id, entry.points) == (f"accrual:enrollment:{member}", 50)
    assert (entry.facts.occurred_at, entry.facts.activity, entry.facts.channel) == (enrolled_at, "signup", None)


def test_a_change_of_the_profile_is_no_signup(commerce: Commerce) -> None:
    member = commerce.enroll(ADA)
    assert commerce.signal(member) == []
    assert commerce.entries(member) == []


def test_a_program_without_such_a_rule_posts_nothing(table: Table) -> None:
    commerce = Commerce(table)
    member = commerce.enroll(ADA)
    with recorded(table.client) as calls:
        assert commerce.signal(member, enrolled=True) == []
    assert "TransactWriteItems" not in calls.names
    assert (commerce.entries(member), commerce.put_aside) == ([], [])


def test_nobody_signs_up_who_is_not_there(commerce: Commerce) -> None:
    assert commerce.signal("mbr_nobody", enrolled=True) == []


@pytest.mark.parametrize(
    ("before", "after", "points"),
    [
        ([], [WELCOME], 0),  # the rule came later
        ([WELCOME], [], 0),  # the version of the posting decides, as for everything
        ([WELCOME], [{**WELCOME, "fixed_points": 80}], 80),
        ([WELCOME], [WELCOME], 50),
    ],
)
def test_a_rule_is_for_those_who_enroll_while_there_is_one(
    table: Table, before: list[dict[str, Any]], after: list[dict[str, Any]], points: int
) -> None:
    commerce = Commerce(table)
    publish(commerce, *before)
    member = commerce.enroll(ADA)
    commerce.clock.advance(days=30)
    publish(commerce, *after, name="Another")
    later = commerce.enroll("later@example.com")
    commerce.signal(member, enrolled=True)
    commerce.signal(later, enrolled=True)
    assert commerce.points(member) == points
    assert commerce.points(later) == sum(int(one["fixed_points"]) for one in after)


def test_a_scheduled_rule_is_for_those_who_enroll_from_its_moment_on(table: Table) -> None:
    commerce = Commerce(table)
    noon = at("2026-11-22T12:00:00Z")
    VersionStore(table, commerce.clock).publish(
        PROGRAM, Proposal(rewarding(WELCOME), "test", effective_at=noon), require=lambda _: None
    )
    commerce.clock.set("2026-11-22T11:59:59Z")
    just_before = commerce.enroll(ADA)
    commerce.clock.set("2026-11-22T12:00:00Z")
    just_after = commerce.enroll("after@example.com")
    for member in (just_before, just_after):
        commerce.signal(member, enrolled=True)
    assert (commerce.points(just_before), commerce.points(just_after)) == (0, 50)


def test_a_signup_that_its_rule_refuses_keeps_nobody_from_what_is_theirs(table: Table) -> None:
    commerce = Commerce(table)
    publish(commerce, {"id": "welcome", "activity": "signup", "rates": [{"points": 1, "per": "1", "currency": "EUR"}]})
    commerce.apply(paid(customer=None))
    member = commerce.enroll(EMAIL)
    assert commerce.signal(member, enrolled=True) == [Outcome.SIGNUP_REFUSED, Outcome.CLAIMED]
    assert (commerce.points(member), commerce.put_aside) == (320, [])


def test_what_was_kept_is_claimed_beside_it(commerce: Commerce, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loyalty.commerce.claims.CLAIMS", 1)
    for number in (1, 2):
        commerce.apply(paid(id=number, customer=None))
    member = commerce.enroll(EMAIL)
    with pytest.raises(Unfinished) as part:
        commerce.signal(member, enrolled=True)
    assert part.value.outcomes == [Outcome.SIGNED_UP, Outcome.CLAIMED]
    assert commerce.signal(member, enrolled=True) == [Outcome.REPLAYED, Outcome.CLAIMED]
    assert commerce.points(member) == 50 + 2 * 320
    commerce.audit()


@pytest.mark.parametrize("told_before", [False, True], ids=["merged first", "posted first"])
def test_who_was_merged_meanwhile_signs_up_as_who_they_are_now(commerce: Commerce, told_before: bool) -> None:
    ada, bob = commerce.enroll(ADA), commerce.enroll("bob@example.com")
    ledger = Ledger(commerce.table, commerce.clock)
    if told_before:
        assert commerce.signal(bob, enrolled=True) == [Outcome.SIGNED_UP]
    merging = MergeService(ledger, AwaitedReversals(commerce.table, commerce.accruals, commerce.clock))
    merging.merge(commerce.programs.current(PROGRAM), ada, absorbed=bob, actor="staff-1")
    told = commerce.signal(bob, enrolled=True)
    assert told == ([Outcome.REPLAYED] if told_before else [Outcome.SIGNED_UP])
    assert commerce.signal(ada, enrolled=True) == [Outcome.SIGNED_UP]
    assert commerce.signal(bob, enrolled=True) == [Outcome.REPLAYED]
    assert (commerce.points(ada), commerce.points(bob)) == (100, 0)


class Busy(AccrualService):
    """Others write to every wallet, all the time."""

    def accrue(self, *_: object, **__: object) -> NoReturn:
        raise WalletBusy("Send it again.")


def test_where_the_wallet_is_busy_the_event_is_to_come_again(commerce: Commerce) -> None:
    member = commerce.enroll(ADA)
    busy = commerce.service_with(accruals=Busy(Ledger(commerce.table, commerce.clock), commerce.clock))
    with pytest.raises(WalletBusy):
        busy.apply(MemberSignal(PROGRAM, member, enrolled=True))
    assert commerce.signal(member, enrolled=True) == [Outcome.SIGNED_UP]


def test_a_signup_counts_for_caps_and_the_first_and_is_taken_back(table: Table) -> None:
    commerce = Commerce(table)
    publish(commerce, {**WELCOME, "caps": [{"per": "ever", "times": 1}], "when": "member.first"}, segments=SEGMENTS)
    member = commerce.enroll(ADA)
    assert commerce.signal(member, enrolled=True) == [Outcome.SIGNED_UP]
    program = commerce.programs.current(PROGRAM)
    by_hand = Activity("signup", "crm", "S-1", commerce.clock.now)
    assert commerce.accruals.accrue(program, member, by_hand).entry.points == 0
    fraud = Refund("enrollment", "F-1", member, commerce.clock.now, everything=True)
    assert commerce.accruals.reverse(program, member, fraud).entry.points == -50
    assert commerce.signal(member, enrolled=True) == [Outcome.REPLAYED]
    assert commerce.points(member) == 0
