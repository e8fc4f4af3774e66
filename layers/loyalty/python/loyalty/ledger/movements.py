"""How each kind of entry moves points. Pure: from a wallet to a movement, and from both to the next wallet."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

from loyalty.core.errors import InsufficientPoints
from loyalty.ledger.model import Account, Movement, Wallet

NEVER = "9999-12-31"
"""The lot of points that do not expire."""


def accrue(wallet: Wallet, points: int, *, lot: str, year: str) -> Movement:
    """Points earned: they pay an open debt first, the rest is a lot; all of them qualify for a tier."""
    paid = min(points, wallet.debt)
    return Movement(
        postings=_between(Account.ISSUED, Account.AVAILABLE, points),
        lots=_without_zeros({lot: points - paid}),
        debt=-paid,
        qualifying=_without_zeros({year: points}),
    )


def reverse(wallet: Wallet, points: int, *, earned_lots: Mapping[str, int], year: str) -> Movement:
    """Points taken back: from the lots they were earned into, then first-to-expire, then as a debt."""
    order = [lot for lot in sorted(earned_lots) if lot in wallet.lots]
    taken = _take(wallet, points, order + [lot for lot in sorted(wallet.lots) if lot not in order])
    return Movement(
        postings=_between(Account.AVAILABLE, Account.ISSUED, points),
        lots={lot: -part for lot, part in taken.items()},
        debt=points - sum(taken.values()),
        qualifying=_without_zeros({year: -points}),
    )


def expire(wallet: Wallet, today: date) -> Movement | None:
    """Writes down the lots whose last day is before ``today`` (program's date); None where there is none."""
    gone = {lot: points for lot, points in wallet.lots.items() if lot < today.isoformat()}
    if not gone:
        return None
    return Movement(
        postings=_between(Account.AVAILABLE, Account.EXPIRED, sum(gone.values())),
        lots={lot: -points for lot, points in gone.items()},
    )


def hold(wallet: Wallet, points: int, today: date) -> Movement:
    """Sets points aside for a redemption, first-to-expire first.

    Raises:
        InsufficientPoints: fewer than ``points`` are spendable on ``today`` (program's date).
    """
    spendable = wallet.spendable(today)
    if points > spendable:
        raise InsufficientPoints(f"This needs {points} points; {max(spendable, 0)} can be spent.")
    live = [lot for lot in sorted(wallet.lots) if lot >= today.isoformat()]
    return Movement(
        postings=_between(Account.AVAILABLE, Account.HELD, points),
        lots={lot: -part for lot, part in _take(wallet, points, live).items()},
    )


def capture(points: int) -> Movement:
    """Held points are spent for good."""
    return Movement(postings=_between(Account.HELD, Account.REDEEMED, points))


def release(wallet: Wallet, held_lots: Mapping[str, int]) -> Movement:
    """Held points go back to the lots that they came from, after paying a debt that was opened meanwhile."""
    points = sum(held_lots.values())
    paid = left = min(points, wallet.debt)
    lots = {}
    for lot in sorted(held_lots):
        part = min(held_lots[lot], left)
        left -= part
        lots[lot] = held_lots[lot] - part
    return Movement(postings=_between(Account.HELD, Account.AVAILABLE, points), lots=_without_zeros(lots), debt=-paid)


def apply(wallet: Wallet, movement: Movement) -> Wallet:
    """The wallet after ``movement``.

    Raises:
        AssertionError: the movement would break what must always hold; nothing may be written.
    """
    postings = movement.postings
    after = replace(
        wallet,
        seq=wallet.seq + 1,
        available=wallet.available + postings.get(Account.AVAILABLE, 0),
        pending=wallet.pending + postings.get(Account.PENDING, 0),
        held=wallet.held + postings.get(Account.HELD, 0),
        debt=wallet.debt + movement.debt,
        lots=_without_zeros(_added(wallet.lots, movement.lots)),
        qualifying=_added(wallet.qualifying, movement.qualifying),
        tier=movement.tier or wallet.tier,
    )
    _require(sum(postings.values()) == 0, "postings do not sum to zero")
    _require(after.available == sum(after.lots.values()) - after.debt, "available is not lots less debt")
    _require(min(after.pending, after.held, after.debt) >= 0, "pending, held or debt below zero")
    _require(all(points > 0 for points in after.lots.values()), "a lot below zero")
    _require(not (after.debt and after.lots), "a debt beside points that could pay it")
    return after


def _require(condition: bool, what: str) -> None:  # noqa: FBT001
    # Not an assert statement: the ledger's invariants hold under -O too.
    if not condition:
        raise AssertionError(f"ledger invariant broken: {what}")


def _between(source: Account, target: Account, points: int) -> dict[Account, int]:
    # A negative hold would turn held points into available ones, and still sum to zero.
    _require(points >= 0, "a movement of fewer than no points")
    return {target: points, source: -points} if points else {}


def _take(wallet: Wallet, points: int, order: list[str]) -> dict[str, int]:
    """Up to ``points`` from the lots in ``order``."""
    taken: dict[str, int] = {}
    for lot in order:
        part = min(wallet.lots[lot], points - sum(taken.values()))
        if part:
            taken[lot] = part
    return taken


def _added(totals: Mapping[str, int], changes: Mapping[str, int]) -> dict[str, int]:
    return {key: totals.get(key, 0) + changes.get(key, 0) for key in {**totals, **changes}}


def _without_zeros(numbers: Mapping[str, int]) -> dict[str, int]:
    return {key: number for key, number in numbers.items() if number}
