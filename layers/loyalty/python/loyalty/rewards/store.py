"""Redemptions in the table: ``M#{program}#{member}`` / ``REDEMPTION#{redemption_id}``."""

from datetime import datetime

from pynamodb.attributes import UnicodeAttribute

from loyalty.core.clock import from_text, to_text
from loyalty.core.errors import RedemptionNotFound
from loyalty.core.money import Money
from loyalty.core.table import IntegerAttribute, IntegerMapAttribute, Item, Table
from loyalty.ledger.keys import parse_partition, partition
from loyalty.ledger.model import POINTS
from loyalty.ledger.store import LedgerStore
from loyalty.programs.rewards import Party, RewardType
from loyalty.rewards.model import Payer, Redemption, RedemptionStatus
from loyalty_contract import REDEMPTION_PREFIX


class RedemptionItem(Item):
    """What was delivered for it is in the vault, never here."""

    status = UnicodeAttribute()
    reward_id = UnicodeAttribute()
    reward_type = UnicodeAttribute()
    quantity = IntegerAttribute()
    points = IntegerAttribute()
    lots = IntegerMapAttribute()
    program_version = IntegerAttribute()
    held_at = UnicodeAttribute()
    expires_at = UnicodeAttribute(null=True)
    ended_at = UnicodeAttribute(null=True)
    captured_points = IntegerAttribute(null=True)
    cancelled_at = UnicodeAttribute(null=True)
    order_requested_at = UnicodeAttribute(null=True)
    order_requests = IntegerAttribute(null=True)
    supplier_order_id = UnicodeAttribute(null=True)
    party = UnicodeAttribute(null=True)
    stock = IntegerMapAttribute(null=True)
    value = UnicodeAttribute(null=True)
    cash = UnicodeAttribute(null=True)
    country = UnicodeAttribute(null=True)
    return_days = IntegerAttribute(null=True)
    counted = IntegerMapAttribute(null=True)
    reference = UnicodeAttribute(null=True)
    tracking_url = UnicodeAttribute(null=True)
    requested_by = UnicodeAttribute(null=True)
    requested_through = UnicodeAttribute(null=True)
    campaign = UnicodeAttribute(null=True)
    paid_by = UnicodeAttribute(null=True)
    wallet = UnicodeAttribute(null=True)


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
        expires_at=_text(redemption.expires_at),
        party=redemption.party.value,
        stock=dict(redemption.stock) or None,
        value=_money_text(redemption.value),
        cash=_money_text(redemption.cash),
        country=redemption.country,
        return_days=redemption.return_days,
        counted=dict(redemption.counted) or None,
        requested_by=redemption.requested_by,
        requested_through=redemption.requested_through,
        campaign=redemption.campaign,
        paid_by=None if redemption.paid_by is Payer.MEMBER else redemption.paid_by.value,
        wallet=None if redemption.wallet == POINTS else redemption.wallet,
    )


def write_end(item: RedemptionItem, ended: Redemption) -> None:
    """Writes into the item what the end of its hold, or its cancellation, changes; what fulfilment wrote stays."""
    item.status = ended.status.value
    item.ended_at = _text(ended.ended_at)
    item.captured_points = ended.captured_points
    item.cancelled_at = _text(ended.cancelled_at)
    item.reference = ended.reference
    item.tracking_url = ended.tracking_url


def redemption_of(item: RedemptionItem, now: datetime) -> Redemption:
    """The redemption that an item holds, as it is at ``now`` (UTC): a time-out is written nowhere, it is the hour."""
    program, member_id = parse_partition(item.pk)
    status, ended_at, expires_at = RedemptionStatus(item.status), _moment(item.ended_at), _moment(item.expires_at)
    if status is RedemptionStatus.HELD and expires_at is not None and now >= expires_at:
        status, ended_at = RedemptionStatus.TIMED_OUT, expires_at
    return Redemption(
        program=program,
        member_id=member_id,
        redemption_id=item.sk.removeprefix(REDEMPTION_PREFIX),
        status=status,
        reward_id=item.reward_id,
        reward_type=RewardType(item.reward_type),
        quantity=item.quantity,
        points=item.points,
        lots=item.lots,
        program_version=item.program_version,
        held_at=from_text(item.held_at),
        expires_at=expires_at,
        ended_at=ended_at,
        captured_points=item.captured_points,
        cancelled_at=_moment(item.cancelled_at),
        order_requested_at=_moment(item.order_requested_at),
        order_requests=item.order_requests or 0,
        supplier_order_id=item.supplier_order_id,
        party=Party(item.party) if item.party else _party_of(item.reward_type),
        stock=item.stock or {},
        value=Money.parse(item.value) if item.value else None,
        cash=Money.parse(item.cash) if item.cash else None,
        country=item.country,
        return_days=item.return_days,
        counted=item.counted or {},
        reference=item.reference,
        tracking_url=item.tracking_url,
        requested_by=item.requested_by,
        requested_through=item.requested_through,
        campaign=item.campaign,
        paid_by=Payer(item.paid_by) if item.paid_by else Payer.MEMBER,
        wallet=item.wallet or POINTS,
    )


def _party_of(reward_type: str) -> Party:
    """Of what was held before redemptions said it."""
    return Party.FULFILLMENT if reward_type == RewardType.GIFT_CARD.value else Party.PARTNER


def _money_text(money: Money | None) -> str | None:
    return None if money is None else str(money)


class RedemptionStore:
    """Reads of redemptions, under the id of whoever has the points now or had them when they were held."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self._books = LedgerStore(table)

    def item(self, program: str, member_id: str, redemption_id: str) -> RedemptionItem:
        """The stored item: one read, two more where the member's own partition does not have it.

        Raises:
            RedemptionNotFound: neither the member, nor whom they were merged into, nor whom they absorbed has it.
        """
        raw = self._books.record(program, member_id, redemption_sk(redemption_id))
        if raw is None:
            raise _not_found(member_id, redemption_id)
        return RedemptionItem.from_raw_data(raw)

    def shown(self, program: str, member_id: str, redemption_id: str, now: datetime) -> Redemption:
        """As :meth:`get`, for who shows it to somebody.

        Raises:
            RedemptionNotFound: as :meth:`item`.
            MemberErased: there is no such member any more.
        """
        raw = self._books.shown(program, member_id, redemption_sk(redemption_id))
        if raw is None:
            raise _not_found(member_id, redemption_id)
        return redemption_of(RedemptionItem.from_raw_data(raw), now)

    def get(self, program: str, member_id: str, redemption_id: str, now: datetime) -> Redemption:
        """The redemption as it is at ``now`` (UTC); raises as :meth:`item` does."""
        return redemption_of(self.item(program, member_id, redemption_id), now)


def _not_found(member_id: str, redemption_id: str) -> RedemptionNotFound:
    return RedemptionNotFound(f"Member '{member_id}' has no redemption '{redemption_id}'.")


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else to_text(moment)


def _moment(text: str | None) -> datetime | None:
    return None if text is None else from_text(text)
