"""What is stored beside books and entries: every record is there that must be, says what it must, and none else is."""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final

from loyalty.accruals.limits import CapsItem
from loyalty.accruals.records import AwaitedItem, LapsedItem, ReversedItem, WaitingItem
from loyalty.adjustments.store import AdjustmentItem
from loyalty.core.clock import from_text, to_text
from loyalty.core.money import Money
from loyalty.ledger.keys import BOOK_SK
from loyalty.ledger.model import POINTS
from loyalty.rewards.store import RedemptionItem
from loyalty.transfers.limits import LimitItem
from loyalty_contract import ENTRY_PREFIX
from tests.simulation.judge.replay import Replay
from tests.simulation.judge.violation import require
from tests.simulation.oracle.accruals import find
from tests.simulation.oracle.commands import DECIMALS, TakeBack
from tests.simulation.oracle.judgement import POSTED, answer
from tests.simulation.oracle.member import Earned, PlainMember, Redeemed
from tests.simulation.oracle.world import When

Told = dict[tuple[str, str], Any]
"""What records say, by member and sort key."""
Raw = dict[str, Any]
_LEDGER: Final = (ENTRY_PREFIX, BOOK_SK)


def check_records(replay: Replay) -> None:
    """Requires that the records are those that the model would have written.

    Raises:
        Violation: one is missing, too many, or says something else.
    """
    stored: Told = {}
    for raw in replay.played.table.scan():
        kind, _, owner = raw["pk"]["S"].partition("#")
        sk = raw["sk"]["S"]
        if kind == "M" and not sk.startswith(_LEDGER):
            stored[owner.partition("#")[2], sk] = _told(sk, raw)
    right: Told = {}
    for member in replay.world.members.values():
        right |= _expected(replay, member)
    _check_purchases(replay)
    for key in sorted({*stored, *right}):
        if not (stored.get(key) or right.get(key)):
            continue  # of a cap everything was given back
        require(stored.get(key) == right.get(key), "records", f"{key} says {stored.get(key)}, not {right.get(key)}")


def _told(sk: str, raw: Mapping[str, Any]) -> Any:
    """What a stored record says, as plain values; all of it where nobody knows that sort of record."""
    read = _READERS.get(sk.partition("#")[0])
    return raw if read is None else read(dict(raw))


def _redemption_told(raw: Raw) -> Any:
    item = RedemptionItem.from_raw_data(raw)
    expires_at = from_text(item.expires_at) if item.expires_at else None
    return item.status, item.points, item.lots, expires_at, item.captured_points or 0, item.wallet or POINTS


def _reversed_told(raw: Raw) -> Any:
    taken = ReversedItem.from_raw_data(raw)
    money = _units(Money.parse(taken.amount)) if taken.amount else None
    numbers = _positive(taken.points), _positive(taken.lapsed or {}), _positive(taken.lines or {})
    return numbers, money, bool(taken.whole), taken.reversals


def _waiting_told(raw: Raw) -> Any:
    waiting = WaitingItem.from_raw_data(raw)
    return waiting.accrual_source_id, from_text(waiting.occurred_at), waiting.reason, waiting.code


def _adjustment_told(raw: Raw) -> Any:
    adjusted = AdjustmentItem.from_raw_data(raw)
    return adjusted.status, adjusted.points, adjusted.wallet, adjusted.decided_by


_READERS: Final[Mapping[str, Callable[[Raw], Any]]] = {
    "REDEMPTION": _redemption_told,
    "HISTORY": lambda raw: raw["reward_type"]["S"],
    "REVERSED": _reversed_told,
    "LAPSED": lambda raw: LapsedItem.from_raw_data(raw).points,
    "WAITING": _waiting_told,
    "AWAITED": lambda raw: sorted(AwaitedItem.from_raw_data(raw).refunds),
    "ADJUSTMENT": _adjustment_told,
    "CAPS": lambda raw: _positive(CapsItem.from_raw_data(raw).used),
    "LIMIT": lambda raw: _positive(LimitItem.from_raw_data(raw).moved),
}


