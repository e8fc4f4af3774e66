"""Holding points for a reward, ending the hold once, and undoing what was captured."""

from collections.abc import Sequence
from functools import partial

from loyalty.core.clock import Clock
from loyalty.core.errors import (
    EntryExistsWithDifferentRequest,
    IdempotencyKeyReused,
    MemberMerged,
    RedemptionNotFound,
    Undecided,
)
from loyalty.core.four_eyes import client_actor
from loyalty.core.ids import redemption_id as redemption_id_for
from loyalty.core.money import Money
from loyalty.core.table import Operation
from loyalty.ledger.draft import Decision, Posting, Situation
from loyalty.ledger.keys import parse_partition
from loyalty.ledger.model import Book, EntryKey, EntryKind
from loyalty.ledger.service import Ledger, following
from loyalty.programs.model import Program
from loyalty.rewards.decision import end_decision, hold_decision
from loyalty.rewards.ending import SOURCE, Delivery, Ending
from loyalty.rewards.holding import Wish, as_first_held
from loyalty.rewards.limits import LIMITS_SK, NotOfOneMoment, Taken
from loyalty.rewards.model import Party, Payer, Redemption, RedemptionStatus
from loyalty.rewards.posting import post, post_under_limits
from loyalty.rewards.quoting import Quote
from loyalty.rewards.store import RedemptionItem, RedemptionStore, redemption_of, redemption_sk
from loyalty.stock.claim import Claim


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

    def shown(self, program: str, member_id: str, redemption_id: str) -> Redemption:
        """The redemption as it is now, for who shows it to somebody.

        Raises:
            RedemptionNotFound: the member has no such redemption.
            MemberErased: there is no such member any more; what they redeemed can still be cancelled.
        """
        return self._store.shown(program, member_id, redemption_id, self._clock())

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
        amount: Money | None = None,
        country: str | None = None,
        quoted_points: int | None = None,
        quoted_wallet: str | None = None,
        requested_by: str | None = None,
        requested_through: str | None = None,
        campaign: str | None = None,
        paid_by: Payer = Payer.MEMBER,
    ) -> tuple[Redemption, bool]:
        """Opens the redemption that this client's idempotency key stands for; True where an earlier call did.

        ``hold_minutes`` is after how many minutes the points go back by themselves, where the partner ends the
        redemption; None: after as many as the program says. ``amount`` is of each, where the member chooses one;
        ``country`` where it is redeemed (ISO 3166-1 alpha-2); ``quoted_points`` the price that the member was told,
        ``quoted_wallet`` the wallet of it.
        ``campaign`` is the list that it is a line of; ``paid_by`` the
        program, it takes no points and is a redemption all the same. ``requested_by`` is the client or person who may not
        approve it, ``requested_through`` the client that named the person, which may not either; None: this client.

        Raises:
            RewardNotFound: not in the program's catalogue.
            QuantityLimitExceeded, PointsLimitExceeded: more than one redemption may hold.
            AmountRequired, AmountNotAllowed, DenominationRefused: not an amount that it is given for.
            RewardNotYetAvailable, RewardNoLongerAvailable, CountryRequired, RewardNotInCountry, TierRequired,
            MemberTooNew: not now, not there, or not for this member.
            PriceChanged: it costs something else than was quoted, or is paid from another wallet.
            HoldMinutesLimitExceeded, HoldMinutesNotAllowed: longer than the program lets it, or for a gift card.
            RewardLimitReached, DailyRedemptionLimitExceeded: the member has had as many as one may.
            TooManyHolds: as many of the member's holds are open as may be.
            InsufficientPoints: nothing is held.
            OutOfStock: fewer are left of the reward.
            OneCodeAtATime: several of what comes as a code.
            RedemptionsOnHold: somebody has to look at the member first.
            IdempotencyKeyReused: the key was used with another request.
            MemberNotFound, WalletBusy: see :meth:`Ledger.post`.
        """
        wish = Wish(
            reward_id,
            quantity,
            hold_minutes,
            amount,
            country,
            quoted_points,
            campaign,
            paid_by,
            requested_by or client_actor(client_id),
            requested_through,
            quoted_wallet,
        )

        def post(member: str) -> tuple[Redemption, bool]:
            redemption_id = redemption_id_for(program.document.id, member, client_id, idempotency_key)
            return self._hold(program, member, redemption_id, wish)

        return following(member_id, post)

    def quote(self, program: Program, member_id: str, wish: Wish) -> Quote:
        """What it would cost the member now, and all that speaks against it. Writes nothing.

        Raises:
            RewardNotFound, QuantityLimitExceeded, PointsLimitExceeded, AmountRequired, AmountNotAllowed,
            DenominationRefused: there is no price, see :meth:`hold`.
            MemberNotFound, WalletBusy: see :meth:`Ledger.post`.
        """
        price = wish.price(program)
        told: list[Quote] = []

        def decide(situation: Situation, taken: Sequence[Taken], claim: Claim | None) -> None:
            objections = tuple(wish.objections(program, situation, price, taken, claim))
            available = situation.book.wallet(price.wallet).available
            told.append(Quote(wish, price, available, objections, situation.now))

        # An identity that nothing has: nothing is posted under it.
        key = EntryKey(EntryKind.HOLD, SOURCE, "?")
        following(
            member_id, lambda member: post_under_limits(self._ledger, program, member, key, wish=wish, decide=decide)
        )
        return told[-1]

    def capture(
        self,
        program: Program,
        member_id: str,
        redemption_id: str,
        *,
        by: Party,
        points: int | None = None,
        reference: str | None = None,
        tracking_url: str | None = None,
        giving: Sequence[Operation] = (),
    ) -> Redemption:
        """Spends ``points`` of the hold for good (None: all) and gives the others back; once captured, says so again.

        ``reference`` and ``tracking_url`` say how it is delivered; those of the first capture stay.
        ``giving`` is written in the same transaction: what the member gets is there if and only if it is captured.

        Raises:
            RedemptionNotFound: the member has no such redemption.
            CaptureExceedsHold: more points than are held, or none.
            RedemptionAlreadyReleased, RedemptionTimedOut: the points went back.
            RedemptionAlreadyCaptured: of other points.
            RedemptionAlreadyCancelled: it was captured, and undone since.
            FulfillmentInProgress: this type of reward is ended by the other party.
            RecordChanged: a condition of ``giving`` does not hold.
            MemberNotFound, WalletBusy: see :meth:`Ledger.post`.
        """
        delivery = Delivery(reference, tracking_url)
        ending = Ending(RedemptionStatus.CAPTURED, by, points=points, delivery=delivery, giving=giving)
        return self._end(program, member_id, redemption_id, ending)

    def release(
        self,
        program: Program,
        member_id: str,
        redemption_id: str,
        *,
        by: Party,
        order_requests: int | None = None,
        giving: Sequence[Operation] = (),
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
        self, program: Program, member_id: str, redemption_id: str, *, by: Party, giving: Sequence[Operation] = ()
    ) -> Redemption:
        """Undoes a capture: the captured points come back to their lots; once cancelled, says so again.

        ``giving``: as of :meth:`capture`.

        Raises:
            RedemptionNotFound: the member has no such redemption.
            RedemptionNotCaptured: it is held; it can be released.
            RedemptionAlreadyReleased, RedemptionTimedOut: it was never captured, and its points went back.
            RedemptionNotCancellable: of a gift card, a code, cashback or a donation. A gift card, only fulfilment cancels,
                once its supplier took it back.
            ReturnPeriodOver: it was captured longer ago than its reward can be returned.
            FulfillmentInProgress: this type of reward is ended by the other party.
            MemberNotFound, WalletBusy: see :meth:`Ledger.post`.
        """
        return self._end(program, member_id, redemption_id, Ending(RedemptionStatus.CANCELLED, by, giving=giving))

    def _hold(self, program: Program, member_id: str, redemption_id: str, wish: Wish) -> tuple[Redemption, bool]:
        opened: list[Redemption] = []

        def decide(situation: Situation, taken: Sequence[Taken], claim: Claim | None) -> Decision:
            granted = wish.granted(program, situation, redemption_id, taken, claim)
            opened.append(granted.redemption)
            return hold_decision(program, situation, granted)

        key = EntryKey(EntryKind.HOLD, SOURCE, redemption_id)
        try:
            posted = post_under_limits(self._ledger, program, member_id, key, wish=wish, decide=decide)
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

        def decide(situation: Situation, records: tuple[str, ...]) -> Decision | None:
            if sk not in situation.records:
                raise RedemptionNotFound(f"Member '{member_id}' has no redemption '{redemption_id}'.")
            item = RedemptionItem.from_raw_data(situation.records[sk])
            redemption = redemption_of(item, situation.now)
            seen.append(redemption)
            ending.require_party(redemption)
            if redemption.status is not ending.follows:
                return None
            ending.require_possible(redemption, situation.now, program.document.zone)
            _require_one_moment(situation.book, redemption)
            if redemption.counted and LIMITS_SK not in records:
                raise Undecided("This is decided on more than was read.", again=posting((sk, LIMITS_SK)))
            seen.append(ending.of(redemption, situation.now))
            return end_decision(program.scope, situation, ending, item, seen[-1])

        def posting(records: tuple[str, ...]) -> Posting:
            key, asked = ending.key(redemption_id), ending.request_hash(redemption_id)
            decided = partial(decide, records=records)
            return Posting(key, asked, decided, records=records, records_of=home)

        first = (sk, LIMITS_SK) if _counts(program) else (sk,)
        try:
            posted = post(self._ledger, program.scope, member_id, posting(first))
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
    if redemption.redemption_id not in book.holds if timed else book.wallet(redemption.wallet).held < redemption.points:
        raise NotOfOneMoment(f"the book after its posting {book.seq} has no hold '{redemption.redemption_id}'")


def _counts(program: Program) -> bool:
    """Whether redemptions of this program come under limits; of those of former versions, their items say it."""
    document = program.document
    limits = document.limits
    daily = limits.redemptions_per_day is not None or limits.points_per_day is not None
    return daily or any(reward.per_member for reward in document.rewards)
