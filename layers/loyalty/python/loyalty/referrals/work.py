"""The lifecycle with all that it works with, and what is told of its work. For functions and for an operator's commands."""

from loyalty.attribution.model import Referral, ReferralStatus
from loyalty.attribution.store import ReferralStore
from loyalty.core.clock import Clock, to_text
from loyalty.core.table import Table
from loyalty.core.telemetry import count, logger
from loyalty.ledger.service import Ledger
from loyalty.members.store import MemberStore
from loyalty.programs.model import Program
from loyalty.programs.store import ProgramStore
from loyalty.referrals.code_store import CodeStore
from loyalty.referrals.events import Happening
from loyalty.referrals.lifecycle import Lifecycle, Woken
from loyalty.referrals.memory import Memory
from loyalty.referrals.paying import Payer
from loyalty.referrals.screening import Screener
from loyalty_contract import (
    REFERRALS_ENDED,
    REFERRALS_QUALIFIED,
    REFERRALS_REVERSED,
    REFERRALS_REWARDED,
    REFERRALS_WAITING,
)

_METRICS = {
    ReferralStatus.QUALIFIED: REFERRALS_QUALIFIED,
    ReferralStatus.REWARDED: REFERRALS_REWARDED,
    ReferralStatus.REVERSED: REFERRALS_REVERSED,
    ReferralStatus.EXPIRED: REFERRALS_ENDED,
    ReferralStatus.REJECTED: REFERRALS_ENDED,
    ReferralStatus.UNREWARDED: REFERRALS_ENDED,
}


class CodeUses:
    """Marks the codes of who has brought as many as they may: all of them, or each would bring one more."""

    def __init__(self, table: Table, clock: Clock) -> None:
        self._memory = Memory(table, clock)
        self._members = MemberStore(table)
        self._codes = CodeStore(table)

    def counted(self, program: Program, referral: Referral, /) -> None:
        """A referral is counted: one more came by its code. A program without such a bound costs nothing."""
        brought = self._memory.exhausted(program, referral)
        if brought is None:
            return
        referrer = self._members.get(referral.program, referral.referrer)
        codes = sorted({referral.code, *(referrer.codes if referrer else ())})
        marked = [self._codes.exhaust(referral.program, code, brought) for code in codes]
        if any(marked):
            label = {"program": referral.program, "member_id": referral.referrer, "codes": sum(marked)}
            logger.info("codes used up", extra=label)


class Newcomers:
    """Remembers who enrolls, without a code too, in programs that reward referrals: they may come again with one."""

    def __init__(self, table: Table, clock: Clock) -> None:
        self._programs = ProgramStore(table, clock)
        self._memory = Memory(table, clock)

    def told(self, what: Happening) -> None:
        """Somebody enrolled, or changed. Told again, it changes nothing.

        Raises:
            ProgramNotFound: nothing was ever published under that id.
            WalletBusy: others kept writing the same; deliver the event again.
        """
        program = self._programs.current(what.program)
        if program.document.referrals is not None:
            self._memory.remember(program, what.member_id)


def lifecycle_over(table: Table, clock: Clock) -> Lifecycle:
    """The lifecycle of referrals in a table, with the payer and the screener that a stage has."""
    payer = Payer(Ledger(table, clock), ReferralStore(table), clock)
    return Lifecycle(
        table, ProgramStore(table, clock), payer, Screener(table, clock), clock, codes=CodeUses(table, clock)
    )


def report(woken: Woken) -> None:
    """Counts the steps of one referral, and logs them by ids."""
    for status in woken.passed:
        if status in _METRICS:
            count(_METRICS[status])
    if woken.waits:
        count(REFERRALS_WAITING)
    if not woken.passed and not woken.waits:
        return
    after = woken.after
    label = {
        "program": after.program,
        "member_id": after.member_id,
        "passed": [status.value for status in woken.passed],
        "because": after.ended_because,
        "due_at": to_text(after.due_at) if after.due_at else None,
    }
    logger.info("referral brought on", extra=label)
