"""Referrals as people decide about them. Each decision is in the audit trail, in the transaction that makes it.

What follows (payment, taking back) is the lifecycle's: an event wakes it within seconds, or the clock within minutes.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Final

from loyalty.abuse.model import Person
from loyalty.attribution.model import Decided, Referral
from loyalty.attribution.store import ReferralStore, referral_of, referral_put, reviews_shard
from loyalty.audit.model import Facts, Line
from loyalty.audit.store import line_put
from loyalty.core.clock import Clock, from_text, local_date, to_text
from loyalty.core.errors import PeriodRefused
from loyalty.core.four_eyes import client_actor
from loyalty.core.listing import Listed, listed
from loyalty.core.periods import check_period
from loyalty.core.retrying import Retries
from loyalty.core.table import Table
from loyalty.ledger.settlement import day_starts
from loyalty.programs.model import Program
from loyalty.programs.referrals import Screening
from loyalty.programs.versions import VersionStore
from loyalty.referrals.decisions import appeal, approve, reject, revoke
from loyalty.referrals.errors import ReferralNotFound
from loyalty.referrals.feedback import Feedback, feedback_of
from loyalty.referrals.scoring import reproduced
from loyalty.referrals.walking import claimed_between

MOST_DAYS: Final = 92
MOST_REFERRALS: Final = 10_000
"""As many as are read in a few seconds, a hundred at a time."""
ANY_DAYS: Final = 36_525
"""A century, for who has the time."""
_PROPOSED: Final = {"approved": "approval_proposed", "revoked": "revocation_proposed"}
_INSTEAD: Final = "ask for fewer days, or an operator for `loyalty referrals feedback`"
_RETRIES: Final = Retries(
    8, base=0.01, cap=0.3, busy="This referral has many writers at the moment; send the same request again."
)


class ReviewService:
    """The caller sees to it that whoever decides may see the program."""

    def __init__(self, table: Table, clock: Clock, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._table = table
        self._store = ReferralStore(table)
        self._versions = VersionStore(table, clock)
        self._clock = clock
        self._sleep = sleep

    def page(self, program: str, *, limit: int, after: str | None = None) -> Listed[Referral]:
        """Up to ``limit`` that wait for a person, who has waited longest first; ``after`` is ``next`` of the page before."""
        page = listed(self._table, reviews_shard(program), referral_of, limit=limit, after=after)
        # The index may be a moment behind: what was decided just now is left out.
        return Listed([one for one in page.items if one.waits], page.next)

    def get(self, program: str, member_id: str) -> Referral:
        """The referral of who was brought, as they enrolled.

        Raises:
            ReferralNotFound: nobody brought them, or there is no such member.
        """
        referral = self._store.get(program, member_id)
        if referral is None:
            raise ReferralNotFound(
                f"No referral brought member '{member_id}'; look for it by the id with which they enrolled."
            )
        return referral

    def reproduced(self, referral: Referral) -> bool | None:
        """Whether the stored features give the stored score, evidence and verdict by the version of then.

        None where it was not screened. One read.

        Raises:
            VersionNotFound: the version it names was never published.
        """
        if referral.screened is None:
            return None
        rules = self._versions.get(referral.program, referral.screened.program_version).program.document.referrals
        return reproduced(referral.screened, Screening() if rules is None else rules.screening)

    def feedback(self, program: Program, first: date, last: date, *, bounded: bool) -> Feedback:
        """How well screening did, of the referrals claimed from ``first`` to ``last``, days of the program's zone.

        Where ``bounded``, of no more than :data:`MOST_DAYS` and :data:`MOST_REFERRALS`: what can be read within a request.

        Raises:
            PeriodRefused: it ends before it begins, is too long, has too many referrals, or lies in the future.
        """
        zone = program.document.zone
        today = local_date(self._clock(), zone)
        most = MOST_DAYS if bounded else ANY_DAYS
        check_period(first, last, today=today, most=most, zone=str(zone), longer=_INSTEAD)
        since, until = day_starts(first, zone), day_starts(last + timedelta(days=1), zone)
        claimed = claimed_between(self._table, program.document.id, since, until)
        return feedback_of(_at_most(claimed) if bounded else claimed)

    def approve(self, program: Program, member_id: str, by: Person, reason: str) -> Referral:
        """Has it rewarded; see :func:`loyalty.referrals.decisions.approve`.

        Raises:
            ReferralNotFound: there is none.
            ReferralNotInReview, SecondPersonRequired: see there.
            WalletBusy: others kept writing it.
        """
        two = program.document.four_eyes.referrals

        def decide(referral: Referral, now: datetime) -> Referral:
            return approve(referral, _decision(by, reason, now, approved=True), second_person=two)

        return self._decided(program, member_id, "approved", (by, reason), decide)

    def reject(self, program: Program, member_id: str, by: Person, reason: str) -> Referral:
        """Ends it without a reward; see :func:`loyalty.referrals.decisions.reject`.

        Raises:
            ReferralNotFound, ReferralNotInReview, SecondPersonRequired, WalletBusy: see :meth:`approve`.
        """

        def decide(referral: Referral, now: datetime) -> Referral:
            return reject(referral, _decision(by, reason, now, approved=False))

        return self._decided(program, member_id, "rejected", (by, reason), decide)

    def revoke(self, program: Program, member_id: str, by: Person, reason: str) -> Referral:
        """Says that one that was rewarded is a fraud; see :func:`loyalty.referrals.decisions.revoke`.

        Raises:
            ReferralNotFound, SecondPersonRequired, WalletBusy: see :meth:`approve`.
            ReferralNotRewarded: there is nothing to take back.
        """
        two = program.document.four_eyes.referrals

        def decide(referral: Referral, now: datetime) -> Referral:
            return revoke(referral, _decision(by, reason, now, approved=False), second_person=two)

        return self._decided(program, member_id, "revoked", (by, reason), decide)

    def appeal(self, program: str, member_id: str, reason: str, client_id: str) -> tuple[Referral, bool]:
        """Has a rejected one looked at again, by somebody else; the referral, and whether it came to that.

        Where it cannot be appealed nothing changes: whoever asks for a member learns nothing of screening by it.

        Raises:
            ReferralNotFound, WalletBusy: see :meth:`approve`.
        """
        through = client_actor(client_id)

        def change() -> tuple[Referral, bool]:
            now, before = self._now(), self.get(program, member_id)
            after = appeal(before, reason, through, now)
            if after is None:
                return before, False
            line = _line(before, after, "appealed", now, actor=through, more={"reason": reason})
            return self._written(before, after, line), True

        return _RETRIES.of(change, self._sleep)

    def _decided(
        self,
        program: Program,
        member_id: str,
        what: str,
        said: tuple[Person, str],
        decide: Callable[[Referral, datetime], Referral],
    ) -> Referral:
        by, reason = said

        def change() -> Referral:
            now, before = self._now(), self.get(program.document.id, member_id)
            after = decide(before, now)
            if after is before:
                return after
            done = what if len(after.decisions) > len(before.decisions) else _PROPOSED[what]
            more = {"reason": reason, "through": by.through}
            return self._written(before, after, _line(before, after, done, now, actor=by.actor, more=more))

        return _RETRIES.of(change, self._sleep)

    def _written(self, before: Referral, after: Referral, line: Line) -> Referral:
        self._table.write([referral_put(before, after), line_put(line)])
        return replace(after, revision=before.revision + 1)

    def _now(self) -> datetime:
        """In the precision in which it is stored."""
        return from_text(to_text(self._clock()))


def _decision(by: Person, reason: str, now: datetime, *, approved: bool) -> Decided:
    return Decided(approved, by.actor, reason, now, by.through)


def _at_most(claimed: Iterable[Referral]) -> Iterator[Referral]:
    for number, one in enumerate(claimed):
        if number == MOST_REFERRALS:
            raise PeriodRefused(f"There are more than {MOST_REFERRALS:,} referrals in this period; {_INSTEAD}.")
        yield one


def _line(before: Referral, after: Referral, done: str, now: datetime, *, actor: str, more: Facts) -> Line:
    return Line(
        scope=after.program,
        action=f"referral.{done}",
        target=f"members/{after.member_id}/referral",
        actor=actor,
        at=now,
        before=_facts(before),
        after={**_facts(after), **more},
    )


def _facts(referral: Referral) -> dict[str, str | int | bool | None]:
    verdict, screened = referral.verdict, referral.screened
    return {
        "status": referral.status.value,
        "verdict": None if verdict is None else verdict.value,
        "score": None if screened is None else screened.score,
    }
