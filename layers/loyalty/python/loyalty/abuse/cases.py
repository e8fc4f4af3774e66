"""Cases as people decide about them: put on hold, release, confirm. Each decision is in the audit trail."""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Final

from loyalty.abuse.errors import RiskNotFound
from loyalty.abuse.model import Case, Decided, Person, State, confirmed, held, released
from loyalty.abuse.store import RiskStore, case_put
from loyalty.audit.model import Line
from loyalty.audit.store import line_put
from loyalty.core import origin
from loyalty.core.backoff import jitter
from loyalty.core.clock import Clock, from_text, to_text
from loyalty.core.errors import MemberErased, MemberMerged, MemberNotFound, WalletBusy
from loyalty.core.table import Operation, RawItem, Table, TransactionRefused
from loyalty.ledger.items import hold_lifted, hold_put_on
from loyalty.ledger.store import LedgerStore

ATTEMPTS: Final = 12
_BACKOFF_SECONDS: Final = 0.01
_BACKOFF_CAP_SECONDS: Final = 0.3


class CaseWriter:
    """Writes a case together with the hold that it says, or neither."""

    def __init__(self, table: Table, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._table = table
        self._sleep = sleep

    def write(self, before: Case | None, after: Case, *beside: Operation) -> bool:
        """Whether it was written; False: something of it is not as it was read, so read it again.

        Raises:
            MemberNotFound: there is no such member.
            MemberMerged: the member was merged into another, who has the case.
            MemberErased: there is nobody any more who could redeem.
        """
        program, member_id = after.program, after.member_id
        mark = hold_put_on(program, member_id) if after.on_hold else hold_lifted(program, member_id)
        try:
            self._table.write([mark, case_put(before, after), *beside])
        except TransactionRefused as refusal:
            if 0 in refusal.failed:
                raise _gone(program, member_id, refusal.failed[0]) from refusal
            return False
        return True

    def pause(self, attempt: int) -> None:
        """Waits a little before another attempt.

        Raises:
            WalletBusy: it was the last one.
        """
        if attempt + 1 >= ATTEMPTS:
            raise WalletBusy("This member's case has many writers at the moment; send the same request again.")
        self._sleep(jitter(attempt, base=_BACKOFF_SECONDS, cap=_BACKOFF_CAP_SECONDS))


class CaseService:
    """The caller sees to it that whoever decides may see the program."""

    def __init__(self, table: Table, clock: Clock, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._table = table
        self._store = RiskStore(table)
        self._writer = CaseWriter(table, sleep=sleep)
        self._clock = clock

    def get(self, program: str, member_id: str) -> Case:
        """The member's case.

        Raises:
            MemberNotFound, MemberErased: there is no such member, or none any more.
            RiskNotFound: the member never had a case.
        """
        case = self._store.case(program, member_id)
        if case is not None:
            return case
        if LedgerStore(self._table).current(program, member_id) is None:
            raise MemberNotFound.of(program, member_id)
        raise RiskNotFound(f"Nothing is held against member '{member_id}'.")

    def hold(self, program: str, member_id: str, by: Person, reason: str) -> Case:
        """Puts the member on hold by hand; on hold already, says so.

        Raises:
            MemberNotFound, MemberMerged, MemberErased, WalletBusy: see :class:`CaseWriter`.
        """

        def decide(case: Case | None, decided: Decided) -> Case:
            return held(case, decided, program, member_id)

        return self._decided(program, member_id, "held", (by, reason), decide)

    def release(self, program: str, member_id: str, by: Person, reason: str, *, second_person: bool) -> Case:
        """Lets the member redeem again; where ``second_person``, the first call asks for it and another person's agrees.

        Raises:
            RiskNotFound: the member never had a case.
            SecondPersonRequired, RiskReleased: see :func:`loyalty.abuse.model.released`.
            MemberNotFound, MemberMerged, MemberErased, WalletBusy: see :class:`CaseWriter`.
        """

        def decide(case: Case | None, decided: Decided) -> Case:
            return released(case or self.get(program, member_id), decided, second_person=second_person)

        return self._decided(program, member_id, "released", (by, reason), decide)

    def confirm(self, program: str, member_id: str, by: Person, reason: str) -> Case:
        """Says that it is abuse: the member stays on hold, and the case is not listed any more.

        Raises:
            RiskNotFound: the member never had a case.
            RiskReleased: see :func:`loyalty.abuse.model.confirmed`.
            MemberNotFound, MemberMerged, MemberErased, WalletBusy: see :class:`CaseWriter`.
        """

        def decide(case: Case | None, decided: Decided) -> Case:
            return confirmed(case or self.get(program, member_id), decided)

        return self._decided(program, member_id, "confirmed", (by, reason), decide)

    def _decided(
        self,
        program: str,
        member_id: str,
        what: str,
        said: tuple[Person, str],
        decide: Callable[[Case | None, Decided], Case],
    ) -> Case:
        by, reason = said
        for attempt in range(ATTEMPTS):
            now = self._now()
            before = self._store.case(program, member_id)
            after = decide(before, Decided(by, reason, now))
            if after is before:
                return after
            done = "release_proposed" if what == "released" and after.state is not State.RELEASED else what
            line = Line(
                scope=program,
                action=f"risk.{done}",
                target=f"members/{member_id}/risk",
                actor=by.actor,
                at=now,
                origin=origin.current(),
                before=_facts(before),
                after=_facts(after) | {"reason": reason},
            )
            if self._writer.write(before, after, line_put(line)):
                return replace(after, revision=after.revision + 1)
            self._writer.pause(attempt)
        raise AssertionError("the last pause raises")

    def _now(self) -> datetime:
        return from_text(to_text(self._clock()))


def _facts(case: Case | None) -> dict[str, str | int | bool | None]:
    return {} if case is None else {"state": case.state.value, "on_hold": case.on_hold}


def _gone(program: str, member_id: str, raw: RawItem | None) -> MemberNotFound | MemberMerged | MemberErased:
    if raw is None:
        return MemberNotFound.of(program, member_id)
    if "merged_into" not in raw:
        return MemberErased.of(member_id)
    into = raw["merged_into"]["S"]
    return MemberMerged(f"'{member_id}' was merged into '{into}'; use that member.", member_id=member_id, into=into)
