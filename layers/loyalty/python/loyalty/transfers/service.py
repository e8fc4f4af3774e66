"""Gifts of points from one member to another, within the program's limits."""

from collections.abc import Sequence
from typing import Final

from loyalty.abuse.holding import require_free
from loyalty.core import ids
from loyalty.core.clock import Clock, local_date
from loyalty.core.table import Operation
from loyalty.ledger.draft import Situation
from loyalty.ledger.service import Ledger
from loyalty.programs.model import Program
from loyalty.transfers.errors import DailyTransferLimitExceeded
from loyalty.transfers.limits import Daily
from loyalty.transfers.model import Transfer, offer
from loyalty.transfers.moving import Move, move

_SOURCE: Final = "transfer"


class TransferService:
    """Transfers between members, each in one transaction over both books."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock

    def give(
        self,
        program: Program,
        member_id: str,
        *,
        to_member_id: str,
        points: int,
        wallet: str,
        client_id: str,
        idempotency_key: str,
    ) -> tuple[Transfer, bool]:
        """The transfer that this client's idempotency key stands for; True where an earlier call made it.

        Points keep their last day, and pay what the receiver owes first. It counts towards the giver's limit of the
        day (in the program's zone) on which this is called.

        Raises:
            TransferToSelf: both are one member, or were merged into one.
            TransfersNotOffered, WalletNotFound, WalletNotTransferable, TransferBelowMinimum, TransferAboveMaximum: see
                ``offer``.
            RedemptionsOnHold: the giver is on hold.
            DailyTransferLimitExceeded: with it the giver would give more than the program allows on one day.
            InsufficientPoints, IdempotencyKeyReused, MemberNotFound, WalletBusy: see ``move``.
        """
        document = program.document
        today = Daily(_SOURCE, local_date(self._clock(), document.zone))

        def rules(giver: Situation, _: Situation) -> tuple[Sequence[Operation], Sequence[Operation]]:
            terms = offer(document, wallet, points)
            require_free(giver.book)
            given = today.moved(giver.records, wallet)
            if given + points > terms.daily_points:
                raise DailyTransferLimitExceeded(
                    f"{max(terms.daily_points - given, 0)} points may still be given today; the limit of a day is "
                    f"{terms.daily_points}.",
                    pointer="/points",
                )
            return [today.put(giver.book, giver.records, wallet, points)], []

        asked = Move(
            source=_SOURCE,
            transfer_id=ids.transfer_id(document.id, member_id, client_id, idempotency_key),
            giver=member_id,
            receiver=to_member_id,
            points=points,
            wallet=wallet,
            request_hash=ids.request_hash({"to": to_member_id, "points": points, "wallet": wallet}),
            giver_records=(today.sk,),
        )
        return move(self._ledger, program, asked, rules)
