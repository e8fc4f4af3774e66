"""Holding points for a reward, and ending the hold once: captured or released."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from pynamodb.expressions.condition import Condition

from loyalty.core.clock import local_date, to_text
from loyalty.core.errors import (
    EntryExistsWithDifferentRequest,
    FulfillmentInProgress,
    IdempotencyKeyReused,
    PointsLimitExceeded,
    QuantityLimitExceeded,
    RedemptionAlreadyCaptured,
    RedemptionAlreadyReleased,
    RedemptionNotFound,
    RewardNotFound,
)
from loyalty.core.ids import redemption_id as redemption_id_for
from loyalty.core.ids import request_hash
from loyalty.core.table import Put
from loyalty.ledger import movements
from loyalty.ledger.model import EntryKey, EntryKind, Facts, Movement, Wallet
from loyalty.ledger.service import Decision, Ledger, Situation
from loyalty.programs.model import MAX_POINTS, Program, Reward
from loyalty.rewards.model import Party, Redemption, RedemptionStatus
from loyalty.rewards.store import RedemptionItem, RedemptionStore, redemption_item, redemption_of, redemption_sk

_SOURCE = "redemption"
_Ending = Callable[[Wallet, Redemption], Movement]


class RedemptionService:
    """Holds, captures and releases. Every end of a hold is an entry with the redemption's own identity."""

    def __init__(self, ledger: Ledger, store: RedemptionStore) -> None:
        self._ledger = ledger
        self._store = store

    def hold(
        self, program: Program, member_id: str, *, reward_id: str, quantity: int, client_id: str, idempotency_key: str
    ) -> tuple[Redemption, bool]:
        """Opens the redemption that this client's idempotency key stands for; True where an earlier call did.

        Raises:
            RewardNotFound: not in the program's catalogue.
            QuantityLimitExceeded, PointsLimitExceeded: more than one redemption may hold.
            InsufficientPoints: nothing is held.
            IdempotencyKeyReused: the key was used with another reward or quantity.
            MemberNotFound, WalletBusy: see :meth:`Ledger.post`.
        """
        redemption_id = redemption_id_for(program.document.id, member_id, client_id, idempotency_key)
        opened: list[Redemption] = []

        def decide(situation: Situation) -> Decision:
            reward = _reward(program, reward_id)
            points = _price(program, reward, quantity)
            movement = movements.hold(situation.wallet, points, local_date(situation.now, program.document.zone))
            redemption = Redemption(
                program=program.document.id,
                member_id=member_id,
                redemption_id=redemption_id,
                status=RedemptionStatus.HELD,
                reward_id=reward.id,
                reward_type=reward.type,
                quantity=quantity,
                points=points,
                lots={lot: -part for lot, part in movement.lots.items()},
                program_version=program.version,
                held_at=situation.now,
            )
            opened.append(redemption)
            facts = _facts(program.version, situation.now, redemption)
            return Decision(movement, facts, [Put(redemption_item(redemption), RedemptionItem.pk.does_not_exist())])

        key = EntryKey(EntryKind.HOLD, _SOURCE, redemption_id)
        digest = request_hash({"reward_id": reward_id, "quantity": quantity})
        try:
            posted = self._ledger.post(program.scope, member_id, key, digest, decide)
        except EntryExistsWithDifferentRequest as error:
            raise IdempotencyKeyReused(
                "This Idempotency-Key was used for another redemption of this member; send a new key."
            ) from error
        if posted is not None and posted.replayed:
            # As the first call answered it, whatever became of the redemption since.
            stored = self._store.get(program.document.id, member_id, redemption_id)
            return replace(stored, status=RedemptionStatus.HELD, ended_at=None), True
        return opened[-1], False

    def capture(self, program: Program, member_id: str, redemption_id: str, *, by: Party) -> Redemption:
        """Spends the held points for good; once captured, says so again.

        Raises:
            RedemptionNotFound: the member has no such redemption.
            RedemptionAlreadyReleased: the points went back.
            FulfillmentInProgress: this type of reward is ended by the other party.
            MemberNotFound, WalletBusy: see :meth:`Ledger.post`.
        """

        def spend(_: Wallet, redemption: Redemption) -> Movement:
            return movements.capture(redemption.points)

        return self._end(program, member_id, redemption_id, status=RedemptionStatus.CAPTURED, by=by, movement=spend)

    def release(
        self, program: Program, member_id: str, redemption_id: str, *, by: Party, order_requests: int | None = None
    ) -> Redemption:
        """Gives the held points back to the lots that they came from; once released, says so again.

        ``order_requests`` is the redemption's when the supplier said that it has no order; None where nobody asked.

        Raises:
            RedemptionNotFound: the member has no such redemption.
            RedemptionAlreadyCaptured: the points are spent.
            FulfillmentInProgress: this type of reward is ended by the other party, the supplier has an order, or was
                asked for one since ``order_requests``.
            MemberNotFound, WalletBusy: see :meth:`Ledger.post`.
        """

        def give_back(wallet: Wallet, redemption: Redemption) -> Movement:
            return movements.release(wallet, redemption.lots)

        return self._end(
            program,
            member_id,
            redemption_id,
            status=RedemptionStatus.RELEASED,
            by=by,
            movement=give_back,
            order_requests=order_requests,
        )

    def _end(
        self,
        program: Program,
        member_id: str,
        redemption_id: str,
        *,
        status: RedemptionStatus,
        by: Party,
        movement: _Ending,
        order_requests: int | None = None,
    ) -> Redemption:
        sk = redemption_sk(redemption_id)
        seen: list[Redemption] = []

        def decide(situation: Situation) -> Decision | None:
            if sk not in situation.records:
                raise RedemptionNotFound(f"Member '{member_id}' has no redemption '{redemption_id}'.")
            item = RedemptionItem.from_raw_data(situation.records[sk])
            redemption = redemption_of(item)
            seen.append(redemption)
            _require_party(redemption, by)
            if redemption.status is status:
                return None
            _require_held(redemption)
            if status is RedemptionStatus.RELEASED:
                _require_no_order(item)
                _require_requests(redemption, order_requests)
            as_read = _as_read(item)
            item.status, item.ended_at = status.value, to_text(situation.now)
            facts = _facts(redemption.program_version, situation.now, redemption)
            return Decision(movement(situation.wallet, redemption), facts, [Put(item, as_read)])

        kind = EntryKind.CAPTURE if status is RedemptionStatus.CAPTURED else EntryKind.RELEASE
        key = EntryKey(kind, _SOURCE, redemption_id)
        posted = self._ledger.post(program.scope, member_id, key, request_hash(redemption_id), decide, records=(sk,))
        return seen[-1] if posted is None else replace(seen[-1], status=status, ended_at=posted.entry.posted_at)


