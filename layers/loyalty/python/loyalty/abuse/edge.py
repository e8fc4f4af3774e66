"""Misses at the edge of a function: a client that asks for what is not there. Only a miss costs anything: one write."""

import json
from collections.abc import Mapping
from typing import Any, Final

from loyalty.abuse.clients import ClientCounts, ClientSignal, window_of
from loyalty.attribution.errors import CodeMalformed, ReferralCodeUnknown
from loyalty.core.clock import Clock
from loyalty.core.errors import MemberNotFound, ProgramNotFound
from loyalty.core.table import Table
from loyalty.core.telemetry import count, logger
from loyalty.members.errors import AlreadyEnrolled
from loyalty.programs.store import ProgramStore
from loyalty_contract import MISSES_NOT_COUNTED

_SIGNALS: Final = {
    MemberNotFound.code: ClientSignal.MEMBERS,
    ReferralCodeUnknown.code: ClientSignal.CODES,
    CodeMalformed.code: ClientSignal.CODES,
    AlreadyEnrolled.code: ClientSignal.ENROLLMENTS,
}
_STATUSES: Final = frozenset({404, 409, 422})


class Misses:
    """Counts refusals that a client should seldom meet. Never raises: a count that fails must not cost the answer."""

    def __init__(self, table: Table, programs: ProgramStore, clock: Clock) -> None:
        self._counts = ClientCounts(table)
        self._programs = programs
        self._clock = clock

    def answered(self, program: str | None, client_id: str | None, answer: Mapping[str, Any]) -> None:
        """Looks at an answer of the API: whether it is a miss, and whose."""
        if answer["statusCode"] not in _STATUSES or program is None or client_id is None:
            return
        signal = _SIGNALS.get(json.loads(answer["body"]).get("code"))
        if signal is not None:
            self.missed(program, client_id, signal)

    def missed(self, program: str, client_id: str, signal: ClientSignal) -> None:
        """Counts one miss of a client."""
        try:
            now = self._clock()
            rules = self._programs.for_client(program, client_id).document.abuse
            if self._counts.miss(window_of(rules, program, client_id, signal, now), now):
                logger.warning("client suspected", extra={"client_id": client_id, "signal": signal})
        except ProgramNotFound:
            return  # not the client's program: nothing of it was answered, and it may not write into its counts
        except Exception as error:  # noqa: BLE001 - whatever it is, the caller's answer is ready
            count(MISSES_NOT_COUNTED)
            logger.error("miss not counted", extra={"signal": signal, "error": type(error).__name__})
