"""Tiers that staff grant for a time: never lower than what is earned, and never for ever."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final

from loyalty.audit.model import Facts, Line
from loyalty.audit.store import line_put
from loyalty.core import ids
from loyalty.core.clock import local_date
from loyalty.core.errors import AdjustmentReasonUnknown, EntryExistsWithDifferentRequest, IdempotencyKeyReused
from loyalty.core.table import Put
from loyalty.ledger import ladders
from loyalty.ledger.draft import Decision, Posted, Posting, Situation
from loyalty.ledger.ladders import LadderTerms, Standing
from loyalty.ledger.model import EntryKey, EntryKind
from loyalty.ledger.service import Ledger, following
from loyalty.programs.model import Program
from loyalty.tiers.change import Change, decision
from loyalty.tiers.errors import LadderNotFound, TierGrantDateRefused, TierNotGranted, TierUnknown

LONGEST_GRANT: Final = timedelta(days=5 * 366)
"""Whoever is granted a tier for longer is granted it again."""
GRANT: Final = "tier_grant"
"""The source of the entries of grants."""
END_OF_GRANT: Final = "tier_grant_end"
"""Of those that end one by hand."""
_Stands = Callable[[LadderTerms, Standing, date], Standing]


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody asks for: on which ladder, for which reason of the program; ``actor`` is a staff id.

    The client vouches for the actor; its key stands for this request alone.
    """

    ladder: str
    reason: str
    actor: str
    client_id: str
    idempotency_key: str

    def terms(self, program: Program) -> LadderTerms:
        """The ladder's, once the reason is one of the program's.

        Raises:
            LadderNotFound, AdjustmentReasonUnknown: the program has no such ladder, or no such reason.
        """
        terms = program.scope.ladders.get(self.ladder)
        if terms is None:
            raise LadderNotFound(f"The program has these ladders: {', '.join(program.scope.ladders)}.")
        if self.reason not in program.document.adjustment_reasons:
            raise AdjustmentReasonUnknown(
                f"Send one of the program's reasons: {', '.join(program.document.adjustment_reasons)}.",
                pointer="/reason",
            )
        return terms


class TierGrants:
    """Grants tiers and ends grants, each once for its idempotency key."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def grant(self, program: Program, member_id: str, asked: Asked, *, tier: str, until: date) -> Posted:
        """The member has at least this tier through a day of the program; an earlier grant on the ladder ends.

        Raises:
            LadderNotFound, AdjustmentReasonUnknown: see :class:`Asked`.
            TierUnknown: the ladder has no such tier, or it is its first.
            TierGrantDateRefused: the day has passed, or is further away than :data:`LONGEST_GRANT`.
            IdempotencyKeyReused: the key was used with another content.
            MemberNotFound, WalletBusy: see :meth:`Ledger.post`.
        """

        def stands(terms: LadderTerms, standing: Standing, today: date) -> Standing:
            above = list(terms.tiers)[1:]
            if tier not in above:
                raise TierUnknown(
                    f"Send a tier above the first: {', '.join(above) or 'there is none'}.", pointer="/tier"
                )
            if not today <= until <= today + LONGEST_GRANT:
                raise TierGrantDateRefused(
                    f"Send a last day from {today} to {today + LONGEST_GRANT}, in the program's zone.", pointer="/until"
                )
            return ladders.grant(terms, standing, tier, until)

        request = {"ladder": asked.ladder, "tier": tier, "until": until.isoformat()}
        return self._post(program, member_id, asked, {"source": GRANT, **request}, stands)

    def end(self, program: Program, member_id: str, asked: Asked) -> Posted:
        """A granted tier ends now; what is earned is what counts.

        Raises:
            LadderNotFound, AdjustmentReasonUnknown: see :class:`Asked`.
            TierNotGranted: nothing is granted on the ladder.
            IdempotencyKeyReused: the key was used with another content.
            MemberNotFound, WalletBusy: see :meth:`Ledger.post`.
        """

        def stands(_terms: LadderTerms, standing: Standing, _today: date) -> Standing:
            if standing.granted is None:
                raise TierNotGranted(f"No tier is granted on '{asked.ladder}'.")
            return ladders.ungranted(standing)

        return self._post(program, member_id, asked, {"source": END_OF_GRANT, "ladder": asked.ladder}, stands)

    def _post(self, program: Program, member_id: str, asked: Asked, request: dict[str, str], stands: _Stands) -> Posted:
        def decide(situation: Situation) -> Decision:
            terms = asked.terms(program)
            today = local_date(situation.now, program.scope.zone)
            after = stands(terms, situation.book.standing(asked.ladder, terms), today)
            change = Change(asked.ladder, terms, after, reason=asked.reason, actor=asked.actor)
            decided = decision(program, change, situation)
            before = situation.book.standing(asked.ladder, terms)
            line = _line(program, member_id, asked, request["source"], before=before, after=after, now=situation.now)
            return replace(decided, operations=[*decided.operations, line])

        name = ids.tier_grant_id(program.document.id, member_id, asked.client_id, asked.idempotency_key)
        said = ids.request_hash(request | {"reason": asked.reason, "actor": asked.actor})
        posting = Posting(EntryKey(EntryKind.TIER, request["source"], name), said, decide)
        try:
            posted = following(member_id, lambda holder: self._ledger.post(program.scope, holder, posting))
        except EntryExistsWithDifferentRequest as error:
            raise IdempotencyKeyReused("This Idempotency-Key was used for another grant; send a new key.") from error
        if posted is None:
            raise AssertionError("a grant always posts")
        return posted


def _line(
    program: Program, member_id: str, asked: Asked, source: str, *, before: Standing, after: Standing, now: datetime
) -> Put:
    """What the audit trail keeps of a grant, or of its end."""
    line = Line(
        program.document.id,
        "tier.granted" if source == GRANT else "tier.grant_ended",
        f"members/{member_id}/tiers/{asked.ladder}",
        now,
        actor=asked.actor,
        before=_granted(before),
        after={**_granted(after), "reason": asked.reason},
    )
    return line_put(line)


def _granted(standing: Standing) -> Facts:
    until = standing.granted_until
    return {"tier": standing.tier, "granted": standing.granted, "until": until.isoformat() if until else None}
