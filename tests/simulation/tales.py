"""Commands that tell a story together: each may still fail, come twice, or come in another order."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from tests.simulation.oracle.commands import (
    Accrue,
    Adjust,
    Command,
    Decide,
    EndGrant,
    EndHold,
    Grant,
    HoldPoints,
    Merge,
    Sum,
)

if TYPE_CHECKING:
    from tests.simulation.drawing import Draws

UNSET: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""Stands for a moment that is known once the command is sent."""
Drawn = tuple[Command, timedelta]
"""A command, and how long ago it happened when it is sent."""
_NOW: Final = timedelta()


def spent(draws: "Draws", member: str | None = None) -> list[Drawn]:
    """Points are earned and spent, and then the purchase is given back: below zero, a debt, or a refusal."""
    rng, bought = draws.rng, _purchase(draws, member)
    found: list[Command] = [bought]
    for _ in range(rng.randint(1, 3)):
        hold = _hold(draws, bought.member, rng.choice([2, 3]))
        found += [hold, EndHold(bought.member, hold, "captured")]
    if rng.random() < 0.3:
        found.append(_adjust(draws, bought.member, -rng.choice([10, 40])))
    refunds = [draws.refund(bought) for _ in range(rng.randint(1, 2))]
    if rng.random() < 0.4:
        draws.later += [(refund, _NOW) for refund in refunds]
    else:
        found += refunds
    if rng.random() < 0.4:  # what is earned next pays what is owed
        found.append(_purchase(draws, bought.member))
    return _now(found)


def undone(draws: "Draws") -> list[Drawn]:
    """A hold is captured, all of it or a part, and cancelled: at once, or so late that the points have expired."""
    rng, member = draws.rng, draws.member()
    hold = _hold(draws, member, rng.choice([1, 1, 2]))
    found: list[Command] = [hold, EndHold(member, hold, "captured", rng.choice([None, None, 1, 7]))]
    cancels = [EndHold(draws.alias(member), hold, "cancelled") for _ in range(rng.choice([1, 1, 2]))]
    if rng.random() < 0.5:
        draws.later += [(cancel, _NOW) for cancel in cancels]
    else:
        found += cancels
    return _now(found)


def approved(draws: "Draws") -> list[Drawn]:
    """An adjustment that one person alone may not make, and what one or two others say to it."""
    rng, member = draws.rng, draws.member()
    adjust = _adjust(draws, member, rng.choice([45, 25, 120, -45, -25]))
    words: list[Command] = [
        Decide(draws.alias(member), adjust, rng.random() < 0.75, actor)
        for actor in rng.sample(["bob", "eve", "eve", "ann"], rng.choice([1, 1, 2]))
    ]
    if rng.random() < 0.3:
        draws.later += [(word, _NOW) for word in words]
        return [(adjust, _NOW)]
    return _now([adjust, *words])


def merged(draws: "Draws") -> list[Drawn]:
    """Two members turn out to be one, now and then three: with what waited for them, and what comes afterwards."""
    rng = draws.rng
    into, gone = rng.sample(draws.members, 2)
    bought = _purchase(draws, rng.choice([gone, gone, into]))
    refund = draws.refund(bought)
    owed = [command for command, _ in spent(draws, gone)] if rng.random() < 0.2 else []
    befores: list[list[Command]] = [[], [refund], [bought], [bought, refund], [_hold(draws, gone, 1)]]
    before = owed or rng.choices(befores, [3, 4, 4, 1, 1])[0]
    draws.same |= {into: gone, gone: into}
    found: list[Command] = [*before, Merge(into, gone)]
    others = [member for member in draws.members if member not in {into, gone}]
    if others and rng.random() < 0.5:
        survivor, absorbed = rng.sample([others[0], into], 2)
        found.append(Merge(survivor, absorbed))
    after: list[Command] = [
        replace(bought, member=draws.alias(bought.member)),
        replace(refund, member=draws.alias(refund.member)),
        draws.refund(rng.choice(draws.accruals)),
    ]
    if rng.random() < 0.6:
        draws.later += [(command, draws.ago()) for command in after]
    else:
        found += after
    return _now(found)


def early(draws: "Draws") -> list[Drawn]:
    """Several reversals wait for one accrual, one of them twice; the accrual comes with them, or much later."""
    rng, bought = draws.rng, _purchase(draws)
    refunds = [draws.refund(bought) for _ in range(rng.randint(1, 4))]
    found: list[Command] = [*refunds, replace(refunds[0], reason="return")]
    if rng.random() < 0.5:
        draws.later.append((bought, draws.ago()))
    else:
        found.append(bought)
    return _now(found)


def granted(draws: "Draws") -> list[Drawn]:
    """A tier by hand: mostly a higher one, for days to a year; some go wrong, some end before their day."""
    rng = draws.rng
    days = rng.choice([0, 1, 3, 10, 40, 200, 400, *([-1, 2000] if rng.random() < 0.2 else [])])
    tier = rng.choice(["silver", "gold", "gold", *(["bronze", "platinum"] if rng.random() < 0.1 else [])])
    reason = "goodwill" if rng.random() < 0.95 else "whim"
    command = Grant(draws.member(), f"T{draws.name()}", draws.ladder(), tier, days, reason)
    found: list[Command] = [command]
    if rng.random() < 0.08:
        found.append(replace(command, tier="gold" if tier == "silver" else "silver"))
    if rng.random() < 0.3:
        actor = rng.choice(["ann", "bob"])
        draws.later.append(
            (EndGrant(draws.alias(command.member), f"E{draws.name()}", command.ladder, actor=actor), _NOW)
        )
    return _now(found)


def _now(commands: list[Command]) -> list[Drawn]:
    return [(command, _NOW) for command in commands]


def _purchase(draws: "Draws", member: str | None = None) -> Accrue:
    found = replace(draws.new_accrual(), activity="purchase", amount=Sum(draws.rng.randint(500, 9000), "EUR"))
    found = replace(found, member=member or found.member, basis=None, lines=())
    draws.accruals.append(found)
    return found


def _hold(draws: "Draws", member: str, quantity: int) -> HoldPoints:
    found = HoldPoints(member, f"H{draws.name()}", draws.rng.choice(["coffee", "ten", "ten"]), quantity)
    draws.holds.append(found)
    return found


def _adjust(draws: "Draws", member: str, points: int) -> Adjust:
    found = Adjust(member, f"J{draws.name()}", points, "correction", "ann")
    draws.adjusts.append(found)
    return found
