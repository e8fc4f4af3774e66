"""Commands, drawn one after the other: each may be about one that was drawn before, or that comes later."""

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from tests.simulation.oracle.commands import (
    Accrue,
    Adjust,
    Bought,
    Command,
    Decide,
    EndHold,
    Give,
    HoldPoints,
    Merge,
    Recalculate,
    Sum,
    TakeBack,
)

UNSET: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""Stands for a moment that is known once the command is sent."""
KINDS: Final = {
    "accrue": 30,
    "take_back": 17,
    "hold": 14,
    "end": 15,
    "adjust": 6,
    "decide": 4,
    "give": 8,
    "merge": 1.5,
    "events": 8,
}
Drawn = tuple[Command, timedelta]


class Draws:
    """Remembers what was drawn, so that later commands can be about it."""

    def __init__(self, rng: random.Random, documents: Sequence[dict[str, Any]], members: Sequence[str]) -> None:
        self._rng = rng
        self._members = list(members)
        self._document = documents[0]
        self._accruals: list[Accrue] = []
        self._refunds: list[TakeBack] = []
        self._holds: list[HoldPoints] = []
        self._adjusts: list[Adjust] = []
        self._later: list[Drawn] = []
        """Accruals that come after what was given back of them."""
        self._number = 0

    def welcome(self) -> list[Drawn]:
        """Something for most members to begin with."""
        found: list[Drawn] = []
        for member in self._members:
            amount = Sum(self._rng.choice([5000, 12_000, 20_000]), "EUR")
            command = Accrue(member, "pos", f"A{self._name()}", "purchase", UNSET, amount)
            if self._rng.random() < 0.8:
                self._accruals.append(command)
                found.append((command, timedelta()))
        return found

    def some(self) -> list[Drawn]:
        """The next command, and what belongs to it; with each, how long ago it happened when it is sent."""
        kind = self._rng.choices(list(KINDS), list(KINDS.values()))[0]
        if self._later and self._rng.random() < 0.3:
            return [self._later.pop(0)]
        return getattr(self, f"_{kind}")() or self._accrue()

    def _name(self) -> str:
        self._number += 1
        return f"{self._number}"

    def _member(self) -> str:
        return "mbr_nobody" if self._rng.random() < 0.01 else self._rng.choice(self._members)

    def _ago(self) -> timedelta:
        chance = self._rng.random()
        if chance < 0.02:
            return timedelta(days=60)
        if chance < 0.04:
            return timedelta(minutes=-30)
        return self._rng.choice([timedelta(), timedelta(minutes=5), timedelta(hours=30), timedelta(minutes=-4)])

    def _accrue(self) -> list[Drawn]:
        command, ago = self._new_accrual(), self._ago()
        self._accruals.append(command)
        found: list[Drawn] = [(command, ago)]
        if self._rng.random() < 0.4:
            found.append((Recalculate(command.member, f"accrual:{command.source}:{command.source_id}"), ago))
        if self._rng.random() < 0.04 and command.amount:
            found.append((replace(command, amount=Sum(command.amount.units + 100, command.amount.currency)), ago))
        return found

    def _new_accrual(self) -> Accrue:
        rng, name = self._rng, self._name()
        source = rng.choice(["pos", "pos", "web"])
        if rng.random() < 0.15:
            return Accrue(self._member(), source, f"A{name}", rng.choice(["review", "review", "dance"]), UNSET)
        currency = rng.choices(["EUR", "JPY", "USD"], [20, 1, 1])[0]
        amount = Sum(rng.choice([rng.randint(1, 2000), rng.randint(300, 9000), 10_000]), currency)
        lines = self._lines(amount) if rng.random() < 0.5 else ()
        basis = Sum(amount.units + rng.choice([500, 999]), currency) if rng.random() < 0.3 else None
        return Accrue(self._member(), source, f"A{name}", "purchase", UNSET, amount, basis, lines, "till")

    def _lines(self, amount: Sum) -> tuple[Bought, ...]:
        rng = self._rng
        lines, left = [], amount.units
        for number in range(rng.randint(1, 4)):
            units = rng.randint(0, left)
            lines.append(Bought(f"L{number}", rng.randint(1, 5), units))
            left -= units
        if rng.random() < 0.5:  # they add up
            lines[-1] = replace(lines[-1], units=lines[-1].units + left)
        return tuple(lines)

    def _take_back(self) -> list[Drawn]:
        rng = self._rng
        if not self._accruals or rng.random() < 0.15:
            accrual = self._new_accrual()
            self._accruals.append(accrual)
            self._later.append((accrual, self._ago()))
        else:
            accrual = rng.choice(self._accruals[-8:])
        found: list[Drawn] = []
        for _ in range(rng.choice([1, 1, 2, 3])):
            refund = self._refund(accrual)
            self._refunds.append(refund)
            found.append((refund, self._ago()))
            if rng.random() < 0.05:
                found.append((replace(refund, reason="chargeback"), self._ago()))
        return found

    def _refund(self, accrual: Accrue) -> TakeBack:
        rng, name = self._rng, self._name()
        member = self._member() if rng.random() < 0.05 else accrual.member
        accrual_id = f"unknown{name}" if rng.random() < 0.04 else accrual.source_id
        whole = TakeBack(member, accrual.source, f"R{name}", accrual_id, UNSET, reason=self._reason())
        chance = rng.random()
        if accrual.lines and chance < 0.5:
            lines = rng.sample(accrual.lines, rng.randint(1, len(accrual.lines)))
            parts = tuple((line.line_id, rng.randint(1, line.quantity + (rng.random() < 0.1))) for line in lines)
            return replace(whole, lines=parts if rng.random() < 0.95 else (*parts, ("L9", 1)))
        if chance < 0.8 and (accrual.amount or rng.random() < 0.2):
            paid = accrual.basis or accrual.amount or Sum(500, "EUR")
            units = rng.choice([paid.units, rng.randint(1, paid.units), paid.units // 3 + 1, paid.units // 2 + 1])
            over = rng.choice([1, 1000]) if rng.random() < 0.05 else 0
            currency = "KWD" if rng.random() < 0.03 else paid.currency
            return replace(whole, amount=Sum(units + over, currency))
        return replace(whole, everything=True)

    def _reason(self) -> str:
        return self._rng.choice(["refund", "return", "cancellation", "chargeback"])

    def _hold(self) -> list[Drawn]:
        rng, name = self._rng, self._name()
        reward = rng.choices(["coffee", "ten", "card", "nothing"], [10, 10, 4, 0.3])[0]
        quantity = rng.choices([1, 2, 3, 4], [8, 4, 2, 0.3])[0]
        minutes = rng.choices([None, 1, 3, 60, 20_000], [10, 3, 2, 1, 0.4])[0]
        if reward == "card" and rng.random() < 0.9:
            minutes = None
        command = HoldPoints(self._member(), f"H{name}", reward, quantity, minutes)
        self._holds.append(command)
        found: list[Drawn] = [(command, timedelta())]
        if rng.random() < 0.04:
            found.append((replace(command, quantity=quantity + 1), timedelta()))
        while rng.random() < 0.4:
            found.append((self._end_of(command), timedelta()))
        return found

    def _end(self) -> list[Drawn]:
        if not self._holds:
            return []
        return [
            (self._end_of(self._rng.choice(self._holds[-3:])), timedelta()) for _ in range(self._rng.choice([1, 1, 2]))
        ]

    def _end_of(self, hold: HoldPoints) -> EndHold:
        rng = self._rng
        how = rng.choices(["captured", "released", "cancelled"], [6, 2, 4])[0]
        points = rng.choice([None, None, 1, 7, 15, 9999]) if how == "captured" else None
        party = "fulfillment" if hold.reward == "card" else "partner"
        if rng.random() < 0.05:
            party = "partner" if party == "fulfillment" else "fulfillment"
        member = self._member() if rng.random() < 0.08 else hold.member
        return EndHold(member, hold, how, points, party)

    def _events(self) -> list[Drawn]:
        """A purchase in a shop, or something done in an app; mostly with money given back of it, before or after."""
        rng, name, shop = self._rng, self._name(), self._rng.random() < 0.75
        amount = Sum(rng.choice([rng.randint(300, 9000), 5000]), "EUR")
        sold = Accrue(
            self._rng.choice(self._members), "shopify" if shop else "app", f"A{name}", "purchase", UNSET, amount,
            Sum(amount.units + 500, "EUR") if shop else None, self._lines(amount) if shop else (),
            "shop" if shop else "app", by_event=True,
        )  # fmt: skip
        found: list[Drawn] = [(sold, self._ago())]
        for _ in range(rng.choice([0, 1, 2, 3])):
            units = rng.choice([amount.units, amount.units // 3, amount.units // 2 + 1, amount.units + 500])
            currency = "KWD" if rng.random() < 0.03 else "EUR"
            refund = TakeBack(
                sold.member, sold.source, f"R{self._name()}", sold.source_id, UNSET, Sum(units, currency), by_event=True
            )
            ago = self._ago()
            found.append((refund, ago))
            if rng.random() < 0.05:
                found.append((replace(refund, amount=Sum(units + 1, currency)), ago + timedelta(seconds=1)))
        if rng.random() < 0.5:
            rng.shuffle(found)
        if rng.random() < 0.2:
            self._later.append(found.pop())
        return found

    def _adjust(self) -> list[Drawn]:
        rng = self._rng
        points = rng.choice([5, 9, 25, 40, -5, -12, -35, 0 if rng.random() < 0.1 else 8])
        wallets = [wallet["id"] for wallet in self._document["wallets"]]
        wallet = rng.choice(["points", "points", *wallets, *(["none"] if rng.random() < 0.05 else [])])
        reason = rng.choice(["goodwill", "correction"]) if rng.random() < 0.95 else rng.choice([None, "whim"])
        command = Adjust(self._member(), f"J{self._name()}", points, reason, rng.choice(["ann", "bob"]), wallet)
        self._adjusts.append(command)
        found: list[Drawn] = [(command, timedelta())]
        if rng.random() < 0.05:
            found.append((replace(command, points=points + 1), timedelta()))
        return found

    def _decide(self) -> list[Drawn]:
        large = [adjust for adjust in self._adjusts if abs(adjust.points) > 10]
        if not large:
            return self._adjust()
        adjust = self._rng.choice(large[-3:])
        actors = self._rng.sample(["ann", "bob", "eve", "Ann"], self._rng.choice([1, 1, 2]))
        return [(Decide(adjust.member, adjust, self._rng.random() < 0.75, actor), timedelta()) for actor in actors]

    def _give(self) -> list[Drawn]:
        rng = self._rng
        wallets = [wallet["id"] for wallet in self._document["wallets"]]
        wallet = rng.choice(["points", "points", "points", *wallets, *(["none"] if rng.random() < 0.05 else [])])
        points = rng.choice([5, 8, 30, 40, 45, *([3, 61] if rng.random() < 0.2 else [])])
        giver, receiver = rng.sample(self._members, 2) if rng.random() < 0.95 else (self._member(), self._members[0])
        command = Give(giver, f"G{self._name()}", receiver, points, wallet)
        found: list[Drawn] = [(command, timedelta())]
        if rng.random() < 0.2:
            found.append((Give(giver, f"G{self._name()}", receiver, points, wallet), timedelta()))
        if rng.random() < 0.05:
            found.append((replace(command, points=points + 1), timedelta()))
        return found

    def _merge(self) -> list[Drawn]:
        one, other = self._rng.choice(self._members), self._rng.choice(self._members)
        return [(Merge(one, other), timedelta())]
