"""How each kind of entry moves points in one wallet. Pure: from a wallet to a change, and from a book to the next.

Points that come in pay what is owed first: a balance below zero, then a debt. Points that go out are taken
first-to-expire. Dates are the program's own.
"""

import calendar
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final, TypeVar

from loyalty.core.errors import InsufficientPoints, ReversalRefused
from loyalty.ledger.model import (
    MAX_TIMED_HOLDS,
    POINTS,
    Account,
    Book,
    Change,
    Movement,
    ReversalPolicy,
    Wallet,
)

Key = TypeVar("Key")

NEVER: Final = "9999-12-31"
"""The lot of points that do not expire."""


def bucket(matures_on: date, lot: str) -> str:
    """The key of pending points: the day from which they may be spent, and the lot that they become."""
    return f"{matures_on.isoformat()}/{lot}"


def parse_bucket(key: str) -> tuple[str, str]:
    """The day (ISO date) and the lot of :func:`bucket`."""
    matures_on, lot = key.split("/")
    return matures_on, lot


def accrue(wallet: Wallet, points: int, *, lot: str, matures_on: date | None = None) -> Change:
    """Points earned. Pending until ``matures_on``, where that is given; else they may be spent at once."""
    if matures_on is None:
        return _credit(wallet, Account.ISSUED, {lot: points})
    waiting = without_zeros({bucket(matures_on, lot): points})
    return Change(_between(Account.ISSUED, Account.PENDING, points), maturing=waiting)


def renew(wallet: Wallet, lot: str) -> Change | None:
    """Activity keeps the balance alive: all that would expire before ``lot`` moves to it; None where nothing would."""
    older = {key: -points for key, points in wallet.lots.items() if key < lot}
    return Change(lots={**older, lot: -sum(older.values())}) if older else None


@dataclass(frozen=True, slots=True)
class Taken:
    """What a reversal takes back: ``points`` in all, ``expired`` of which are gone already by expiry."""

    points: int
    expired: int = 0


def reverse(wallet: Wallet, taken: Taken, *, earned: Change, policy: ReversalPolicy) -> Change:
    """Takes back points of an accrual, which changed the wallet by ``earned``.

    While they are pending, from there. Else from the lots they were earned into, then first-to-expire; what is spent
    is dealt with by ``policy``. What has expired is not taken twice: the program's own account of it gives it back.

    Raises:
        ReversalRefused: fewer points are left than are to be taken, and ``policy`` refuses that.
    """
    pending = next((key for key in earned.maturing if key in wallet.maturing), None)
    if pending is not None:
        back = without_zeros({pending: -taken.points})
        return Change(_between(Account.PENDING, Account.ISSUED, taken.points), {}, back)
    own = sorted({*earned.lots, *(parse_bucket(key)[1] for key in earned.maturing)} & wallet.lots.keys())
    due = taken.points - taken.expired
    lots = _take(wallet.lots, due, own + [lot for lot in sorted(wallet.lots) if lot not in own])
    short = due - sum(lots.values())
    if short and policy is ReversalPolicy.REFUSE:
        raise ReversalRefused(
            f"{due} points are to be taken back and {due - short} are left; the program refuses that."
        )
    owed = short if policy is ReversalPolicy.CLAMP_WITH_DEBT else 0
    postings = {
        Account.AVAILABLE: owed - due,
        Account.DEBT: -owed,
        Account.EXPIRED: -taken.expired,
        Account.ISSUED: taken.points,
    }
    return Change(without_zeros(postings), {lot: -part for lot, part in lots.items()})


def mature(wallet: Wallet, key: str) -> Change:
    """Pending points of one bucket become spendable."""
    points = wallet.maturing[key]
    return _joined(Change(maturing={key: -points}), _credit(wallet, Account.PENDING, {parse_bucket(key)[1]: points}))


def expire(wallet: Wallet, lot: str) -> Change:
    """A lot whose last day is over."""
    points = wallet.lots[lot]
    return Change(_between(Account.AVAILABLE, Account.EXPIRED, points), {lot: -points})


