"""The proof: recomputes a member's wallet from the entries alone and reports every difference.

Shares no arithmetic with the code that posts: it adds up what the entries say and compares.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from loyalty_contract import ENTRY_PREFIX, REDEMPTION_PREFIX

from loyalty.core.money import Money
from loyalty.core.table import RawItem, Table
from loyalty.ledger.model import Account, Entry, EntryKind, Wallet
from loyalty.ledger.store import WALLET_SK, entry_of, parse_partition, wallet_of

REVERSED_PREFIX: Final = "REVERSED#"
_CONFIRMATIONS: Final = 3
_ENDS: Final = {EntryKind.CAPTURE: "captured", EntryKind.RELEASE: "released"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it must be. ``code`` is stable; ``where`` is an entry id or a sort key."""

    program: str
    member_id: str
    code: str
    where: str
    detail: str


@dataclass(frozen=True, slots=True)
class Report:
    """What an audit read and found."""

    members: int
    entries: int
    findings: list[Finding]


def audit_table(table: Table, *, segments: int = 1, progress: Callable[[int], None] = lambda _: None) -> Report:
    """Audits every member in one pass over the table; ``progress`` is told the members read so far.

    A scan is no snapshot: what looks wrong is read again by itself, and counts only if it stays wrong.
    """
    members = entries = 0
    findings: list[Finding] = []
    for segment in range(segments):
        for pk, group in groupby(table.scan(segment=segment, segments=segments), key=lambda raw: str(raw["pk"]["S"])):
            items = list(group)
            if not pk.startswith("M#") or all(raw["sk"]["S"].startswith("REFERRAL#") for raw in items):
                continue
            members += 1
            entries += sum(raw["sk"]["S"].startswith(ENTRY_PREFIX) for raw in items)
            findings += audit_member(pk, items) and _confirmed(table, pk)
            progress(members)
    return Report(members, entries, findings)


def _confirmed(table: Table, pk: str) -> list[Finding]:
    findings: list[Finding] = []
    for _ in range(_CONFIRMATIONS):
        findings = audit_member(pk, list(table.query_all(pk)))
        if not findings:
            break
    return findings


def audit_member(pk: str, items: Iterable[RawItem]) -> list[Finding]:
    """Every difference within one member's partition."""
    program, member_id = parse_partition(pk)
    by_sk = {str(raw["sk"]["S"]): raw for raw in items}
    entries: list[Entry] = []
    problems: list[tuple[str, str, str]] = []
    for sk, raw in by_sk.items():
        if sk.startswith(ENTRY_PREFIX):
            try:
                entries.append(entry_of(raw))
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                problems.append(("entry_unreadable", sk, type(error).__name__))
    entries.sort(key=lambda entry: entry.seq)
    if WALLET_SK in by_sk:
        problems += _check_wallet(wallet_of(by_sk[WALLET_SK]), entries)
    else:
        problems.append(("wallet_missing", WALLET_SK, f"{len(entries)} entries, no wallet"))
    problems += _check_entries(entries)
    problems += _check_reversals(entries, by_sk)
    problems += _check_holds(entries, by_sk)
    return [Finding(program, member_id, *problem) for problem in problems]


_Problems = Iterator[tuple[str, str, str]]


def _check_entries(entries: list[Entry]) -> _Problems:
    totals: Counter[Account] = Counter()
    for place, entry in enumerate(entries, start=1):
        postings = entry.movement.postings
        if entry.seq != place:
            yield "seq_gap", entry.entry_id, f"seq {entry.seq} where {place} is due"
        if sum(postings.values()) != 0:
            yield "postings_unbalanced", entry.entry_id, f"sum is {sum(postings.values())}"
        lots_and_debt = sum(entry.movement.lots.values()) - entry.movement.debt
        if lots_and_debt != entry.points:
            yield "lots_unbalanced", entry.entry_id, f"lots change by {lots_and_debt}, available by {entry.points}"
        for account, points in postings.items():
            totals[account] += points
        after = (totals[Account.AVAILABLE], totals[Account.PENDING], totals[Account.HELD])
        if after != (entry.available, entry.pending, entry.held):
            yield (
                "balance_after_wrong",
                entry.entry_id,
                f"entries add up to {after}, it says {(entry.available, entry.pending, entry.held)}",
            )


