"""Clients of the platform: each sends commands to the real services over its own connection, by its own clock."""

from collections.abc import Callable
from typing import Any

from loyalty.accruals.awaited import AwaitedReversals, Kept
from loyalty.accruals.service import AccrualService
from loyalty.adjustments.model import AdjustmentStatus, Asked
from loyalty.adjustments.service import AdjustmentService
from loyalty.adjustments.store import AdjustmentStore
from loyalty.ledger.draft import Posted
from loyalty.ledger.service import Ledger
from loyalty.merging.service import MergeService
from loyalty.programs.model import Program
from loyalty.rewards.model import Party
from loyalty.rewards.service import RedemptionService
from loyalty.rewards.store import RedemptionStore
from loyalty.tiers.grants import Asked as AskedTier
from loyalty.tiers.grants import TierGrants
from loyalty.tiers.service import TierService
from loyalty.transfers.service import TransferService
from tests.simulation.answers import KEPT, NOTHING, POSTED, Answer, activity_of, refund_of, trouble
from tests.simulation.events import Events
from tests.simulation.naming import CLIENT_ID, OFFICE_ID, Ids
from tests.simulation.oracle.commands import (
    Accrue,
    Adjust,
    Command,
    Decide,
    EndGrant,
    EndHold,
    Give,
    Grant,
    HoldPoints,
    Merge,
    Recalculate,
    TakeBack,
)
from tests.simulation.simulation import Process


class Client:
    """The services as a function's composition root makes them, over a process' table."""

    def __init__(self, process: Process, known: dict[tuple[str, str], str]) -> None:
        """``known`` has the ids of redemptions that clients were told of, by whom and under which key they asked."""
        table, clock = process.table, process.clock
        self._known = known
        ledger = Ledger(table, clock, sleep=process.sleep)
        self.ledger = ledger
        self._accruals = AccrualService(ledger, clock)
        self._reversals = AwaitedReversals(table, self._accruals, clock, sleep=process.sleep)
        self._redemptions = RedemptionService(ledger, RedemptionStore(table), clock)
        self._adjustments = AdjustmentService(ledger, AdjustmentStore(table), clock, sleep=process.sleep)
        self._transfers = TransferService(ledger, clock)
        self._merges = MergeService(ledger, self._reversals)
        self._tiers = TierService(ledger)
        self._grants = TierGrants(ledger)
        self.events = Events(process, self._accruals)

    def act(self, command: Command, program: Program) -> Answer:
        """Sends the command, once."""
        try:
            return self._send(command, program)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is an answer
            return trouble(error)

    def _send(self, command: Command, program: Program) -> Answer:
        acts: dict[type, Callable[[Any, Program], Answer]] = {
            Accrue: self._accrue,
            TakeBack: self._take_back,
            HoldPoints: self._hold,
            EndHold: self._end,
            Adjust: self._adjust,
            Decide: self._decide,
            Give: self._give,
            Merge: self._merge,
            Recalculate: self._recalculate,
            Grant: self._grant,
            EndGrant: self._end_grant,
        }
        return acts[type(command)](command, program)

    def _accrue(self, command: Accrue, program: Program) -> Answer:
        return _of(self._accruals.accrue(program, command.member, activity_of(command)))

    def _take_back(self, command: TakeBack, program: Program) -> Answer:
        found = self._reversals.reverse(program, command.member, refund_of(command))
        return Answer(KEPT, fresh=not found.replayed) if isinstance(found, Kept) else _of(found)

    def _merge(self, command: Merge, program: Program) -> Answer:
        sides = self._merges.merge(program, command.member, absorbed=command.absorbed, actor=command.actor)
        return Answer(POSTED, fresh=not sides[0].replayed, shown=[side.entry for side in sides])

    def _recalculate(self, command: Recalculate, program: Program) -> Answer:
        if command.posted_at is None:
            raise AssertionError("nothing to recalculate after")
        posted = self._tiers.recalculate(program, command.member, cause=command.cause, posted_at=command.posted_at)
        return Answer(NOTHING) if posted is None else _of(posted)

    def _grant(self, command: Grant, program: Program) -> Answer:
        asked = AskedTier(command.ladder, command.reason, command.actor, CLIENT_ID, command.key)
        return _of(self._grants.grant(program, command.member, asked, tier=command.tier, until=command.until))

    def _end_grant(self, command: EndGrant, program: Program) -> Answer:
        asked = AskedTier(command.ladder, command.reason, command.actor, CLIENT_ID, command.key)
        return _of(self._grants.end(program, command.member, asked))

    def _hold(self, command: HoldPoints, program: Program) -> Answer:
        redemption, replayed = self._redemptions.hold(
            program,
            command.member,
            reward_id=command.reward,
            quantity=command.quantity,
            client_id=CLIENT_ID,
            idempotency_key=command.key,
            hold_minutes=command.minutes,
        )
        self._known[command.member, command.key] = redemption.redemption_id
        return Answer(POSTED, fresh=not replayed, shown=redemption)

    def _end(self, command: EndHold, program: Program) -> Answer:
        name = command.name or Ids().redemption(command.hold.member, command.hold.key)
        by = Party(command.by)
        acts: dict[str, Callable[[], Any]] = {
            "captured": lambda: self._redemptions.capture(program, command.member, name, by=by, points=command.points),
            "released": lambda: self._redemptions.release(program, command.member, name, by=by),
            "cancelled": lambda: self._redemptions.cancel(program, command.member, name, by=by),
        }
        return Answer(POSTED, shown=acts[command.how]())

    def _adjust(self, command: Adjust, program: Program) -> Answer:
        asked = Asked(command.points, command.reason, command.actor, command.wallet)
        adjustment, replayed = self._adjustments.ask(
            program, command.member, asked, client_id=CLIENT_ID, idempotency_key=command.key
        )
        proposed = adjustment.status is AdjustmentStatus.PROPOSED
        return Answer(NOTHING if proposed else POSTED, fresh=not replayed, shown=adjustment)

    def _decide(self, command: Decide, program: Program) -> Answer:
        name = Ids().adjustment(command.adjust.member, command.adjust.key)
        decides = {"actor": command.actor, "client_id": OFFICE_ID}
        if command.approved:
            return Answer(POSTED, shown=self._adjustments.approve(program, command.member, name, **decides))
        return Answer(NOTHING, shown=self._adjustments.reject(program.document.id, command.member, name, **decides))

    def _give(self, command: Give, program: Program) -> Answer:
        transfer, replayed = self._transfers.give(
            program,
            command.member,
            to_member_id=command.to,
            points=command.points,
            wallet=command.wallet,
            client_id=CLIENT_ID,
            idempotency_key=command.key,
        )
        return Answer(POSTED, fresh=not replayed, shown=transfer)


def _of(posted: Posted) -> Answer:
    return Answer(POSTED, fresh=not posted.replayed, shown=[posted.entry])