def spend(wallet: Wallet, points: int, to: Account) -> Change:
    """Takes spendable points, first-to-expire first: held for a redemption, transferred, or adjusted away.

    Raises:
        InsufficientPoints: fewer than ``points`` are available.
    """
    if points > wallet.available:
        raise InsufficientPoints(f"This needs {points} points; {max(wallet.available, 0)} can be spent.")
    taken = _take(wallet.lots, points, sorted(wallet.lots))
    return Change(_between(Account.AVAILABLE, to, points), {lot: -part for lot, part in taken.items()})


def credit(wallet: Wallet, source: Account, lots: Mapping[str, int]) -> Change:
    """Points that come in from an account of the program, by lot."""
    return _credit(wallet, source, lots)


def capture(wallet: Wallet, held: Mapping[str, int], points: int, *, today: date, grace_days: int) -> Change:
    """Spends ``points`` of a hold's lots for good, first-to-expire first; the rest goes back as by :func:`give_back`."""
    _require(0 <= points <= sum(held.values()), "a capture of more than the hold")
    spent = _take(held, points, sorted(held))
    rest = without_zeros(_added(held, {lot: -part for lot, part in spent.items()}))
    back = give_back(wallet, rest, source=Account.HELD, today=today, grace_days=grace_days)
    return _joined(Change(_between(Account.HELD, Account.REDEEMED, points)), back)


def give_back(wallet: Wallet, lots: Mapping[str, int], *, source: Account, today: date, grace_days: int) -> Change:
    """Points of a released, timed-out or cancelled redemption return to their lots.

    Points of a lot that has expired meanwhile may be spent for ``grace_days`` more, to the end of that month.
    """
    alive: dict[str, int] = {}
    for lot, points in lots.items():
        target = lot if lot >= today.isoformat() else end_of_month(today + timedelta(days=grace_days)).isoformat()
        alive[target] = alive.get(target, 0) + points
    return _credit(wallet, source, alive)


def merge(into: Wallet, other: Wallet) -> Change:
    """What a wallet gains by taking over another, its debts too: the points of both pay them."""
    lots = _added(into.lots, other.lots)
    owed = max(0, -into.available) + max(0, -other.available), into.debt + other.debt
    left = _less(lots, sum(owed))
    paid = sum(lots.values()) - sum(left.values())
    negative = max(0, owed[0] - paid)
    debt = owed[1] - max(0, paid - owed[0])
    postings = {
        Account.AVAILABLE: sum(left.values()) - negative - into.available,
        Account.PENDING: other.pending,
        Account.DEBT: into.debt - debt,
        Account.TRANSFERRED: -(other.available + other.pending - other.debt),
    }
    changes = _added(left, {lot: -points for lot, points in into.lots.items()})
    return Change(without_zeros(postings), without_zeros(changes), dict(other.maturing))


def empty(wallet: Wallet, to: Account = Account.TRANSFERRED) -> Change:
    """What a wallet loses that is merged into another, or ends: everything. It has no holds."""
    postings = {
        Account.AVAILABLE: -wallet.available,
        Account.PENDING: -wallet.pending,
        Account.DEBT: wallet.debt,
        to: wallet.available + wallet.pending - wallet.debt,
    }
    lots = {lot: -points for lot, points in wallet.lots.items()}
    return Change(without_zeros(postings), lots, {key: -points for key, points in wallet.maturing.items()})


def forfeit(book: Book, *, erased: bool = False) -> Movement:
    """Ends all that a book has and owes: it breaks, as points that expire. ``erased``: the book is closed by it."""
    left = {name: wallet for name, wallet in book.wallets.items() if wallet != Wallet()}
    return Movement({name: empty(wallet, Account.EXPIRED) for name, wallet in left.items()}, erased=erased)


