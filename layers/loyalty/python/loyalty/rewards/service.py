"""Holding points for a reward, ending the hold once, and undoing what was captured."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from pynamodb.expressions.condition import Condition

from loyalty.core.clock import Clock, local_date
from loyalty.core.errors import (
    EntryExistsWithDifferentRequest,
    IdempotencyKeyReused,
    MemberMerged,
    RedemptionNotFound,
)
from loyalty.core.ids import redemption_id as redemption_id_for
from loyalty.core.table import Put
from loyalty.ledger.draft import Decision, Posted, Posting, Situation
from loyalty.ledger.model import POINTS, Book, EntryKey, EntryKind, Facts, Scope
from loyalty.ledger.service import Ledger, following
from loyalty.ledger.store import parse_partition
from loyalty.programs.model import Program
from loyalty.rewards.ending import SOURCE, Ending, Giving
from loyalty.rewards.holding import Wish, as_first_held
from loyalty.rewards.model import Party, Redemption, RedemptionStatus
from loyalty.rewards.store import (
    RedemptionItem,
    RedemptionStore,
    redemption_item,
    redemption_of,
    redemption_sk,
    write_end,
)


class _NotOfOneMoment(Exception):
    """The book that was read is newer than the redemption that was read with it."""


class RedemptionService:
    """Holds, captures, releases and cancels. Whatever happens to a hold is an entry with the redemption's identity."""

    def __init__(self, ledger: Ledger, store: RedemptionStore, clock: Clock) -> None:
        self._ledger = ledger
        self._store = store
        self._clock = clock

    def get(self, program: str, member_id: str, redemption_id: str) -> Redemption:
        """The redemption as it is now.

        Raises:
            RedemptionNotFound: the member has no such redemption.
        """
        return self._store.get(program, member_id, redemption_id, self._clock())

    def hold(
        self,
        program: Program,
        member_id: str,
        *,
        reward_id: str,
        quantity: int,
        client_id: str,
        idempotency_key: str,
        hold_minutes: int | None = None,
        requested_by: str | None = None,
    ) -> tuple[Redemption, bool]:
        """Opens the redemption that this client's idempotency key stands for; True where an earlier call did.

        ``hold_minutes`` is after how many minutes the points go back by themselves, where the partner ends the
        redemption; None: after as many as the program says. ``requested_by`` is the client or person who may not approve
        it; None: this client.

        Raises:
            RewardNotFound: not in the program's catalogue.
            QuantityLimitExceeded, PointsLimitExceeded: more than one redemption may hold.
            HoldMinutesLimitExceeded, HoldMinutesNotAllowed: longer than the program lets it, or for a gift card.
            TooManyHolds: as many of the member's holds are open as may be.
            InsufficientPoints: nothing is held.
            IdempotencyKeyReused: the key was used with another request.
            MemberNotFound, WalletBusy: see :meth:`Ledger.post`.
        """
        wish = Wish(reward_id, quantity, hold_minutes)
        by = requested_by or f"client:{client_id}"

        def post(member: str) -> tuple[Redemption, bool]:
            redemption_id = redemption_id_for(program.document.id, member, client_id, idempotency_key)
            return self._hold(program, member, redemption_id, wish, by)

        return following(member_id, post)

    def capture(
        self,
        program: Program,
        member_id: str,
        redemption_id: str,
        *,
        by: Party,
        points: int | None = None,
        giving: Giving | None = None,
    ) -> Redemption:
        """Spends ``points`` of the hold for good (None: all) and gives the others back; once captured, says so again.

        ``giving`` is written with it, or not at all: where it was captured before, nothing is.

        Raises:
            RedemptionNotFound: the member has no such redemption.
            CaptureExceedsHold: more points than are held, or none.
            RedemptionAlreadyReleased, RedemptionTimedOut: the points went back.
            RedemptionAlreadyCaptured: of other points.
            RedemptionAlreadyCancelled: it was captured, and undone since.
            FulfillmentInProgress: this type of reward is ended by the other party.
            MemberNotFound, WalletBusy: see :meth:`Ledger.post`.
        """
        ending = Ending(RedemptionStatus.CAPTURED, by, points=points, giving=giving)
        return self._end(program, member_id, redemption_id, ending)

    def release(
        self,
        program: Program,
        member_id: str,
        redemption_id: str,
        *,
        by: Party,
        order_requests: int | None = None,
        giving: Giving | None = None,
    ) -> Redemption:
        """Gives the held points back to the lots that they came from; once released, says so again.

        ``order_requests`` is the redemption's when the supplier said that it has no order; None where nobody asked.
        ``giving``: as of :meth:`capture`.

        Raises:
            RedemptionNotFound: the member has no such redemption.
            RedemptionAlreadyCaptured: the points are spent.
            RedemptionTimedOut, RedemptionAlreadyCancelled: they went back already.
            FulfillmentInProgress: this type of reward is ended by the other party, the supplier has an order, or was
                asked for one since ``order_requests``.
            MemberNotFound, WalletBusy: see :meth:`Ledger.post`.
        """
        ending = Ending(RedemptionStatus.RELEASED, by, order_requests=order_requests, giving=giving)
        return self._end(program, member_id, redemption_id, ending)

    def cancel(
        self, program: Program, member_id: str, redemption_id: str, *, by: Party, giving: Giving | None = None
    ) -> Redemption:
        """Undoes a capture: the captured points come back to their lots; once cancelled, says so again.

        ``giving``: as of :meth:`capture`.

        Raises:
            RedemptionNotFound: the member has no such redemption.
            RedemptionNotCaptured: it is held; it can be released.
            RedemptionAlreadyReleased, RedemptionTimedOut: it was never captured, and its points went back.
            RedemptionNotCancellable: of a gift card, which fulfilment alone cancels once its supplier took it back.
            FulfillmentInProgress: this type of reward is ended by the other party.
            MemberNotFound, WalletBusy: see :meth:`Ledger.post`.
        """
        return self._end(program, member_id, redemption_id, Ending(RedemptionStatus.CANCELLED, by, giving=giving))

    def _hold(
        self, program: Program, member_id: str, redemption_id: str, wish: Wish, by: str
    ) -> tuple[Redemption, bool]:
        opened: list[Redemption] = []

        def decide(situation: Situation) -> Decision:
            granted = wish.granted(program, situation, redemption_id)
            opened.append(replace(granted.redemption, requested_by=by))
            record = Put(redemption_item(opened[-1]), RedemptionItem.pk.does_not_exist())
            facts = _facts(program.version, situation.now, granted.redemption)
            return Decision(granted.movement, facts, [record], granted.then)

        posting = Posting(EntryKey(EntryKind.HOLD, SOURCE, redemption_id), wish.request_hash, decide)
        try:
            posted = self._ledger.post(program.scope, member_id, posting)
        except EntryExistsWithDifferentRequest as error:
            raise IdempotencyKeyReused(
                "This Idempotency-Key was used for another redemption of this member; send a new key."
            ) from error
        if posted is not None and posted.replayed:
            return as_first_held(self.get(program.document.id, member_id, redemption_id)), True
        return opened[-1], False

    def _end(self, program: Program, member_id: str, redemption_id: str, ending: Ending) -> Redemption:
        try:
            return self._end_in(program, member_id, member_id, redemption_id, ending)
        except MemberMerged as merged:
            holder = merged.into
        except RedemptionNotFound:
            holder = member_id
        # It lies with the survivor of a merge, with somebody whom the member absorbed, or nowhere.
        home = parse_partition(self._store.item(program.document.id, member_id, redemption_id).pk)[1]
        return following(holder, lambda member: self._end_in(program, member, home, redemption_id, ending))

    def _end_in(self, program: Program, member_id: str, home: str, redemption_id: str, ending: Ending) -> Redemption:
        """Ends a redemption that lies in the partition of ``home`` and was paid with points that ``member_id`` has."""
        sk = redemption_sk(redemption_id)
        seen: list[Redemption] = []

        def decide(situation: Situation) -> Decision | None:
            if sk not in situation.records:
                raise RedemptionNotFound(f"Member '{member_id}' has no redemption '{redemption_id}'.")
            item = RedemptionItem.from_raw_data(situation.records[sk])
            redemption = redemption_of(item, situation.now)
            seen.append(redemption)
            ending.require_party(redemption)
            if redemption.status is not ending.follows:
                return None
            ending.require_possible(redemption)
            _require_one_moment(situation.book, redemption)
            seen.append(ending.of(redemption, situation.now))
            return _decision(program.scope, situation, ending, item, seen[-1])

        identity = ending.key(redemption_id), ending.request_hash(redemption_id)
        try:
            posted = self._post_of_one_moment(
                program.scope, member_id, Posting(*identity, decide, records=(sk,), records_of=home)
            )
        except EntryExistsWithDifferentRequest:
            # Of two at the same moment: what was captured may be the same points, said in another way.
            return ending.answer(self.get(program.document.id, home, redemption_id))
        if posted is None:
            certain = self._certain(seen[-1])
            if certain.status is not ending.follows:
                return ending.answer(certain)
            return self._end_in(program, member_id, home, redemption_id, ending)
        if posted.replayed:
            return ending.answer(self.get(program.document.id, home, redemption_id))
        return seen[-1]

    def _post_of_one_moment(self, scope: Scope, member_id: str, posting: Posting) -> Posted | None:
        try:
            return self._ledger.post(scope, member_id, posting)
        except _NotOfOneMoment:
            # Read again, the redemption is at least as new as the book that was read before.
            return self._ledger.post(scope, member_id, posting)

    def _certain(self, redemption: Redemption) -> Redemption:
        """Read again where it timed out: it may have ended in time, after it was read and before the hour was."""
        if redemption.status is not RedemptionStatus.TIMED_OUT or redemption.expires_at is None:
            return redemption
        return self._store.get(
            redemption.program, redemption.member_id, redemption.redemption_id, redemption.expires_at
        )


