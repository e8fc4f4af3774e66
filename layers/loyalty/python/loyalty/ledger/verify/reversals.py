"""Whether reversals took back what they should: their share of an accrual, from where it was, as its policy says.

All of it is computed anew from the entries: shares as fractions, from the accrual's facts and the reversals'.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from loyalty.ledger.model import Account, Change, Entry, EntryKind, ReversalPolicy
from loyalty.ledger.verify.counting import split_counts, wrongly_taken
from loyalty.ledger.verify.family import Family, grouped
from loyalty.ledger.verify.kept import Reversed
from loyalty.ledger.verify.lots import takes_first
from loyalty.ledger.verify.replay import Step, Sums, without_zeros
from loyalty.ledger.verify.report import Problem, Problems
from loyalty.ledger.verify.sums import added


def check_reversals(family: Family) -> Problems:
    """What is wrong with reversals, and with the records of what they took back."""
    accruals = grouped((entry.entry_id, entry) for entry in family.entries(EntryKind.ACCRUAL))
    taken = grouped((entry.facts.reverses or "", entry) for entry in family.entries(EntryKind.REVERSAL))
    records = _by_accrual(family)
    for entry_id, reversals in taken.items():
        if entry_id not in accruals:
            yield _at(reversals[0], "reversal_of_nothing", f"there is no accrual '{entry_id}'")
    for entry_id, earned in accruals.items():
        yield from _check_taken(earned, taken.get(entry_id, []), records.pop(entry_id, []))
    for left in records.values():
        for member_id, sk, _ in left:
            yield Problem("reversal_record_without_accrual", sk, "there is no such accrual", member_id)
    for step in family.steps(EntryKind.REVERSAL):
        # Of several of one identity it is not said which it is of: it is right if it is right for one of them.
        of_each = [
            list(_check_movement(step, accrual)) for accrual in accruals.get(step.entry.facts.reverses or "", [])
        ]
        yield from min(of_each, key=len, default=[])


def _by_accrual(family: Family) -> dict[str, list[tuple[str, str, Reversed]]]:
    """The records of what was taken back, by the accrual's entry id: whose, under which sort key, what."""
    records: dict[str, list[tuple[str, str, Reversed]]] = {}
    for member_id, sk, record in family.records(Reversed):
        _, source, source_id = sk.split("#", 2)
        records.setdefault(f"{EntryKind.ACCRUAL}:{source}:{source_id}", []).append((member_id, sk, record))
    return records


def _check_taken(
    accruals: Sequence[Entry], reversals: Sequence[Entry], records: Sequence[tuple[str, str, Reversed]]
) -> Problems:
    """One accrual; several only where members who are one person now had one of the same identity each."""
    accrual = accruals[0]
    sums = _Sums.of(reversals)
    earned = added(_issued(entry) for entry in accruals)
    for wallet_id, points in sums.points.items():
        if points > earned.get(wallet_id, 0):
            detail = f"earned {earned.get(wallet_id, 0)} in '{wallet_id}', reversed {points}"
            yield _at(accrual, "reversal_over_original", detail)
    for line_id, quantity in sums.lines.items():
        bought = sum(entry.facts.lines[line_id].quantity for entry in accruals if line_id in entry.facts.lines)
        if quantity > bought:
            yield _at(accrual, "reversal_lines_over", f"{bought} bought of line {line_id}, {quantity} given back")
    if not records and reversals:
        yield _at(accrual, "reversal_record_missing", f"{len(reversals)} reversals")
    elif not reversals and records:
        yield Problem("reversal_record_without_reversal", records[0][1], "nothing was reversed", records[0][0])
    elif (said := _Sums.said([record for _, _, record in records])) != sums:
        member_id, sk, _ = records[0]
        yield Problem("reversal_record_wrong", sk, f"reversals add up to {sums}, it says {said}", member_id)
    if len(accruals) == 1 and len(records) == 1 and reversals:
        yield from _check_share(accrual, reversals, records[0][2], sums)


def _check_share(accrual: Entry, reversals: Sequence[Entry], record: Reversed, sums: "_Sums") -> Problems:
    """Points are taken in proportion to what was given back, rounded down; all of them once nothing is left."""
    share = _share(accrual, sums)
    everything = any(entry.facts.amount is None and not entry.facts.lines for entry in reversals)
    if (everything or share >= 1) and not record.whole:
        yield _at(accrual, "reversal_share_wrong", "nothing is left of it, which its record does not say")
        return
    counts = [split_counts(entry.movement.qualifying)[1] for entry in (accrual, *reversals)]
    if (left := added(counts)) != ({} if record.whole else counts[0]):
        yield _at(accrual, "qualifying_wrong", f"it was counted as {counts[0]}, of which {left} is left")
    for wallet_id, points in _issued(accrual).items():
        part = points if record.whole else min(points, int(_part(accrual, sums, wallet_id, points)))
        if sums.points.get(wallet_id, 0) != part:
            detail = f"of {points} points in '{wallet_id}' {part} are to be taken, {sums.points.get(wallet_id, 0)} are"
            yield _at(accrual, "reversal_share_wrong", detail)


def _part(accrual: Entry, sums: "_Sums", wallet_id: str, points: int) -> Fraction:
    """Points for what was given back: of lines that say what they earned that, and their share of what no line says."""
    lines = accrual.facts.lines
    told = {key: line.points.get(wallet_id, 0) for key, line in lines.items()}
    back = sum(
        (Fraction(told[key] * number, lines[key].quantity) for key, number in sums.lines.items() if key in lines),
        Fraction(0),
    )
    return points * _money_share(accrual, sums) + (points - sum(told.values())) * _lines_share(accrual, sums) + back


