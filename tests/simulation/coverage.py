"""What occurred in histories: a simulation in which little happens proves little."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from loyalty.ledger.ladders import STATUS
from loyalty.ledger.model import Account, Entry, EntryKind
from tests.simulation.answers import CRASHED, KEPT, NOTHING, POSTED, UNKNOWN
from tests.simulation.faults import Fault
from tests.simulation.judge.replay import Replay
from tests.simulation.judge.telling import used_of
from tests.simulation.oracle.commands import Accrue, Command, Decide, EndHold, TakeBack
from tests.simulation.oracle.member import Earned, PlainMember
from tests.simulation.oracle.rules import MAIN
from tests.simulation.scenario import Call, Played
from tests.simulation.showing import columns, table

Counts = Counter[tuple[str, str]]
"""How often what occurred, by what sort of thing it is: a command's kind and what its client was told, and the like."""
AGAIN: Final = "again"
_OUTCOMES: Final = (POSTED, AGAIN, NOTHING, KEPT, "refused", UNKNOWN, CRASHED)
COMMANDS: Final[Mapping[str, str]] = {
    "Accrue": "posted again crashed unknown entry_exists_with_different_request occurred_before_enrollment"
    " occurred_in_future activity_not_rewarded currency_not_in_program member_not_found",
    "Accrue by event": "posted again crashed unknown",
    "TakeBack": "posted again kept crashed unknown accrual_fully_reversed amount_exceeds_accrual line_not_in_accrual"
    " line_quantity_exceeded currency_mismatch reversal_refused entry_exists_with_different_request",
    "TakeBack by event": "posted again kept crashed unknown currency_mismatch",
    "HoldPoints": "posted again crashed unknown insufficient_points idempotency_key_reused quantity_limit_exceeded"
    " hold_minutes_limit_exceeded",
    "EndHold captured": "posted again crashed unknown capture_exceeds_hold redemption_timed_out"
    " redemption_already_released redemption_already_captured redemption_already_cancelled fulfillment_in_progress"
    " redemption_not_found",
    "EndHold released": "posted again crashed redemption_timed_out redemption_already_captured redemption_not_found",
    "EndHold cancelled": "posted again crashed redemption_timed_out redemption_not_captured"
    " redemption_already_released redemption_not_cancellable",
    "Adjust": "posted again nothing crashed insufficient_points idempotency_key_reused adjustment_reason_unknown",
    "Decide approved": "posted again crashed second_person_required adjustment_already_posted adjustment_not_found",
    "Decide rejected": "nothing adjustment_already_posted adjustment_not_found",
    "Give": "posted again crashed unknown insufficient_points transfer_to_self daily_transfer_limit_exceeded"
    " transfer_below_minimum transfers_not_offered idempotency_key_reused",
    "Merge": "posted again crashed member_merged member_has_open_holds merge_with_self",
    "Recalculate": "posted again nothing crashed",
    "Grant": "posted again crashed idempotency_key_reused ladder_not_found tier_unknown tier_grant_date_refused"
    " adjustment_reason_unknown",
    "EndGrant": "posted again crashed tier_not_granted",
}
"""What clients of each kind of command must have been told, over some hundreds of histories."""
MUST_OCCUR: Final[Mapping[str, frozenset[str]]] = {
    **{kind: frozenset(told.split()) for kind, told in COMMANDS.items()},
    "fault": frozenset(fault.name.lower() for fault in Fault),
    # Nobody is erased in these histories: tests/property/test_erasures.py.
    "entry": frozenset(kind.value for kind in EntryKind) - {EntryKind.FORFEITURE.value},
    "ladder": frozenset(
        ["points", "spend", "activities", "calendar_year", "anniversary_year", "rolling_months", "lifetime", "never", "achievement", "one_level", "keep_until_review", "at_once"]
    ),
    "tier": frozenset(
        {
            "tier_recalculation, higher", "tier_recalculation, lower", "tier_recalculation, the same",
            "tier_recalculation, on another ladder", "review, lower", "review, the same",
            "review, one level left", "review, on another ladder", "merge, higher", "merge, the same",
            "merge, on another ladder", "tier_grant, higher", "tier_grant, the same", "tier_grant_end, lower",
            "grant_end, lower", "granted above what is earned", "grant of another member",
        }
    ),
    "expiry": frozenset({"rolling", "inactivity", "fixed_date", "never"}),
    "reversal of spent points": frozenset({"allow_negative", "clamp_with_debt", "refuse"}),
    "state": frozenset(
        {
            "below zero", "debt", "debt paid", "lapsed points taken back", "reversal waits", "waiting reversal refused",
            "waiting reversal posted", "proposed", "approved", "absorbed", "absorbed in a chain",
            "waits in a family", "accrual under an absorbed id", "reversal across a merge", "came back with grace",
            "part captured", "captured in a further wallet", "released in a further wallet",
            "timed out in a further wallet", "cancelled in a further wallet", "held of another wallet since", "several rules", "a multiplier", "cap of points", "cap of times", "cap used up",
            "budget of one shard", "budget of several shards", "budget used up", "budget shared by rules",
            "cap given back", "budget given back",
        }
    ),
}  # fmt: skip
"""What some hundreds of histories cannot be without."""


