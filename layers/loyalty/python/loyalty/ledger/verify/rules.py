"""What each kind of entry may do at all: between which accounts, in which direction, in which wallets, to which lots."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from loyalty.ledger.model import Account, Entry, EntryKind
from loyalty.ledger.verify.replay import Step, redemption_of
from loyalty.ledger.verify.report import Problem, Problems

_UP, _DOWN, _BOTH = "+", "-", "±"
_ONE: Final = "one"


@dataclass(frozen=True, slots=True)
class _Rule:
    """Directions of the postings by account, of lots and of what matures; none: it does not move.

    ``wallets``: it moves the one wallet that its source names; that of a redemption, one alone, whichever that is: the
    holds' own check says whether it is the right one; or none.
    """

    accounts: Mapping[Account, str] = field(default_factory=dict)
    lots: str = ""
    maturing: str = ""
    wallets: str = "any"


_AVAILABLE, _PENDING, _HELD, _DEBT = Account.AVAILABLE, Account.PENDING, Account.HELD, Account.DEBT
_BACK: Final = {_AVAILABLE: _UP, _DEBT: _UP}
"""Points that come in pay a debt, which is a negative number, or may be spent."""

_RULES: Final[Mapping[EntryKind, _Rule]] = {
    EntryKind.ACCRUAL: _Rule({Account.ISSUED: _DOWN, _PENDING: _UP, **_BACK}, _UP, _UP),
    EntryKind.REVERSAL: _Rule(
        {Account.ISSUED: _UP, Account.EXPIRED: _DOWN, _AVAILABLE: _DOWN, _PENDING: _DOWN, _DEBT: _DOWN}, _DOWN, _DOWN
    ),
    EntryKind.MATURITY: _Rule({_PENDING: _DOWN, **_BACK}, _UP, _DOWN, "source"),
    EntryKind.WARNING: _Rule(wallets="source"),
    EntryKind.EXPIRY: _Rule({_AVAILABLE: _DOWN, Account.EXPIRED: _UP}, _DOWN, wallets="source"),
    EntryKind.RENEWAL: _Rule({}, _BOTH, wallets="source"),
    EntryKind.HOLD: _Rule({_AVAILABLE: _DOWN, _HELD: _UP}, _DOWN, wallets=_ONE),
    EntryKind.CAPTURE: _Rule({_HELD: _DOWN, Account.REDEEMED: _UP, **_BACK}, _UP, wallets=_ONE),
    EntryKind.RELEASE: _Rule({_HELD: _DOWN, **_BACK}, _UP, wallets=_ONE),
    EntryKind.TIMEOUT: _Rule({_HELD: _DOWN, **_BACK}, _UP, wallets=_ONE),
    EntryKind.CANCELLATION: _Rule({Account.REDEEMED: _DOWN, **_BACK}, _UP, wallets=_ONE),
    EntryKind.ADJUSTMENT: _Rule({Account.ADJUSTED: _BOTH, _AVAILABLE: _BOTH, _DEBT: _UP}, _BOTH),
    EntryKind.TRANSFER_OUT: _Rule({_AVAILABLE: _DOWN, Account.TRANSFERRED: _UP}, _DOWN),
    EntryKind.TRANSFER_IN: _Rule({Account.TRANSFERRED: _DOWN, **_BACK}, _UP),
    EntryKind.MERGE_OUT: _Rule(
        {_AVAILABLE: _BOTH, _PENDING: _DOWN, _DEBT: _UP, Account.TRANSFERRED: _BOTH}, _DOWN, _DOWN
    ),
    EntryKind.MERGE_IN: _Rule({_AVAILABLE: _BOTH, _PENDING: _UP, _DEBT: _BOTH, Account.TRANSFERRED: _BOTH}, _BOTH, _UP),
    EntryKind.FORFEITURE: _Rule({Account.EXPIRED: _BOTH, _AVAILABLE: _BOTH, _PENDING: _DOWN, _DEBT: _UP}, _DOWN, _DOWN),
    EntryKind.TIER: _Rule(wallets="none"),
    EntryKind.TIER_WARNING: _Rule(wallets="none"),
}
_OF_A_REDEMPTION: Final = frozenset(kind for kind, rule in _RULES.items() if rule.wallets == _ONE)
_OF_TWO_MEMBERS: Final = frozenset(
    {EntryKind.TRANSFER_OUT, EntryKind.TRANSFER_IN, EntryKind.MERGE_OUT, EntryKind.MERGE_IN}
)
_QUALIFYING: Final = frozenset({EntryKind.ACCRUAL, EntryKind.REVERSAL, EntryKind.MERGE_IN, EntryKind.MERGE_OUT})


def check_rules(step: Step) -> Problems:
    """Whether the entry does what its kind may do, and names what it belongs to."""
    entry, rule = step.entry, _RULES[step.kind]
    yield from _check_wallets(entry, rule)
    yield from _check_names(entry)
    for wallet_id, change in entry.movement.changes.items():
        foreign = sorted(change.postings.keys() - rule.accounts.keys())
        if foreign:
            yield Problem("accounts_wrong", step.where, f"{step.kind} between {', '.join(foreign)} in '{wallet_id}'")
        moved = [
            (f"{account}", points, rule.accounts.get(account, _BOTH)) for account, points in change.postings.items()
        ]
        moved += [(f"lot {lot}", points, rule.lots) for lot, points in change.lots.items()]
        moved += [(f"bucket {key}", points, rule.maturing) for key, points in change.maturing.items()]
        for what, points, direction in moved:
            if not _goes(points, direction):
                yield Problem("direction_wrong", step.where, f"{what} of '{wallet_id}' changes by {points}")


def _goes(points: int, direction: str) -> bool:
    return points == 0 or direction in {_BOTH, _UP if points > 0 else _DOWN}


def _check_wallets(entry: Entry, rule: _Rule) -> Problems:
    wallets = set(entry.movement.changes)
    named = ", ".join(sorted(wallets)) or "none"
    only = {"source": {entry.key.source}, "none": set[str]()}.get(rule.wallets, wallets)
    if wallets != only:
        yield Problem("wallets_wrong", entry.entry_id, f"it moves the wallets: {named}; not: {', '.join(sorted(only))}")
    if rule.wallets == _ONE and len(wallets) != 1:
        yield Problem("wallets_wrong", entry.entry_id, f"it moves the wallets: {named}; not: one")


def _check_names(entry: Entry) -> Problems:
    kind = entry.key.kind
    if kind in _OF_A_REDEMPTION and redemption_of(entry) != entry.key.source_id:
        yield Problem("identity_wrong", entry.entry_id, f"it says that it is of {redemption_of(entry)}")
    if kind in _OF_TWO_MEMBERS and entry.facts.other_member in {None, entry.member_id}:
        yield Problem("identity_wrong", entry.entry_id, f"the other member is {entry.facts.other_member}")
    if entry.movement.qualifying and kind not in _QUALIFYING:
        yield Problem("qualifying_wrong", entry.entry_id, f"{kind} counts towards no tier")
