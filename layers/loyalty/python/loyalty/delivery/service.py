"""From a held redemption to what was given for it: once, whoever asks and how often.

::

    read redemption and reward → ask the handler → capture, with what gives it           delivered
                                                → somebody got in first: ask again
                               → nothing to give → release                                released
"""

from collections.abc import Mapping
from typing import Final

from loyalty.core.errors import RecordChanged, RewardNotFound, Unavailable
from loyalty.delivery.errors import NothingToGive
from loyalty.delivery.model import Delivered, Handler, Outcome
from loyalty.programs.rewards import Reward, RewardType
from loyalty.programs.store import ProgramStore
from loyalty.programs.versions import VersionStore
from loyalty.rewards.errors import RedemptionAlreadyCaptured, RedemptionAlreadyReleased
from loyalty.rewards.model import Party, Redemption, RedemptionStatus
from loyalty.rewards.service import RedemptionService

_ATTEMPTS: Final = 8
_ENDED: Final = {
    RedemptionStatus.CAPTURED: Outcome.ALREADY_DELIVERED,
    RedemptionStatus.CANCELLED: Outcome.ALREADY_DELIVERED,
    RedemptionStatus.RELEASED: Outcome.ALREADY_RELEASED,
    RedemptionStatus.TIMED_OUT: Outcome.ALREADY_RELEASED,
}


class DeliveryService:
    """Ends redemptions of what the platform gives itself, all but gift cards.

    Args:
        redemptions: captures and releases.
        programs: what is in force.
        versions: what was in force when the points were held.
        handlers: by the type of reward.
    """

    def __init__(
        self,
        redemptions: RedemptionService,
        programs: ProgramStore,
        versions: VersionStore,
        handlers: Mapping[RewardType, Handler],
    ) -> None:
        self._redemptions = redemptions
        self._programs = programs
        self._versions = versions
        self._handlers = handlers

    def deliver(self, program: str, member_id: str, redemption_id: str) -> Delivered:
        """Gives what a redemption is for, or its points back.

        Raises:
            RedemptionNotFound, RewardNotFound: there is nothing that could be given.
            Unavailable: others got in first every time.
            MemberNotFound, WalletBusy: see :meth:`RedemptionService.capture`.
        """
        redemption = self._redemptions.get(program, member_id, redemption_id)
        if (ended := _ENDED.get(redemption.status)) is not None:
            return Delivered(ended)
        if redemption.party is not Party.FULFILLMENT:
            return Delivered(Outcome.NOT_OURS)
        handler, reward = self._handlers.get(redemption.reward_type), self._reward(redemption)
        if handler is None:
            raise RewardNotFound(f"Nothing here gives rewards of type '{redemption.reward_type}'.")
        for _ in range(_ATTEMPTS):
            try:
                return self._given(handler, redemption, reward)
            except RecordChanged:
                # Another redemption took that code, or the batch was closed: there is a next one, or there is not.
                continue
            except RedemptionAlreadyReleased:
                return Delivered(Outcome.ALREADY_RELEASED)
            except RedemptionAlreadyCaptured:
                # The same event, delivered twice at one moment: the other one got the last code.
                return Delivered(Outcome.ALREADY_DELIVERED)
        raise Unavailable("Others got in first every time; the same event is processed again.")

    def _given(self, handler: Handler, redemption: Redemption, reward: Reward) -> Delivered:
        current = self._programs.current(redemption.program)
        member_id, redemption_id = redemption.member_id, redemption.redemption_id
        try:
            giving = handler.deliver(redemption, reward)
        except NothingToGive as nothing:
            self._redemptions.release(current, member_id, redemption_id, by=Party.FULFILLMENT)
            return Delivered(Outcome.RELEASED, reason=nothing.reason)
        self._redemptions.capture(current, member_id, redemption_id, by=Party.FULFILLMENT, giving=giving)
        pooled = reward.codes is not None and reward.codes.source == "pool"
        return Delivered(Outcome.DELIVERED, from_pool=reward.id if pooled else None)

    def _reward(self, redemption: Redemption) -> Reward:
        """What the catalogue said when the points were held, whatever it says today."""
        version = self._versions.get(redemption.program, redemption.program_version)
        reward = version.program.document.reward(redemption.reward_id)
        if reward is None:
            raise RewardNotFound(
                f"Version {redemption.program_version} of program '{redemption.program}' has no reward "
                f"'{redemption.reward_id}'."
            )
        return reward
