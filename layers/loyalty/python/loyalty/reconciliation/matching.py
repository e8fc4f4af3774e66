"""Our orders of a day against the supplier's list: pure, and over sorted streams, so that neither has to be in memory.

An order belongs to the day (UTC) on which we first asked for it. One that was asked for at 23:59 is created after midnight,
so the supplier's list is read with a margin on both sides, and an order in the margin counts where ours is.

=============  ===============  ===========  ============  =============
ours           executed there   pending      dead          not listed
=============  ===============  ===========  ============  =============
issued         by the amounts   unsettled    unsettled     missing there
pending        unsettled        agree        unsettled     unsettled
not known      unsettled        unsettled    unsettled     unsettled
refused, or
taken back     missing here     unsettled    agree         agree
none           missing here     missing here nothing       nothing
=============  ===============  ===========  ============  =============

More than one that is not dead under one key of ours: the others are duplicates.

An order that was refused, or taken back, on a later day than it was asked for is compared on that day once more: the supplier
may not have done what it said, or have made the order after it had said that there was none. It counts on its own day alone.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import Enum, auto
from itertools import groupby
from typing import Final, TypeVar

from loyalty.core.money import Money
from loyalty.fulfillment.orders import Order
from loyalty.reconciliation.model import Difference, DifferenceKind
from loyalty.suppliers.model import OrderState, Outcome, SupplierOrder

MARGIN: Final = timedelta(days=1)
"""How far from its own day the other side's order may be."""
T = TypeVar("T")


class Standing(Enum):
    """What we know of an order of ours."""

    ISSUED = auto()
    PENDING = auto()
    UNKNOWN = auto()
    GONE = auto()