def _check_purchases(replay: Replay) -> None:
    """Nothing that came by event before its purchase is lost: it is posted, or waits, or is refused."""
    for (source, source_id), refund in replay.ever_kept.items():
        waits = source_id in replay.world.kept.get((source, refund.accrual_id), {})
        posted = any(identity == f"reversal:{source}:{source_id}" for _, identity in replay.entries)
        require(waits or posted, "lost", f"{source}:{source_id} was kept, and is neither posted nor kept any more")
        if waits and find(replay.world, refund) is not None:
            check_refused(replay, refund)


def check_refused(replay: Replay, refund: TakeBack) -> None:
    """Requires that what waits although its accrual is there is refused by it.

    One that refuses to take what is spent may have done so when there were fewer points.

    Raises:
        Violation: it could be taken back.
    """
    earned = find(replay.world, refund)
    world, when = replay.world.copy(), When(replay.played.simulation.time.now, replay.latest)
    world.settle(world.root(refund.member).member_id, when.rules, when.at)
    said = answer(world, refund, when)
    wrong = said == POSTED and earned is not None and earned.policy != "refuse"
    require(not wrong, "lost", f"{refund} waits, and could be taken back")


def _expected(replay: Replay, member: PlainMember) -> Told:
    found: dict[str, Any] = {}
    for name, redeemed in member.redemptions.items():
        found[f"REDEMPTION#{name}"] = _redemption(redeemed)
        held = replay.entries[member.member_id, f"hold:redemption:{name}"]
        found[f"HISTORY#{to_text(held.posted_at)}#{name}"] = redeemed.reward_type
    for identity, earned in member.earned.items():
        if earned.reversals:
            source, source_id = identity.split(":", 2)[1:]
            found[f"REVERSED#{source}#{source_id}"] = _reversed(earned)
    for name, adjusted in member.adjustments.items():
        asked = adjusted.adjust
        found[f"ADJUSTMENT#{name}"] = adjusted.status, asked.points, asked.wallet, adjusted.decided_by
    found |= {**_capped(member), **_lapsed(replay, member), **_waiting(member), **_limits(member)}
    return {(member.member_id, sk): told for sk, told in found.items()}


def _capped(member: PlainMember) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for bound, number in member.capped.items():
        if number:
            found.setdefault(f"CAPS#{bound.window}", {})[f"{bound.owner}|{bound.unit}"] = number
    return found


def _lapsed(replay: Replay, member: PlainMember) -> dict[str, int]:
    found = {}
    for wallet, plain in member.wallets.items():
        for lot, left in plain.expired.items():
            entry = replay.entries[member.member_id, f"expiry:{wallet}:{lot}"]
            taken = -entry.movement.change(wallet).lots.get(lot, 0) - left
            if taken:
                found[f"LAPSED#{wallet}#{lot}"] = taken
    return found


def _waiting(member: PlainMember) -> dict[str, Any]:
    found: dict[str, Any] = {}
    awaited: dict[str, list[str]] = {}
    for (source, source_id), waiting in member.waiting.items():
        refund = waiting.refund
        found[f"WAITING#{source}#{source_id}"] = refund.accrual_id, refund.occurred_at, refund.reason, waiting.code
        if waiting.code is None:
            awaited.setdefault(f"AWAITED#{source}#{refund.accrual_id}", []).append(source_id)
    return found | {sk: sorted(names) for sk, names in awaited.items()}


def _limits(member: PlainMember) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for (day, wallet), points in member.given.items():
        if points:
            found.setdefault(f"LIMIT#transfer#{day.isoformat()}", {})[wallet] = points
    return found


def _redemption(redeemed: Redeemed) -> Any:
    # A time-out is written nowhere: the hour tells it.
    status = "held" if redeemed.status == "timed_out" else redeemed.status
    return (
        status,
        len(redeemed.points),
        dict(Counter(redeemed.points)),
        redeemed.deadline,
        redeemed.captured,
        redeemed.wallet,
    )


def _reversed(earned: Earned) -> Any:
    numbers = _positive(earned.taken), _positive(earned.lapsed), _positive(earned.lines_back)
    return numbers, earned.money_back, earned.whole, earned.reversals


def _positive(numbers: Mapping[str, int]) -> dict[str, int]:
    return {name: number for name, number in numbers.items() if number}


def _units(money: Money) -> int:
    return int(money.amount.scaleb(DECIMALS[money.currency]))