def counted(played: Played, replay: Replay | None) -> Counts:
    """What occurred in a history; less is known of one that was not right."""
    counts: Counts = Counter()
    done: set[Command] = set()
    for call in played.calls:
        again = call.answer.what == POSTED and call.command in done
        counts[kind_of(call.command), told(call, again=again)] += 1
        if call.answer.what == POSTED:
            done.add(call.command)
    for fault, times in played.simulation.struck.items():
        counts["fault", fault.name.lower()] += times
    document = played.history.documents[0]
    counts += _ladders([document, *document["ladders"]])
    counts["zone", document["time_zone"]] += 1
    counts["reversal of spent points", document.get("reversal", "allow_negative")] += 1
    for wallet in [document, *document["wallets"]]:
        counts["expiry", wallet["expiry"]["policy"]] += 1
    for burst in played.history.bursts:
        counts["time", burst.jump.kind] += 1
        counts["time", "stands still"] += burst.stands is not None
    counts["time", "two versions"] += len(played.programs) > 1
    counts["time", "sweeps"] += played.sweeps
    if replay is not None:
        for entry in replay.entries.values():
            counts["entry", str(entry.key.kind)] += 1
            for what in _tier_story(replay, entry):
                counts["tier", what] += 1
        for state, times in states(replay):
            counts["state", state] += times
    return counts


def _ladders(ladders: Sequence[Mapping[str, Any]]) -> Counts:
    found: Counts = Counter()
    for ladder in ladders:
        qualification, downgrade = ladder.get("qualification", {}), ladder.get("downgrade", {})
        found["ladder", qualification.get("period", "calendar_year")] += 1
        found["ladder", qualification.get("metric", "points")] += 1
        found["ladder", downgrade.get("by", "never")] += 1
        found["ladder", downgrade.get("after_reversal", "keep_until_review")] += 1
    return found


def kind_of(command: Command) -> str:
    """What sort of command it is."""
    match command:
        case EndHold(how=how):
            return f"EndHold {how}"
        case Decide(approved=approved):
            return "Decide approved" if approved else "Decide rejected"
        case Accrue(by_event=True) | TakeBack(by_event=True):
            return f"{type(command).__name__} by event"
        case _:
            return type(command).__name__


def told(call: Call, *, again: bool) -> str:
    """What its client was told; ``again``: what it was told before."""
    if again or (call.answer.what, call.answer.code) == (KEPT, "again"):
        return AGAIN
    return UNKNOWN if call.answer.what == UNKNOWN else call.answer.code or call.answer.what


def missing(counts: Counts) -> list[str]:
    """What must occur and did not."""
    return sorted(f"{sort}: {name}" for sort, names in MUST_OCCUR.items() for name in names if not counts[sort, name])


def summary(counts: Counts, width: int) -> Iterator[str]:
    """What occurred, line by line, in ``width`` characters: commands by outcome, refusals by name, and all else."""
    rows: dict[str, Counter[str]] = {kind: Counter() for kind in COMMANDS}
    refusals: Counter[str] = Counter()
    others: dict[str, Counter[str]] = {}
    for (sort, name), times in counts.items():
        if sort not in rows:
            others.setdefault(sort, Counter())[name] += times
        elif name in _OUTCOMES:
            rows[sort][name] += times
        else:
            rows[sort]["refused"] += times
            refusals[name] += times
    yield from table(rows, _OUTCOMES)
    for title, found in [("refused", refusals), *sorted(others.items())]:
        yield f"\n{title}"
        yield from (f"  {line}" for line in columns(found, width - 2))


def _tier_story(replay: Replay, entry: Entry) -> Iterator[str]:
    """What an entry of a tier did, in words."""
    if entry.key.kind is not EntryKind.TIER:
        return
    source = entry.key.source.partition(".")[0]
    ladder = replay.latest.ladder(entry.facts.ladder or STATUS)
    before, after = ladder.rank(entry.facts.tier_from), ladder.rank(entry.tier_to)
    for standing in entry.movement.standings.values():
        if standing.tier != standing.earned:
            yield "granted above what is earned"
        if source == "merge" and standing.granted is not None:
            yield "grant of another member"
    yield f"{source}, {'the same' if before == after else 'higher' if after > before else 'lower'}"
    if any(standing.kept for standing in entry.movement.standings.values()):
        yield f"{source}, one level left"
    if ladder.id != STATUS:
        yield f"{source}, on another ladder"


