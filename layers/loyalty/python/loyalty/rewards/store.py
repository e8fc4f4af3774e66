"""Redemptions in the table: ``M#{program}#{member}`` / ``REDEMPTION#{redemption_id}``."""

from pynamodb.attributes import BinaryAttribute, UnicodeAttribute

from loyalty.core.clock import from_text, to_text
from loyalty.core.errors import RedemptionNotFound
from loyalty.core.table import IntegerAttribute, IntegerMapAttribute, Item, Table
from loyalty.ledger.store import parse_partition, partition
from loyalty.programs.model import RewardType
from loyalty.rewards.model import Redemption, RedemptionStatus
from loyalty_contract import REDEMPTION_PREFIX


class RedemptionItem(Item):
    """``gift_card_*`` hold what the supplier delivered, encrypted for this member; never in the clear."""

    status = UnicodeAttribute()
    reward_id = UnicodeAttribute()
    reward_type = UnicodeAttribute()
    quantity = IntegerAttribute()
    points = IntegerAttribute()
    lots = IntegerMapAttribute()
    program_version = IntegerAttribute()
    held_at = UnicodeAttribute()
    ended_at = UnicodeAttribute(null=True)
    order_requested_at = UnicodeAttribute(null=True)
    order_requests = IntegerAttribute(null=True)
    supplier_order_id = UnicodeAttribute(null=True)
    gift_card_key = BinaryAttribute(null=True, legacy_encoding=False)
    gift_card_nonce = BinaryAttribute(null=True, legacy_encoding=False)
    gift_card_data = BinaryAttribute(null=True, legacy_encoding=False)


def redemption_sk(redemption_id: str) -> str:
    """The sort key of a redemption."""
    return f"{REDEMPTION_PREFIX}{redemption_id}"


def redemption_item(redemption: Redemption) -> RedemptionItem:
    """A new redemption as an item."""
    return RedemptionItem(
        partition(redemption.program, redemption.member_id),
        redemption_sk(redemption.redemption_id),
        status=redemption.status.value,
        reward_id=redemption.reward_id,
        reward_type=redemption.reward_type.value,
        quantity=redemption.quantity,
        points=redemption.points,
        lots=dict(redemption.lots),
        program_version=redemption.program_version,
        held_at=to_text(redemption.held_at),
    )


def redemption_of(item: RedemptionItem) -> Redemption:
    """The redemption that an item holds."""
    program, member_id = parse_partition(item.pk)
    return Redemption(
        program=program,
        member_id=member_id,
        redemption_id=item.sk.removeprefix(REDEMPTION_PREFIX),
        status=RedemptionStatus(item.status),
        reward_id=item.reward_id,
        reward_type=RewardType(item.reward_type),
        quantity=item.quantity,
        points=item.points,
        lots=item.lots,
        program_version=item.program_version,
        held_at=from_text(item.held_at),
        ended_at=from_text(item.ended_at) if item.ended_at else None,
        order_requested_at=from_text(item.order_requested_at) if item.order_requested_at else None,
        order_requests=item.order_requests or 0,
        supplier_order_id=item.supplier_order_id,
    )


class RedemptionStore:
    """Reads of redemptions."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def item(self, program: str, member_id: str, redemption_id: str) -> RedemptionItem:
        """The stored item.

        Raises:
            RedemptionNotFound: the member has no such redemption.
        """
        item = self._table.get(RedemptionItem, partition(program, member_id), redemption_sk(redemption_id))
        if item is None:
            raise RedemptionNotFound(f"Member '{member_id}' has no redemption '{redemption_id}'.")
        return item

    def get(self, program: str, member_id: str, redemption_id: str) -> Redemption:
        """The redemption; raises as :meth:`item` does."""
        return redemption_of(self.item(program, member_id, redemption_id))
