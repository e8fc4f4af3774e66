"""The whole life of referrals under everything at once: each ends as it must, both sides alike, and none is forgotten.

Members buy, give back in part or whole, merge, are erased, restricted, spend; people decide; versions of the program come and go.
Events of all that come in any order, twice or late, and the clock runs now and then. Any worker may be cut off at any call, see
items of a transaction one by one, and have anything happen before any of its calls. In the end, once everything was delivered
and the clock has run, each referral rests, for a reason that the ledger bears out.
"""

from contextlib import ExitStack
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from loyalty.abuse.model import Person
from loyalty.attribution.model import Referral, ReferralStatus, Verdict
from loyalty.attribution.store import referral_of
from loyalty.core.errors import LoyaltyError
from loyalty.core.table import RawItem, Table
from loyalty.ledger.items import entry_of
from loyalty.ledger.keys import partition
from loyalty.ledger.model import Account, Book, Entry, EntryKind
from loyalty.ledger.verify import audit_table
from tests.ledgerkit.calls import Cut, killed_at
from tests.ledgerkit.interleaving import before_call, torn
from tests.ledgerkit.storming import FRIENDS, LETTERS, PEOPLE, VERSIONS, Happenings
from tests.ledgerkit.tables import empty_table

STATUS = ReferralStatus
LEAST: Final = Decimal(20)
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
        self.happenings = Happenings(self.table)
        self.older: dict[tuple[str, str], RawItem] = {}

    @initialize(
        by=st.tuples(*(st.sampled_from([one for one in LETTERS if one != who]) for who in FRIENDS)),
        days=st.sampled_from([0, 13, 14]),
    )
    def everybody_but_the_first_comes(self, by: tuple[str, ...], days: int) -> None:
        """In chains, stars and rings; they buy at once, and some time later may be paid for."""
        for letter, referrer in zip(FRIENDS, by, strict=True):
            self.happenings.friends[self.happenings.members[letter]] = self.happenings.members[referrer]
            self.happenings.brought.claim(self.happenings.members[letter], self.happenings.members[referrer])
        self.happenings.world.clock.advance(seconds=1)  # no version of that very moment is another one's terms
        for friend in self.happenings.friends:
            self.happenings.buys(friend, "30.00")
        self.both_or_neither()
        self.deliver_all()
        self.wait(days)

    # In which order

    @rule(what=acts, choice=choices, disturbed=disturbances)
    def disturbed(self, what: str, choice: dict[str, Any], disturbed: dict[str, Any]) -> None:
        client = self.table.client
        with ExitStack() as stack:
            if disturbed["torn"]:
                stack.enter_context(torn(self.table, self.older, disturbed["torn"], reads=disturbed["reads"]))
            if disturbed["meanwhile"]:
                number, other, chosen = disturbed["meanwhile"]
                stack.enter_context(before_call(client, number, lambda: self.happenings.act(other, chosen)))
            if disturbed["killed"]:
                stack.enter_context(killed_at(client, *disturbed["killed"]))
            self.happenings.act("deliver" if what == "other" else what, choice)

    @rule(what=acts, choice=choices)
    def in_peace(self, what: str, choice: dict[str, Any]) -> None:
        self.happenings.act(what, choice)

    @rule(letter=st.sampled_from(FRIENDS))
    def buy(self, letter: str) -> None:
        self.happenings.act("buy", {"who": letter, "other": letter, "receipt": 1, "event": 0})

    @rule()
    def deliver_all(self) -> None:
        while self.happenings.events:
            self.happenings.lifecycle.told(self.happenings.events.pop(0))

    @rule(days=st.sampled_from([1, 14, 15, 29]))
    def wait(self, days: int) -> None:
        self.happenings.world.clock.advance(days=days)
        self.happenings.act("clock", {"who": "a", "other": "a"})

    @rule(verdict=st.sampled_from(Verdict))
    def screens(self, verdict: Verdict) -> None:
        self.happenings.screener.verdict = verdict

    @rule(letter=st.sampled_from(LETTERS), quantity=st.integers(1, 10))
    def spend(self, letter: str, quantity: int) -> None:
        member = self.happenings.members[letter]
        try:
            held = self.happenings.world.hold(f"h-{next(self.happenings.numbers)}", "ten", quantity, member=member)[
                0
            ].redemption_id
            self.happenings.world.capture(held, member=member)
        except LoyaltyError:
            return

    # What holds

    @invariant()
    def both_or_neither(self) -> None:
        before, self.older = self.older, self.happenings.world.dump()
        self.happenings.events += self.happenings.told(before, self.older)
        rewards = self.rewards()
        for friend in self.happenings.friends:
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
        if not self.happenings.friends:
            return
        for member in self.happenings.members.values():
            self.happenings.brought.restrict(member, lifted=True)
        self.happenings.screener.verdict = Verdict.ACCEPT
        for _ in range(18):
            self.both_or_neither()
            self.deliver_all()
            self.happenings.clocks()
            self.people_decide()
            self.happenings.world.clock.advance(days=5)
        self.both_or_neither()
        for friend in self.happenings.friends:
            self.ended_as_it_should(self.happenings.brought.stored(friend))
        found = audit_table(
            self.table,
            scopes_of=self.happenings.programs.scopes,
            sleep=lambda _: None,
            clock=self.happenings.world.clock,
        ).findings
        assert found == []

    def people_decide(self) -> None:
        for friend in self.happenings.friends:
            for by in PEOPLE:
                if self.happenings.brought.stored(friend).waits:
                    self.act_of(friend, by)

    def act_of(self, friend: str, by: Person) -> None:
        try:
            self.happenings.decides(friend, "approve", by)
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
            "member_merged": self.happenings.world.book(referral.member_id).merged_into is not None,
            "no_rule": "one-sided" in self.happenings.published,
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
        book = self.happenings.world.book(member)
        while book.merged_into is not None:
            book = self.happenings.world.book(book.merged_into)
        return book


def _issued(entry: Entry) -> int:
    return -entry.movement.change().postings.get(Account.ISSUED, 0)


def test_whatever_happens_each_ends_as_it_must(memory_table: Table) -> None:
    machine = type("BoundStorm", (Storm,), {"table": memory_table})
    run_state_machine_as_test(
        machine, settings=settings(derandomize=True, max_examples=12, stateful_step_count=20, deadline=None)
    )
