"""Both sides of a referral are rewarded together or not at all, once, and what they got is taken back together.

::

    pay       accrual:referral:{friend}            in the book of who brought somebody: the activity ``referral``
              accrual:referral:{friend}            in the book of who was brought: the activity ``referred``
              REFERRAL, REFERRALS                  that it is rewarded, and how many of the referrer's are
    reverse   reversal:referral:{friend}/referral  where what the first has got is by now
              reversal:referral:{friend}/referred  where what the second has got is by now

Each is one transaction. It requires that the referral is as it was read, so that whoever pays at the same time, or again, finds
it rewarded. What was taken back has an identity for each side, since both may be one member by then.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from loyalty.accruals.model import REFERRAL_SOURCE, Activity, Refund, ReversalReason
from loyalty.accruals.reading import MemberPosting
from loyalty.accruals.service import AccrualService
from loyalty.attribution.model import Referral, ReferralStatus, Rewarded
from loyalty.attribution.store import ReferralStore, referral_put
from loyalty.core.clock import Clock, from_text, to_text
from loyalty.core.errors import (
    EntryExistsWithDifferentRequest,
    MemberErased,
    MemberMerged,
    MemberRestricted,
    RecordChanged,
    WalletBusy,
)
from loyalty.core.table import Operation
from loyalty.ledger.draft import Posting
from loyalty.ledger.model import POINTS, Account, Book, Entry
from loyalty.ledger.service import Ledger
from loyalty.programs.deeds import REFERRAL, REFERRED
from loyalty.programs.errors import ActivityNotRewarded, AmountRequired
from loyalty.programs.model import Program
from loyalty.referrals.payments import Count, PaymentStore, Sides, count_put

SAME_MEMBER: Final = "same_member"
MEMBER_ERASED: Final = "member_erased"
NO_RULE: Final = "no_rule"
_ATTEMPTS: Final = 8
"""Times that a payment is begun anew where somebody was merged, or another of the referrer's was paid, meanwhile."""
_PAID: Final = frozenset({ReferralStatus.REWARDED, ReferralStatus.REVERSED, ReferralStatus.UNREWARDED})


