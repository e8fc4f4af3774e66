"""What an entry did, in words that a support agent can read to a customer. Pure.

A sentence names the unit of the wallet it is about, dates in the program's zone, and never a person.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from loyalty.core.money import MINOR_UNITS
from loyalty.ledger.ladders import STATUS
from loyalty.ledger.model import Account, Balances, Change, Entry, EntryKind, Facts
from loyalty.ledger.movements import NEVER, parse_bucket

_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Unit:
    """What a wallet counts: points, or the minor units of a currency."""

    currency: str | None = None

    def amount(self, number: int) -> str:
        """``1 point``, ``250 points``, ``2.50 EUR``."""
        if self.currency is not None:
            return f"{Decimal(number).scaleb(-MINOR_UNITS[self.currency])} {self.currency}"
        return f"{number:,} point" + ("" if abs(number) == 1 else "s")


def day(when: date) -> str:
    """``31 March 2027``."""
    return f"{when.day} {_MONTHS[when.month - 1]} {when.year}"


def moment(when: datetime, zone: ZoneInfo) -> str:
    """``31 March 2027, 14:05``, by the program's clocks."""
    local = when.astimezone(zone)
    return f"{day(local.date())}, {local:%H:%M}"


def balance(balances: Balances, unit: Unit) -> str:
    """The balances in one sentence."""
    parts = [f"{unit.amount(balances.available)} can be spent"]
    if balances.available < 0:
        parts = [f"the balance is {unit.amount(balances.available)}: later points bring it up first"]
    if balances.pending:
        parts.append(f"{unit.amount(balances.pending)} wait for the end of a return window")
    if balances.held:
        parts.append(f"{unit.amount(balances.held)} are set aside for redemptions")
    if balances.debt:
        parts.append(f"{unit.amount(balances.debt)} are owed and are paid by the next points")
    sentence = "; ".join(parts)
    return f"{sentence[0].upper()}{sentence[1:]}."


def sentence(entry: Entry, wallet: str, unit: Unit, zone: ZoneInfo) -> str:
    """What the entry did to the wallet."""
    told = _Told(entry, wallet, entry.movement.change(wallet), unit, zone)
    return " ".join(part for part in (_WORDS[entry.key.kind](told), _owed(told)) if part)


@dataclass(frozen=True, slots=True)
class _Told:
    entry: Entry
    wallet: str
    change: Change
    unit: Unit
    zone: ZoneInfo

    @property
    def facts(self) -> Facts:
        return self.entry.facts

    def moved(self, account: Account) -> str:
        """How much the entry moved into or out of an account."""
        return self.unit.amount(abs(self.change.postings.get(account, 0)))

    @property
    def back(self) -> str:
        """What came back of a hold or a redemption."""
        source = Account.HELD if Account.HELD in self.change.postings else Account.REDEEMED
        return f"{self.moved(source)} came back{_until(self.change.lots)}"


def _earned(told: _Told) -> str:
    facts, key = told.facts, told.entry.key
    of = f" of {facts.amount}" if facts.amount else ""
    if told.wallet not in facts.rules:
        what = f"'{facts.activity}'{of} ({key.source} {key.source_id})"
        return f"Nothing for {what}: no rule of program version {facts.program_version} counted."
    why = f"{_rules(told)} of program version {facts.program_version}"
    text = f"{told.moved(Account.ISSUED)} for '{facts.activity}'{of} ({key.source} {key.source_id}), by {why}"
    if told.change.maturing:
        matures_on, lot = parse_bucket(next(iter(told.change.maturing)))
        through = "" if lot == NEVER else f" through {_day_of(lot)}"
        return f"{text}: they can be spent from {_day_of(matures_on)}{through}."
    return f"{text}{_until(told.change.lots)}."


def _rules(told: _Told) -> str:
    """``rule 'shop'``; of several: ``rules 'shop' (100 points) and 'double' (50 points)``."""
    several = told.facts.rule_points.get(told.wallet)
    if not several:
        return f"rule '{told.facts.rules.get(told.wallet)}'"
    *others, last = [f"'{rule}' ({told.unit.amount(points)})" for rule, points in several.items()]
    return f"rules {', '.join(others)} and {last}"


def _reversed(told: _Told) -> str:
    facts = told.facts
    of = f" of {facts.amount}" if facts.amount else ""
    original = (facts.reverses or "").removeprefix("accrual:").replace(":", " ", 1)
    text = f"{told.moved(Account.ISSUED)} earned by {original} were taken back after a {facts.reason or 'refund'}{of}"
    if Account.EXPIRED in told.change.postings:
        return f"{text}; {told.moved(Account.EXPIRED)} of them had expired before and were not taken twice."
    return f"{text}."


def _matured(told: _Told) -> str:
    return f"The return window ended: {told.moved(Account.PENDING)} became spendable{_until(told.change.lots)}."


def _warned(told: _Told) -> str:
    expiring = told.unit.amount(told.facts.lot_points or 0)
    return f"A reminder: {expiring} can be spent through {_day_of(told.facts.lot or NEVER)} and expire then."


def _expired(told: _Told) -> str:
    (lot,) = told.change.lots
    return f"{told.moved(Account.EXPIRED)} expired: {_day_of(lot)} was the last day to spend them."


