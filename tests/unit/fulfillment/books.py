"""Whether all books agree: the supplier's own list, our orders, the vault, the runs, the ledger and the daily report."""

from collections import Counter
from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal

from infra.local.supplier.order import Order as TheirOrder
from loyalty.core.money import Money
from loyalty.fulfillment import budget
from loyalty.fulfillment.orders import Order, OrderStore
from loyalty.fulfillment.run import RunStatus
from loyalty.reconciliation.model import Difference
from loyalty.reconciliation.service import Reconciliation
from loyalty.reconciliation.store import ReportStore
from loyalty.rewards.model import Redemption, RedemptionStatus
from loyalty.vault.store import CARD_SK, CardItem, card_pk
from tests.ledgerkit.world import NOON
from tests.reconkit.files import MemoryFiles
from tests.unit.fulfillment.lives import POINTS, stuck
from tests.unit.fulfillment.rig import Rig

Sums = Counter[str]
"""Amounts by currency, exact."""


def summed(moneys: Iterable[Money]) -> Sums:
    """What they come to."""
    sums: Sums = Counter()
    for money in moneys:
        sums[money.currency] += money.amount  # type: ignore[assignment]
    return sums


class Books:
    """Everything that is written down anywhere of these redemptions."""

    def __init__(self, rig: Rig, held: list[Redemption]) -> None:
        self.rig = rig
        self.runs = {each.redemption_id: rig.runs.get("acme", each.redemption_id) for each in held}
        self.now = [rig.world.redemptions.get("acme", each.member_id, each.redemption_id) for each in held]
        store = OrderStore(rig.table)
        self.ours = {order.external_id: order for run in self.runs for order in store.of_run("acme", run)}
        self.listed: list[TheirOrder] = rig.orders
        self.theirs = _standing(self.listed)
        self.unsettled = {name for name, run in self.runs.items() if not run.ended or run.status is RunStatus.RESOLVED}
        """Runs that wait for a person, and those of which a person said how they were settled elsewhere."""

    def statuses(self) -> Counter[str]:
        """How the runs ended, or why they wait."""
        return Counter(run.status if run.ended else f"attention: {run.reason}" for run in self.runs.values())

    def require_agreement(self) -> None:
        """All but the daily report."""
        assert all(run.ended or stuck(run) for run in self.runs.values()), self.statuses()
        self._cards()
        self._budgets()
        self._points()

    def _cards(self) -> None:
        """Issued here if and only if executed there, once, of this value, stored, and paid for."""
        assert len(self.theirs) == sum(order.status == "EXECUTED" for order in self.listed)
        issued = {key: order for key, order in self.ours.items() if order.issued and self._settled(key)}
        assert set(issued) == {key for key in self.theirs if self._settled(key)}
        for key, order in issued.items():
            assert order.supplier_order_id == self.theirs[key].id
            assert order.value == worth(self.theirs[key])
        fulfilled = {name: run for name, run in self.runs.items() if run.status is RunStatus.FULFILLED}
        assert {run.external_id for run in fulfilled.values()} == set(issued)
        captured = {each.redemption_id for each in self.now if each.status is RedemptionStatus.CAPTURED}
        assert set(fulfilled) == captured - self.unsettled
        assert all(name in captured | self.unsettled or not self._holds(name) for name in self.runs)
        for run in fulfilled.values():
            card = self.rig.table.get(CardItem, card_pk("acme", run.redemption_id), CARD_SK)
            assert card is not None
            assert card.number == run.orders
            shown = self.rig.cards.reveal("acme", run.member_id, run.redemption_id, client_id="app")
            assert "/rewards/payout/" in (shown.card.link or "")

    def _settled(self, key: str) -> bool:
        return key.split(".", maxsplit=1)[0] not in self.unsettled

    def _holds(self, name: str) -> bool:
        return any(each.status is RedemptionStatus.HELD for each in self.now if each.redemption_id == name)

    def _budgets(self) -> None:
        """Each order that stands is counted in the month of its first request, and no other: the budget is what is spent.

        What of a run that is not settled is counted, our order says.
        """
        counted: dict[tuple[str, str], list[Order]] = {}
        for key, order in self.ours.items():
            if order.value.currency == "USD":
                months = counted.setdefault((f"{order.asked_at:%Y-%m}", order.value.currency), [])
                stands = key in self.theirs if self._settled(key) else order.budget is not None
                months += [order] if stands else []
        for (month, currency), orders in counted.items():
            amount = sum((order.value.amount for order in orders), Decimal(0))
            assert budget.spent(self.rig.table, "acme", month, currency) == Money.of(amount, currency), month

    def _points(self) -> None:
        assert self.rig.world.audit() == []
        for member in {each.member_id for each in self.now}:
            own = [each for each in self.now if each.member_id == member]
            spent = sum(each.points for each in own if each.status is RedemptionStatus.CAPTURED)
            still = sum(each.points for each in own if each.status is RedemptionStatus.HELD)
            wallet = self.rig.world.book(member).wallet()
            had = 1000 if member == self.now[0].member_id else POINTS
            assert (wallet.available, wallet.held) == (had - spent - still, still), member

    def require_report(self) -> list[Difference]:
        """The daily reports of all days, through the supplier's API, say the same; their differences, each explained."""
        clock = self.rig.world.clock
        reports = ReportStore(self.rig.table, clock)
        made = Reconciliation(
            orders=OrderStore(self.rig.table),
            suppliers=self.rig.suppliers.get,
            reports=reports,
            files=MemoryFiles(),
            clock=clock,
        )
        days = [NOON.date() + timedelta(days=number) for number in range((clock() - NOON).days + 2)]
        told = [made.make("tremendous", day)[0] for day in days]
        # An order that was pending is executed once it was asked for often enough: the reports may have been the last to.
        self.theirs = _standing(self.rig.orders)
        found = [one for day in days for one in reports.differences("tremendous", day)]
        assert {one.redemption_id for one in found} <= self.unsettled, found
        assert sum(report.ours_count for report in told) == sum(order.issued for order in self.ours.values())
        assert sum(report.theirs_count for report in told) == len(self.theirs)
        assert summed(money for report in told for money in report.ours.values()) == summed(
            order.value for order in self.ours.values() if order.issued
        )
        assert summed(money for report in told for money in report.theirs.values()) == summed(
            worth(order) for order in self.theirs.values()
        )
        apart = {key for key in {*self.theirs, *self.ours} if not self._settled(key)}
        fulfilled = summed(run.value for run in self.runs.values() if run.status is RunStatus.FULFILLED)
        assert fulfilled == summed(worth(order) for key, order in self.theirs.items() if key not in apart)
        return found


def _standing(orders: Iterable[TheirOrder]) -> dict[str, TheirOrder]:
    """Those whose card can be spent, by our key."""
    return {str(order.external_id): order for order in orders if order.status == "EXECUTED"}


def worth(order: TheirOrder) -> Money:
    """Of the supplier's order."""
    return Money.of(str(order.denomination), order.currency)
