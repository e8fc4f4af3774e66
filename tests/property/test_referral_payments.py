"""Whatever happens to a referral in whatever order: both sides are rewarded together or not at all, once, and give back together.

A worker brings a referral to where it must be: it reads it and what was given back of the purchase, then pays or takes back. It
may be cut off before or after each of its calls, see books and counts as they were before, and anything else may happen between
what it reads and what it writes: another worker's run, a refund, a merge, an erasure, a purchase. In the end, once workers ran
undisturbed, exactly those are rewarded who should be.
"""

from collections.abc import Callable
from contextlib import ExitStack
from itertools import combinations, count
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from loyalty.accruals.errors import AccrualFullyReversed, AmountExceedsAccrual
from loyalty.accruals.records import ReversedItem, reversed_of
from loyalty.attribution.model import Referral, ReferralStatus
from loyalty.attribution.store import referral_of
from loyalty.core.errors import (
    InsufficientPoints,
    LoyaltyError,
    MemberErased,
    MemberMerged,
    MemberRestricted,
    ReversalRefused,
)
from loyalty.core.table import Check, Operation, RawItem, Table, TransactionRefused
from loyalty.ledger.items import entry_of
from loyalty.ledger.keys import partition
from loyalty.ledger.model import Account, Entry, EntryKind
from loyalty.merging.errors import MergeWithSelf
from tests.ledgerkit.brought import EARNS, Brought, rewarding
from tests.ledgerkit.calls import Cut, killed_at
from tests.ledgerkit.clock import SettableClock
from tests.ledgerkit.interleaving import before_write, torn
from tests.ledgerkit.tables import empty_table
from tests.ledgerkit.world import NOON

MEMBERS = tuple("abcde")
PAIRS = tuple(combinations(MEMBERS, 2))
SPRING = {"id": "spring", "name": "Spring", "starts_at": "2026-01-01T00:00", "ends_at": "2030-12-31T00:00"}
RULES = [
    {**EARNS[0], "campaign": "spring", "caps": [{"points": 250, "per": "ever"}]},
    {**EARNS[1], "campaign": "spring"},
    {"id": "third", "activity": "referral", "fixed_points": 500, "when": "int(attributes.number) >= 3"},
]
BOUNDED = rewarding(
    earns=RULES,
    campaigns=[{**SPRING, "budget_points": 600}],
    reversal="refuse",
    expiry={"policy": "rolling", "months": 2, "grace_days": 10},
)
_places = count()


Disturbed = st.fixed_dictionaries(
    {
        "killed": st.none() | st.tuples(st.integers(1, 8), st.sampled_from(list(Cut))),
        "torn": st.sampled_from([set(), {"REFERRALS"}, {"WALLET"}, {"WALLET", "REFERRALS", "CAPS#ever"}]),
        "meanwhile": st.none() | st.sampled_from(["work", "other", "refund", "merge", "erase", "restrict"]),
        "whom": st.tuples(st.sampled_from(MEMBERS), st.sampled_from(MEMBERS)),
    }
)


