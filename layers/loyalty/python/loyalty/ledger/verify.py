"""The proof: recomputes a member's wallet from the entries alone and reports every difference.

Shares no arithmetic with the code that posts: it adds up what the entries say and compares.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta, timezone, tzinfo
from decimal import Decimal
from itertools import groupby
from typing import Any, Final

from loyalty.core.errors import LoyaltyError
from loyalty.core.money import Money
from loyalty.core.table import RawItem, Table
from loyalty.ledger.model import Account, Entry, EntryKind, Wallet
from loyalty.ledger.store import REVERSED_PREFIX, WALLET_SK, entry_of, parse_partition, wallet_of
from loyalty_contract import ENTRY_PREFIX, REDEMPTION_PREFIX

_CONFIRMATIONS: Final = 10
_ENDS: Final = {EntryKind.CAPTURE: "captured", EntryKind.RELEASE: "released"}


ZoneOf = Callable[[str, int], tzinfo | None]
"""The time zone of a program's version, or None where it cannot be told."""

_FIRST_ZONE: Final = timezone(timedelta(hours=14))
_LAST_ZONE: Final = timezone(timedelta(hours=-12))

_ACCOUNTS: Final = {
    EntryKind.ACCRUAL: {Account.ISSUED, Account.AVAILABLE},
    EntryKind.REVERSAL: {Account.ISSUED, Account.AVAILABLE},
    EntryKind.EXPIRY: {Account.AVAILABLE, Account.EXPIRED},
    EntryKind.HOLD: {Account.AVAILABLE, Account.HELD},
    EntryKind.CAPTURE: {Account.HELD, Account.REDEEMED},
    EntryKind.RELEASE: {Account.HELD, Account.AVAILABLE},
    EntryKind.TIER: set[Account](),
}
"""Between which accounts each kind of entry may move points."""


def _zone_unknown(_program: str, _version: int) -> None:
    return None


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


def audit_table(
    table: Table, *, zone_of: ZoneOf = _zone_unknown, progress: Callable[[int], None] = lambda _: None
) -> Report:
    """Audits every member in one pass over the table; ``progress`` is told the members read so far.

    A scan is no snapshot: what looks wrong is read again by itself, and counts only if it stays wrong. Where
    ``zone_of`` knows a program's zone, expiry is proved to the day; else to within the width of the world's zones.
    """
    members = entries = 0
    findings: list[Finding] = []
    for pk, group in groupby(table.scan(), key=lambda raw: str(raw["pk"]["S"])):
        items = list(group)
        if not pk.startswith("M#") or all(raw["sk"]["S"].startswith("REFERRAL#") for raw in items):
            continue
        members += 1
        entries += sum(raw["sk"]["S"].startswith(ENTRY_PREFIX) for raw in items)
        findings += audit_member(pk, items, zone_of) and _confirmed(table, pk, zone_of)
        progress(members)
    return Report(members, entries, findings)


def _confirmed(table: Table, pk: str, zone_of: ZoneOf) -> list[Finding]:
    """What is wrong in a reading during which nothing was posted: the wallet before it is the wallet after it."""
    findings: list[Finding] = []
    for _ in range(_CONFIRMATIONS):
        before = table.read(pk, WALLET_SK)
        findings = audit_member(pk, list(table.query_all(pk)), zone_of)
        if not findings or table.read(pk, WALLET_SK) == before:
            break
    return findings


def audit_member(pk: str, items: Iterable[RawItem], zone_of: ZoneOf = _zone_unknown) -> list[Finding]:
    """Every difference within one member's partition."""
    program, member_id = parse_partition(pk)
    by_sk = {str(raw["sk"]["S"]): raw for raw in items}
    problems: list[tuple[str, str, str]] = []
    read = {sk: _read(sk, raw) for sk, raw in by_sk.items()}
    problems += [
        (f"{_kind(sk)}_unreadable", sk, value.args[0]) for sk, value in read.items() if isinstance(value, _Bad)
    ]
    entries = sorted((value for value in read.values() if isinstance(value, Entry)), key=lambda entry: entry.seq)
    wallet = read.get(WALLET_SK)
    if isinstance(wallet, Wallet):
        problems += _check_wallet(wallet, entries)
    elif wallet is None:
        problems.append(("wallet_missing", WALLET_SK, f"{len(entries)} entries, no wallet"))
    problems += _check_entries(entries)
    problems += _check_chains(entries)
    problems += _check_dates(entries, zone_of)
    problems += _check_reversals(entries, read)
    problems += _check_holds(entries, read)
    return [Finding(program, member_id, *problem) for problem in problems]