def _reward(program: Program, reward_id: str) -> Reward:
    reward = program.document.reward(reward_id)
    if reward is None:
        raise RewardNotFound(f"Program '{program.document.id}' has no reward '{reward_id}'.")
    return reward


def _price(program: Program, reward: Reward, quantity: int) -> int:
    most = program.document.limits.redemption_quantity
    if not 1 <= quantity <= most:
        raise QuantityLimitExceeded(f"One to {most} of a reward in one redemption.", pointer="/quantity")
    points = reward.points * quantity
    if points > MAX_POINTS:
        raise PointsLimitExceeded(f"This would be {points} points; one posting holds at most {MAX_POINTS}.")
    return points


def _require_party(redemption: Redemption, by: Party) -> None:
    if by is not Party.ending(redemption.reward_type):
        raise FulfillmentInProgress(
            f"Redemptions of type '{redemption.reward_type}' are captured or released by the "
            f"{Party.ending(redemption.reward_type)}; read the redemption to follow it."
        )


def _require_held(redemption: Redemption) -> None:
    if redemption.status is RedemptionStatus.CAPTURED:
        raise RedemptionAlreadyCaptured(f"'{redemption.redemption_id}' was captured; its points are spent.")
    if redemption.status is RedemptionStatus.RELEASED:
        raise RedemptionAlreadyReleased(f"'{redemption.redemption_id}' was released; its points went back.")


def _require_no_order(item: RedemptionItem) -> None:
    if item.supplier_order_id:
        raise FulfillmentInProgress("The supplier has an order for this; its points cannot go back.")


def _require_requests(redemption: Redemption, order_requests: int | None) -> None:
    if order_requests not in (None, redemption.order_requests):
        raise FulfillmentInProgress("The supplier was asked for an order meanwhile; ask it what became of that.")


def _as_read(item: RedemptionItem) -> Condition:
    """The item goes back whole, so nothing that fulfilment writes on its own may have changed since it was read."""
    held = RedemptionItem.status == RedemptionStatus.HELD.value
    same_requests = _still(RedemptionItem.order_requests, item.order_requests)
    same_order = _still(RedemptionItem.supplier_order_id, item.supplier_order_id)
    unchanged: Condition = held & same_requests & same_order
    return unchanged


def _still(attribute: Any, value: int | str | None) -> Condition:
    unchanged: Condition = attribute.does_not_exist() if value is None else attribute == value
    return unchanged


def _facts(program_version: int, now: datetime, redemption: Redemption) -> Facts:
    return Facts(
        occurred_at=now,
        program_version=program_version,
        redemption_id=redemption.redemption_id,
        reward_id=redemption.reward_id,
    )