class Payer:
    """Rewards referrals, and takes back what they were rewarded with."""

    def __init__(self, ledger: Ledger, store: ReferralStore, clock: Clock) -> None:
        self._ledger = ledger
        self._store = store
        self._payments = PaymentStore(store.table)
        self._accruals = AccrualService(ledger, clock)
        self._clock = clock

    def pay(self, program: Program, referral: Referral, *, guards: Sequence[Operation] = ()) -> Referral:
        """Rewards both sides of a referral that qualified; the referral as it is stored then.

        Whoever was merged into another is rewarded as that member. Where both are one member by now, one of them was erased,
        or the program has no rule for one side, nobody is rewarded: it is ``unrewarded``, because of that. ``guards`` hold
        when it is written, such as that nothing more was given back of what qualified. What was paid before is told again.

        Raises:
            MemberRestricted: the data of one of them is restricted: try again when it no longer is.
            RecordChanged: the referral is not what was read, or a guard does not hold: read again, decide again.
            WalletBusy: others got in first every time: try again later.
            MemberNotFound: one of them has no book.
        """
        if referral.status not in _PAID and referral.qualified is None:
            raise AssertionError(f"the referral of '{referral.member_id}' is paid, and did not qualify")
        return self._settled(referral, _PAID, lambda: self._pay(program, referral, guards))

    def reverse(self, program: Program, referral: Referral, reason: str = ReversalReason.RETURN) -> Referral:
        """Takes back from both what is left of what they were rewarded with; the referral as it is stored then.

        It is never refused: who has spent the points owes them. ``reason`` becomes the reason of the entries where it is
        a :class:`ReversalReason`; with any other they look as if goods had come back, since members read them. What was taken back before is told again.

        Raises:
            AssertionError: it was never rewarded.
            RecordChanged, WalletBusy, MemberNotFound: see :meth:`pay`.
        """
        rewarded = referral.rewarded
        if rewarded is None:
            raise AssertionError(f"the referral of '{referral.member_id}' was never rewarded")
        done = frozenset({ReferralStatus.REVERSED})
        return self._settled(referral, done, lambda: self._reverse(program, referral, rewarded, reason))

    def _settled(
        self, referral: Referral, done: frozenset[ReferralStatus], act: Callable[[], Referral | None]
    ) -> Referral:
        """What ``act`` makes of the referral, or what somebody else did at the same time, or before."""
        if referral.status in done:
            return referral
        refusal: RecordChanged | EntryExistsWithDifferentRequest | None = None
        for _ in range(_ATTEMPTS):
            try:
                after = act()
            except (MemberMerged, MemberErased):
                continue  # meanwhile: it is decided anew, on whom they are now
            except (RecordChanged, EntryExistsWithDifferentRequest) as error:
                after, refusal = None, error
            if after is not None:
                return after
            stored = self._store.get(referral.program, referral.member_id)
            if stored is not None and stored.status in done:
                return stored
            if stored is None or stored.revision != referral.revision:
                raise refusal or _changed()
        raise refusal or WalletBusy("Others of this referrer are being paid at the moment; try again later.")

    def _pay(self, program: Program, referral: Referral, guards: Sequence[Operation]) -> Referral | None:
        sides = self._payments.sides(referral.program, referral.referrer, referral.member_id)
        if (why := _nobody(sides)) is not None:
            return self._ended(referral, why, guards)
        number = sides.counted + 1
        source = {"campaign": referral.source.campaign or "", "channel": referral.source.channel or ""}
        given = self._accrual(program, referral, REFERRAL, source | {"number": str(number)})
        got = self._accrual(program, referral, REFERRED, source)
        written = referral

        def beside(entries: Sequence[Entry], books: Sequence[Book]) -> list[Operation]:
            nonlocal written
            _require_free(books)
            who = books[0].member_id
            if {who, *books[0].absorbed} != sides.counts.keys():
                raise _changed()  # somebody was merged into the referrer since their referrals were counted
            count = sides.counts[who] or Count()
            rewarded = Rewarded(
                referrer=who,
                member_id=books[1].member_id,
                number=number,
                points=_issued(entries[0]),
                member_points=_issued(entries[1]),
                at=entries[0].posted_at,
            )
            written = _after(referral, ReferralStatus.REWARDED, entries[0].posted_at, rewarded=rewarded)
            return [
                referral_put(referral, written),
                count_put(referral.program, who, sides.counts[who], replace(count, rewarded=count.rewarded + 1)),
                *sides.unchanged(referral.program, but=who),
                *guards,
            ]

        parts = (
            _part(sides.referrer, referral.referrer, given),
            _part(sides.friend, referral.member_id, got),
        )
        try:
            posted = self._ledger.post_both(program.scope, parts, beside)
        except (ActivityNotRewarded, AmountRequired):
            return self._ended(referral, NO_RULE, guards)
        return None if posted[0].replayed else written

    def _reverse(self, program: Program, referral: Referral, rewarded: Rewarded, reason: str) -> Referral | None:
        sides = self._payments.sides(referral.program, rewarded.referrer, rewarded.member_id)
        count = self._payments.count(referral.program, rewarded.referrer)
        if count is None:
            raise _changed()  # single reads show a payment item by item: its count is not visible yet
        written = referral

        def beside(entries: Sequence[Entry], _: Sequence[Book]) -> list[Operation]:
            nonlocal written
            at = entries[0].posted_at
            written = _after(referral, ReferralStatus.REVERSED, at, ended_at=at, ended_because=reason)
            less = replace(count, reversed=count.reversed + 1)
            return [referral_put(referral, written), count_put(referral.program, rewarded.referrer, count, less)]

        back = [self._reversal(program, referral, activity, reason) for activity in (REFERRAL, REFERRED)]
        parts = (
            _part(sides.referrer, rewarded.referrer, back[0]),
            _part(sides.friend, rewarded.member_id, back[1]),
        )
        posted = self._ledger.post_both(program.scope, parts, beside)
        return None if posted[0].replayed else written

    def _accrual(self, program: Program, referral: Referral, activity: str, attributes: Mapping[str, str]) -> Posting:
        if referral.qualified is None:
            raise AssertionError("a referral is paid once it has qualified")
        # Whenever it is paid it is the same request.
        at = referral.qualified.qualified_at
        deed = Activity(activity, REFERRAL_SOURCE, referral.member_id, at, attributes=attributes)
        return self._accruals.posting(program, deed)

    def _reversal(self, program: Program, referral: Referral, activity: str, reason: str) -> Posting:
        refund = Refund(
            source=REFERRAL_SOURCE,
            source_id=f"{referral.member_id}/{activity}",
            accrual_source_id=referral.member_id,
            occurred_at=self._clock(),
            everything=True,
            reason=ReversalReason(reason) if reason in set(ReversalReason) else ReversalReason.RETURN,
        )
        return self._accruals.reversal(program, refund, clamp=True)

    def _ended(self, referral: Referral, why: str, guards: Sequence[Operation]) -> Referral:
        """Nobody is rewarded."""
        now = from_text(to_text(self._clock()))
        after = _after(referral, ReferralStatus.UNREWARDED, now, ended_at=now, ended_because=why)
        self._store.write([referral_put(referral, after), *guards])
        return after


def _part(book: Book, sent_to: str, posting: Posting) -> tuple[str, Posting]:
    """The posting for who the member is now; what it is about is with who they were."""
    if isinstance(posting, MemberPosting) and posting.when_sent_to is not None and book.member_id != sent_to:
        return book.member_id, posting.when_sent_to(sent_to)
    return book.member_id, posting


def _nobody(sides: Sides) -> str | None:
    """Why nobody is rewarded, for ever."""
    if sides.referrer.member_id == sides.friend.member_id:
        return SAME_MEMBER
    if sides.referrer.erased_at is not None or sides.friend.erased_at is not None:
        return MEMBER_ERASED
    return None


def _require_free(books: Sequence[Book]) -> None:
    """A reward is nothing that a customer bought: it waits while their data is restricted."""
    for book in books:
        if book.restricted_at is not None:
            raise MemberRestricted.of(book.member_id)


def _issued(entry: Entry) -> int:
    return -entry.movement.change(POINTS).postings.get(Account.ISSUED, 0)


def _after(referral: Referral, status: ReferralStatus, now: datetime, **more: Any) -> Referral:
    """The referral with a status that it keeps by itself."""
    return replace(referral, status=status, due_at=None, updated_at=now, revision=referral.revision + 1, **more)


def _changed() -> RecordChanged:
    return RecordChanged("The referral, or what it depends on, changed meanwhile; read it again.")
