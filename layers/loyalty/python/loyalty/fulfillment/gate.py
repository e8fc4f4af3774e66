"""What stands between us and a supplier: how fast it is asked, whether it is left alone, and what its balance allows.

One item for each supplier, ``G#{supplier}`` / ``SUPPLIER``, changed under a condition on its revision::

    permit   breaker open, or its trial under way ─► Busy         (nothing is sent)
             the balance does not cover card and floor ─► Low
             as many orders in this second and the next ones as may be ─► Busy
             else counted in the first of them that has room, and its worth taken off what is known of the balance
    failed   the n-th in a row, or of a trial ─► the breaker opens for a while
    answered ─► closed, counted from zero

The balance is what the supplier said last, less what was let through since: it errs on the side of waiting.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from loyalty.core.attributes import MomentAttribute
from loyalty.core.backoff import jitter
from loyalty.core.clock import Clock, from_text, to_text
from loyalty.core.money import Money, minor_units, money_of
from loyalty.core.table import IntegerAttribute, Item, Put, Table, TextMapAttribute, TransactionRefused
from loyalty.core.telemetry import logger
from loyalty.fulfillment.policy import FulfillmentPolicy
from loyalty.suppliers.model import SupplierProtocolError

SUPPLIER_SK: Final = "SUPPLIER"
TRIAL_SECONDS: Final = 60
"""As long as an invocation of ours lives at most: a trial that has told nothing by then has died."""
SOON_SECONDS: Final = 2
"""So far ahead a second may be that an order is counted in: it waits for that where it is, which is cheaper than a
wait of the state machine's."""
_ATTEMPTS: Final = 6
_BASE_SECONDS: Final = 0.01
_CAP_SECONDS: Final = 0.2


@dataclass(frozen=True, slots=True)
class Balance:
    """``left`` of what the supplier said at ``at`` (UTC)."""

    left: Money
    at: datetime


@dataclass(frozen=True, slots=True)
class Gate:
    """What is known of a supplier. ``second`` is the last one of the epoch that orders were counted in, ``sent`` of them."""

    second: int = 0
    sent: int = 0
    failures: int = 0
    open_until: datetime | None = None
    trial_until: datetime | None = None
    balances: dict[str, Balance] = field(default_factory=dict)
    revision: int = 0


@dataclass(frozen=True, slots=True)
class Busy:
    """Not now. ``reason`` is ``breaker_open`` or ``rate_limited``."""

    seconds: int
    reason: str


@dataclass(frozen=True, slots=True)
class Low:
    """The balance does not cover the card and the floor."""

    balance: Money


def blocked(gate: Gate, value: Money | None, now: datetime, policy: FulfillmentPolicy) -> Busy | Low | None:
    """Why no order of ``value`` is sent at ``now``, whatever the pace. None is an order that is sent again."""
    if gate.open_until is not None:
        until = max(gate.open_until, gate.trial_until or gate.open_until)
        if now < until:
            return Busy(max(1, int((until - now).total_seconds()) + 1), "breaker_open")
    known = None if value is None else gate.balances.get(value.currency)
    if value is None or known is None:
        return None
    needed = minor_units(value) + minor_units(policy.floor(value.currency))
    return Low(known.left) if minor_units(known.left) < needed else None


def permitted(gate: Gate, value: Money | None, now: datetime, policy: FulfillmentPolicy) -> Gate | Busy | Low:
    """The gate after one order of ``value`` was counted in its ``second``, ``now``'s or one soon after it; or why none is.

    None is an order that is sent again: its worth is taken off already.
    """
    if (why := blocked(gate, value, now, policy)) is not None:
        return why
    # Clocks of two invocations differ a little: a second that was counted does not come again.
    second = max(gate.second, int(now.timestamp()))
    sent = gate.sent if second == gate.second else 0
    if sent >= policy.permits_per_second:
        second, sent = second + 1, 0
    if second > int(now.timestamp()) + SOON_SECONDS:
        return Busy(SOON_SECONDS, "rate_limited")
    balances = dict(gate.balances)
    if value is not None and (known := balances.get(value.currency)) is not None:
        left = money_of(minor_units(known.left) - minor_units(value), value.currency)
        balances[value.currency] = replace(known, left=left)
    trial = now + timedelta(seconds=TRIAL_SECONDS) if gate.open_until is not None else None
    return replace(gate, second=second, sent=sent + 1, trial_until=trial, balances=balances)


def failed(gate: Gate, now: datetime, policy: FulfillmentPolicy) -> Gate:
    """The gate after an order, or a question, was not answered."""
    failures = gate.failures + 1
    opens = failures >= policy.breaker_failures or gate.open_until is not None
    until = now + timedelta(seconds=policy.breaker_seconds) if opens else None
    return replace(gate, failures=failures, open_until=until, trial_until=None)


def answered(gate: Gate) -> Gate:
    """The gate after an answer: a refusal is one too."""
    return replace(gate, failures=0, open_until=None, trial_until=None)


