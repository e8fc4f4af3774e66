"""How a member's standing on a ladder changes between two reviews, and the entry of it. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from loyalty.core.ids import request_hash
from loyalty.ledger import ladders
from loyalty.ledger.draft import Decision, Posting, Situation
from loyalty.ledger.ladders import STATUS, LadderTerms, Period, Reached, Standing, Tallies
from loyalty.ledger.model import Book, Entry, EntryKey, EntryKind, Facts, Movement
from loyalty.ledger.settlement import standing_moved
from loyalty.programs.model import Program


@dataclass(frozen=True, slots=True)
class Change:
    """Another standing on a ladder. ``reason`` and ``actor``: of one that somebody asked for."""

    ladder: str
    terms: LadderTerms
    after: Standing
    reason: str | None = None
    actor: str | None = None

    def movement(self, book: Book) -> Movement:
        """What it does to a book: to the tier alone where nothing else is ever to be known of the main ladder."""
        if self._is_plain(book):
            return Movement(tier=self.after.tier)
        return standing_moved(book, self.ladder, self.after)

    def facts(self, situation: Situation, version: int) -> Facts:
        """What its entry tells."""
        book = situation.book
        facts = Facts(
            situation.now, version, tier_from=book.standing(self.ladder, self.terms).tier,
            reason=self.reason, actor=self.actor,
        )  # fmt: skip
        if self._is_plain(book):
            return facts
        return replace(facts, ladder=self.ladder, standing_from=book.standings.get(self.ladder))

    def _is_plain(self, book: Book) -> bool:
        simple = self.after == Standing(self.after.tier, self.after.tier)
        return self.ladder == STATUS and simple and STATUS not in book.standings and not self.terms.keeps_standings


def decision(
    program: Program,
    change: Change,
    situation: Situation,
    then: Callable[[Entry], Sequence[Posting]] | None = None,
) -> Decision:
    """What a change posts."""
    return Decision(change.movement(situation.book), change.facts(situation, program.version), then=then)


def following_change(program: Program, change: Change, source: str, cause: str) -> Posting:
    """A change that follows another entry in its transaction."""
    source = source if change.ladder == STATUS else f"{source}.{change.ladder}"
    key = EntryKey(EntryKind.TIER, source, cause)
    return Posting(key, request_hash(cause), lambda situation: decision(program, change, situation))


def changed(
    ladder: str, terms: LadderTerms, book: Book, tallies: Tallies, *, earned_on: date, today: date, refunded: bool
) -> Change | None:
    """What the period of ``earned_on`` earns, and what is left of what earned the tier; None where nothing changes.

    ``refunded``: something was given back. Nothing else lowers a tier, other thresholds neither.
    """
    before = book.standing(ladder, terms)
    # Of a time before the ladder ended tiers a standing may be known, but not until when.
    known = ladder in book.standings and (before.valid_until is not None or terms.period is Period.LIFETIME)
    reached = tallies.reached(terms, earned_on)
    if terms.rank(reached.tier) > terms.rank(before.earned) and not _is_over(terms, reached.until, today):
        # Where no tier ever ends, nobody has to know until when this one would be kept.
        until = reached.until if terms.keeps_standings else None
        return Change(ladder, terms, ladders.stand(terms, before, Reached(reached.tier, until)))
    if not terms.keeps_standings or not terms.rank(before.earned):
        return None
    if known and not refunded:
        return None
    after = _still(terms, before, tallies, today) if known else _first_known(terms, before, tallies, today)
    return Change(ladder, terms, after) if after != before or not known else None


def _first_known(terms: LadderTerms, standing: Standing, tallies: Tallies, today: date) -> Standing:
    """Of a tier from before the ladder kept standings: as long as it is earned, or through this period."""
    entitled = tallies.entitled(terms, today)
    if terms.rank(entitled.tier) >= terms.rank(standing.earned):
        return ladders.stand(terms, standing, entitled)
    until = None if terms.period is Period.LIFETIME else ladders.period_of(terms, today, tallies.opened_on)[1]
    return ladders.stand(terms, standing, Reached(standing.earned, until), kept=True)


def _still(terms: LadderTerms, standing: Standing, tallies: Tallies, today: date) -> Standing:
    """What is left of a tier after reversals."""
    if standing.kept or _is_over(terms, standing.valid_until, today):
        return standing
    entitled = tallies.entitled(terms, today)
    lost = terms.rank(entitled.tier) < terms.rank(standing.earned)
    if lost and terms.at_once:
        return ladders.stand(terms, standing, entitled)
    if terms.period is Period.ROLLING_MONTHS and standing.valid_until is not None:
        # Reviewed at the start of a month: of the first that does not earn it any more.
        end = ladders.period_of(terms, today, None)[1]
        until = end if lost or entitled.until is None else entitled.until
        return replace(standing, valid_until=min(standing.valid_until, max(until, end)))
    return standing


def _is_over(terms: LadderTerms, until: date | None, today: date) -> bool:
    if until is None or not terms.keeps_standings:
        return False
    return until + timedelta(days=terms.grace_days) < today
