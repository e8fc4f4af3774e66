"""Members, their referrals, and whatever may happen to them, one thing at a time."""

from collections.abc import Callable, Iterator, Mapping
from itertools import count
from typing import Any, Final

from loyalty.abuse.model import Person
from loyalty.core.errors import LoyaltyError
from loyalty.core.table import RawItem, Table, TransactionRefused
from loyalty.ledger.items import entry_of
from loyalty.ledger.model import EntryKind
from loyalty.privacy.erasure_store import ErasureStore
from loyalty.programs.store import ProgramStore
from loyalty.referrals.events import Happening, What
from loyalty.referrals.lifecycle import Lifecycle
from loyalty.referrals.reviewing import ReviewService
from tests.ledgerkit.brought import EARNS, REFERRALS, Brought, rewarding
from tests.ledgerkit.clock import SettableClock
from tests.ledgerkit.waking import EndlessCodes, ToldScreener
from tests.ledgerkit.world import NOON

Items = Mapping[tuple[str, str], RawItem]
"""A table, by keys."""
LETTERS: Final = tuple("abcde")
FRIENDS: Final = LETTERS[1:]
"""Each of whom another one brought."""
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


class Happenings:
    """Services over a table, and members by letters; ``screener`` says what it is told."""

    def __init__(self, table: Table) -> None:
        self.table = table
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
        if self.world.book(who).merged_into is None and self.world.book(who).erased_at is None:
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

    @staticmethod
    def told(before: Items, after: Items) -> Iterator[Happening]:
        """What the stream tells of what was written between two moments."""
        for (pk, sk), raw in after.items():
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