def _require_one_moment(book: Book, redemption: Redemption) -> None:
    """The items of one read are not of one moment: a hold that the book has ended may be open in the redemption."""
    if redemption.status is not RedemptionStatus.HELD:
        return
    timed = redemption.expires_at is not None
    if redemption.redemption_id not in book.holds if timed else book.wallet().held < redemption.points:
        raise _NotOfOneMoment(f"the book after its posting {book.seq} has no hold '{redemption.redemption_id}'")


def _decision(scope: Scope, situation: Situation, ending: Ending, item: RedemptionItem, ended: Redemption) -> Decision:
    as_read = _as_read(item)
    write_end(item, ended)
    movement = ending.movement(
        situation.book,
        ended,
        today=local_date(situation.now, scope.zone),
        grace_days=scope.terms_of(POINTS).grace_days,
    )
    also = ending.giving(ended, situation.now) if ending.giving else ()
    return Decision(movement, _facts(ended.program_version, situation.now, ended), [Put(item, as_read), *also])


def _as_read(item: RedemptionItem) -> Condition:
    """The item goes back whole, so nothing that fulfilment writes on its own may have changed since it was read."""
    same_status = RedemptionItem.status == item.status
    same_requests = _still(RedemptionItem.order_requests, item.order_requests)
    same_order = _still(RedemptionItem.supplier_order_id, item.supplier_order_id)
    unchanged: Condition = same_status & same_requests & same_order
    return unchanged


def _still(attribute: Any, value: int | str | None) -> Condition:
    unchanged: Condition = attribute.does_not_exist() if value is None else attribute == value
    return unchanged


def _facts(program_version: int, now: datetime, redemption: Redemption) -> Facts:
    held = redemption.status is RedemptionStatus.HELD
    return Facts(
        occurred_at=now,
        program_version=program_version,
        redemption_id=redemption.redemption_id,
        reward_id=redemption.reward_id,
        hold_expires_at=redemption.expires_at if held else None,
    )
