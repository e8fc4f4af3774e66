"""Whether what falls due by itself was written down: on its day, whole, once, and before anything that came later."""

from collections.abc import Mapping
from datetime import datetime

from loyalty.ledger.keys import BOOK_SK
from loyalty.ledger.model import Entry, EntryKind, Scope
from loyalty.ledger.movements import NEVER
from loyalty.ledger.verify.days import INSTANT, Days, days_after, warn_days
from loyalty.ledger.verify.replay import State, Step, redemption_of, settles
from loyalty.ledger.verify.report import Problem, Problems
from loyalty.ledger.verify.tiers import over

_EARLY = {
    EntryKind.MATURITY: "matured_early",
    EntryKind.EXPIRY: "expired_early",
    EntryKind.WARNING: "warned_early",
    EntryKind.TIMEOUT: "timed_out_early",
}


def check_settling(step: Step, days: Days) -> Problems:
    """What is wrong with an entry of something that fell due."""
    if step.kind is EntryKind.TIMEOUT:
        yield from _check_time_out(step)
    elif step.kind is EntryKind.MATURITY:
        yield from _check_maturity(step, days)
    elif step.kind is EntryKind.EXPIRY:
        yield from _check_expiry(step, days)
    elif step.kind is EntryKind.WARNING:
        yield from _check_warning(step, days)


def _check_time_out(step: Step) -> Problems:
    hold = step.before.holds.get(redemption_of(step.entry))
    if hold is None:
        return  # there is none, or it ended before: the holds' own check says which
    until = hold.facts.hold_expires_at
    if until is None:
        yield Problem("timeout_wrong", step.where, "the hold has no time-out")
    elif min(step.entry.facts.occurred_at, step.entry.posted_at) < until:
        yield Problem("timed_out_early", step.where, f"the hold was until {until}")
    elif step.entry.facts.occurred_at != until:
        yield Problem("due_moment_wrong", step.where, f"it fell due on {until}")


def _check_maturity(step: Step, days: Days) -> Problems:
    wallet_id, key = step.entry.key.source, step.entry.key.source_id
    change, (day, _, lot) = step.entry.movement.change(wallet_id), key.partition("/")
    if set(change.maturing) != {key} or not change.lots.keys() <= {lot}:
        yield Problem("maturity_wrong", step.where, f"it moves {dict(change.maturing)} to {dict(change.lots)}")
    elif step.after.wallet(wallet_id).maturing.get(key):
        yield Problem("matured_in_part", step.where, f"{step.after.wallet(wallet_id).maturing[key]} stay pending")
    yield from _check_moment(step, day, days)


def _check_expiry(step: Step, days: Days) -> Problems:
    wallet_id, lot = step.entry.key.source, step.entry.key.source_id
    change = step.entry.movement.change(wallet_id)
    if set(change.lots) != {lot}:
        yield Problem("expiry_wrong", step.where, f"it takes {dict(change.lots)}")
    elif step.after.wallet(wallet_id).lots.get(lot):
        yield Problem("expired_in_part", step.where, f"{step.after.wallet(wallet_id).lots[lot]} stay in the lot")
    if lot == NEVER:
        yield Problem("expired_early", step.where, "these points never expire")
    else:
        yield from _check_moment(step, days_after(lot, 1), days)


def _check_warning(step: Step, days: Days) -> Problems:
    wallet_id, facts = step.entry.key.source, step.entry.facts
    lot, _, left = step.entry.key.source_id.partition("/")
    there = step.before.wallet(wallet_id).lots.get(lot, 0)
    if (facts.lot, facts.lot_points) != (lot, there) or not there:
        detail = f"the lot {lot} had {there} points, it says {facts.lot_points} of {facts.lot}"
        yield Problem("warning_wrong", step.where, detail)
    yield from _check_moment(step, days_after(lot, -int(left)), days)


