"""What occurred in histories: a simulation in which little happens proves little."""

from collections import Counter
from collections.abc import Mapping
from typing import Final

from tests.simulation.answers import POSTED, UNKNOWN
from tests.simulation.faults import Fault
from tests.simulation.judge.replay import Replay
from tests.simulation.oracle.commands import Accrue, Command, Decide, EndHold, TakeBack
from tests.simulation.scenario import Call, Played

Counts = Counter[tuple[str, str]]
"""How often what occurred, by what sort of thing it is."""

MUST_OCCUR: Final[Mapping[str, frozenset[str]]] = {
    "fault": frozenset(fault.name.lower() for fault in Fault),
    "entry": frozenset({"accrual", "reversal", "maturity", "warning", "expiry", "renewal", "hold", "capture", "release", "timeout", "cancellation", "adjustment", "transfer_out", "transfer_in", "merge_out", "merge_in", "tier"}),
    "expiry": frozenset({"rolling", "inactivity", "fixed_date", "never"}),
    "reversal": frozenset({"allow_negative", "clamp_with_debt", "refuse"}),
    "state": frozenset({"below zero", "debt", "lapsed", "waiting", "absorbed", "proposed"}),
    "command": frozenset(
        {
            "Accrue posted", "Accrue again", "Accrue crashed", "Accrue unknown",
            "Accrue entry_exists_with_different_request",
            "Accrue occurred_before_enrollment", "Accrue occurred_in_future", "Accrue activity_not_rewarded",
            "TakeBack posted", "TakeBack again", "TakeBack kept", "TakeBack crashed", "TakeBack unknown",
            "TakeBack accrual_fully_reversed", "TakeBack amount_exceeds_accrual", "TakeBack line_quantity_exceeded",
            "TakeBack line_not_in_accrual", "TakeBack currency_mismatch", "TakeBack reversal_refused",
            "Accrue by event posted", "Accrue by event again", "Accrue by event crashed", "Accrue by event unknown",
            "TakeBack by event posted", "TakeBack by event again", "TakeBack by event kept",
            "HoldPoints posted", "HoldPoints again", "HoldPoints crashed", "HoldPoints unknown",
            "HoldPoints insufficient_points", "HoldPoints idempotency_key_reused",
            "EndHold captured posted", "EndHold captured again", "EndHold captured capture_exceeds_hold",
            "EndHold captured redemption_timed_out", "EndHold captured redemption_already_released",
            "EndHold captured redemption_already_captured", "EndHold released posted",
            "EndHold released redemption_already_captured", "EndHold released redemption_timed_out",
            "EndHold cancelled posted", "EndHold cancelled redemption_not_captured",
            "EndHold captured fulfillment_in_progress", "EndHold captured redemption_not_found",
            "Adjust posted", "Adjust again", "Adjust nothing", "Adjust insufficient_points",
            "Adjust idempotency_key_reused", "Decide approved posted", "Decide rejected nothing",
            "Decide approved second_person_required", "Decide approved adjustment_already_posted",
            "Give posted", "Give again", "Give insufficient_points", "Give transfer_to_self",
            "Give daily_transfer_limit_exceeded", "Give transfer_above_maximum", "Give transfers_not_offered",
            "Merge posted", "Merge again", "Merge member_merged", "Merge member_has_open_holds",
            "Recalculate posted", "Recalculate nothing",
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
        counts["command", described(call, again=again)] += 1
        if call.answer.what == POSTED:
            done.add(call.command)
    for fault, times in played.simulation.struck.items():
        counts["fault", fault.name.lower()] += times
    document = played.history.documents[0]
    counts["zone", document["time_zone"]] += 1
    counts["reversal", document.get("reversal", "allow_negative")] += 1
    for wallet in [document, *document["wallets"]]:
        counts["expiry", wallet["expiry"]["policy"]] += 1
    for burst in played.history.bursts:
        counts["time", burst.jump.kind] += 1
        counts["time", "stands still"] += burst.stands is not None
    counts["versions", str(len(played.programs))] += 1
    if replay is not None:
        for entry in replay.entries.values():
            counts["entry", str(entry.key.kind)] += 1
        _states(replay, counts)
    return counts


def described(call: Call, *, again: bool) -> str:
    """A command's kind, and what its client was told; ``again``: what it was told before."""
    match call.command:
        case EndHold(how=how):
            kind = f"EndHold {how}"
        case Decide(approved=approved):
            kind = "Decide approved" if approved else "Decide rejected"
        case Accrue(by_event=True) | TakeBack(by_event=True):
            kind = f"{type(call.command).__name__} by event"
        case _:
            kind = type(call.command).__name__
    what = UNKNOWN if call.answer.what == UNKNOWN else call.answer.code or call.answer.what
    return f"{kind} {'again' if again else what}"


def _states(replay: Replay, counts: Counts) -> None:
    for entry in replay.entries.values():
        for balances in entry.after.values():
            counts["state", "below zero"] += balances.available < 0
            counts["state", "debt"] += balances.debt > 0
    for member in replay.world.members.values():
        counts["state", "absorbed"] += bool(member.absorbed)
        counts["state", "waiting"] += bool(member.waiting)
        counts["state", "lapsed"] += any(earned.lapsed for earned in member.earned.values())
        counts["state", "proposed"] += any(one.status == "proposed" for one in member.adjustments.values())


def missing(counts: Counts) -> list[str]:
    """What must occur and did not."""
    return sorted(f"{sort}: {name}" for sort, names in MUST_OCCUR.items() for name in names if not counts[sort, name])
