"""The steps of a gift card's fulfilment, each of which may be repeated at any time and as often as it takes.

::

    order    read · write that we order · ask for the order · (ask for its link) · store order and card
    query    read · ask whether the order exists           · (ask for its link) · store order and card
    capture  read · spend the points                                            only with a stored card
    release  read · ask whether the order exists · give the points back         only without an order

Wherever a step dies, the redemption says at least as much as we did: what is not written down, the supplier is asked.
"""

from loyalty.core.clock import Clock
from loyalty.core.errors import FulfillmentInProgress, RedemptionAlreadyCaptured
from loyalty.fulfillment.model import OrderNotDelivered, OrderStands, Progress, RedemptionMoved
from loyalty.fulfillment.store import FulfillmentStore
from loyalty.programs.model import RewardType
from loyalty.programs.store import ProgramStore
from loyalty.rewards.model import Party, Redemption, RedemptionStatus
from loyalty.rewards.service import RedemptionService
from loyalty.suppliers.model import OrderRefused, OrderRequest, OrderState, Supplier, SupplierOrder, SupplierTimeout
from loyalty.vault.store import CardVault


class FulfillmentService:
    """The redemption's id is the order's ``external_id``: one redemption, one order, whoever asks and how often."""

    def __init__(
        self,
        *,
        store: FulfillmentStore,
        programs: ProgramStore,
        redemptions: RedemptionService,
        supplier: Supplier,
        vault: CardVault,
        clock: Clock,
    ) -> None:
        self._store = store
        self._programs = programs
        self._redemptions = redemptions
        self._supplier = supplier
        self._vault = vault
        self._clock = clock

    def order(self, program: str, member_id: str, redemption_id: str) -> Progress:
        """Orders the card, unless it is stored already: ordered, pending or not ordered.

        Raises:
            OrderRefused: the supplier has refused this order, or the points were given back.
            RedemptionAlreadyCaptured: the points are spent and no card is stored.
            RedemptionNotFound, RewardNotFound, TooManyDecimals: there is nothing that could be ordered.
            SupplierError, RedemptionMoved: the order may exist.
        """
        redemption = self._redemptions.get(program, member_id, redemption_id)
        if redemption.supplier_order_id is not None:
            return Progress.ORDERED
        if redemption.status is RedemptionStatus.RELEASED:
            raise OrderRefused("the points of this redemption were given back")
        if redemption.status is RedemptionStatus.CAPTURED:
            raise RedemptionAlreadyCaptured(f"'{redemption_id}' was captured without a card of ours.")
        request = self._request(redemption)
        self._store.note_request(redemption, self._clock())
        try:
            order = self._supplier.order(request)
        except OrderRefused as refusal:
            if redemption.order_requested_at is None:
                raise
            # This refusal speaks for this request. An earlier one that lost its answer may still be under way.
            raise SupplierTimeout(f"refused now ({refusal}), but an earlier request has no answer yet") from refusal
        return self._settle(redemption, order)

    def query(self, program: str, member_id: str, redemption_id: str) -> Progress:
        """Asks the supplier what became of the order, and stores the card if there is one.

        Raises:
            RedemptionNotFound: there is nothing to ask for.
            SupplierError, RedemptionMoved: it is not known.
        """
        redemption = self._redemptions.get(program, member_id, redemption_id)
        if redemption.supplier_order_id is not None:
            return Progress.ORDERED
        found = self._supplier.find(redemption_id)
        return Progress.NOT_ORDERED if found is None else self._settle(redemption, found)

    def capture(self, program: str, member_id: str, redemption_id: str) -> Progress:
        """Spends the points for a card that is stored; once captured, says so again.

        Raises:
            OrderNotDelivered: no card is stored.
            RedemptionNotFound, RedemptionAlreadyReleased, WalletBusy: see :meth:`RedemptionService.capture`.
        """
        redemption = self._redemptions.get(program, member_id, redemption_id)
        if redemption.supplier_order_id is None:
            raise OrderNotDelivered("no card is stored for this redemption: its points stay held")
        self._redemptions.capture(self._programs.current(program), member_id, redemption_id, by=Party.FULFILLMENT)
        return Progress.CAPTURED

    def release(self, program: str, member_id: str, redemption_id: str) -> Progress:
        """Gives the points back, after the supplier has said once more that it has no order; once released, says so again.

        Raises:
            OrderStands: there is an order: its card has to be delivered, or the order cancelled by a person.
            RedemptionMoved: the order was requested again meanwhile, and may be under way.
            RedemptionNotFound, RedemptionAlreadyCaptured, WalletBusy: see :meth:`RedemptionService.release`.
            SupplierError: it did not say.
        """
        redemption = self._redemptions.get(program, member_id, redemption_id)
        if redemption.supplier_order_id is not None:
            raise OrderStands("a card is stored for this redemption: its points are not given back")
        found = self._supplier.find(redemption_id)
        if found is not None and found.state is not OrderState.DEAD:
            raise OrderStands("the supplier has an order for this redemption: its points are not given back")
        try:
            self._redemptions.release(
                self._programs.current(program),
                member_id,
                redemption_id,
                by=Party.FULFILLMENT,
                order_requests=redemption.order_requests,
            )
        except FulfillmentInProgress as refusal:
            now = self._redemptions.get(program, member_id, redemption_id)
            if (now.order_requests, now.supplier_order_id) == (redemption.order_requests, None):
                raise
            raise RedemptionMoved("the supplier was asked for an order after it had denied one") from refusal
        return Progress.RELEASED

    def _request(self, redemption: Redemption) -> OrderRequest:
        if redemption.reward_type is not RewardType.GIFT_CARD:
            raise OrderRefused(f"a reward of type '{redemption.reward_type}' is not ordered from a supplier")
        if redemption.value is None:
            raise OrderRefused("the redemption does not say what its cards are worth")
        card = self._store.gift_card(redemption)
        return OrderRequest(
            external_id=redemption.redemption_id,
            product=card.product,
            value=redemption.value,
            recipient=redemption.member_id,
        )

    def _settle(self, redemption: Redemption, order: SupplierOrder) -> Progress:
        if order.state is OrderState.DEAD:
            return Progress.NOT_ORDERED
        if redemption.status is not RedemptionStatus.HELD:
            raise OrderStands(f"the supplier has an order, and the redemption is {redemption.status}")
        if order.state is OrderState.PENDING:
            return Progress.PENDING
        # A link is shown once. If its answer was lost, the same card gets a new one.
        card = order.card or self._supplier.card(order)
        sealed = self._vault.put(
            redemption.program, redemption.member_id, redemption.redemption_id, card, now=self._clock()
        )
        try:
            self._store.deliver(redemption, order.order_id, sealed)
        except RedemptionMoved:
            now = self._redemptions.get(redemption.program, redemption.member_id, redemption.redemption_id)
            if now.supplier_order_id != order.order_id:
                raise
        return Progress.ORDERED