class GateItem(Item):
    """``G#{supplier}`` / ``SUPPLIER``. ``balances``: currency → ``left@at``."""

    second = IntegerAttribute()
    sent = IntegerAttribute()
    failures = IntegerAttribute()
    open_until = MomentAttribute(null=True)
    trial_until = MomentAttribute(null=True)
    balances = TextMapAttribute()
    revision = IntegerAttribute()


def supplier_pk(supplier: str) -> str:
    """The partition of what is known of a supplier."""
    return f"G#{supplier}"


class Gates:
    """The gates in the table. Whoever loses a race to another writer reads anew and tries again, a few times."""

    def __init__(
        self, table: Table, policy: FulfillmentPolicy, clock: Clock, *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._table = table
        self._policy = policy
        self._clock = clock
        self._sleep = sleep

    def get(self, supplier: str) -> Gate:
        """What is known of a supplier now."""
        item = self._table.get(GateItem, supplier_pk(supplier), SUPPLIER_SK)
        if item is None:
            return Gate()
        return Gate(
            second=item.second,
            sent=item.sent,
            failures=item.failures,
            open_until=item.open_until,
            trial_until=item.trial_until,
            balances={currency: _balance(text) for currency, text in item.balances.items()},
            revision=item.revision,
        )

    def look(self, supplier: str, value: Money, balance: Callable[[str], Money]) -> Busy | Low | None:
        """Why no order of ``value`` would be let through now, whatever the pace. Counts nothing; ``balance`` as below."""
        return blocked(self._refresh(supplier, value.currency, balance), value, self._clock(), self._policy)

    def permit(self, supplier: str, value: Money | None, balance: Callable[[str], Money]) -> Busy | Low | None:
        """Lets one order of ``value`` through, counted, in its second; else why not. None: one that is sent again.

        ``balance`` asks the supplier, where what is known is too old; what that raises passes through, but for an
        answer of which nothing can be concluded, such as a balance in a currency without a rate.
        """
        found: list[Gate | Busy | Low] = []

        def pass_one(gate: Gate) -> Gate | None:
            found[:] = [permitted(gate, value, self._clock(), self._policy)]
            return found[0] if isinstance(found[0], Gate) else None

        if value is not None:
            self._refresh(supplier, value.currency, balance)
        if not self._change(supplier, pass_one):
            return Busy(SOON_SECONDS, "rate_limited")
        if not isinstance(found[0], Gate):
            return found[0]
        early = datetime.fromtimestamp(found[0].second, UTC) - self._clock()
        if early > timedelta():
            self._sleep(early.total_seconds())
        return None

    def tell(self, supplier: str, *, answer: bool) -> None:
        """Writes down that the supplier answered, or did not. An answer changes nothing where all went well before."""

        def told(gate: Gate) -> Gate | None:
            after = answered(gate) if answer else failed(gate, self._clock(), self._policy)
            return None if after == gate else after

        self._change(supplier, told)

    def _refresh(self, supplier: str, currency: str, ask: Callable[[str], Money]) -> Gate:
        """What is known of the supplier, once its balance was asked for where what is known of that is too old."""
        gate, now = self.get(supplier), self._clock()
        known = gate.balances.get(currency)
        fresh = known is not None and now < known.at + timedelta(seconds=self._policy.balance_seconds)
        if fresh or (gate.open_until is not None and now < gate.open_until):
            return gate
        try:
            left = ask(currency)
        except SupplierProtocolError as error:
            # It cannot say: then it refuses for itself what it cannot pay, and the order waits for funds all the same.
            logger.warning("balance unknown", extra={"supplier": supplier, "currency": currency, "why": str(error)})
            return gate
        if left.currency != currency:
            return gate
        self._change(supplier, lambda gate: replace(gate, balances={**gate.balances, currency: Balance(left, now)}))
        return self.get(supplier)

    def _change(self, supplier: str, change: Callable[[Gate], Gate | None]) -> bool:
        """Whether ``change`` was written, or wanted nothing written; False where others came first every time."""
        for attempt in range(_ATTEMPTS):
            gate = self.get(supplier)
            after = change(gate)
            if after is None:
                return True
            unchanged = (GateItem.revision == gate.revision) if gate.revision else GateItem.pk.does_not_exist()
            try:
                self._table.write([Put(_item(supplier, replace(after, revision=gate.revision + 1)), unchanged)])
            except TransactionRefused:
                self._sleep(jitter(attempt, base=_BASE_SECONDS, cap=_CAP_SECONDS))
            else:
                return True
        return False


def _item(supplier: str, gate: Gate) -> GateItem:
    return GateItem(
        supplier_pk(supplier),
        SUPPLIER_SK,
        second=gate.second,
        sent=gate.sent,
        failures=gate.failures,
        open_until=gate.open_until,
        trial_until=gate.trial_until,
        balances={currency: f"{known.left}@{to_text(known.at)}" for currency, known in gate.balances.items()},
        revision=gate.revision,
    )


def _balance(text: str) -> Balance:
    left, _, at = text.partition("@")
    return Balance(Money.parse(left), from_text(at))