def _check_moment(step: Step, day: str, days: Days) -> Problems:
    """It fell due at the start of ``day``."""
    occurred_at, posted_at = step.entry.facts.occurred_at, step.entry.posted_at
    if not days.may_have_begun(day, min(occurred_at, posted_at)):
        yield Problem(_EARLY[step.kind], step.where, f"on {min(occurred_at, posted_at)}, before {day} began")
    elif not days.may_begin(day, occurred_at) or occurred_at > posted_at:
        yield Problem("due_moment_wrong", step.where, f"{day} does not begin on {occurred_at}")


class MissedCheck:
    """What had fallen due when something else was written, and was not written down before. Each is reported once."""

    def __init__(self, days: Days, scopes: Mapping[int, Scope]) -> None:
        self._days = days
        self._scopes = scopes
        self._missed: set[str] = set()
        self._warnings: dict[tuple[str, str, int], str] = {}
        """Of wallet, lot, days left: the day on which the member is to be warned; those that were not yet."""

    def check(self, step: Step) -> Problems:
        """What was missed before an entry."""
        yield from self._check(step.before, _settled_by(step.entry), step.where)
        if step.kind is EntryKind.WARNING:
            lot, _, left = step.entry.key.source_id.partition("/")
            self._warnings.pop((step.entry.key.source, lot, int(left)), None)
        self._expect(step)

    def check_end(self, state: State, settled_to: datetime) -> Problems:
        """What was missed before the moment to which the book says that it is settled."""
        if state.merged_into is None:
            yield from self._check(state, settled_to, BOOK_SK)

    def _check(self, state: State, until: datetime, where: str) -> Problems:
        if state.erased_at is not None:
            return  # nothing is left to fall due, and nobody to stand on a tier
        today = self._days.earliest(until)
        for ladder, day in over(state, self._scopes):
            if day <= today:
                yield from self._once("tier_missed", where, f"the end on '{ladder}' of what was kept until {day}")
        yield from self._check_points(state, until, where)

    def _check_points(self, state: State, until: datetime, where: str) -> Problems:
        today = self._days.earliest(until)
        for redemption_id, hold in state.holds.items():
            if hold.facts.hold_expires_at is not None and hold.facts.hold_expires_at <= until:
                yield from self._once("timeout_missed", where, f"the hold {redemption_id}")
        for wallet_id, sums in state.wallets.items():
            for lot in sums.lots:
                if lot < today:
                    yield from self._once("expiry_missed", where, f"lot {lot} of '{wallet_id}'")
            for key in sums.maturing:
                if key.partition("/")[0] <= today:
                    yield from self._once("maturity_missed", where, f"pending points {key} of '{wallet_id}'")
        for (wallet_id, lot, left), day in list(self._warnings.items()):
            if day <= today:
                yield from self._once("warning_missed", where, f"{left} days before lot {lot} of '{wallet_id}' is over")

    def _once(self, code: str, where: str, what: str) -> Problems:
        if f"{code} {what}" not in self._missed:
            self._missed.add(f"{code} {what}")
            yield Problem(code, where, f"{what} was due before")

    def _expect(self, step: Step) -> None:
        """The warnings of lots that there are since this entry, and none of those that there are no more."""
        born = step.entry.facts.occurred_at if settles(step.entry) else step.entry.posted_at
        for wallet_id in step.entry.movement.changes:
            before, after = step.before.wallet(wallet_id).lots, step.after.wallet(wallet_id).lots
            for lot in after.keys() - before.keys() - {NEVER}:
                for left in warn_days(self._scopes.values(), wallet_id):
                    day = days_after(lot, -left)
                    if not self._days.may_have_begun(day, born):
                        self._warnings[wallet_id, lot, left] = day
            for key in [key for key in self._warnings if key[0] == wallet_id and key[1] not in after]:
                del self._warnings[key]


def _settled_by(entry: Entry) -> datetime:
    """Everything due until then must have been written down before the entry."""
    return entry.facts.occurred_at - INSTANT if settles(entry) else entry.posted_at