class _Bad(ValueError):
    """An item that cannot be read; says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class _Reversed:
    points: int
    amount: Decimal


@dataclass(frozen=True, slots=True)
class _Redeemed:
    status: str
    points: int
    lots: dict[str, int]


_Read = Wallet | Entry | _Reversed | _Redeemed | _Bad | None
_NUMBERS: Final = {
    "wallet": ("last_seq", "available", "pending", "held", "debt"),
    "entry": ("seq", "available", "pending", "held", "debt"),
}
_MAPS: Final = {"wallet": ("lots", "qualifying"), "entry": ("postings", "lots", "qualifying")}


def _kind(sk: str) -> str:
    if sk == WALLET_SK:
        return "wallet"
    return "entry" if sk.startswith(ENTRY_PREFIX) else "record"


def _read(sk: str, raw: RawItem) -> _Read:
    """What an item says; None for those that the ledger does not own."""
    kind = _kind(sk)
    try:
        # The item models read a missing attribute as None, which is no number.
        for name in _NUMBERS.get(kind, ()):
            int(raw[name]["N"])
        for name in _MAPS.get(kind, ()):
            _map(raw[name])
        if kind == "wallet":
            return wallet_of(raw)
        if kind == "entry":
            return entry_of(raw)
        if sk.startswith(REVERSED_PREFIX):
            return _Reversed(int(raw["points"]["N"]), Money.parse(raw["amount"]["S"]).amount)
        if sk.startswith(REDEMPTION_PREFIX):
            return _Redeemed(raw["status"]["S"], int(raw["points"]["N"]), _map(raw["lots"]))
    except (LookupError, ValueError, TypeError, AttributeError, LoyaltyError) as error:
        return _Bad(f"{type(error).__name__}: {error}")
    return None


def _map(attribute: Mapping[str, Any]) -> dict[str, int]:
    return {name: int(number["N"]) for name, number in attribute["M"].items()}


_Problems = Iterator[tuple[str, str, str]]


def _check_entries(entries: list[Entry]) -> _Problems:
    totals: Counter[Account] = Counter()
    for place, entry in enumerate(entries, start=1):
        postings = entry.movement.postings
        if entry.seq != place:
            yield "seq_gap", entry.entry_id, f"seq {entry.seq} where {place} is due"
        if sum(postings.values()) != 0:
            yield "postings_unbalanced", entry.entry_id, f"sum is {sum(postings.values())}"
        if not postings.keys() <= _ACCOUNTS[entry.key.kind]:
            yield "accounts_wrong", entry.entry_id, f"{entry.key.kind} between {', '.join(sorted(postings))}"
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


def _check_dates(entries: list[Entry], zone_of: ZoneOf) -> _Problems:
    """No lot expires before its last day is over, and none is held after it."""
    for entry in entries:
        zone = zone_of(entry.program, entry.facts.program_version)
        if entry.key.kind is EntryKind.EXPIRY:
            today = entry.posted_at.astimezone(zone or _FIRST_ZONE).date().isoformat()
            early = sorted(lot for lot in entry.movement.lots if lot >= today)
            if early:
                yield "expired_early", entry.entry_id, f"{', '.join(early)} on {today}"
        elif entry.key.kind is EntryKind.HOLD:
            today = entry.posted_at.astimezone(zone or _LAST_ZONE).date().isoformat()
            late = sorted(lot for lot in entry.movement.lots if lot < today)
            if late:
                yield "held_after_expiry", entry.entry_id, f"{', '.join(late)} on {today}"


def _check_chains(entries: list[Entry]) -> _Problems:
    lots: Counter[str] = Counter()
    tier: str | None = None
    for entry in entries:
        for lot, points in entry.movement.lots.items():
            lots[lot] += points
            if lots[lot] < 0:
                yield "lot_overdrawn", entry.entry_id, f"lot {lot} comes to {lots[lot]}"
        if entry.movement.tier:
            if tier not in {None, entry.facts.tier_from}:
                yield "tier_chain_broken", entry.entry_id, f"from '{entry.facts.tier_from}' where '{tier}' was reached"
            tier = entry.movement.tier


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


def _check_reversals(entries: list[Entry], read: Mapping[str, _Read]) -> _Problems:
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
        record = read.get(sk)
        amounts = [entry.facts.amount.amount for entry in reversals if entry.facts.amount]
        if record is None:
            yield "reversal_record_missing", sk, f"{len(reversals)} reversals of '{entry_id}'"
        elif isinstance(record, _Reversed) and record != _Reversed(points, sum(amounts, Decimal(0))):
            yield "reversal_record_wrong", sk, f"reversals add up to {points} points, {sum(amounts)}"
    for sk in read:
        if (
            sk.startswith(REVERSED_PREFIX)
            and "accrual:" + sk.removeprefix(REVERSED_PREFIX).replace("#", ":", 1) not in taken
        ):
            yield "reversal_record_without_reversal", sk, "nothing was reversed"


def _check_holds(entries: list[Entry], read: Mapping[str, _Read]) -> _Problems:
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
        record = read.get(f"{REDEMPTION_PREFIX}{redemption_id}")
        yield from _check_hold(redemption_id, hold, ends.get(redemption_id, []), record)
    for sk in read:
        if sk.startswith(REDEMPTION_PREFIX) and sk.removeprefix(REDEMPTION_PREFIX) not in holds:
            yield "redemption_without_hold", sk, "no hold was posted for it"


def _check_hold(redemption_id: str, hold: Entry, ended: list[Entry], record: _Read) -> _Problems:
    status = _ENDS[ended[0].key.kind] if ended else "held"
    lots = {lot: -points for lot, points in hold.movement.lots.items()}
    if record is None:
        yield "redemption_missing", hold.entry_id, "the hold has no redemption"
    elif isinstance(record, _Redeemed) and record != _Redeemed(status, -hold.points, lots):
        yield "redemption_wrong", redemption_id, f"entries say {status}, {-hold.points} points of lots {lots}"
    for end in ended:
        if end.movement.postings.get(Account.HELD, 0) != hold.points:
            yield "end_of_other_amount", end.entry_id, f"the hold was of {-hold.points} points"
        if any(points > lots.get(lot, 0) for lot, points in end.movement.lots.items()):
            yield "end_to_other_lots", end.entry_id, f"the hold was of lots {lots}"
