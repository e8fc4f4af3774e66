"""What a supplier may do to one request, and what must be true whatever it did."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from loyalty.core.clock import system_clock
from loyalty.core.money import Money
from loyalty.fulfillment import budget
from loyalty.fulfillment.run import RunStatus
from loyalty.rewards.model import RedemptionStatus
from loyalty.suppliers.model import (
    GiftCard,
    OrderRefused,
    OrderRequest,
    OrderState,
    SupplierOrder,
    SupplierProtocolError,
    SupplierTimeout,
    SupplierUnavailable,
)
from tests.unit.fulfillment.rig import Rig

CALLS = ("order", "find", "card", "cancel")
LATE_SECONDS: Final = 50
"""After which a late request is carried out, and a new order shown: less than the time to settle."""
LAG_SECONDS: Final = 300
"""For which an order that was acknowledged may be out of sight: more than the time to settle."""
WAITS = {RunStatus.ATTENTION, RunStatus.AWAITING_APPROVAL, RunStatus.AWAITING_FUNDS}


class FaultySupplier:
    """A supplier in memory, exact and quick: one order for each key, and faults by the name of the call.

    ``plan`` has for each call the faults that meet its next invocations, one after the other.
    """

    def __init__(self, name: str = "tremendous") -> None:
        self.name = name
        self.made: dict[str, SupplierOrder] = {}
        self.clock: Callable[[], datetime] = system_clock
        self.late: list[tuple[datetime, OrderRequest]] = []
        """Requests that it will carry out, and when."""
        self.shown_from: dict[str, datetime] = {}
        """Orders that it shows to nobody before."""
        self.during: Callable[[str], None] = lambda _: None
        """Told the name of each call, while that is on its way."""
        self.plan: dict[str, list[str]] = {}
        self.money = Money.of("100000.00", "USD")

    def order(self, request: OrderRequest) -> SupplierOrder:
        answer: SupplierOrder = self._call("order", lambda: self._make(request), request)
        return answer

    def find(self, external_id: str) -> SupplierOrder | None:
        answer: SupplierOrder | None = self._call("find", lambda: self._look(external_id))
        return answer

    def card(self, order: SupplierOrder) -> GiftCard:
        answer: GiftCard = self._call("card", lambda: GiftCard(code=f"CODE-{order.external_id}"))
        return answer

    def cancel(self, order: SupplierOrder) -> bool:
        answer: bool = self._call("cancel", lambda: self._cancel(order))
        return answer

    def balance(self, currency: str) -> Money:
        answer: Money = self._call("balance", lambda: Money.of(self.money.amount, currency))
        return answer

    def orders(self, start: Any, end: Any) -> Any:  # noqa: ARG002 - the port's
        raise AssertionError("no step lists orders")

    @property
    def standing(self) -> list[SupplierOrder]:
        """Orders whose card can be spent."""
        return [order for order in self.made.values() if order.state is OrderState.EXECUTED]

    def arrive(self) -> None:
        """What was under way arrives, if its time has passed."""
        due = [request for at, request in self.late if at <= self.clock()]
        self.late = [each for each in self.late if each[1] not in due]
        for request in due:
            self._make(request)

    def settle(self) -> None:
        """What is pending is executed: nobody ever said that it is not wanted."""
        for key, order in self.made.items():
            if order.state is OrderState.PENDING:
                self.made[key] = self._as(order, OrderState.EXECUTED)

    def _make(self, request: OrderRequest, state: OrderState = OrderState.EXECUTED) -> SupplierOrder:
        key = request.external_id
        if key not in self.made:
            order_id = f"O-{len(self.made)}-{self.name}"
            self.made[key] = SupplierOrder(
                order_id, key, state, value=request.value, cost=request.value, request_id=f"req-{order_id}"
            )
        return self.made[key]

    def _look(self, external_id: str) -> SupplierOrder | None:
        if external_id in self.shown_from and self.clock() < self.shown_from[external_id]:
            return None
        order = self.made.get(external_id)
        if order is not None and order.state is OrderState.PENDING:
            self.made[external_id] = self._as(order, OrderState.EXECUTED)  # settled by the next time
        return order

    def _cancel(self, order: SupplierOrder) -> bool:
        key = str(order.external_id)
        self.made[key] = self._as(order, OrderState.DEAD)
        return True

    def _as(self, order: SupplierOrder, state: OrderState) -> SupplierOrder:
        return SupplierOrder(order.order_id, order.external_id, state, value=order.value, cost=order.cost)

    def _call(  # noqa: C901, PLR0911, PLR0912 - a table of faults
        self, name: str, answer: Callable[[], Any], request: OrderRequest | None = None
    ) -> Any:
        self.during(name)
        self.arrive()
        soon = self.clock() + timedelta(seconds=LATE_SECONDS)
        waiting = self.plan.get(name)
        fault = waiting.pop(0) if waiting else ""
        match fault:
            case "":
                return answer()
            case "unavailable" | "rate_limited":
                raise SupplierUnavailable(f"the supplier answered {'429' if fault == 'rate_limited' else '503'}")
            case "hang":
                raise SupplierTimeout("no answer")
            case "reply_lost":
                answer()
                raise SupplierTimeout("no answer")
            case "error_after_success":
                answer()
                raise SupplierUnavailable("the supplier answered 500")
            case "nonsense":
                raise SupplierProtocolError("the supplier answered with HTML")
            case "refuse" | "out_of_stock" if name == "order":
                raise OrderRefused("the supplier answered 400, naming reward.products")
            case "out_of_funds" if name == "order":
                refusal = OrderRefused("the supplier answered 402")
                refusal.out_of_funds = True
                raise refusal
            case "refused_after_success" if request is not None:
                self._make(request)
                raise OrderRefused("the supplier answered 400")
            case "late" if request is not None:
                self.late.append((soon, request))
                raise SupplierTimeout("no answer")
            case "late_error" if request is not None:
                self.late.append((soon, request))
                raise SupplierUnavailable("the supplier answered 504")
            case "listed_late" if request is not None:
                self.shown_from[request.external_id] = soon
                return self._make(request)
            case "pending_listed_late" if request is not None:
                self.shown_from[request.external_id] = soon
                return self._make(request, OrderState.PENDING)
            case "duplicate" if request is not None:
                self._make(request)
                return self._make(request)
            case "pending" if request is not None:
                return self._make(request, OrderState.PENDING)
            case "dead" if request is not None:
                return self._make(request, OrderState.DEAD)
            case "wrong_amount" if request is not None:
                more = Money.of(request.value.amount + 1, request.value.currency)
                made = self._make(OrderRequest(request.external_id, request.product, more, request.recipient))
                raise SupplierProtocolError(f"the supplier's order is of {made.value}")
            case "will_not":
                return False
            case "behind":
                return None
        return answer()


ON_ORDER = (
    "unavailable", "rate_limited", "hang", "reply_lost", "error_after_success", "nonsense", "refuse", "out_of_stock",
    "out_of_funds", "late", "late_error", "listed_late", "pending_listed_late", "refused_after_success", "duplicate",
    "pending", "dead", "wrong_amount",
)  # fmt: skip
ON_OTHERS = ("unavailable", "rate_limited", "hang", "reply_lost", "nonsense")


def require_sound(rig: Rig, *suppliers: FaultySupplier) -> None:
    """Each card once, captured if and only if issued, nothing open without a reason; to the cent and the point."""
    run, redemption = rig.run, rig.redemption
    standing = [order for supplier in suppliers for order in supplier.standing]
    issued = [order for order in rig.ours if order.issued]
    assert len(standing) <= 1 or run.status in WAITS, standing
    assert len(issued) <= 1
    captured = redemption.status is RedemptionStatus.CAPTURED
    if run.ended:
        assert (run.status is RunStatus.FULFILLED) == captured == bool(issued) == bool(standing), run
        assert redemption.status is not RedemptionStatus.HELD
    else:
        assert run.status in WAITS, run.status
        assert run.reason, run
        assert redemption.status is RedemptionStatus.HELD or run.reason in {"reissue_refused", "order_vanished"}
    if run.ended:
        counted = sum(order.value.amount for order in standing if order.value is not None)
        assert budget.spent(rig.table, "acme", "2026-03", "USD") == Money.of(str(counted), "USD")
        assert [bool(order.budget) for order in rig.ours] == [order.issued for order in rig.ours]
    if issued:
        assert (issued[0].value, issued[0].supplier_order_id) == (standing[0].value, standing[0].order_id)
        assert issued[0].supplier_order_id == redemption.supplier_order_id
    assert [step.number for step in rig.timeline] == list(range(1, run.steps + 1))
    held = redemption.points if redemption.status is RedemptionStatus.HELD else 0
    spent = redemption.points if captured else 0
    wallet = rig.world.proven()
    assert (wallet.held, wallet.available) == (held, 1000 - held - spent)
    kinds = Counter(rig.ends())
    assert max(kinds.values(), default=0) <= 1
