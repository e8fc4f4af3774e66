"""What a supplier may do to one request, and what must be true whatever it did."""

from collections import Counter
from collections.abc import Callable
from typing import Any

from loyalty.core.money import Money
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
WAITS = {RunStatus.ATTENTION, RunStatus.AWAITING_APPROVAL, RunStatus.AWAITING_FUNDS}


class FaultySupplier:
    """A supplier in memory, exact and quick: one order for each key, and faults by the name of the call.

    ``plan`` has for each call the faults that meet its next invocations, one after the other.
    """

    def __init__(self, name: str = "tremendous") -> None:
        self.name = name
        self.made: dict[str, SupplierOrder] = {}
        self.late: list[OrderRequest] = []
        """Requests that it will carry out before it is asked again."""
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
        """What was under way arrives: time has passed."""
        for request in self.late:
            self._make(request)
        self.late.clear()

    def _make(self, request: OrderRequest, state: OrderState = OrderState.EXECUTED) -> SupplierOrder:
        key = request.external_id
        if key not in self.made:
            order_id = f"O-{len(self.made)}-{self.name}"
            self.made[key] = SupplierOrder(
                order_id, key, state, value=request.value, cost=request.value, request_id=f"req-{order_id}"
            )
        return self.made[key]

    def _look(self, external_id: str) -> SupplierOrder | None:
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

    def _call(  # noqa: C901, PLR0912 - a table of faults
        self, name: str, answer: Callable[[], Any], request: OrderRequest | None = None
    ) -> Any:
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
            case "late" if request is not None:
                self.late.append(request)
                raise SupplierTimeout("no answer")
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
        return answer()


ON_ORDER = (
    "unavailable", "rate_limited", "hang", "reply_lost", "error_after_success", "nonsense", "refuse", "out_of_stock",
    "out_of_funds", "late", "duplicate", "pending", "dead", "wrong_amount",
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
        assert redemption.status is RedemptionStatus.HELD or run.reason == "reissue_refused"
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
