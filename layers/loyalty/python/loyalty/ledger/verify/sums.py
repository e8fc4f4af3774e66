"""Whether entries follow one another without a gap, and what they add up to is possible and what they say."""

from collections.abc import Iterable, Mapping

from loyalty.ledger.ladders import STATUS
from loyalty.ledger.model import POINTS, Account, Balances, EntryKind, Scope
from loyalty.ledger.verify.counting import check_counted
from loyalty.ledger.verify.days import Days
from loyalty.ledger.verify.replay import Step, Sums, wallet_of, without_zeros
from loyalty.ledger.verify.report import Problem, Problems

_MAY_OVERDRAW = frozenset({EntryKind.REVERSAL, EntryKind.MERGE_IN})
_AFTER_ERASURE = frozenset({EntryKind.REVERSAL, EntryKind.CANCELLATION, EntryKind.FORFEITURE})


class SumsCheck:
    """Checks entries one after the other. What is off from some entry on is reported at that entry, once."""

    def __init__(self, days: Days, scopes: Mapping[int, Scope]) -> None:
        self._days = days
        self._scopes = scopes
        self._off: dict[tuple[str, str, str], object] = {}

    def check(self, step: Step) -> Problems:
        """What is wrong with an entry's place, or with what it leaves."""
        yield from _check_place(step)
        yield from check_counted(step, self._days, self._scopes)
        yield from _check_parts(step)
        for wallet_id, change in step.entry.movement.changes.items():
            total = sum(change.postings.values())
            if total:
                yield Problem("postings_unbalanced", step.where, f"the postings of '{wallet_id}' add up to {total}")
            before, after = step.before.wallet(wallet_id), step.after.wallet(wallet_id)
            yield from self._check_state(step, wallet_id, after)
            yield from _check_overdrawn(step, wallet_id, before, after)
        for wallet_id in {POINTS, *step.entry.movement.changes, *step.entry.after}:
            yield from self._check_said(step, wallet_id)

    def _check_state(self, step: Step, wallet_id: str, sums: Sums) -> Problems:
        for lot, points in sums.lots.items():
            yield from self._once(
                step, ("lot_overdrawn", wallet_id, lot), min(points, 0), f"lot {lot} comes to {points}"
            )
        for key, points in sums.maturing.items():
            detail = f"pending points {key} come to {points}"
            yield from self._once(step, ("pending_overdrawn", wallet_id, key), min(points, 0), detail)
        lots, pending, held = sum(sums.lots.values()), sum(sums.maturing.values()), sums.of(Account.HELD)
        spendable = max(sums.available, 0)
        detail = f"available comes to {sums.available}, the lots to {lots}"
        yield from self._once(step, ("lots_unbalanced", wallet_id, ""), spendable - lots, detail)
        waiting = sums.of(Account.PENDING)
        detail = f"pending comes to {waiting}, what matures to {pending}"
        yield from self._once(step, ("pending_unbalanced", wallet_id, ""), waiting - pending, detail)
        yield from self._once(step, ("held_overdrawn", wallet_id, ""), min(held, 0), f"held comes to {held}")
        yield from self._once(step, ("debt_overpaid", wallet_id, ""), min(sums.debt, 0), f"debt comes to {sums.debt}")
        beside = min(sums.debt, spendable) if sums.debt > 0 else 0
        detail = f"a debt of {sums.debt} beside {spendable} points that could pay it"
        yield from self._once(step, ("debt_beside_points", wallet_id, ""), beside, detail)

    def _check_said(self, step: Step, wallet_id: str) -> Problems:
        said = step.entry.after.get(wallet_id)
        if said is None:
            yield Problem("balance_after_wrong", step.where, f"it says nothing of '{wallet_id}'")
            return
        sums = step.after.wallet(wallet_id)
        after = Balances(sums.available, sums.of(Account.PENDING), sums.of(Account.HELD), sums.debt)
        off = (
            said.available - after.available,
            said.pending - after.pending,
            said.held - after.held,
            said.debt - after.debt,
        )
        detail = f"entries add up to {_listed(after)} in '{wallet_id}', it says {_listed(said)}"
        yield from self._once(step, ("balance_after_wrong", wallet_id, ""), off if any(off) else 0, detail)

    def _once(self, step: Step, key: tuple[str, str, str], off: object, detail: str) -> Problems:
        """A problem, by its code and where it is, if what is off is not what was off before."""
        if off and self._off.get(key, 0) != off:
            yield Problem(key[0], step.where, detail)
        self._off[key] = off


