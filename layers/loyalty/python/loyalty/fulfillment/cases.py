"""What a step decides on: the redemption, its run, its orders, and what the catalogue says of the card."""

from collections.abc import Sequence
from dataclasses import dataclass

from loyalty.core.clock import Clock, to_text
from loyalty.core.errors import RewardNotFound
from loyalty.core.money import Money
from loyalty.core.table import Table, Update
from loyalty.fulfillment.model import Answer, OrderNotDelivered, Progress
from loyalty.fulfillment.orders import Order, OrderStore
from loyalty.fulfillment.run import Run, RunStatus
from loyalty.fulfillment.runs import RunStore
from loyalty.ledger.keys import partition
from loyalty.programs.items import ProgramItem, program_pk, version_sk
from loyalty.programs.model import GiftCard, ProgramDocument
from loyalty.programs.rewards import RewardType
from loyalty.rewards.model import Redemption, RedemptionStatus
from loyalty.rewards.store import RedemptionItem, RedemptionStore, redemption_sk
from loyalty.suppliers.model import OrderRefused


@dataclass(frozen=True, slots=True)
class Source:
    """Whom a card can be ordered from, and as which product."""

    supplier: str
    product: str


@dataclass(frozen=True, slots=True)
class Card:
    """What the catalogue said of the reward when the points were held, whatever it says today."""

    value: Money
    sources: Sequence[Source]


@dataclass(frozen=True, slots=True)
class Case:
    """A redemption with its run, as a step reads them. ``order`` is the run's last one."""

    redemption: Redemption
    run: Run
    order: Order | None

    @property
    def held(self) -> bool:
        """Whether the points still wait for what becomes of the card."""
        return self.redemption.status is RedemptionStatus.HELD


class CaseStore:
    """Reads are consistent: a step sees what the step before it wrote."""

    def __init__(self, table: Table, clock: Clock) -> None:
        self._table = table
        self._clock = clock
        self._redemptions = RedemptionStore(table)
        self._runs = RunStore(table)
        self._orders = OrderStore(table)

    def redemption(self, program: str, member_id: str, redemption_id: str) -> Redemption:
        """The redemption as it is now.

        Raises:
            RedemptionNotFound: the member has no such redemption.
        """
        return self._redemptions.get(program, member_id, redemption_id, self._clock())

    def run(self, program: str, redemption_id: str) -> Run | None:
        """The run, or None where none was opened."""
        return self._runs.find(program, redemption_id)

    def get(self, program: str, member_id: str, redemption_id: str) -> Case:
        """The whole case.

        Raises:
            RedemptionNotFound, FulfillmentRunNotFound: there is none.
        """
        redemption = self.redemption(program, member_id, redemption_id)
        run = self._runs.get(program, redemption_id)
        order = self._orders.find(program, redemption_id, run.orders) if run.orders else None
        return Case(redemption, run, order)

    def orders(self, run: Run) -> list[Order]:
        """Every order of a run, the first one first."""
        return self._orders.of_run(run.program, run.redemption_id) if run.orders else []

    def card(self, redemption: Redemption) -> Card:
        """What is to be ordered for a redemption, and from whom.

        Raises:
            OrderRefused: it is no gift card.
            RewardNotFound: its version of the program has no such gift card.
        """
        if redemption.reward_type is not RewardType.GIFT_CARD:
            raise OrderRefused(f"a reward of type '{redemption.reward_type}' is not ordered from a supplier")
        card = self._gift_card(redemption)
        if redemption.value is None:
            raise OrderRefused("the redemption does not say what its card is worth")
        return Card(redemption.value, [Source(one.supplier, one.product) for one in card.sources])

    def _gift_card(self, redemption: Redemption) -> GiftCard:
        key = program_pk(redemption.program), version_sk(redemption.program_version)
        item = self._table.get(ProgramItem, *key)
        document = None if item is None else ProgramDocument.model_validate_json(item.document)
        reward = None if document is None else document.reward(redemption.reward_id)
        if reward is None or reward.gift_card is None:
            raise RewardNotFound(
                f"Version {redemption.program_version} of program '{redemption.program}' has no gift card "
                f"'{redemption.reward_id}'."
            )
        return reward.gift_card

    def requested(self, redemption: Redemption) -> Update:
        """Writes into the redemption that an order is about to be requested: the first time, and how often.

        It does not hold where the points went back, or a card was stored that is not being replaced.
        """
        first, times = RedemptionItem.order_requested_at, RedemptionItem.order_requests
        actions = [first.set(first | to_text(self._clock())), times.set((times | 0) + 1)]
        return self._update(redemption, actions)

    def delivered(self, redemption: Redemption, order_id: str) -> Update:
        """Writes the supplier's order into the redemption, under the condition of :meth:`requested`."""
        return self._update(redemption, [RedemptionItem.supplier_order_id.set(order_id)])

    def undelivered(self, redemption: Redemption) -> Update:
        """Takes the supplier's order out of a redemption that is held: its card was taken back."""
        return self._update(redemption, [RedemptionItem.supplier_order_id.remove()])

    def _update(self, redemption: Redemption, actions: list) -> Update:  # type: ignore[type-arg]
        """As it was read: held without a card, held with this one, or captured with this one."""
        stored = redemption.supplier_order_id
        attribute = RedemptionItem.supplier_order_id
        same = attribute.does_not_exist() if stored is None else attribute == stored
        return Update(
            RedemptionItem,
            partition(redemption.program, redemption.member_id),
            redemption_sk(redemption.redemption_id),
            actions,
            (RedemptionItem.status == redemption.status.value) & same,
        )


def source_of(run: Run, card: Card) -> Source:
    """Whom the run is ordered from now."""
    return card.sources[min(run.candidate, len(card.sources) - 1)]


def decided(case: Case) -> Answer | None:
    """Where a case goes on whatever the step: a person decided, or it is over. None: the step goes on."""
    run = case.run
    if run.ends_as is not None:
        return Answer(Progress.NOT_ORDERED)
    if run.replaces:
        return Answer(Progress.REPLACE)
    if run.ended:
        return Answer(ENDS.get(run.status, Progress.CLOSED))
    return Answer(Progress.ATTENTION) if run.status is RunStatus.ATTENTION else None


ENDS = {RunStatus.FULFILLED: Progress.CAPTURED, RunStatus.REFUSED: Progress.RELEASED}
"""What a step says of a run that is over; of any other end: closed."""


def unapproved(case: Case) -> Answer | None:
    """Whatever led here, nothing is ordered and nothing given back while a person has to decide."""
    run = case.run
    waits = run.status is RunStatus.AWAITING_APPROVAL or (run.flags and run.approved_by is None)
    return Answer(Progress.APPROVAL, 1) if waits and run.ends_as is None else None


def require_card(case: Case) -> Order:
    """The order whose card is in the vault.

    Raises:
        OrderNotDelivered: there is none.
    """
    if case.order is None or not case.order.issued or case.redemption.supplier_order_id is None:
        raise OrderNotDelivered("no card is stored for this redemption: its points stay held")
    return case.order
