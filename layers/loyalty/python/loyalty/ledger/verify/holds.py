"""Whether every hold ended once at most, by as many points as it had, and its redemption says so."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from loyalty.ledger.model import POINTS, Account, Entry, EntryKind
from loyalty.ledger.verify.family import Family, grouped
from loyalty.ledger.verify.kept import Redeemed
from loyalty.ledger.verify.lots import came_back, grace
from loyalty.ledger.verify.replay import ENDS_OF_A_HOLD, redemption_of, wallet_of
from loyalty.ledger.verify.report import Problem, Problems
from loyalty_contract import REDEMPTION_PREFIX

_STATUS = {EntryKind.CAPTURE: "captured", EntryKind.RELEASE: "released", EntryKind.TIMEOUT: "held"}
"""What a redemption says after each end of its hold. A time-out is written in none."""


def check_holds(family: Family) -> Problems:
    """What is wrong with holds, their ends, and the redemptions beside them."""
    holds = {redemption_of(entry): entry for entry in family.entries(EntryKind.HOLD)}
    ends = grouped((redemption_of(entry), entry) for entry in family.entries(*ENDS_OF_A_HOLD))
    undone = grouped((redemption_of(entry), entry) for entry in family.entries(EntryKind.CANCELLATION))
    records = {
        sk.removeprefix(REDEMPTION_PREFIX): (member_id, sk, record)
        for member_id, sk, record in family.records(Redeemed)
    }
    yield from _check_ends(holds, ends)
    for redemption_id, cancelled in undone.items():
        captures = [entry for entry in ends.get(redemption_id, []) if entry.key.kind is EntryKind.CAPTURE]
        yield from _check_cancelled(family, cancelled, captures, holds.get(redemption_id))
    for redemption_id, hold in holds.items():
        ended, found = ends.get(redemption_id, []), records.get(redemption_id)
        if found is None:
            yield _at(hold, "redemption_missing", "the hold has no redemption")
        elif (problem := _difference(found[2], hold, ended, cancelled=redemption_id in undone)) is not None:
            yield Problem("redemption_wrong", found[1], problem, found[0])
        yield from _check_wallets(family, hold, (*ended, *undone.get(redemption_id, ())))
        for end in ended:
            yield from _check_end(family, hold, end)
    for redemption_id, (member_id, sk, _) in records.items():
        if redemption_id not in holds:
            yield Problem("redemption_without_hold", sk, "no hold was posted for it", member_id)


def _check_ends(holds: Mapping[str, Entry], ends: Mapping[str, Sequence[Entry]]) -> Problems:
    for redemption_id, ended in ends.items():
        if redemption_id not in holds:
            yield _at(ended[0], "end_without_hold", "no hold was posted for it")
        if len(ended) > 1:
            yield _at(ended[-1], "hold_ended_twice", ", ".join(entry.entry_id for entry in ended))


def _difference(record: Redeemed, hold: Entry, ended: Sequence[Entry], *, cancelled: bool) -> str | None:
    captured = next((_redeemed(entry) for entry in ended if entry.key.kind is EntryKind.CAPTURE), None)
    status = _STATUS[ended[0].key.kind] if ended else "held"
    until, stock = hold.facts.hold_expires_at, dict(hold.facts.stock)
    status = "cancelled" if cancelled else status
    expected = Redeemed(status, _held(hold), _lots(hold), until, captured, stock, wallet=wallet_of(hold))
    return None if record == expected else f"entries say {expected}, it says {record}"


def _check_wallets(family: Family, hold: Entry, after: Sequence[Entry]) -> Problems:
    """It is held in the wallet that the version which decided it says, and ends, and comes back, in the same one."""
    wallet, scope = wallet_of(hold), family.scopes.get(hold.facts.program_version)
    if scope is not None:
        due = scope.reward_wallets.get(hold.facts.reward_id or "", POINTS)
        if wallet != due:
            yield _at(hold, "hold_in_other_wallet", f"'{hold.facts.reward_id}' is paid from '{due}', not '{wallet}'")
    for entry in after:
        if wallet_of(entry) != wallet:
            yield _at(entry, "end_in_other_wallet", f"the hold is in '{wallet}', it moves '{wallet_of(entry)}'")


def _check_end(family: Family, hold: Entry, end: Entry) -> Problems:
    yield from _check_stock(end, {} if end.key.kind is EntryKind.CAPTURE else hold.facts.stock)
    change = end.movement.change(wallet_of(end))
    if -change.postings.get(Account.HELD, 0) != _held(hold):
        yield _at(end, "end_of_other_amount", f"the hold was of {_held(hold)} points")
        return
    _, left = _split(_lots(hold), _redeemed(end))
    moment = end.facts.occurred_at if end.key.kind is EntryKind.TIMEOUT else end.posted_at
    yield from _check_lots(family, end, left, moment)


def _check_cancelled(
    family: Family, cancelled: Sequence[Entry], captures: Sequence[Entry], hold: Entry | None
) -> Problems:
    if len(cancelled) > 1:
        yield _at(cancelled[-1], "cancelled_twice", ", ".join(entry.member_id for entry in cancelled))
    if not captures or hold is None:
        yield _at(cancelled[0], "cancellation_without_capture", "nothing was captured that could come back")
        return
    captured = _redeemed(captures[0])
    for entry in cancelled:
        yield from _check_stock(entry, hold.facts.stock)
        if -_redeemed(entry) != captured:
            yield _at(entry, "cancellation_of_other_amount", f"{captured} points were captured")
        else:
            spent, _ = _split(_lots(hold), captured)
            yield from _check_lots(family, entry, spent, entry.posted_at)


def _check_stock(end: Entry, taken: Mapping[str, int]) -> Problems:
    back = {shard: -units for shard, units in end.facts.stock.items()}
    if back != taken:
        yield _at(end, "end_to_other_stock", f"the hold took {dict(taken)} of the stock, {back} came back")


def _check_lots(family: Family, entry: Entry, given: Mapping[str, int], moment: datetime) -> Problems:
    wallet = wallet_of(entry)
    change = entry.movement.change(wallet)
    targets = grace(given, moment, family.days, (scope.terms_of(wallet) for scope in family.scopes.values()), change)
    if not came_back(given, change, targets):
        yield _at(entry, "end_to_other_lots", f"of lots {dict(given)}, points came back to {dict(change.lots)}")


def _split(lots: Mapping[str, int], points: int) -> tuple[dict[str, int], dict[str, int]]:
    """The first-to-expire ``points`` of the lots, and the others."""
    first, rest = dict[str, int](), dict[str, int]()
    for lot in sorted(lots):
        part = max(0, min(lots[lot], points - sum(first.values())))
        first |= {lot: part} if part else {}
        rest |= {lot: lots[lot] - part} if lots[lot] > part else {}
    return first, rest


def _held(hold: Entry) -> int:
    return hold.movement.change(wallet_of(hold)).postings.get(Account.HELD, 0)


def _redeemed(entry: Entry) -> int:
    return entry.movement.change(wallet_of(entry)).postings.get(Account.REDEEMED, 0)


def _lots(hold: Entry) -> dict[str, int]:
    return {lot: -points for lot, points in hold.movement.change(wallet_of(hold)).lots.items()}


def _at(entry: Entry, code: str, detail: str) -> Problem:
    return Problem(code, entry.entry_id, detail, entry.member_id)