def _share(accrual: Entry, sums: "_Sums") -> Fraction:
    return _money_share(accrual, sums) + _lines_share(accrual, sums)


def _money_share(accrual: Entry, sums: "_Sums") -> Fraction:
    paid = accrual.facts.refund_basis or accrual.facts.amount
    if sums.money is None or paid is None:
        return Fraction(0)
    return sums.money / Fraction(paid.amount) if paid.amount else Fraction(1 + bool(sums.money))


def _lines_share(accrual: Entry, sums: "_Sums") -> Fraction:
    amount, bought = accrual.facts.amount, accrual.facts.lines
    lines = {line_id: quantity for line_id, quantity in sums.lines.items() if line_id in bought}
    if not lines or amount is None:
        return Fraction(0)
    if not amount.amount:
        return Fraction(sum(lines.values()), sum(line.quantity for line in bought.values()))
    worth = sum(Fraction(bought[key].amount.amount) * lines[key] / bought[key].quantity for key in lines)
    return worth / Fraction(amount.amount)


@dataclass(frozen=True, slots=True)
class _Sums:
    """What reversals of one accrual add up to: from the entries, or as the records say. Without zeros."""

    points: Mapping[str, int]
    lapsed: Mapping[str, int]
    money: Fraction | None
    lines: Mapping[str, int]
    reversals: int

    @classmethod
    def of(cls, reversals: Sequence[Entry]) -> "_Sums":
        by_money = [entry.facts.amount for entry in reversals if not entry.facts.lines]
        return cls(
            added({wallet: -points for wallet, points in _issued(entry).items()} for entry in reversals),
            added(expired_points(entry) for entry in reversals),
            _total([amount.amount for amount in by_money if amount]),
            added({line_id: line.quantity for line_id, line in entry.facts.lines.items()} for entry in reversals),
            len(reversals),
        )

    @classmethod
    def said(cls, records: Sequence[Reversed]) -> "_Sums":
        return cls(
            added(record.points for record in records),
            added(record.lapsed for record in records),
            _total([record.money for record in records if record.money is not None]),
            added(record.lines for record in records),
            sum(record.reversals for record in records),
        )


def _total(amounts: Sequence[Decimal]) -> Fraction | None:
    return sum(map(Fraction, amounts), Fraction(0)) if amounts else None


def expired_points(reversal: Entry) -> dict[str, int]:
    """Points of a reversal that had expired before, by wallet."""
    changes = reversal.movement.changes.items()
    return without_zeros({wallet: -change.postings.get(Account.EXPIRED, 0) for wallet, change in changes})


def _issued(entry: Entry) -> dict[str, int]:
    """Points that an accrual gave, by wallet; below zero what a reversal took."""
    changes = entry.movement.changes.items()
    return without_zeros({wallet: -change.postings.get(Account.ISSUED, 0) for wallet, change in changes})


def _check_movement(step: Step, accrual: Entry) -> Problems:
    """Where the points of one reversal came from."""
    entry = step.entry
    times, times_back = split_counts(accrual.movement.qualifying)[1], split_counts(entry.movement.qualifying)[1]
    if times_back not in ({}, {key: -number for key, number in times.items()}):
        yield _at(entry, "qualifying_wrong", f"it takes {times_back} from a count of {times}")
    if wrongly_taken(step, accrual):
        counted, of = dict(entry.movement.qualifying), dict(accrual.movement.qualifying)
        yield _at(entry, "qualifying_wrong", f"it takes {counted} from what counts as {of}")
    policy = accrual.facts.policy or ReversalPolicy.ALLOW_NEGATIVE
    if step.before.erased_at is not None:
        policy = ReversalPolicy.ALLOW_NEGATIVE  # nobody is left to owe it: it is forfeited at once
    for wallet_id, change in entry.movement.changes.items():
        earned, before, after = (
            accrual.movement.change(wallet_id),
            step.before.wallet(wallet_id),
            step.after.wallet(wallet_id),
        )
        if not _from_where_they_were(change, earned, before, after):
            detail = f"it takes {dict(change.lots)} {dict(change.maturing)} and leaves {dict(after.lots)}"
            yield _at(entry, "reversal_lots_wrong", detail)
        elif (problem := _against(policy, change)) is not None:
            yield _at(entry, "reversal_policy_broken", f"'{policy}' of '{accrual.entry_id}': {problem}")


def _from_where_they_were(change: Change, earned: Change, before: Sums, after: Sums) -> bool:
    """From pending while they are; else from their own lots first, then first-to-expire."""
    pending = earned.maturing.keys() & before.maturing.keys()
    if pending or change.maturing:
        elsewhere = {account for account, points in change.postings.items() if points} - {
            Account.PENDING,
            Account.ISSUED,
        }
        return change.maturing.keys() <= pending and not elsewhere and not change.lots
    own = {*earned.lots, *(key.partition("/")[2] for key in earned.maturing)}
    return takes_first(change.lots, after, first=own)


def _against(policy: ReversalPolicy, change: Change) -> str | None:
    """What is against the policy in how a reversal dealt with points that were spent."""
    available, debt = change.postings.get(Account.AVAILABLE, 0), change.postings.get(Account.DEBT, 0)
    below = sum(change.lots.values()) - available
    if debt and policy is not ReversalPolicy.CLAMP_WITH_DEBT:
        return f"it makes a debt of {-debt}"
    if below and policy is not ReversalPolicy.ALLOW_NEGATIVE:
        return f"{below} points were taken that there were not"
    return None


def _at(entry: Entry, code: str, detail: str) -> Problem:
    return Problem(code, entry.entry_id, detail, entry.member_id)