def _check_place(step: Step) -> Problems:
    entry, before = step.entry, step.before
    if entry.seq != before.seq + 1:
        yield Problem("seq_gap", step.where, f"seq {entry.seq} where {before.seq + 1} is due")
    if before.posted_at is not None and entry.posted_at < before.posted_at:
        yield Problem("posted_before_earlier", step.where, f"on {entry.posted_at}, after {before.posted_at}")
    if before.merged_into is not None:
        yield Problem("entry_after_merge", step.where, f"the member was merged into {before.merged_into} before")
    main = step.kind is EntryKind.TIER and entry.facts.ladder in {None, STATUS}
    if main and before.tier is not None and entry.facts.tier_from != before.tier:
        detail = f"from '{entry.facts.tier_from}' where '{before.tier}' was reached"
        yield Problem("tier_chain_broken", step.where, detail)
    if before.erased_at is not None and step.kind not in _AFTER_ERASURE:
        yield Problem("entry_after_erasure", step.where, f"the member was erased on {before.erased_at}")
    if step.kind is EntryKind.FORFEITURE:
        left = sorted(name for name, sums in step.after.wallets.items() if not sums.is_empty)
        if left or step.after.holds or step.after.erased_at is None:
            what = ", ".join([*left, *step.after.holds]) or "a member who was not erased"
            yield Problem("forfeiture_wrong", step.where, f"left behind: {what}")
    if step.kind is EntryKind.MERGE_OUT:
        left = sorted(name for name, sums in step.after.wallets.items() if not sums.is_empty)
        # A hold of what the program pays has no points that could be left behind.
        held = [name for name, hold in step.after.holds.items() if hold.movement.change(wallet_of(hold)).postings]
        if left or held:
            yield Problem("merge_left_points", step.where, f"left behind in {', '.join(left or held)}")


def _check_parts(step: Step) -> Problems:
    """What rules gave is what an accrual gave; what its lines earned is at most that."""
    if step.kind is not EntryKind.ACCRUAL:
        return
    facts = step.entry.facts
    for wallet_id in {*facts.rule_points, *(name for line in facts.lines.values() for name in line.points)}:
        issued = -step.entry.movement.change(wallet_id).postings.get(Account.ISSUED, 0)
        by_rule = sum(facts.rule_points.get(wallet_id, {"": issued}).values())
        by_line = sum(line.points.get(wallet_id, 0) for line in facts.lines.values())
        if by_rule != issued or not 0 <= by_line <= issued:
            detail = f"of {issued} points in '{wallet_id}' rules gave {by_rule}, lines earned {by_line}"
            yield Problem("earned_parts_wrong", step.where, detail)


def _check_overdrawn(step: Step, wallet_id: str, before: Sums, after: Sums) -> Problems:
    """Nothing but what takes back points leaves fewer than none, or makes a debt; and a debt is paid last."""
    if after.available < min(before.available, 0) and step.kind not in _MAY_OVERDRAW:
        yield Problem("overdrawn", step.where, f"available comes to {after.available} in '{wallet_id}'")
    if after.debt < before.debt and after.available < 0:
        detail = f"a debt of {before.debt} is paid in '{wallet_id}' while available is {after.available}"
        yield Problem("debt_paid_too_soon", step.where, detail)


def _listed(balances: Balances) -> str:
    return f"{balances.available}, {balances.pending}, {balances.held}, {balances.debt}"


def added(numbers: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Numbers of the same name together; without zeros."""
    totals: dict[str, int] = {}
    for one in numbers:
        for key, number in one.items():
            totals[key] = totals.get(key, 0) + number
    return without_zeros(totals)
