"""What fulfilment writes into a redemption: first that it is about to order, then what came of it.

Two single-item updates, each conditional; the redemption's status belongs to the ledger's transactions and is never
written here.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from pynamodb.exceptions import UpdateError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from loyalty.core.clock import to_text
from loyalty.core.errors import RewardNotFound
from loyalty.core.table import Operation, Table, TransactionRefused, Update, error_code
from loyalty.fulfillment.model import RedemptionMoved
from loyalty.ledger.store import partition
from loyalty.programs.items import ProgramItem, program_pk, version_sk
from loyalty.programs.model import GiftCard, ProgramDocument
from loyalty.rewards.model import Redemption, RedemptionStatus
from loyalty.rewards.store import RedemptionItem, redemption_sk

_OPEN: Final[Condition] = (
    RedemptionItem.status == RedemptionStatus.HELD.value
) & RedemptionItem.supplier_order_id.does_not_exist()


class FulfillmentStore:
    """Reads are consistent: a step sees what the step before it wrote."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def gift_card(self, redemption: Redemption) -> GiftCard:
        """What the catalogue said of the reward when the points were held, whatever it says today.

        Raises:
            RewardNotFound: that version of the program has no such gift card.
        """
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

    def note_request(self, redemption: Redemption, now: datetime) -> None:
        """Writes down that the supplier is about to be asked for an order: the first time, and how often.

        Raises:
            RedemptionMoved: it is no longer held, or an order is stored.
        """
        first, times = RedemptionItem.order_requested_at, RedemptionItem.order_requests
        self._update(redemption, [first.set(first | to_text(now)), times.set((times | 0) + 1)], _OPEN)

    def deliver(self, redemption: Redemption, order_id: str, card: Operation) -> None:
        """Stores the order and its card, together, once.

        Raises:
            RedemptionMoved: it is no longer held, or an order is stored.
        """
        pk, sk = partition(redemption.program, redemption.member_id), redemption_sk(redemption.redemption_id)
        ordered = Update(RedemptionItem, pk, sk, [RedemptionItem.supplier_order_id.set(order_id)], _OPEN)
        try:
            self._table.write([ordered, card])
        except TransactionRefused as refusal:
            raise RedemptionMoved("the redemption changed meanwhile: it is read anew by the next step") from refusal

    def _update(self, redemption: Redemption, actions: Sequence[Action], condition: Condition) -> None:
        pk, sk = partition(redemption.program, redemption.member_id), redemption_sk(redemption.redemption_id)
        try:
            self._table.connection.update_item(self._table.name, pk, sk, actions=actions, condition=condition)
        except UpdateError as error:
            if error_code(error) == "ConditionalCheckFailedException":
                raise RedemptionMoved("the redemption changed meanwhile: it is read anew by the next step") from error
            raise