class Bringing(RuleBasedStateMachine):
    """Members, of whom each but the first was brought by another."""

    table: Table

    def __init__(self) -> None:
        super().__init__()
        empty_table(self.table)
        self.brought = Brought(self.table, of=BOUNDED, clock=SettableClock(NOON))
        place = next(_places)
        self.members = {letter: f"mbr_{place}{letter}" for letter in MEMBERS}
        self.brought.moves.enroll(*self.members.values())
        self.friends: dict[str, str] = {}
        self.restricted: set[str] = set()
        self.numbers = count()
        self.older: dict[tuple[str, str], RawItem] = {}

    @property
    def world(self) -> Any:
        return self.brought.world

    def tries(self, act: Callable[[], object], *refusals: type[Exception]) -> bool:
        try:
            act()
        except refusals:
            return False
        return True

    def guard(self, friend: str) -> tuple[bool, list[Operation]]:
        """Whether anything was given back of the purchase, and that this is still so."""
        pk, sk = partition("acme", friend), f"REVERSED#pos#B-{friend}"
        record = reversed_of(self.table.read(pk, sk))
        same = ReversedItem.reversals == record.reversals if record.reversals else ReversedItem.pk.does_not_exist()
        return record.reversals > 0, [Check(ReversedItem, pk, sk, same)]

    def brings_on(self, friend: str, read: Referral | None = None) -> None:
        """What a worker does who was woken, or one who read the referral long ago."""
        referral = read or self.brought.stored(friend)
        back, guards = self.guard(friend)
        if not back and referral.status is ReferralStatus.ENROLLED:
            referral = self.brought.qualify(friend)
        if back and referral.status is ReferralStatus.REWARDED:
            self.brought.payer.reverse(self.brought.program, referral)
        elif not back and referral.status is ReferralStatus.QUALIFIED:
            self.brought.payer.pay(self.brought.program, referral, guards=guards)

    def refunds(self, friend: str) -> None:
        act = lambda: self.world.refund(f"F-{next(self.numbers)}", f"B-{friend}", "5", member=friend)  # noqa: E731
        self.tries(act, AccrualFullyReversed, AmountExceedsAccrual, ReversalRefused)

    def meanwhile(self, what: str, friend: str, whom: tuple[str, str]) -> None:
        first, second = (self.members[one] for one in whom)
        match what:
            case "work":
                self.works(friend)
            case "other":
                self.works(self.members["e"] if friend != self.members["e"] else self.members["b"])
            case "refund":
                self.refunds(friend)
            case "merge":
                self.merges(first, second)
            case "erase":
                self.erases(first)
            case _:
                self.restricts(first)

    def works(self, friend: str, read: Referral | None = None) -> None:
        self.tries(lambda: self.brings_on(friend, read), LoyaltyError, TransactionRefused)

    def merges(self, into: str, gone: str) -> None:
        if not self.restricted & {into, gone}:
            self.tries(lambda: self.brought.moves.merge(gone, into=into), MergeWithSelf, MemberMerged, MemberErased)

    def erases(self, member: str) -> None:
        self.tries(lambda: self.brought.erase(member), MemberMerged, AssertionError)

    def restricts(self, member: str) -> None:
        self.brought.restrict(member, lifted=member in self.restricted)
        self.restricted ^= {member}

    @initialize(
        by=st.tuples(*(st.sampled_from([one for one in MEMBERS if one != who]) for who in MEMBERS[1:])),
        paid=st.sets(st.sampled_from(MEMBERS[1:])),
    )
    def everybody_but_the_first_comes(self, by: tuple[str, ...], paid: set[str]) -> None:
        """In chains, stars and rings; they buy at once, and some are paid for at once."""
        for letter, referrer in zip(MEMBERS[1:], by, strict=True):
            friend = self.members[letter]
            self.friends[friend] = self.members[referrer]
            self.brought.claim(friend, self.members[referrer])
            self.brought.buy(friend)
            if letter in paid:
                self.works(friend)

    @rule(letter=st.sampled_from(MEMBERS[1:]), disturbed=Disturbed, long_ago=st.booleans())
    def work(self, letter: str, disturbed: dict[str, Any], long_ago: bool) -> None:
        friend = self.members[letter]
        read = self.brought.stored(friend) if long_ago else None
        client = self.table.client
        with ExitStack() as stack:
            if disturbed["torn"]:
                stack.enter_context(torn(self.table, self.older, disturbed["torn"]))
            if disturbed["meanwhile"]:
                what, whom = disturbed["meanwhile"], disturbed["whom"]
                stack.enter_context(before_write(client, lambda: self.meanwhile(what, friend, whom)))
            if disturbed["killed"]:
                stack.enter_context(killed_at(client, *disturbed["killed"]))
            self.works(friend, read)
            if long_ago:
                self.works(friend, read)

    @rule(letter=st.sampled_from(MEMBERS[1:]))
    def work_in_peace(self, letter: str) -> None:
        self.works(self.members[letter])

    @rule(letter=st.sampled_from(MEMBERS[1:]))
    def refund(self, letter: str) -> None:
        self.refunds(self.members[letter])

    @rule(pair=st.sampled_from(PAIRS), turned=st.booleans())
    def merge(self, pair: tuple[str, str], turned: bool) -> None:
        into, gone = (self.members[one] for one in (pair[::-1] if turned else pair))
        self.merges(into, gone)

    @rule(letter=st.just("e"))
    def erase(self, letter: str) -> None:
        self.erases(self.members[letter])

    @rule(letter=st.sampled_from(MEMBERS))
    def restrict(self, letter: str) -> None:
        self.restricts(self.members[letter])

    @rule(letter=st.sampled_from(MEMBERS), quantity=st.integers(1, 10))
    def spend(self, letter: str, quantity: int) -> None:
        member, key = self.members[letter], f"h-{next(self.numbers)}"

        def redeem() -> None:
            held = self.world.hold(key, "ten", quantity, member=member)[0].redemption_id
            self.world.capture(held, member=member)

        self.tries(redeem, InsufficientPoints, MemberErased, MemberRestricted)

    @rule(days=st.integers(1, 50))
    def wait(self, days: int) -> None:
        self.world.clock.advance(days=days)

    def rewards(self) -> dict[tuple[str, EntryKind], list[Entry]]:
        """Of each who was brought the accruals of the referral, and its reversals."""
        found: dict[tuple[str, EntryKind], list[Entry]] = {}
        for (_, sk), raw in self.older.items():
            if sk.startswith(("ENTRY#accrual#referral#", "ENTRY#reversal#referral#")):
                entry = entry_of(raw)
                found.setdefault((entry.key.source_id.split("/")[0], entry.key.kind), []).append(entry)
        return found

    @invariant()
    def both_or_neither(self) -> None:
        self.older = self.world.dump()
        rewards = self.rewards()
        for friend in self.friends:
            given, back = (rewards.get((friend, kind), []) for kind in (EntryKind.ACCRUAL, EntryKind.REVERSAL))
            referral = referral_of(self.older[partition("acme", friend), "REFERRAL"])
            rewarded = referral.status in {ReferralStatus.REWARDED, ReferralStatus.REVERSED}
            assert len(given) == (2 if rewarded else 0)
            assert len(back) == (2 if referral.status is ReferralStatus.REVERSED else 0)
            if referral.rewarded is not None:
                points = {one.member_id: _issued(one) for one in given}
                said = referral.rewarded
                assert points == {said.referrer: said.points, said.member_id: said.member_points}
            if back:
                assert sum(map(_issued, [*given, *back])) == 0

    def teardown(self) -> None:
        for member in list(self.restricted):
            self.restricts(member)
        for friend in list(self.friends)[::2]:
            self.refunds(friend)
        for _ in range(2):
            for friend in self.friends:
                self.brings_on(friend)
        for friend, referrer in self.friends.items():
            self.ended_as_it_should(friend, referrer)
        assert self.world.audit() == []

    def ended_as_it_should(self, friend: str, referrer: str) -> None:
        referral = self.brought.stored(friend)
        back, _ = self.guard(friend)
        if referral.status in {ReferralStatus.REWARDED, ReferralStatus.REVERSED}:
            assert back == (referral.status is ReferralStatus.REVERSED)
            return
        books = [self._now(one) for one in (referrer, friend)]
        assert back or referral.status is ReferralStatus.UNREWARDED
        if referral.status is ReferralStatus.UNREWARDED:
            erased = any(book.erased_at is not None for book in books)
            assert erased or books[0].member_id == books[1].member_id

    def _now(self, member: str) -> Any:
        book = self.world.book(member)
        while book.merged_into is not None:
            book = self.world.book(book.merged_into)
        return book


def _issued(entry: Entry) -> int:
    return -entry.movement.change().postings.get(Account.ISSUED, 0)


def test_both_sides_are_rewarded_together_or_not_at_all_once_and_give_back_together(table: Table) -> None:
    machine = type("BoundBringing", (Bringing,), {"table": table})
    run_state_machine_as_test(
        machine, settings=settings(derandomize=True, max_examples=15, stateful_step_count=15, deadline=None)
    )