def _check_wallet(wallet: Wallet, entries: list[Entry]) -> _Problems:
    lots: Counter[str] = Counter()
    qualifying: Counter[str] = Counter()
    totals: Counter[Account] = Counter()
    for entry in entries:
        for account, points in entry.movement.postings.items():
            totals[account] += points
        for lot, points in entry.movement.lots.items():
            lots[lot] += points
        for year, points in entry.movement.qualifying.items():
            qualifying[year] += points
    tiers = [entry.movement.tier for entry in entries if entry.movement.tier]
    expected = {
        "seq": max((entry.seq for entry in entries), default=0),
        "available": totals[Account.AVAILABLE],
        "pending": totals[Account.PENDING],
        "held": totals[Account.HELD],
        "debt": sum(entry.movement.debt for entry in entries),
        "lots": {lot: points for lot, points in lots.items() if points},
        "qualifying": {year: points for year, points in qualifying.items() if points},
        "tier": tiers[-1] if tiers else wallet.tier,
    }
    actual = {name: getattr(wallet, name) for name in expected}
    actual["qualifying"] = {year: points for year, points in wallet.qualifying.items() if points}
    for name, value in expected.items():
        if actual[name] != value:
            yield f"wallet_{name}_wrong", WALLET_SK, f"entries add up to {value}, it says {actual[name]}"
    if wallet.available != sum(wallet.lots.values()) - wallet.debt:
        yield "wallet_lots_unbalanced", WALLET_SK, "available is not the sum of lots less the debt"


def _check_reversals(entries: list[Entry], by_sk: dict[str, RawItem]) -> _Problems:
    accruals = {entry.entry_id: entry for entry in entries if entry.key.kind is EntryKind.ACCRUAL}
    taken: defaultdict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        if entry.key.kind is EntryKind.REVERSAL:
            taken[entry.facts.reverses or ""].append(entry)
    for entry_id, reversals in taken.items():
        points = -sum(entry.points for entry in reversals)
        accrual = accruals.get(entry_id)
        if accrual is None:
            yield "reversal_of_nothing", reversals[0].entry_id, f"there is no accrual '{entry_id}'"
            continue
        if points > accrual.points:
            yield "reversal_over_original", entry_id, f"earned {accrual.points}, reversed {points}"
        sk = f"{REVERSED_PREFIX}{accrual.key.source}#{accrual.key.source_id}"
        record = by_sk.get(sk)
        amounts = [entry.facts.amount.amount for entry in reversals if entry.facts.amount]
        if record is None:
            yield "reversal_record_missing", sk, f"{len(reversals)} reversals of '{entry_id}'"
        elif (int(record["points"]["N"]), Money.parse(record["amount"]["S"]).amount) != (points, sum(amounts)):
            yield "reversal_record_wrong", sk, f"reversals add up to {points} points, {sum(amounts)}"


def _check_holds(entries: list[Entry], by_sk: dict[str, RawItem]) -> _Problems:
    holds: dict[str, Entry] = {}
    ends: defaultdict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        redemption_id = entry.facts.redemption_id or ""
        if entry.key.kind is EntryKind.HOLD:
            holds[redemption_id] = entry
        elif entry.key.kind in _ENDS:
            ends[redemption_id].append(entry)
    for redemption_id, ended in ends.items():
        if redemption_id not in holds:
            yield "end_without_hold", ended[0].entry_id, "no hold was posted for it"
        if len(ended) > 1:
            yield "hold_ended_twice", redemption_id, ", ".join(entry.entry_id for entry in ended)
    for redemption_id, hold in holds.items():
        record = by_sk.get(f"{REDEMPTION_PREFIX}{redemption_id}")
        yield from _check_hold(redemption_id, hold, ends.get(redemption_id, []), record)
    for sk in by_sk:
        if sk.startswith(REDEMPTION_PREFIX) and sk.removeprefix(REDEMPTION_PREFIX) not in holds:
            yield "redemption_without_hold", sk, "no hold was posted for it"


def _check_hold(redemption_id: str, hold: Entry, ended: list[Entry], record: RawItem | None) -> _Problems:
    status = _ENDS[ended[0].key.kind] if ended else "held"
    if record is None:
        yield "redemption_missing", hold.entry_id, "the hold has no redemption"
    elif record["status"]["S"] != status or int(record["points"]["N"]) != -hold.points:
        yield "redemption_wrong", redemption_id, f"entries say {status} of {-hold.points} points"
    for end in ended:
        if end.movement.postings.get(Account.HELD, 0) != hold.points:
            yield "end_of_other_amount", end.entry_id, f"the hold was of {-hold.points} points"
