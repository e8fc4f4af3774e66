"""Plays a population through the real screening, on a table in memory, in the order of time.

What the other parts of referrals do is done here in their words and by their items: enrollments write profiles with
likenesses and referrals, purchases qualify, goods come back, and what screening accepts at payment is rewarded.
"""

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any, Final

from loyalty.accruals.share import Reversed
from loyalty.attribution.claiming import new_referral
from loyalty.attribution.likenesses import DISPOSABLE_EMAIL, Signals, likenesses_of
from loyalty.attribution.model import Referral, ReferralStatus, Screened, Verdict
from loyalty.attribution.store import ReferralStore, claim_puts, referral_put
from loyalty.core.clock import from_text, to_text
from loyalty.core.money import Money
from loyalty.core.pii import Lookups
from loyalty.core.table import Table
from loyalty.ledger.keys import partition
from loyalty.programs.model import Program
from loyalty.referrals.facts import PHONE
from loyalty.referrals.screening import Screener
from loyalty.referrals.steps import Counted, Facts, Write, next_step
from loyalty_contract import MEMBER_SK
from tests.apikit.keys import FakeKeys
from tests.ledgerkit.clock import SettableClock
from tests.ledgerkit.programs import program
from tests.ledgerkit.tables import create_table
from tests.referralkit.abusive import ABUSIVE
from tests.referralkit.honest import HONEST
from tests.referralkit.people import START, Coming, Draw, Erasing, Event, Person
from tests.simulation.client import table_over
from tests.simulation.engine import MemoryDynamoDb

RETURN_DAYS: Final = 14
CODE: Final = "K7WQ4M2X"


def with_referrals(*, code_uses: int | None = None, **screening: Any) -> Program:
    """The program of the population: what is enough, and for how long it can be given back."""
    qualifying = {"minimum": [{"value": "20.00", "currency": "EUR"}], "within_days": 30, "return_days": RETURN_DAYS}
    return program(
        version=3,
        earn_rules=[
            {"id": "shop", "activity": "purchase", "rates": [{"points": 1, "per": "1", "currency": "EUR"}]},
            {"id": "brings", "activity": "referral", "fixed_points": 500},
            {"id": "brought", "activity": "referred", "fixed_points": 250},
        ],
        referrals={
            "landing_url": "https://shop.example/join",
            "claim_days": 14,
            "code_uses": code_uses,
            "qualifying": qualifying,
            "screening": screening,
        },
    )


@dataclass(frozen=True)
class Decision:
    """What became of one who came by a code: ``screened`` is what was said at payment; None: it never came to that."""

    coming: Coming
    screened: Screened | None
    same_email: bool
    """What a check of equal e-mail addresses would say."""


def population(seed: int) -> list[Event]:
    """Everybody of one world, and what happens to them."""
    draw = Draw.of(seed)
    for groups in (HONEST, ABUSIVE):
        for pattern, times in groups:
            for _ in range(times):
                pattern(draw)
    return draw.events


def memory_table() -> Table:
    """An empty table in memory."""
    table = table_over(MemoryDynamoDb(), "referrals")
    create_table(table.client, table.name)
    return table