def states(replay: Replay) -> Iterator[tuple[str, int]]:
    """What is worth telling of where a history led, and how often it did."""
    for entry in replay.entries.values():
        yield from _of_entry(replay, entry).items()
    for member in replay.world.members.values():
        yield from _of_member(replay, member).items()
    for campaign, limit in replay.budget_limits.items():
        yield "budget used up", replay.world.spent[f"campaign:{campaign}"] == limit


def _of_entry(replay: Replay, entry: Entry) -> dict[str, int]:
    command, kind = replay.command_of.get((entry.member_id, entry.entry_id)), entry.key.kind
    owed = [change.postings.get(Account.DEBT, 0) for change in entry.movement.changes.values()]
    is_reversal, is_merge = kind is EntryKind.REVERSAL, kind is EntryKind.MERGE_OUT
    return {
        "below zero": any(balances.available < 0 for balances in entry.after.values()),
        "debt": any(balances.debt for balances in entry.after.values()),
        "debt paid": not is_merge and any(points > 0 for points in owed),
        "debt merged": is_merge and any(points > 0 for points in owed),
        "approved": entry.facts.approved_by is not None,
        "accrual under an absorbed id": kind is EntryKind.ACCRUAL and _is_of_another(command, entry),
        "waiting reversal posted": is_reversal and isinstance(command, Accrue),
        "reversal across a merge": is_reversal and (entry.member_id, entry.facts.reverses) not in replay.entries,
        "came back with grace": _has_grace(replay, entry),
        **_of_rules(replay, entry),
    }


def _of_rules(replay: Replay, entry: Entry) -> dict[str, int]:
    used = list(used_of(entry))
    shards = Counter(owner for kind, owner, *_ in used if kind == "budget")
    rules = [rule for parts in entry.facts.rule_points.values() for rule, points in parts.items() if points]
    return {
        "several rules": len(rules) > 1,
        "a multiplier": "double" in rules,
        "cap of points": any(kind == "cap" and unit == "points" for kind, _, unit, *_ in used),
        "cap of times": any(kind == "cap" and unit == "times" for kind, _, unit, *_ in used),
        "budget of one shard": 1 in shards.values(),
        "budget of several shards": any(number > 1 for number in shards.values()),
        "budget shared by rules": bool(shards) and len({"rush", "treat", "double"} & {*rules}) > 1,
    }


def _is_of_another(command: Command | None, entry: Entry) -> bool:
    return isinstance(command, Accrue) and command.member != entry.member_id


def _has_grace(replay: Replay, entry: Entry) -> bool:
    """Whether points of a hold came back to another lot than they were taken from."""
    homes = [member.redemptions.get(entry.facts.redemption_id or "") for member in replay.world.members.values()]
    taken = {point for redeemed in homes if redeemed for point in redeemed.points}
    back = {lot for change in entry.movement.changes.values() for lot, points in change.lots.items() if points > 0}
    return bool(taken and back - taken)


def _of_member(replay: Replay, member: PlainMember) -> dict[str, int]:
    waiting = sum(one.code is None for one in member.waiting.values())
    return {
        "absorbed": bool(member.absorbed),
        "absorbed in a chain": any(replay.world.members[one].absorbed for one in member.absorbed),
        "reversal waits": waiting,
        "waits in a family": waiting if len(replay.world.relatives(member.member_id)) > 1 else 0,
        "waiting reversal refused": len(member.waiting) - waiting,
        "lapsed points taken back": sum(any(one.lapsed.values()) for one in member.earned.values()),
        "proposed": sum(one.status == "proposed" for one in member.adjustments.values()),
        "cap used up": sum(number == bound.limit for bound, number in member.capped.items()),
        "cap given back": sum(_gave_back(one, "cap") for one in member.earned.values()),
        "budget given back": sum(_gave_back(one, "budget") for one in member.earned.values()),
        "part captured": sum(0 < one.captured < len(one.points) for one in member.redemptions.values()),
        **_of_wallets(replay, member),
    }


def _of_wallets(replay: Replay, member: PlainMember) -> Counter[str]:
    """Redemptions that were not paid from the main wallet, and those whose reward is paid from another one by now."""
    found: Counter[str] = Counter()
    for one in member.redemptions.values():
        if one.wallet != MAIN:
            found[f"{one.status.replace('_', ' ')} in a further wallet"] += 1
        reward = replay.latest.reward(one.hold.reward) or {}
        found["held of another wallet since"] += reward.get("wallet", MAIN) != one.wallet
    return found


def _gave_back(earned: Earned, kind: str) -> bool:
    return any(number and bound.kind == kind for bound, number in earned.given_back.items())