def apply(book: Book, movement: Movement, *, settled_to: datetime) -> Book:
    """The book after ``movement``, everything due until ``settled_to`` being written down.

    Raises:
        AssertionError: the movement would break what must always hold; nothing may be written.
    """
    _require(book.merged_into is None, "a posting to a member who was merged into another")
    _require(book.settled_to is None or settled_to >= book.settled_to, "a posting before an earlier one")
    wallets = dict(book.wallets)
    for wallet_id, change in movement.changes.items():
        wallets[wallet_id] = _changed(book.wallet(wallet_id), change)
    holds = {**book.holds, **movement.holds}
    _require(all(hold or key in book.holds for key, hold in movement.holds.items()), "the end of no hold")
    after = replace(
        book,
        seq=book.seq + 1,
        settled_to=settled_to,
        wallets={key: wallet for key, wallet in wallets.items() if key == POINTS or wallet != Wallet()},
        holds={key: hold for key, hold in holds.items() if hold},
        qualifying=_counted(book, movement),
        tier=movement.tier or book.tier,
        standings={**book.standings, **movement.standings},
        merged_into=movement.merged_into,
        absorbed=tuple(dict.fromkeys([*book.absorbed, *movement.absorbed])),
        erased_at=settled_to if movement.erased else book.erased_at,
    )
    for key in {hold.wallet for hold in after.holds.values()}:
        timed = sum(hold.points for hold in after.holds.values() if hold.wallet == key)
        _require(timed <= after.wallet(key).held, "more in timed holds than is held")
    _require(len(after.holds) <= MAX_TIMED_HOLDS, "too many holds with a time-out")
    nothing = all(wallet == Wallet() for wallet in after.wallets.values())
    _require(after.merged_into is None or nothing, "points left behind by a merge")
    _require(not movement.erased or (nothing and not after.holds), "points or holds left behind by an erasure")
    return after


def end_of_month(day: date) -> date:
    """The last day of the month of ``day``."""
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])


def without_zeros(numbers: Mapping[Key, int]) -> dict[Key, int]:
    """The numbers that are not zero."""
    return {key: number for key, number in numbers.items() if number}


def _counted(book: Book, movement: Movement) -> dict[str, int]:
    # A calendar year of points stays once something counted in it; other buckets go when nothing is left in them.
    counted = _added(book.qualifying, movement.qualifying)
    return {key: number for key, number in counted.items() if number or "/" not in key}


def _changed(wallet: Wallet, change: Change) -> Wallet:
    postings = change.postings
    after = Wallet(
        available=wallet.available + postings.get(Account.AVAILABLE, 0),
        pending=wallet.pending + postings.get(Account.PENDING, 0),
        held=wallet.held + postings.get(Account.HELD, 0),
        debt=wallet.debt - postings.get(Account.DEBT, 0),
        lots=without_zeros(_added(wallet.lots, change.lots)),
        maturing=without_zeros(_added(wallet.maturing, change.maturing)),
    )
    lots = sum(after.lots.values())
    _require(sum(postings.values()) == 0, "postings do not sum to zero")
    _require(after.available == lots or (after.available < 0 and not lots), "available is not the sum of the lots")
    _require(after.pending == sum(after.maturing.values()), "pending is not the sum of what matures")
    _require(min(after.pending, after.held, after.debt) >= 0, "pending, held or debt below zero")
    _require(all(points > 0 for points in after.lots.values()), "a lot below zero")
    _require(all(points > 0 for points in after.maturing.values()), "a bucket of pending points below zero")
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


def _credit(wallet: Wallet, source: Account, lots: Mapping[str, int]) -> Change:
    points = sum(lots.values())
    _require(all(part >= 0 for part in lots.values()), "a movement of fewer than no points")
    negative = min(points, max(0, -wallet.available))
    debt = min(points - negative, wallet.debt)
    postings = {source: -points, Account.AVAILABLE: points - debt, Account.DEBT: debt}
    return Change(without_zeros(postings), _less(lots, negative + debt))


def _less(lots: Mapping[str, int], points: int) -> dict[str, int]:
    """What is left of lots once up to ``points`` were taken first-to-expire."""
    return without_zeros(_added(lots, {lot: -part for lot, part in _take(lots, points, sorted(lots)).items()}))


def _take(lots: Mapping[str, int], points: int, order: Sequence[str]) -> dict[str, int]:
    """Up to ``points`` from the lots in ``order``."""
    taken: dict[str, int] = {}
    for lot in order:
        part = min(lots[lot], points - sum(taken.values()))
        if part:
            taken[lot] = part
    return taken


def _joined(first: Change, second: Change) -> Change:
    """Two changes of one wallet as one, the second made as if the first moved no points."""
    return Change(
        without_zeros(_added(first.postings, second.postings)),
        without_zeros(_added(first.lots, second.lots)),
        without_zeros(_added(first.maturing, second.maturing)),
    )


def _added(totals: Mapping[Key, int], changes: Mapping[Key, int]) -> dict[Key, int]:
    return {key: totals.get(key, 0) + changes.get(key, 0) for key in {**totals, **changes}}