class Played:
    """One world, event by event."""

    def __init__(self, events: list[Event], *, table: Table | None = None, rules: Program | None = None) -> None:
        self.table = memory_table() if table is None else table
        self._clock = SettableClock(START)
        self._program = with_referrals() if rules is None else rules
        self._terms = self._program.document.referrals
        self._screener = Screener(self.table, self._clock, sleep=lambda _: None)
        self._store = ReferralStore(self.table)
        self._lookups = Lookups(FakeKeys())
        self._emails: dict[str, str] = {}
        self._due: list[tuple[datetime, int, Callable[[], None]]] = []
        self._numbers = count()
        self._decisions: dict[str, Decision] = {}
        for event in events:
            self._at(event.at, self._erases(event) if isinstance(event, Erasing) else self._comes(event))

    def run(self) -> list[Decision]:
        """What was decided, in the order in which people came by a code."""
        while self._due:
            self._clock.now, _, happens = heapq.heappop(self._due)
            happens()
        return list(self._decisions.values())

    def _at(self, moment: datetime, happens: Callable[[], None]) -> None:
        heapq.heappush(self._due, (from_text(to_text(moment)), next(self._numbers), happens))

    def _comes(self, coming: Coming) -> Callable[[], None]:
        def happens() -> None:
            person = coming.person
            likenesses = self._likenesses(person)
            self._profile(person, likenesses)
            self._emails[person.member_id] = person.email
            self._screener.remember(self._program, person.member_id)
            if coming.referrer is not None and coming.claims_after is None:
                self._claims(coming)
            elif coming.claims_after is not None:
                self._at(coming.at + coming.claims_after, lambda: self._claims(coming))

        return happens

    def _claims(self, coming: Coming) -> None:
        person, referrer = coming.person, coming.referrer
        if referrer is None:
            raise AssertionError("nobody's code")
        likenesses = self._likenesses(person)
        flags = {DISPOSABLE_EMAIL: 1} if person.disposable else {}
        new = new_referral(
            self._program,
            referrer=referrer,
            code=CODE,
            member_id=person.member_id,
            now=self._clock(),
            likenesses=likenesses,
            flags=flags,
        )
        self.table.write(list(claim_puts(new).values()))
        counted = self._screener.count(self._program, replace(new, revision=1))
        self._save(counted, screened=self._screener.screen(self._program, counted))
        same = self._emails.get(referrer) == person.email
        self._decisions[person.member_id] = Decision(coming, None, same)
        if coming.purchase is not None:
            self._at(self._clock() + coming.purchase.after, lambda: self._buys(coming))

    def _buys(self, coming: Coming) -> None:
        bought, now = coming.purchase, self._clock()
        if bought is None:
            raise AssertionError("nothing was bought")
        pays = now + timedelta(days=RETURN_DAYS)
        entry = f"accrual:pos:{coming.person.member_id}"
        euros = Money.of(f"{bought.cents // 100}.{bought.cents % 100:02}", "EUR")
        before = self._read(coming)
        step = next_step(before, Facts([Counted(entry, "purchase", euros, Reversed(), now, now)]), self._terms, now)
        if not isinstance(step, Write) or step.after.status is not ReferralStatus.QUALIFIED:
            raise AssertionError(f"a purchase that does not qualify: {step}")
        self.table.write([referral_put(before, step.after)])
        if bought.returned_after is not None:
            self._at(now + bought.returned_after, lambda: self._returns(coming))
        self._at(pays, lambda: self._pays(coming))

    def _pays(self, coming: Coming) -> None:
        referral = self._read(coming)
        if referral.status is not ReferralStatus.QUALIFIED:
            return
        screened = self._screener.screen(self._program, referral)
        status = {Verdict.ACCEPT: ReferralStatus.REWARDED, Verdict.REJECT: ReferralStatus.REJECTED}
        self._save(
            referral, screened=screened, looked=None, status=status.get(screened.verdict, ReferralStatus.QUALIFIED)
        )
        known = self._decisions[coming.person.member_id]
        self._decisions[coming.person.member_id] = replace(known, screened=screened)

    def _returns(self, coming: Coming) -> None:
        referral = self._read(coming)
        if referral.status is ReferralStatus.REWARDED:
            self._save(referral, status=ReferralStatus.REVERSED)
        elif referral.status is ReferralStatus.QUALIFIED:
            self._save(referral, status=ReferralStatus.ENROLLED, qualified=None)

    def _erases(self, erasing: Erasing) -> Callable[[], None]:
        def happens() -> None:
            person = erasing.person
            self._screener.forget(self._program, person.member_id)
            self._profile(person, {})

        return happens

    def _likenesses(self, person: Person) -> dict[str, str]:
        signals = Signals(person.device, person.ip, person.payment, person.address)
        found = likenesses_of("acme", self._lookups, person.email, signals)
        return found | ({PHONE: self._lookups.phone("acme", person.phone)} if person.phone else {})

    def _profile(self, person: Person, likenesses: dict[str, str]) -> None:
        item = {
            "pk": {"S": partition("acme", person.member_id)},
            "sk": {"S": MEMBER_SK},
            "created_at": {"S": to_text(self._clock())},
            "likenesses": {"M": {kind: {"S": digest} for kind, digest in likenesses.items()}},
        }
        self.table.client.put_item(TableName=self.table.name, Item=item)

    def _read(self, coming: Coming) -> Referral:
        found = self._store.get("acme", coming.person.member_id)
        if found is None:
            raise AssertionError("a referral is gone")
        return found

    def _save(self, before: Referral, **changes: Any) -> None:
        self.table.write([referral_put(before, replace(before, updated_at=self._clock(), **changes))])


def played(seed: int) -> Iterator[Decision]:
    """What is decided of the population of a seed."""
    yield from Played(population(seed)).run()
