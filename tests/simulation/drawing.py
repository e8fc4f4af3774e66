"""Commands, drawn one after the other: each may be about one that was drawn before, or that comes later."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from tests.simulation import tales
from tests.simulation.oracle.commands import (
    Accrue,
    Adjust,
    Bought,
    Decide,
    EndGrant,
    EndHold,
    Give,
    HoldPoints,
    Merge,
    Recalculate,
    Sum,
    TakeBack,
)
from tests.simulation.tales import UNSET, Drawn

KINDS: Final = {
    "accrue": 30,
    "take_back": 17,
    "hold": 14,
    "end": 15,
    "adjust": 6,
    "decide": 4,
    "give": 8,
    "merge": 1.5,
    "grant": 4,
    "end_grant": 2,
    "events": 8,
    "spent": 4,
    "undone": 3,
    "approved": 3,
    "merged": 2.5,
    "early": 2,
}
"""How likely each is, in a history that has no leaning of its own."""
TALES: Final[Mapping[str, Callable[["Draws"], list["Drawn"]]]] = {
    "spent": tales.spent,
    "undone": tales.undone,
    "approved": tales.approved,
    "merged": tales.merged,
    "early": tales.early,
    "grant": tales.granted,
}
"""Commands that belong together, and lead where single ones seldom do."""
_EMPHASIS: Final = (0.2, 1, 1, 3)


class Draws:
    """Remembers what was drawn, so that later commands can be about it."""

    def __init__(self, rng: random.Random, documents: Sequence[dict[str, Any]], members: Sequence[str]) -> None:
        self.rng = rng
        self.members = list(members)
        self._document = documents[0]
        self.accruals: list[Accrue] = []
        self._refunds: list[TakeBack] = []
        self.holds: list[HoldPoints] = []
        self.adjusts: list[Adjust] = []
        self.later: list[Drawn] = []
        """What comes in one of the next bursts, or never."""
        self.same: dict[str, str] = {}
        """Who is to be merged with whom, so that one may be named in the place of the other."""
        self._number = 0
        self._weights = [weight * rng.choice(_EMPHASIS) for weight in KINDS.values()]
        self._rich = rng.random() < 0.6

    def welcome(self) -> list[Drawn]:
        """Something for most members to begin with."""
        found: list[Drawn] = []
        for member in self.members:
            amount = Sum(self.rng.choice([5000, 12_000, 20_000] if self._rich else [900, 2000, 4500]), "EUR")
            command = Accrue(member, "pos", f"A{self.name()}", "purchase", UNSET, amount)
            if self.rng.random() < 0.8:
                self.accruals.append(command)
                found.append((command, timedelta()))
        return found

    def some(self) -> list[Drawn]:
        """The next command, and what belongs to it; with each, how long ago it happened when it is sent."""
        found = self._some()
        counted = [command for command, _ in found if isinstance(command, Accrue | TakeBack)]
        # Tiers are looked at in the wake of what counts; many a time that comes too late, or never.
        return [*found, *(_in_the_wake(command) for command in counted if self.rng.random() < 0.5)]

    def _some(self) -> list[Drawn]:
        kind = self.rng.choices(list(KINDS), self._weights)[0]
        if self.later and self.rng.random() < 0.3:
            return [self.later.pop(0)]
        if kind in TALES:
            return TALES[kind](self)
        return getattr(self, f"_{kind}")() or self._accrue()

    def name(self) -> str:
        self._number += 1
        return f"{self._number}"

    def member(self) -> str:
        return "mbr_nobody" if self.rng.random() < 0.01 else self.rng.choice(self.members)

    def alias(self, member: str) -> str:
        """The member, or now and then who they are to be merged with."""
        return self.same[member] if member in self.same and self.rng.random() < 0.4 else member

    def ago(self) -> timedelta:
        chance = self.rng.random()
        if chance < 0.02:
            return timedelta(days=60)
        if chance < 0.04:
            return timedelta(minutes=-30)
        return self.rng.choice([timedelta(), timedelta(minutes=5), timedelta(hours=30), timedelta(minutes=-4)])

    def _accrue(self) -> list[Drawn]:
        command, ago = self.new_accrual(), self.ago()
        self.accruals.append(command)
        found: list[Drawn] = [(command, ago)]
        if self.rng.random() < 0.04 and command.amount:
            found.append((replace(command, amount=Sum(command.amount.units + 100, command.amount.currency)), ago))
        return found

    def new_accrual(self) -> Accrue:
        rng, name = self.rng, self.name()
        source = rng.choice(["pos", "pos", "web"])
        if rng.random() < 0.15:
            return Accrue(self.member(), source, f"A{name}", rng.choice(["review", "review", "dance"]), UNSET)
        currency = rng.choices(["EUR", "JPY", "USD"], [20, 1, 1])[0]
        amount = Sum(rng.choice([rng.randint(1, 2000), rng.randint(300, 9000), 10_000]), currency)
        lines = self._lines(amount) if rng.random() < 0.5 else ()
        basis = Sum(amount.units + rng.choice([500, 999]), currency) if rng.random() < 0.3 else None
        return Accrue(self.member(), source, f"A{name}", "purchase", UNSET, amount, basis, lines, "till")

    def _lines(self, amount: Sum) -> tuple[Bought, ...]:
        rng = self.rng
        lines, left = [], amount.units
        for number in range(rng.randint(1, 4)):
            units = rng.randint(0, left)
            lines.append(Bought(f"L{number}", rng.randint(1, 5), units))
            left -= units
        if rng.random() < 0.5:  # they add up
            lines[-1] = replace(lines[-1], units=lines[-1].units + left)
        return tuple(lines)

    def _take_back(self) -> list[Drawn]:
        rng = self.rng
        if not self.accruals or rng.random() < 0.15:
            accrual = self.new_accrual()
            self.accruals.append(accrual)
            self.later.append((accrual, self.ago()))
        else:
            accrual = rng.choice(self.accruals[-8:])
        found: list[Drawn] = []
        for _ in range(rng.choice([1, 1, 2, 3])):
            refund = self.refund(accrual)
            self._refunds.append(refund)
            found.append((refund, self.ago()))
            if rng.random() < 0.05:
                found.append((replace(refund, reason="chargeback"), self.ago()))
        return found

    def refund(self, accrual: Accrue) -> TakeBack:
        rng, name = self.rng, self.name()
        member = self.member() if rng.random() < 0.05 else self.alias(accrual.member)
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
        return self.rng.choice(["refund", "return", "cancellation", "chargeback"])

    def _hold(self) -> list[Drawn]:
        rng, name = self.rng, self.name()
        reward = rng.choices(["coffee", "ten", "card", "nothing"], [10, 10, 4, 0.3])[0]
        quantity = rng.choices([1, 2, 3, 4], [8, 4, 2, 0.3])[0]
        minutes = rng.choices([None, 1, 3, 60, 20_000], [10, 3, 2, 1, 0.4])[0]
        if reward == "card" and rng.random() < 0.9:
            minutes = None
        command = HoldPoints(self.member(), f"H{name}", reward, quantity, minutes)
        self.holds.append(command)
        found: list[Drawn] = [(command, timedelta())]
        if rng.random() < 0.04:
            found.append((replace(command, quantity=quantity + 1), timedelta()))
        while rng.random() < 0.4:
            found.append((self.end_of(command), timedelta()))
        return found

    def _end(self) -> list[Drawn]:
        if not self.holds:
            return []
        return [(self.end_of(self.rng.choice(self.holds[-3:])), timedelta()) for _ in range(self.rng.choice([1, 1, 2]))]

    def end_of(self, hold: HoldPoints) -> EndHold:
        rng = self.rng
        how = rng.choices(["captured", "released", "cancelled"], [6, 2, 4])[0]
        points = rng.choice([None, None, 1, 7, 15, 9999]) if how == "captured" else None
        party = "fulfillment" if hold.reward == "card" else "partner"
        if rng.random() < 0.05:
            party = "partner" if party == "fulfillment" else "fulfillment"
        member = self.member() if rng.random() < 0.08 else self.alias(hold.member)
        return EndHold(member, hold, how, points, party)

    def _events(self) -> list[Drawn]:
        """A purchase in a shop, or something done in an app; mostly with money given back of it, before or after."""
        rng, name, shop = self.rng, self.name(), self.rng.random() < 0.75
        amount = Sum(rng.choice([rng.randint(300, 9000), 5000]), "EUR")
        sold = Accrue(
            self.rng.choice(self.members), "shopify" if shop else "app", f"A{name}", "purchase", UNSET, amount,
            Sum(amount.units + 500, "EUR") if shop else None, self._lines(amount) if shop else (),
            "shop" if shop else "app", by_event=True,
        )  # fmt: skip
        found: list[Drawn] = [(sold, self.ago())]
        for _ in range(rng.choice([0, 1, 2, 3])):
            units = rng.choice([amount.units, amount.units // 3, amount.units // 2 + 1, amount.units + 500])
            currency = "KWD" if rng.random() < 0.03 else "EUR"
            refund = TakeBack(
                sold.member, sold.source, f"R{self.name()}", sold.source_id, UNSET, Sum(units, currency), by_event=True
            )
            ago = self.ago()
            found.append((refund, ago))
            if rng.random() < 0.05:
                found.append((replace(refund, amount=Sum(units + 1, currency)), ago + timedelta(seconds=1)))
        if rng.random() < 0.5:
            rng.shuffle(found)
        if rng.random() < 0.2:
            self.later.append(found.pop())
        return found

    def _adjust(self) -> list[Drawn]:
        rng = self.rng
        points = rng.choice([5, 9, 25, 40, -5, -12, -35, 0 if rng.random() < 0.1 else 8])
        wallets = [wallet["id"] for wallet in self._document["wallets"]]
        wallet = rng.choice(["points", "points", *wallets, *(["none"] if rng.random() < 0.05 else [])])
        reason = rng.choice(["goodwill", "correction"]) if rng.random() < 0.95 else rng.choice([None, "whim"])
        command = Adjust(self.member(), f"J{self.name()}", points, reason, rng.choice(["ann", "bob"]), wallet)
        self.adjusts.append(command)
        found: list[Drawn] = [(command, timedelta())]
        if rng.random() < 0.05:
            found.append((replace(command, points=points + 1), timedelta()))
        return found

    def _decide(self) -> list[Drawn]:
        large = [adjust for adjust in self.adjusts if abs(adjust.points) > 10]
        if not large:
            return self._adjust()
        adjust = self.rng.choice(large[-3:])
        actors = self.rng.sample(["ann", "bob", "eve", "Ann"], self.rng.choice([1, 1, 2]))
        approved = self.rng.random() < 0.75
        return [(Decide(self.alias(adjust.member), adjust, approved, actor), timedelta()) for actor in actors]

    def _give(self) -> list[Drawn]:
        rng = self.rng
        wallets = [wallet["id"] for wallet in self._document["wallets"]]
        wallet = rng.choice(["points", "points", "points", *wallets, *(["none"] if rng.random() < 0.05 else [])])
        points = rng.choice([5, 8, 30, 40, 45, *([3, 61] if rng.random() < 0.2 else [])])
        giver, receiver = rng.sample(self.members, 2) if rng.random() < 0.95 else (self.member(), self.members[0])
        command = Give(giver, f"G{self.name()}", receiver, points, wallet)
        found: list[Drawn] = [(command, timedelta())]
        if rng.random() < 0.2:
            found.append((Give(giver, f"G{self.name()}", receiver, points, wallet), timedelta()))
        if rng.random() < 0.05:
            found.append((replace(command, points=points + 1), timedelta()))
        return found

    def _end_grant(self) -> list[Drawn]:
        command = EndGrant(self.member(), f"E{self.name()}", self.ladder())
        return [(command, timedelta())]

    def ladder(self) -> str:
        others = [ladder["id"] for ladder in self._document["ladders"]]
        return "nothing" if self.rng.random() < 0.03 else self.rng.choice(["status", "status", *others])

    def _merge(self) -> list[Drawn]:
        one, other = self.rng.choice(self.members), self.rng.choice(self.members)
        self.same |= {one: other, other: one} if one != other else {}
        return [(Merge(one, other), timedelta())]


def _in_the_wake(command: Accrue | TakeBack) -> Drawn:
    kind = "accrual" if isinstance(command, Accrue) else "reversal"
    return Recalculate(command.member, f"{kind}:{command.source}:{command.source_id}"), timedelta()