def _renewed(told: _Told) -> str:
    (lot,) = (lot for lot, points in told.change.lots.items() if points > 0)
    return f"Activity kept {told.unit.amount(told.change.lots[lot])} alive{_until({lot: 1})}."


def _held(told: _Told) -> str:
    expires_at = told.facts.hold_expires_at
    until = f" until {moment(expires_at, told.zone)}" if expires_at else ""
    return f"{told.moved(Account.HELD)} were set aside for '{told.facts.reward_id}'{until}{_taken(told.change.lots)}."


def _captured(told: _Told) -> str:
    text = f"{told.moved(Account.REDEEMED)} were spent on '{told.facts.reward_id}'"
    if told.change.points:
        return f"{text}; {told.moved(Account.AVAILABLE)} of the hold came back{_until(told.change.lots)}."
    return f"{text}."


def _released(told: _Told) -> str:
    return f"The redemption of '{told.facts.reward_id}' was given up: {told.back}."


def _timed_out(told: _Told) -> str:
    return f"Nobody completed redemption '{told.facts.redemption_id}' in time: {told.back}."


def _cancelled(told: _Told) -> str:
    return f"The redemption of '{told.facts.reward_id}' was cancelled: {told.back}."


def _adjusted(told: _Told) -> str:
    facts = told.facts
    who = f" by {facts.actor}" + (f", approved by {facts.approved_by}" if facts.approved_by else "")
    added = told.change.postings.get(Account.ADJUSTED, 0) < 0
    text = f"{told.moved(Account.ADJUSTED)} were {'added' if added else 'taken'}{who}: {facts.reason}"
    return f"{text}{_until(told.change.lots) if added else ''}."


def _sent(told: _Told) -> str:
    return f"{told.moved(Account.TRANSFERRED)} were given to {told.facts.other_member}."


def _received(told: _Told) -> str:
    return f"{told.moved(Account.TRANSFERRED)} came from {told.facts.other_member}{_until(told.change.lots)}."


def _merged(told: _Told) -> str:
    return f"This membership was merged into {told.facts.other_member}, which has its balances now."


def _absorbed(told: _Told) -> str:
    return f"The membership {told.facts.other_member} was merged into this one, with its balances."


def _forfeited(_told: _Told) -> str:
    return "The membership was erased: what was left ended with it."


def _tier(told: _Told) -> str:
    facts, standing = told.facts, next(iter(told.entry.movement.standings.values()), None)
    ladder = f" on '{facts.ladder}'" if facts.ladder not in {None, STATUS} else ""
    if facts.actor is not None:
        until = standing.granted_until if standing else None
        what = f"'{told.entry.tier_to}' was granted through {day(until)}" if until else "A granted tier was ended"
        return f"{what}{ladder} by {facts.actor}: {facts.reason}."
    kept = f", kept through {day(standing.valid_until)}" if standing and standing.valid_until else ""
    if told.entry.tier_to == facts.tier_from:
        return f"The tier '{facts.tier_from}'{ladder} was reviewed and stays{kept}."
    return f"The tier{ladder} changed from '{facts.tier_from}' to '{told.entry.tier_to}'{kept}."


def _tier_warned(told: _Told) -> str:
    facts = told.facts
    last, _, _ = told.entry.key.source_id.partition("/")
    return f"A reminder: the tier '{facts.tier_from}' is kept through {_day_of(last)}; '{facts.falls_to}' follows."


_WORDS: Final[Mapping[EntryKind, Callable[[_Told], str]]] = {
    EntryKind.ACCRUAL: _earned,
    EntryKind.REVERSAL: _reversed,
    EntryKind.MATURITY: _matured,
    EntryKind.WARNING: _warned,
    EntryKind.EXPIRY: _expired,
    EntryKind.RENEWAL: _renewed,
    EntryKind.HOLD: _held,
    EntryKind.CAPTURE: _captured,
    EntryKind.RELEASE: _released,
    EntryKind.TIMEOUT: _timed_out,
    EntryKind.CANCELLATION: _cancelled,
    EntryKind.ADJUSTMENT: _adjusted,
    EntryKind.TRANSFER_OUT: _sent,
    EntryKind.TRANSFER_IN: _received,
    EntryKind.MERGE_OUT: _merged,
    EntryKind.MERGE_IN: _absorbed,
    EntryKind.FORFEITURE: _forfeited,
    EntryKind.TIER: _tier,
    EntryKind.TIER_WARNING: _tier_warned,
}


def _owed(told: _Told) -> str:
    debt = told.change.postings.get(Account.DEBT, 0)
    if debt > 0:
        return f"{told.unit.amount(debt)} of them paid what was owed."
    return f"{told.unit.amount(-debt)} were spent already and are owed now." if debt else ""


def _day_of(iso: str) -> str:
    return day(date.fromisoformat(iso))


def _until(lots: Mapping[str, int]) -> str:
    """How long points that came in can be spent."""
    days = sorted(lots)
    if not days or days[0] == NEVER:
        return ""
    last = f" through {_day_of(days[0])}"
    return f", to be spent{last}" if len(days) == 1 else f", to be spent{last} or later"


def _taken(lots: Mapping[str, int]) -> str:
    """From which lots points went out."""
    days = sorted(lot for lot, points in lots.items() if points < 0 and lot != NEVER)
    return f", those that expire first ({_day_of(days[0])})" if days else ""
