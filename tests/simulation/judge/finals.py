"""What is left at the end of a history: books, now and later; what waits; the sums of all accounts; the audit."""

import random
from collections import Counter
from datetime import datetime, timedelta
from typing import Final

from loyalty.core.clock import to_text
from loyalty.ledger.items import book_of
from loyalty.ledger.keys import BOOK_SK, due_shard, partition
from loyalty.ledger.model import Entry
from loyalty.ledger.settlement import as_of
from loyalty.ledger.verify import audit_table
from tests.simulation.judge.books import compare_book
from tests.simulation.judge.budgets import SHARDS
from tests.simulation.judge.commits import Raw
from tests.simulation.judge.records import check_records, check_refused
from tests.simulation.judge.replay import Replay
from tests.simulation.judge.violation import require
from tests.simulation.naming import PROGRAM
from tests.simulation.oracle.accruals import find

_WAITS: Final = "waiting_although_posted"
_MOMENTS: Final = 2
_LATER: Final = timedelta(days=500)
_EARLIER: Final = timedelta(seconds=2)
"""By how much the last sweeper's clock may be slow."""


def check_final(replay: Replay) -> None:
    """Requires that everything that is stored says what the model does.

    Raises:
        Violation: something does not.
    """
    books = _books(replay)
    now = replay.played.simulation.time.now
    for member, raw in books.items():
        _check_written(replay, member, now)
        _check_due(replay, member, raw)
        _check_later(replay, member, raw, now)
        _check_awaiting(replay, member, raw)
    _check_sums(replay)
    _check_budgets(replay)
    check_records(replay)
    _check_audit(replay)


def _check_audit(replay: Replay) -> None:
    """The audit finds nothing, but reversals that wait with one member for what was posted to another, and refuses them.

    The merge of these two posts what can be posted.
    """
    scopes = {program.version: program.scope for program in replay.played.programs}
    report = audit_table(replay.played.table, scopes_of=lambda _: scopes)
    known = {
        (member.member_id, f"WAITING#{source}#{source_id}")
        for member in replay.world.members.values()
        for (source, source_id), waiting in member.waiting.items()
        if waiting.code is None and find(replay.world, waiting.refund) is not None
    }
    for member_id, sk in known:
        waiting = replay.world.members[member_id].waiting[_parsed(sk)]
        check_refused(replay, waiting.refund)
    found = [one for one in report.findings if one.code != _WAITS or (one.member_id, one.where) not in known]
    require(not found, "audit", lambda: f"{found[0]}")
    told = {(one.member_id, one.where) for one in report.findings}
    require(told == known, "audit", lambda: f"{known - told} wait in vain, and the audit does not say so")


def _parsed(sk: str) -> tuple[str, str]:
    """Source and source id of a reversal that waits."""
    _, source, source_id = sk.split("#", 2)
    return source, source_id


def _books(replay: Replay) -> dict[str, Raw]:
    found = {}
    for member in replay.played.history.members:
        raw = replay.played.table.read(partition(PROGRAM, member), BOOK_SK)
        require(raw is not None, "lost", f"{member} has no book")
        found[member] = raw or {}
    return found


def _check_written(replay: Replay, member: str, now: datetime) -> None:
    """Whatever fell due before the last sweep is written down."""
    world = replay.world.copy(member)
    due = world.members[member].next_due(replay.latest, now - _EARLIER)
    require(due is None, "unsettled", f"{due} of {member} was never written down")


def _check_due(replay: Replay, member: str, raw: Raw) -> None:
    """The book is in the due index as of what falls due next."""
    plain = replay.world.copy(member).members[member]
    due = plain.next_due(replay.latest, _end(replay, member))
    told = raw.get("due_at", {}).get("S"), raw.get("due_shard", {}).get("S")
    right = (to_text(due.at), due_shard(member)) if due else (None, None)
    require(told == right, "due", f"{member} is in the due index as {told}, not {right}")


def _end(replay: Replay, member: str) -> datetime:
    """After everything that a member has has expired."""
    return replay.played.simulation.time.now + timedelta(days=5 * 366)


def _check_later(replay: Replay, member: str, raw: Raw, now: datetime) -> None:
    """Balances read at any later moment are right, though nothing writes them down."""
    rng = random.Random(f"later/{replay.played.history.seed}/{member}")  # noqa: S311 -- repeatable, and no secret
    scope = replay.played.programs[-1].scope
    book = book_of(raw)
    for _ in range(_MOMENTS):
        moment = now + rng.random() * _LATER * rng.choice([0.02, 1])
        world = replay.world.copy(member)
        world.settle(member, replay.latest, moment)
        compare_book(world, as_of(book, scope, moment), f"book of {member} as of {moment.isoformat()}")


def _check_awaiting(replay: Replay, member: str, raw: Raw) -> None:
    """The book that is posted to says how many reversals wait, of the whole family; the others say none."""
    world = replay.world
    right = 0
    if world.members[member].merged_into is None:
        family = [world.members[name] for name in world.relatives(member)]
        right = sum(waiting.code is None for one in family for waiting in one.waiting.values())
    told = book_of(raw).awaiting
    require(told == right, "awaiting", f"{right} reversals wait for accruals of {member}, its book says {told}")


def _check_sums(replay: Replay) -> None:
    """Nothing comes from nowhere: over all members and accounts, points sum to zero, and the program's are the model's."""
    sums: Counter[tuple[str, str]] = Counter()
    for entry in replay.entries.values():
        _require_balanced(entry)
        for name, change in entry.movement.changes.items():
            for account, points in change.postings.items():
                sums[name, str(account)] += points
    plain: Counter[tuple[str, str]] = Counter()
    for member in replay.world.members.values():
        for name, wallet in member.wallets.items():
            for (kind, what), points in wallet.picture().items():
                if kind == "account":
                    plain[name, what] += points
    right = {key: points for key, points in plain.items() if points}
    require({key: points for key, points in sums.items() if points} == right, "sums", f"{sums}, not {plain}")
    for name in {name for name, _ in sums}:
        total = sum(points for (other, _), points in sums.items() if other == name)
        require(total == 0, "sums", f"{name} sums to {total} over all accounts")
        moved = sums[name, "program:transferred"]
        require(moved == 0, "sums", f"{moved} points of {name} are on their way for ever")


def _check_budgets(replay: Replay) -> None:
    """All shards together have spent what the model has; each what was used of it, and not given back."""
    least, most = Counter[tuple[str, int]](), Counter[tuple[str, int]]()
    for (member, identity), entry in replay.entries.items():
        for campaign, shard, number in replay.budgets.used_by(entry):
            earned = replay.world.members[member].earned[identity]
            least[campaign, shard] += 0 if earned.reversals else number
            most[campaign, shard] += 0 if earned.whole else number
    for campaign in replay.budget_limits:
        spent = [replay.budgets.spent(campaign, shard) for shard in range(SHARDS)]
        right = replay.world.spent[f"campaign:{campaign}"]
        require(sum(spent) == right, "budget", f"{campaign} has spent {sum(spent)}, not {right}")
        for shard, number in enumerate(spent):
            bounds = least[campaign, shard], most[campaign, shard]
            told = f"shard {shard} of {campaign} says {number}, and its accruals from {bounds[0]} to {bounds[1]}"
            require(bounds[0] <= number <= bounds[1], "budget", told)


def _require_balanced(entry: Entry) -> None:
    for wallet, change in entry.movement.changes.items():
        total = sum(change.postings.values())
        require(total == 0, "sums", f"{entry.entry_id} of {entry.member_id} sums to {total} in {wallet}")