_K = DifferenceKind
_VERDICTS: Final[dict[Standing, dict[OrderState | None, DifferenceKind | None]]] = {
    Standing.ISSUED: {OrderState.EXECUTED: None, OrderState.PENDING: _K.UNSETTLED, OrderState.DEAD: _K.UNSETTLED, None: _K.MISSING_THERE},
    Standing.PENDING: {OrderState.EXECUTED: _K.UNSETTLED, OrderState.PENDING: None, OrderState.DEAD: _K.UNSETTLED, None: _K.UNSETTLED},
    Standing.UNKNOWN: dict.fromkeys((*OrderState, None), _K.UNSETTLED),
    Standing.GONE: {OrderState.EXECUTED: _K.MISSING_HERE, OrderState.PENDING: _K.UNSETTLED, OrderState.DEAD: None, None: None},
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """One order as both sides have it; ``kind`` is None where they agree."""

    ours: Order | None
    theirs: SupplierOrder | None
    kind: DifferenceKind | None = None
    again: bool = False
    """The order is of another day, whose report counts it, and ended on this one."""

    @property
    def agreed(self) -> bool:
        """Both have it, and say the same of it."""
        return self.kind is None and self.ours is not None and self.theirs is not None

    @property
    def our_worth(self) -> Money | None:
        """What stands on our side; None where nothing does."""
        return self.ours.value if self.ours is not None and standing(self.ours) is Standing.ISSUED else None

    @property
    def stands_there(self) -> bool:
        """Whether the supplier issued it and has not taken it back, in a line that counts."""
        return not self.again and self.theirs is not None and self.theirs.state is OrderState.EXECUTED

    def difference(self, supplier: str, day: date) -> Difference | None:
        """The work item that it is; None where both sides agree."""
        if self.kind is None:
            return None
        ours, theirs = _amounts(self.ours, self.theirs)
        return Difference(
            supplier=supplier,
            day=day,
            kind=self.kind,
            external_id=self.ours.external_id if self.ours else (self.theirs and self.theirs.external_id) or "",
            order_id=self.theirs.order_id if self.theirs else self.ours.supplier_order_id if self.ours else None,
            program=self.ours.program if self.ours else None,
            redemption_id=self.ours.redemption_id if self.ours else None,
            ours=ours,
            theirs=theirs,
        )


def period(day: date) -> tuple[datetime, datetime]:
    """Midnight to midnight, UTC."""
    start = datetime.combine(day, time(), tzinfo=UTC)
    return start, start + timedelta(days=1)


def key_of(order: Order | SupplierOrder) -> str:
    """By which both streams are sorted and joined. What bears no key of ours comes first, each with one of its own."""
    return order.external_id or (f" {order.order_id}" if isinstance(order, SupplierOrder) else "")


def compared(ours: Iterable[Order], theirs: Iterable[SupplierOrder], day: date) -> Iterator[Line]:
    """The lines of the report of ``day``, in the order of their keys.

    Args:
        ours: sorted by :func:`key_of`: those of the day, those that ended on it, those of the margin around it, and whatever
            else may explain what the supplier lists.
        theirs: sorted so too: those of the day and of the margin, and those that were asked for by their key.
        day: in UTC.
    """
    for _, mine, listed in _joined(ours, theirs):
        for order in mine[:1]:
            yield from _of_the_day(order, listed) if order.asked_at.date() == day else _of_another(order, listed, day)
        if not mine:
            live = (one for one in listed if one.state is not OrderState.DEAD)
            yield from (Line(None, one, _K.MISSING_HERE) for one in live if _created(one, day))
        # A key of ours is one order's: what else bears it is an order that the supplier cannot tell from the first.
        yield from (Line(order, None, _K.MISSING_THERE) for order in mine[1:] if order.asked_at.date() == day)


def _of_the_day(order: Order, listed: list[SupplierOrder]) -> Iterator[Line]:
    """The order against the one of the list that is meant, and every other one that is not dead."""
    meant, others = _meant(order, listed)
    yield Line(order, meant, _verdict(order, meant))
    yield from (Line(order, one, _K.DUPLICATE) for one in others if one.state is not OrderState.DEAD)


def _of_another(order: Order, listed: list[SupplierOrder], day: date) -> Iterator[Line]:
    """An order of another day: the one that is meant is looked at where it ended on this one."""
    if order.ended_at is not None and order.ended_at.date() == day:
        meant, listed = _meant(order, listed)
        yield Line(order, meant, _verdict(order, meant), again=True)
    yield from _stray(order, listed, day)


def _meant(order: Order, listed: list[SupplierOrder]) -> tuple[SupplierOrder | None, list[SupplierOrder]]:
    """The one of the list that is meant by the order, and every other one."""
    ranked = sorted(listed, key=lambda one: _rank(order, one))
    return (ranked[0] if ranked else None), ranked[1:]


def _rank(order: Order, one: SupplierOrder) -> tuple[bool, int, str, str]:
    """The one that we know by its id comes first, then what is executed, then what is older."""
    alive = {OrderState.EXECUTED: 0, OrderState.PENDING: 1, OrderState.DEAD: 2}[one.state]
    created = "" if one.created_at is None else one.created_at.isoformat()
    return one.order_id != order.supplier_order_id, alive, created, one.order_id


def _stray(order: Order, listed: list[SupplierOrder], day: date) -> Iterator[Line]:
    """Of an order of another day: that day's report has it, but for a second one that the supplier made too late for it."""
    if abs((order.asked_at.date() - day).days) <= MARGIN.days or order.supplier_order_id is None:
        return
    for one in listed:
        if one.order_id != order.supplier_order_id and one.state is not OrderState.DEAD and _created(one, day):
            yield Line(order, one, _K.DUPLICATE)


def _created(one: SupplierOrder, day: date) -> bool:
    return one.created_at is None or one.created_at.astimezone(UTC).date() == day


def standing(order: Order) -> Standing:
    """What we know of an order of ours."""
    if order.outcome is Outcome.REFUSED or order.cancelled_at is not None:
        return Standing.GONE
    known = {Outcome.ISSUED: Standing.ISSUED, Outcome.PENDING: Standing.PENDING}
    return known.get(order.outcome, Standing.UNKNOWN)


def _verdict(order: Order, meant: SupplierOrder | None) -> DifferenceKind | None:
    kind = _VERDICTS[standing(order)][None if meant is None else meant.state]
    if kind is None and meant is not None and meant.state is OrderState.EXECUTED and _differing(order, meant):
        return _K.AMOUNT
    return kind


def _differing(ours: Order, theirs: SupplierOrder) -> tuple[Money, Money] | None:
    """The first of worth and cost that both say and that is not the same."""
    for mine, listed in ((ours.value, theirs.value), (ours.cost, theirs.cost)):
        if mine is not None and listed is not None and mine != listed:
            return mine, listed
    return None


def _amounts(ours: Order | None, theirs: SupplierOrder | None) -> tuple[Money | None, Money | None]:
    """What both sides say that it is worth; what it costs, where that alone differs or is all that is said."""
    if ours is not None and theirs is not None and (differing := _differing(ours, theirs)) is not None:
        return differing
    return ours.value if ours else None, (theirs.value or theirs.cost) if theirs else None


def _joined(
    ours: Iterable[Order], theirs: Iterable[SupplierOrder]
) -> Iterator[tuple[str, list[Order], list[SupplierOrder]]]:
    """A merge join: what both sides have under each key."""
    left, right = _grouped(ours, key_of), _grouped(theirs, key_of)
    mine, listed = next(left, None), next(right, None)
    while mine is not None or listed is not None:
        key = min(group[0] for group in (mine, listed) if group is not None)
        here = mine[1] if mine is not None and mine[0] == key else []
        there = listed[1] if listed is not None and listed[0] == key else []
        yield key, here, there
        mine = next(left, None) if here else mine
        listed = next(right, None) if there else listed


def _grouped(items: Iterable[T], key: Callable[[T], str]) -> Iterator[tuple[str, list[T]]]:
    before = ""
    for name, group in groupby(items, key):
        if name < before:
            raise ValueError("both sides have to be sorted by their key")
        before = name
        yield name, list(group)
