"""Points between members: whatever is given, pooled or merged, in whatever order, none is made, lost or re-dated."""

from collections import Counter
from collections.abc import Callable, Iterable
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from loyalty.core.clock import local_date
from loyalty.core.errors import InsufficientPoints, LoyaltyError, MemberMerged
from loyalty.core.table import RawItem, Table
from loyalty.households.errors import HouseholdHasPoints, MemberInHousehold
from loyalty.ledger import movements
from loyalty.ledger.draft import Situation
from loyalty.ledger.keys import partition
from loyalty.ledger.model import Account, Book, Change, Movement, Scope, Wallet
from loyalty.merging.decision import movements_of
from loyalty.merging.errors import MergeWithSelf
from loyalty.transfers.errors import TransferToSelf
from loyalty.transfers.model import changes
from tests.ledgerkit.clock import SettableClock, at
from tests.ledgerkit.moves import Moves, generous
from tests.ledgerkit.world import World, total

SCOPE = Scope("acme", 1, ZoneInfo("UTC"))
NOW = at("2026-03-15T12:00:00Z")
LOTS = ("2026-04-30", "2026-08-31", "2026-12-31", "9999-12-31")
BUCKETS = ("2026-04-01/2027-04-30", "2026-05-01/2027-05-31")
MEMBERS = tuple("abcd")


def parts(keys: Iterable[str]) -> st.SearchStrategy[dict[str, int]]:
    return st.dictionaries(st.sampled_from(list(keys)), st.integers(1, 50), max_size=4)


@st.composite
def wallets(draw: st.DrawFn) -> Wallet:
    """Points, or what is owed in either way, and points that are pending."""
    lots, maturing = draw(parts(LOTS)), draw(parts(BUCKETS))
    owed, debt = (0, 0) if lots else (draw(st.integers(0, 60)), draw(st.integers(0, 60)))
    available = sum(lots.values()) if lots else -owed
    return Wallet(available, sum(maturing.values()), 0, debt, lots, maturing)


def worth(wallet: Wallet) -> int:
    return wallet.available + wallet.pending - wallet.debt


def plus(books: dict[str, Book], member: str, change: Change) -> int:
    """Applies a change to a book; what passed through the program's account of transfers."""
    books[member] = movements.apply(books[member], Movement({"points": change}), settled_to=NOW)
    return change.postings.get(Account.TRANSFERRED, 0)


Steps = st.lists(
    st.tuples(
        st.sampled_from(["give", "merge"]), st.sampled_from(MEMBERS), st.sampled_from(MEMBERS), st.integers(1, 80)
    ),
    max_size=25,
)


@settings(derandomize=True, max_examples=300, deadline=None)
@given(st.fixed_dictionaries({member: wallets() for member in MEMBERS}), Steps)
def test_any_sequence_of_transfers_and_merges_conserves_what_everybody_has(
    start: dict[str, Wallet], steps: list[tuple[str, str, str, int]]
) -> None:
    books = {name: Book("acme", name, "bronze", wallets={"points": wallet}) for name, wallet in start.items()}
    everything = sum(map(worth, start.values()))
    nobody_owes = all(wallet.available >= 0 and not wallet.debt for wallet in start.values())
    by_day = sum((Counter(wallet.lots) for wallet in start.values()), Counter[str]())
    pending = sum((Counter(wallet.maturing) for wallet in start.values()), Counter[str]())
    passing = 0
    for what, giver, receiver, points in steps:
        if giver == receiver or books[giver].merged_into or books[receiver].merged_into:
            continue
        left, right = (Situation(books[member], {}, NOW) for member in (giver, receiver))
        if what == "give":
            try:
                out, into = changes(left, right, "points", points)
            except InsufficientPoints:
                assert points > left.wallet.available
                continue
            passing += plus(books, giver, out) + plus(books, receiver, into)
        else:
            gains, losses = movements_of(SCOPE, right, left)
            for member, movement in ((receiver, gains), (giver, losses)):
                books[member] = movements.apply(books[member], movement, settled_to=NOW)
                passing += movement.change().postings.get(Account.TRANSFERRED, 0)
            assert books[giver].wallet() == Wallet()
    after = [book.wallet() for book in books.values()]
    assert passing == 0
    assert sum(map(worth, after)) == everything
    assert sum((Counter(wallet.maturing) for wallet in after), Counter[str]()) == pending
    days = sum((Counter(wallet.lots) for wallet in after), Counter[str]())
    if nobody_owes:
        assert days == by_day
    else:
        assert all(points <= by_day[day] for day, points in days.items())
    for book in books.values():
        wallet = book.wallet()
        assert not (wallet.lots and (wallet.debt or wallet.available < 0))


