"""The life of a referral: whatever happened, it is brought to where it must be.

::

    read the referral                                            1 round trip; where there is none, that is all
    read what the ledger says                                    1 to 2, see :mod:`loyalty.referrals.looking`
    decide the next step                                         pure, see :mod:`loyalty.referrals.steps`
        write it, count, screen, pay or reverse, and again, until there is none
        somebody else wrote it, or what it depends on            → read again

Events and the clock only wake it. Each step requires what it was decided on, the payment even that as much is taken back of
the purchase as then: so a refund comes before the payment, which is not made, or after it, and takes it back.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, Protocol

from loyalty.accruals.model import ReversalReason
from loyalty.attribution.model import Referral, ReferralStatus, Screened
from loyalty.attribution.store import ReferralStore
from loyalty.core.backoff import jitter
from loyalty.core.clock import Clock, from_text, to_text
from loyalty.core.errors import MemberRestricted, RecordChanged, WalletBusy
from loyalty.core.table import Operation, Table, TransactionRefused
from loyalty.programs.model import Program
from loyalty.programs.referrals import Referrals
from loyalty.programs.store import ProgramStore
from loyalty.referrals.events import Happening, What
from loyalty.referrals.looking import Looker
from loyalty.referrals.steps import DECISION, Do, Facts, Step, Write, concerns, next_step

ATTEMPTS: Final = 6
"""Times that a referral is read again because others wrote it, or what it depends on."""
RESTRICTED: Final = timedelta(days=1)
"""After which a payment is tried again to somebody whose data may not be used for now: the reward is kept for them."""
_MOST_STEPS: Final = 20
_BACKOFF_SECONDS: Final = 0.02
_BACKOFF_CAP_SECONDS: Final = 0.3


class Pays(Protocol):
    """Rewards both sides in one transaction, and takes both rewards back likewise."""

    def pay(self, program: Program, referral: Referral, /, *, guards: Sequence[Operation] = ()) -> Referral:
        """The referral as it is stored then; ``guards`` hold, or nothing is written.

        Raises:
            WalletBusy, RecordChanged: somebody else was first.
            MemberRestricted: the data of one of them may not be used for now.
        """

    def reverse(self, program: Program, referral: Referral, reason: str, /) -> Referral:
        """The same of a referral that was rewarded; ``reason`` is why it ended, and of the entries if they have such a one."""


class Screens(Protocol):
    """Counts a referral among others, and says what speaks against it."""

    def count(self, program: Program, referral: Referral, /) -> Referral:
        """The referral as it is stored once it is counted."""

    def screen(self, program: Program, referral: Referral, /) -> Screened:
        """What screening says now. Writes nothing."""


class Exhausts(Protocol):
    """Knows how many a code may bring."""

    def counted(self, program: Program, referral: Referral, /) -> None:
        """A referral is counted: its code may be used no more where it has brought as many as it may. Safe to be told again."""


@dataclass(frozen=True, slots=True)
class Woken:
    """What came of it: the referral as it was and is, and the statuses that it took on the way."""

    before: Referral
    after: Referral
    steps: Sequence[Step] = ()
    passed: Sequence[ReferralStatus] = field(default=())

    @property
    def waits(self) -> bool:
        """It waits for a person since now."""
        return self.after.waits and not self.before.waits


class Lifecycle:
    """Brings referrals to where they must be. Any number may work at the same ones at once."""

    def __init__(
        self,
        table: Table,
        programs: ProgramStore,
        payer: Pays,
        screener: Screens,
        clock: Clock,
        *,
        codes: Exhausts,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._store = ReferralStore(table)
        self._looker = Looker(table)
        self._programs = programs
        self._payer = payer
        self._screener = screener
        self._codes = codes
        self._clock = clock
        self._sleep = sleep

    def woken(self, program: str, member_id: str, *, purchase: bool = False) -> Woken | None:
        """Something happened to a member, or a moment has come: takes every step that there is of their referral.

        None where nobody brought them. ``purchase``: all that happened is that they did something, which changes nothing of
        a referral that was rewarded.

        Raises:
            ProgramNotFound: nothing was ever published under that id.
            WalletBusy: others kept writing what it depends on; wake it again later.
            LoyaltyError: the ledger refuses to post to one of the two.
        """
        first: Referral | None = None
        steps: list[Step] = []
        passed: list[ReferralStatus] = []
        for attempt in range(ATTEMPTS):
            referral = self._store.get(program, member_id)
            if referral is None:
                return None
            first = first or referral
            if not concerns(referral, self._now()) or (purchase and referral.status is ReferralStatus.REWARDED):
                return Woken(first, referral, steps, passed)
            try:
                for step, after in self._steps(referral):
                    steps.append(step)
                    passed += [] if after.status is referral.status else [after.status]
                    referral = after
                return Woken(first, referral, steps, passed)
            except (TransactionRefused, RecordChanged):  # the screener raises the first
                self._sleep(jitter(attempt, base=_BACKOFF_SECONDS, cap=_BACKOFF_CAP_SECONDS))
        raise WalletBusy("Others are changing this referral at the moment; try again later.")

    def told(self, what: Happening) -> list[Woken]:
        """Something happened to a member: wakes their referral, and those of whom they absorbed where something was taken back.

        Raises:
            LoyaltyError: see :meth:`woken`. The others of theirs were woken all the same.
        """
        program, member_id = what.program, what.member_id
        wanted = self._looker.family(program, member_id) if what.what is What.REVERSAL else [member_id]
        found: list[Woken | None] = []
        failed: list[Exception] = []
        for one in wanted:
            try:
                found.append(self.woken(program, one, purchase=what.what is What.PURCHASE))
            except Exception as error:  # noqa: BLE001 - it is raised below, and must not keep another's from being taken back
                failed.append(error)
        if failed:
            raise failed[0]
        return [one for one in found if one is not None]

    def plan(self, referral: Referral) -> tuple[Facts, Step | None]:
        """What decides about a referral, and the step that would be taken now. Nothing is written."""
        terms, facts = self._looked_at(referral)
        return facts, next_step(referral, facts, terms, self._now())

    def _steps(self, referral: Referral) -> Iterable[tuple[Step, Referral]]:
        """Each step that was taken, and the referral after it. The ledger is read once: a payment requires what it said."""
        terms, facts = self._looked_at(referral)
        for _ in range(_MOST_STEPS):
            step = next_step(referral, facts, terms, self._now())
            if step is None:
                return
            after = self._taken(referral, step, facts)
            yield step, after
            if after.revision != referral.revision + 1:
                raise RecordChanged("Somebody else took the step: what decides is read again.")
            referral = after
        raise AssertionError(f"a referral that never comes to rest: {referral.program}/{referral.member_id}")

    def _looked_at(self, referral: Referral) -> tuple[Referrals | None, Facts]:
        """The terms of the version that was in force when the code was named, and what the ledger says."""
        found = self._programs.at(referral.program, referral.claimed_at)
        terms = None if found is None else found.document.referrals
        return terms, Facts() if terms is None else self._looker.facts(referral, terms)

    def _taken(self, referral: Referral, step: Step, facts: Facts) -> Referral:
        if isinstance(step, Write):
            return self._store.replace(referral, step.after)
        program = self._programs.current(referral.program)
        if step is Do.COUNT:
            # Where the second of these is not reached, the next one who comes by the code makes up for it.
            counted = self._screener.count(program, referral)
            self._codes.counted(program, counted)
            return counted
        if step is Do.SCREEN:
            found = self._screener.screen(program, referral)
            # It has what was counted before, too.
            screened = replace(referral, screened=found, looked=None, updated_at=self._now())
            return self._store.replace(referral, screened)
        if step is Do.PAY:
            return self._paid(program, referral, facts)
        return self._payer.reverse(program, referral, DECISION if referral.revoked else ReversalReason.RETURN)

    def _paid(self, program: Program, referral: Referral, facts: Facts) -> Referral:
        try:
            return self._payer.pay(program, referral, guards=self._looker.still(referral, facts))
        except MemberRestricted:
            now = self._now()
            return self._store.replace(referral, replace(referral, due_at=now + RESTRICTED, updated_at=now))

    def _now(self) -> datetime:
        """In the precision in which it is stored."""
        return from_text(to_text(self._clock()))
