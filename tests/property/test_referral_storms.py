"""The whole life of referrals under everything at once: each ends as it must, both sides alike, and none is forgotten.

Members buy, give back in part or whole, merge, are erased, restricted, spend; people decide; versions of the program come and go.
Events of all that come in any order, twice or late, and the clock runs now and then. Any worker may be cut off at any call, see
items of a transaction one by one, and have anything happen before any of its calls. In the end, once everything was delivered
and the clock has run, each referral rests, for a reason that the ledger bears out.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from datetime import timedelta
from decimal import Decimal
from itertools import count
from typing import Any, Final

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from loyalty.abuse.model import Person
from loyalty.core.errors import LoyaltyError
from loyalty.core.table import RawItem, Table, TransactionRefused
from loyalty.ledger.items import entry_of
from loyalty.ledger.keys import partition
from loyalty.ledger.model import Account, Book, Entry, EntryKind
from loyalty.ledger.verify import audit_table
from loyalty.privacy.erasure_store import ErasureStore
from loyalty.programs.store import ProgramStore
from loyalty.referrals.events import Happening, What
from loyalty.referrals.lifecycle import Lifecycle
from loyalty.referrals.model import Referral, ReferralStatus, Verdict
from loyalty.referrals.reviewing import ReviewService
from loyalty.referrals.store import referral_of
from tests.ledgerkit.brought import EARNS, REFERRALS, Brought, rewarding
from tests.ledgerkit.calls import Cut, killed_at
from tests.ledgerkit.clock import SettableClock
from tests.ledgerkit.interleaving import before_call, torn
from tests.ledgerkit.tables import empty_table
from tests.ledgerkit.waking import EndlessCodes, ToldScreener
from tests.ledgerkit.world import NOON
from tests.mutation.memory import moto_table as memory_table

__all__ = ["memory_table"]

STATUS = ReferralStatus
LETTERS: Final = tuple("abcde")
FRIENDS: Final = LETTERS[1:]
LEAST: Final = Decimal(20)
TERMS: Final = {
    **REFERRALS,
    "qualifying": {"minimum": [{"value": "20.00", "currency": "EUR"}], "within_days": 30, "return_days": 14},
    "reminder_days": [7],
}
SPRING: Final = {"id": "spring", "name": "Spring", "starts_at": "2026-01-01T00:00", "ends_at": "2030-12-31T00:00"}
RULES: Final = [
    {**EARNS[0], "campaign": "spring", "caps": [{"points": 250, "per": "ever"}, {"times": 2, "per": "month"}]},
    {**EARNS[1], "campaign": "spring"},
    {"id": "third", "activity": "referral", "fixed_points": 500, "when": "int(attributes.number) >= 3"},
]
BESIDE: Final[dict[str, Any]] = {
    "campaigns": [{**SPRING, "budget_points": 600}],
    "reversal": "refuse",
    "expiry": {"policy": "rolling", "months": 2, "grace_days": 10},
}
VERSIONS: Final[Mapping[str, Mapping[str, Any]]] = {
    "first": {"earns": RULES, "referrals": TERMS},
    "stricter": {
        "earns": RULES,
        "referrals": {**TERMS, "qualifying": {"minimum": [{"value": "40.00", "currency": "EUR"}], "within_days": 8}},
    },
    "poorer": {"earns": EARNS, "referrals": TERMS, "campaigns": [{**SPRING, "budget_points": 90}]},
    "one-sided": {"earns": EARNS[:1], "referrals": None},
}
PEOPLE: Final = (Person("person:ann", "client:a"), Person("person:ben", "client:b"), Person("person:cat", "client:c"))
_places = count()

acts = st.sampled_from(
    ["deliver", "clock", "other", "refund", "refund", "part", "buy", "merge", "erase", "restrict", "decide", "publish"]
)
choices = st.fixed_dictionaries(
    {
        "who": st.sampled_from(LETTERS),
        "other": st.sampled_from(LETTERS),
        "receipt": st.integers(0, 5),
        "version": st.sampled_from(list(VERSIONS)),
        "person": st.sampled_from(PEOPLE),
        "decision": st.sampled_from(["approve", "reject", "revoke", "appeal"]),
        "event": st.integers(0, 50),
    }
)
disturbances = st.fixed_dictionaries(
    {
        "killed": st.none() | st.tuples(st.integers(1, 14), st.sampled_from(list(Cut))),
        "torn": st.sampled_from([set(), {"REFERRALS"}, {"WALLET"}, {"WALLET", "REFERRALS", "CAPS#ever"}, {"REFERRAL"}]),
        "reads": st.integers(1, 3),
        "meanwhile": st.none() | st.tuples(st.integers(1, 14), acts, choices),
    }
)


class Storm(RuleBasedStateMachine):
    """Members, of whom each but the first was brought by another."""

    table: Table

    def __init__(self) -> None:
        super().__init__()
        empty_table(self.table)
        clock = SettableClock(NOON)
        self.brought = Brought(self.table, of=rewarding(**{**BESIDE, **VERSIONS["first"]}), clock=clock)
        self.world = self.brought.world
        self.programs = ProgramStore(self.table, clock, seconds=lambda: clock().timestamp())
        self.programs.publish(self.world.program.document, expected_version=0, actor="test")
        self.screener = ToldScreener(self.world)
        beside = self.brought.payer, self.screener, clock
        self.lifecycle = Lifecycle(self.table, self.programs, *beside, codes=EndlessCodes(), sleep=lambda _: None)
        self.reviews = ReviewService(self.table, clock, sleep=lambda _: None)
        place = next(_places)
        self.members = {letter: f"mbr_{place}{letter}" for letter in LETTERS}
        self.brought.moves.enroll(*self.members.values())
        self.friends: dict[str, str] = {}
        self.receipts: list[tuple[str, str]] = []
        """Whose, and which."""
        self.events: list[Happening] = []
        self.published = {"first"}
        self.numbers = count()
        self.older: dict[tuple[str, str], RawItem] = {}

    @initialize(
        by=st.tuples(*(st.sampled_from([one for one in LETTERS if one != who]) for who in FRIENDS)),
        days=st.sampled_from([0, 13, 14]),
    )
    def everybody_but_the_first_comes(self, by: tuple[str, ...], days: int) -> None:
        """In chains, stars and rings; they buy at once, and some time later may be paid for."""
        for letter, referrer in zip(FRIENDS, by, strict=True):
            self.friends[self.members[letter]] = self.members[referrer]
            self.brought.claim(self.members[letter], self.members[referrer])
        self.world.clock.advance(seconds=1)  # no version of that very moment is another one's terms
        for friend in self.friends:
            self.buys(friend, "30.00")
        self.both_or_neither()
        self.deliver_all()
        self.wait(days)

    # What happens

    def act(self, what: str, choice: Mapping[str, Any]) -> None:
        """One thing that members, people or workers do; where it is refused, nothing."""
        who, other = self.members[choice["who"]], self.members[choice["other"]]
        whose = list(self.friends)
        done: Mapping[str, Callable[[], object]] = {
            "deliver": lambda: self.delivers(choice["event"]),
            "clock": self.clocks,
            "other": lambda: self.lifecycle.woken("acme", who),
            "refund": lambda: self.refunds(choice["receipt"], None),
            "part": lambda: self.refunds(choice["receipt"], "12.00"),
            "buy": lambda: self.buys(who, ("15.00", "30.00", "45.00")[choice["receipt"] % 3]),
            "merge": lambda: who != other and self.brought.moves.merge(other, into=who),
            "erase": lambda: self.erases(who),
            "restrict": lambda: self.restricts(who),
            "decide": lambda: self.decides(whose[choice["event"] % len(whose)], choice["decision"], choice["person"]),
            "publish": lambda: self.publishes(choice["version"]),
        }
        try:
            done[what]()
        except (LoyaltyError, TransactionRefused):
            return

    def delivers(self, which: int) -> None:
        if self.events:
            event = self.events[which % len(self.events)]
            self.lifecycle.told(event)
            if which % 3:  # else it comes once more
                self.events.remove(event)

    def clocks(self) -> None:
        for friend in self.friends:
            due = self.brought.stored(friend).due_at
            if due is not None and due <= self.world.clock():
                self.lifecycle.woken("acme", friend)

    def buys(self, who: str, amount: str) -> None:
        receipt = f"R-{next(self.numbers)}"
        self.receipts.append((who, receipt))
        self.world.accrue(receipt, amount, member=who, occurred_at=self.world.clock())

    def refunds(self, which: int, amount: str | None) -> None:
        who, receipt = self.receipts[which % len(self.receipts)]
        more: dict[str, Any] = {} if amount else {"everything": True}
        self.world.refund(f"F-{next(self.numbers)}", receipt, amount, member=who, **more)

    def erases(self, who: str) -> None:
        if self.world.book(who).merged_into is None and not self.is_erased(who):
            self.brought.erase(who)
            ErasureStore(self.table).sweep("acme", who)

    def restricts(self, who: str) -> None:
        self.brought.restrict(who, lifted=self.world.book(who).restricted_at is not None)

    def decides(self, friend: str, decision: str, by: Person) -> None:
        program = self.programs.current("acme")
        if decision == "appeal":
            self.reviews.appeal("acme", friend, "because", "till")
        else:
            getattr(self.reviews, decision)(program, friend, by, "because")

    def publishes(self, name: str) -> None:
        version = self.programs.current("acme").version
        document = rewarding(version + 1, **{**BESIDE, **VERSIONS[name]}).document
        self.programs.publish(document, expected_version=version, actor="test")
        self.published.add(name)
        self.world.clock.advance(seconds=120)  # so long a version is remembered
        self.world.program = self.programs.current("acme")

    # In which order

    @rule(what=acts, choice=choices, disturbed=disturbances)
    def disturbed(self, what: str, choice: dict[str, Any], disturbed: dict[str, Any]) -> None:
        client = self.table.client
        with ExitStack() as stack:
            if disturbed["torn"]:
                stack.enter_context(torn(self.table, self.older, disturbed["torn"], reads=disturbed["reads"]))
            if disturbed["meanwhile"]:
                number, other, chosen = disturbed["meanwhile"]
                stack.enter_context(before_call(client, number, lambda: self.act(other, chosen)))
            if disturbed["killed"]:
                stack.enter_context(killed_at(client, *disturbed["killed"]))
            self.act("deliver" if what == "other" else what, choice)

    @rule(what=acts, choice=choices)
    def in_peace(self, what: str, choice: dict[str, Any]) -> None:
        self.act(what, choice)

    @rule(letter=st.sampled_from(FRIENDS))
    def buy(self, letter: str) -> None:
        self.act("buy", {"who": letter, "other": letter, "receipt": 1, "event": 0})

    @rule()
    def deliver_all(self) -> None:
        while self.events:
            self.lifecycle.told(self.events.pop(0))

    @rule(days=st.sampled_from([1, 14, 15, 29]))
    def wait(self, days: int) -> None:
        self.world.clock.advance(days=days)
        self.act("clock", {"who": "a", "other": "a"})

    @rule(verdict=st.sampled_from(Verdict))
    def screens(self, verdict: Verdict) -> None:
        self.screener.verdict = verdict

    @rule(letter=st.sampled_from(LETTERS), quantity=st.integers(1, 10))
    def spend(self, letter: str, quantity: int) -> None:
        member = self.members[letter]
        try:
            held = self.world.hold(f"h-{next(self.numbers)}", "ten", quantity, member=member)[0].redemption_id
            self.world.capture(held, member=member)
        except LoyaltyError:
            return

    # What holds

    @invariant()
    def both_or_neither(self) -> None:
        before, self.older = self.older, self.world.dump()
        self.events += self.told_since(before)
        rewards = self.rewards()
        for friend in self.friends:
            given, back = (rewards.get((friend, kind), []) for kind in (EntryKind.ACCRUAL, EntryKind.REVERSAL))
            referral = referral_of(self.older[partition("acme", friend), "REFERRAL"])
            rewarded = referral.status in {STATUS.REWARDED, STATUS.REVERSED}
            assert len(given) == (2 if rewarded else 0)
            assert len(back) == (2 if referral.status is STATUS.REVERSED else 0)
            assert (referral.rewarded is not None) is rewarded
            if referral.rewarded is not None:
                said = referral.rewarded
                points = {one.member_id: _issued(one) for one in given}
                assert points == {said.referrer: said.points, said.member_id: said.member_points}
            if back:
                assert sum(map(_issued, [*given, *back])) == 0

    def told_since(self, before: Mapping[tuple[str, str], RawItem]) -> Iterator[Happening]:
        """What the stream tells of what was written since."""
        for (pk, sk), raw in self.older.items():
            earlier, member = before.get((pk, sk)), pk.split("#")[-1]
            if sk.startswith("ENTRY#") and earlier is None:
                entry = entry_of(raw)
                if entry.key.source == "referral":
                    continue
                if entry.key.kind is EntryKind.ACCRUAL:
                    yield Happening("acme", member, What.PURCHASE)
                elif entry.key.kind is EntryKind.REVERSAL:
                    yield Happening("acme", member, What.REVERSAL)
                elif entry.key.kind is EntryKind.MERGE_OUT:
                    yield Happening("acme", member, What.OTHER)
            if sk == "WALLET" and "erased_at" in raw and "erased_at" not in (earlier or {}):
                yield Happening("acme", member, What.OTHER)
            if sk == "REFERRAL" and raw.get("decisions") != (earlier or {}).get("decisions"):
                yield Happening("acme", member, What.OTHER)

    def rewards(self) -> dict[tuple[str, EntryKind], list[Entry]]:
        """Of each who was brought the accruals of the referral, and its reversals."""
        found: dict[tuple[str, EntryKind], list[Entry]] = {}
        for (_, sk), raw in self.older.items():
            if sk.startswith(("ENTRY#accrual#referral#", "ENTRY#reversal#referral#")):
                entry = entry_of(raw)
                found.setdefault((entry.key.source_id.split("/")[0], entry.key.kind), []).append(entry)
        return found

    # How it ends

    def teardown(self) -> None:
        if not self.friends:
            return
        for member in self.members.values():
            self.brought.restrict(member, lifted=True)
        self.screener.verdict = Verdict.ACCEPT
        for _ in range(18):
            self.both_or_neither()
            self.deliver_all()
            self.clocks()
            self.people_decide()
            self.world.clock.advance(days=5)
        self.both_or_neither()
        for friend in self.friends:
            self.ended_as_it_should(self.brought.stored(friend))
        found = audit_table(
            self.table, scopes_of=self.programs.scopes, sleep=lambda _: None, clock=self.world.clock
        ).findings
        assert found == []

    def people_decide(self) -> None:
        for friend in self.friends:
            for by in PEOPLE:
                if self.brought.stored(friend).waits:
                    self.act_of(friend, by)

    def act_of(self, friend: str, by: Person) -> None:
        try:
            self.decides(friend, "approve", by)
        except LoyaltyError:  # it was their own decision: somebody else has to
            return

    def ended_as_it_should(self, referral: Referral) -> None:
        books = [self.now(one) for one in (referral.referrer, referral.member_id)]
        assert referral.due_at is None
        assert not referral.waits
        match referral.status:
            case STATUS.REWARDED:
                assert self.counts(referral, self.qualifying(referral))
                assert not referral.revoked
            case STATUS.REVERSED:
                assert referral.revoked or not self.counts(referral, self.qualifying(referral))
            case STATUS.EXPIRED:
                assert not any(self.counts(referral, one) for one in self.bought(referral))
            case STATUS.REJECTED:
                assert referral.verdict is Verdict.REJECT
            case _:
                assert referral.status is STATUS.UNREWARDED
                assert self.why(referral, books)[referral.ended_because or ""]

    def why(self, referral: Referral, books: list[Book]) -> dict[str, bool]:
        """By reason, whether the ledger bears it out."""
        return {
            "same_member": books[0].member_id == books[1].member_id,
            "member_erased": any(book.erased_at is not None for book in books),
            "member_merged": self.world.book(referral.member_id).merged_into is not None,
            "no_rule": "one-sided" in self.published,
        }

    def qualifying(self, referral: Referral) -> Entry:
        assert referral.qualified is not None
        what = referral.qualified.entry_id
        (found,) = [one for one in self.bought(referral) if one.entry_id == what]
        return found

    def bought(self, referral: Referral) -> list[Entry]:
        """What who was brought bought before they were merged."""
        pk = partition("acme", referral.member_id)
        found = [raw for (key, sk), raw in self.older.items() if key == pk and sk.startswith("ENTRY#accrual#pos#")]
        return [entry_of(raw) for raw in found]

    def counts(self, referral: Referral, entry: Entry) -> bool:
        """By the terms of the claim, with what is left of it: sums of what the ledger says was given back."""
        deadline, amount = referral.deadline, entry.facts.amount
        assert deadline is not None
        assert amount is not None
        reversals = [entry_of(raw) for (_, sk), raw in self.older.items() if sk.startswith("ENTRY#reversal#pos#")]
        back = [one.facts.amount for one in reversals if one.facts.reverses == entry.entry_id]
        whole = any(one is None for one in back)  # everything
        left = Decimal(0) if whole else amount.amount - sum(one.amount for one in back if one is not None)
        late = entry.posted_at >= deadline + timedelta(days=14)
        return referral.claimed_at <= entry.facts.occurred_at < deadline and not late and left >= LEAST

    def now(self, member: str) -> Book:
        book = self.world.book(member)
        while book.merged_into is not None:
            book = self.world.book(book.merged_into)
        return book

    def is_erased(self, member: str) -> bool:
        return self.world.book(member).erased_at is not None


def _issued(entry: Entry) -> int:
    return -entry.movement.change().postings.get(Account.ISSUED, 0)


@pytest.fixture(scope="module")
def memory(memory_table: Table) -> Table:
    return memory_table


def test_whatever_happens_each_ends_as_it_must(memory: Table) -> None:
    machine = type("BoundStorm", (Storm,), {"table": memory})
    run_state_machine_as_test(
        machine, settings=settings(derandomize=True, max_examples=15, stateful_step_count=20, deadline=None)
    )