@settings(derandomize=True, max_examples=300, deadline=None)
@given(wallets(), wallets())
def test_who_goes_on_does_not_matter_to_what_is_left(one: Wallet, other: Wallet) -> None:
    """The same points whichever of the two survives."""

    def merged(into: Wallet, gone: Wallet) -> Wallet:
        books = {"into": Book("acme", "into", "bronze", wallets={"points": into})}
        plus(books, "into", movements.merge(into, gone))
        return books["into"].wallet()

    assert merged(one, other) == merged(other, one)


_places = count()


class Exchange(RuleBasedStateMachine):
    """Members and a household, against lists of single points, each named by its last day. Many requests come again."""

    table: Table

    requests = Bundle("requests")

    def __init__(self) -> None:
        super().__init__()
        self.moves = Moves(self.table, of=OPEN, clock=SettableClock(NOW))
        place = next(_places)
        self.names = count()
        self.members = [f"mbr_{place}{letter}" for letter in MEMBERS]
        self.moves.world.enroll(*self.members)
        self.points: dict[str, list[str]] = {member: [] for member in self.members}
        self.is_now = {member: member for member in self.members}
        self.household = self.moves.found(self.members[0], key=str(place)).household_id
        self.points[self.household] = []
        self.inside = {self.members[0]}
        self.expired = 0

    def who(self, letter: str) -> str:
        return self.members[MEMBERS.index(letter)]

    def key(self) -> str:
        return str(next(self.names))

    def stored(self) -> list[list[RawItem]]:
        """Everything of these members and their household."""
        program = self.moves.program.document.id
        return [list(self.table.query_all(partition(program, member))) for member in self.points]

    def expire(self) -> None:
        today = local_date(self.moves.world.clock(), self.moves.program.document.zone).isoformat()
        for member, points in self.points.items():
            self.points[member] = [day for day in points if day >= today]

    def sends(self, act: Callable[[], Any], refusal: type[LoyaltyError] | None) -> Callable[[], Any] | None:
        """Sends a request that is refused as predicted, or is done; then it may be sent again."""
        if refusal is not None:
            before = self.stored()
            with pytest.raises(refusal):
                act()
            assert self.stored() == before
            return None
        act()
        return act

    def move(self, giver: str, receiver: str, points: int) -> None:
        queue = sorted(self.points[giver])
        self.points[giver] = queue[points:]
        self.points[receiver] += queue[:points]

    @rule(letter=st.sampled_from(MEMBERS), lots=parts(LOTS))
    def grant(self, letter: str, lots: dict[str, int]) -> None:
        holder = self.is_now[self.who(letter)]
        today = local_date(self.moves.world.clock(), self.moves.program.document.zone).isoformat()
        lots = {day: points for day, points in lots.items() if day >= today}
        if lots:
            self.moves.grant(holder, lots, key=self.key())
            self.points[holder] += [day for day, points in lots.items() for _ in range(points)]

    @rule(target=requests, giver=st.sampled_from(MEMBERS), to=st.sampled_from(MEMBERS), points=st.integers(1, 90))
    def give(self, giver: str, to: str, points: int) -> Any:
        names = self.who(giver), self.who(to)
        holders = self.is_now[names[0]], self.is_now[names[1]]
        refusal: type[LoyaltyError] | None = None
        if holders[0] == holders[1]:
            refusal = TransferToSelf
        elif points > len(self.points[holders[0]]):
            refusal = InsufficientPoints
        else:
            self.move(*holders, points)
        key = self.key()
        return self.sends(lambda: self.moves.give(points, key=key, giver=names[0], to=names[1]), refusal)

    @rule(letter=st.sampled_from(MEMBERS))
    def join(self, letter: str) -> None:
        self.moves.join(self.household, self.who(letter))
        self.inside.add(self.is_now[self.who(letter)])

    @rule(letter=st.sampled_from(MEMBERS))
    def leave(self, letter: str) -> None:
        member = self.who(letter)
        if member not in self.inside:
            return
        if self.inside == {member}:
            if self.points[self.household]:
                with pytest.raises(HouseholdHasPoints):
                    self.moves.leave(self.household, member)
            return
        self.moves.leave(self.household, member)
        self.inside.remove(member)

    @rule(target=requests, letter=st.sampled_from(MEMBERS), points=st.integers(1, 90), takes=st.booleans())
    def pool(self, letter: str, points: int, takes: bool) -> Any:
        name = self.who(letter)
        holder = self.is_now[name]
        if holder not in self.inside:
            return None
        giver, receiver = (self.household, holder) if takes else (holder, self.household)
        short = points > len(self.points[giver])
        if not short:
            self.move(giver, receiver, points)
        key, act = self.key(), self.moves.withdraw if takes else self.moves.contribute
        request = lambda: act(self.household, points, member=name, key=key)  # noqa: E731
        return self.sends(request, InsufficientPoints if short else None)

    @rule(target=requests, into=st.sampled_from(MEMBERS), gone=st.sampled_from(MEMBERS))
    def merge(self, into: str, gone: str) -> Any:
        survivor, absorbed = self.who(into), self.who(gone)
        refusal: type[LoyaltyError] | None = None
        if survivor == absorbed:
            refusal = MergeWithSelf
        elif self.is_now[absorbed] != absorbed or self.is_now[survivor] != survivor:
            return None  # a repeat of an earlier merge, or one of somebody who is somebody else: below, and unit tests
        elif absorbed in self.inside:
            refusal = MemberInHousehold
        else:
            self.points[survivor] += self.points[absorbed]
            self.points[absorbed] = []
            self.is_now = {name: survivor if now == absorbed else now for name, now in self.is_now.items()}
        return self.sends(lambda: self.moves.merge(absorbed, into=survivor), refusal)

    @rule(request=requests)
    def again(self, request: Callable[[], Any] | None) -> None:
        if request is not None:
            before = self.stored()
            request()
            assert self.stored() == before

    @rule(days=st.integers(1, 60))
    def wait(self, days: int) -> None:
        self.moves.world.clock.advance(days=days)
        self.expire()

    @invariant()
    def everybody_has_what_the_lists_say(self) -> None:
        for member, points in self.points.items():
            book = self.moves.world.now(member)
            assert Counter(dict(book.wallet().lots)) == Counter(points), member
            assert book.merged_into is None or self.is_now[member] != member

    def teardown(self) -> None:
        everybody = [entry for member in self.points for entry in self.moves.world.entries(member)]
        assert total(everybody, Account.TRANSFERRED) == 0


OPEN = generous(
    transfers={"maximum_points": 1_000, "daily_points": 1_000_000, "wallets": ["points"]},
    households={"members": 4, "daily_points": 1_000_000},
)


def test_the_services_agree_with_lists_of_points_whatever_comes_again(table: Table) -> None:
    machine = type("BoundExchange", (Exchange,), {"table": table})
    run_state_machine_as_test(
        machine, settings=settings(derandomize=True, max_examples=15, stateful_step_count=25, deadline=None)
    )
    assert World(table, of=OPEN).audit() == []


def test_one_who_is_somebody_else_by_now_is_not_merged_again(table: Table) -> None:
    moves = Moves(table).enroll()
    a, b, c = ("mbr_" + letter * 26 for letter in "abc")
    moves.merge(b, into=a)
    with pytest.raises(MemberMerged) as refusal:
        moves.merge(b, into=c)
    assert (refusal.value.member_id, refusal.value.into) == (b, a)
