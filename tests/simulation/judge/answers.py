"""What clients were told: every answer was right at some moment while they waited for it."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from loyalty.ledger.model import Entry
from loyalty.rewards.model import Redemption
from tests.simulation.answers import BROKEN, KEPT, NOTHING, POSTED, REFUSED
from tests.simulation.judge.replay import Replay
from tests.simulation.judge.violation import Violation, require
from tests.simulation.naming import identities
from tests.simulation.oracle import judgement
from tests.simulation.oracle.commands import Adjust, Command, Decide, EndHold, Recalculate, TakeBack
from tests.simulation.oracle.days import ONE_MILLISECOND
from tests.simulation.oracle.world import PlainWorld, When
from tests.simulation.scenario import Call

_FOREVER = 10**9


class Answers:
    """Refusals that nothing has made right yet."""

    def __init__(self, replay: Replay) -> None:
        self._replay = replay
        calls = replay.played.calls
        broken = [call for call in calls if call.answer.what == BROKEN]
        require(not broken, "broken", lambda: f"{broken[0]}\n{broken[0].answer.shown}")
        self._open = [call for call in calls if _word(call) is not None]
        self._until = {id(call): _last_seen(call) for call in self._open}

    def state(self, since: int, until: int = _FOREVER) -> None:
        """The model is as the table was from one change until before another: which refusals were right then?"""
        self._open = [
            call
            for call in self._open
            if not (call.sent_after < until and self._until[id(call)] >= since and self._right(call))
        ]

    def finish(self) -> None:
        """Requires that all of them were right.

        Raises:
            Violation: one was not.
        """
        for call in self._open:
            raise Violation("answer", f"{call}, and at no moment was that so")

    def _right(self, call: Call) -> bool:
        return any(self._answer(call, moment) in _words(call) for moment in self._moments(call))

    def _answer(self, call: Call, moment: datetime) -> str:
        """What the model says at that moment of the client's clock."""
        replay = self._replay
        involved = replay.involved(call.command)
        world = replay.world.copy(*involved)
        rules = replay.rules[call.version]
        # No posting is dated before an earlier one.
        at = max([moment, *(one for one in (world.members[name].walked for name in involved) if one)])
        for name in involved:
            world.settle(name, rules, at)
        return judgement.answer(world, call.command, When(at, rules, replay.day_of(call)))

    def _moments(self, call: Call) -> Iterator[datetime]:
        """Last, first, and whenever something fell due in between, and just before."""
        first, last = (_stored(moment) for moment in call.clocks)
        yield last
        if first == last:
            return
        yield first
        replay = self._replay
        for name in replay.involved(call.command):
            for at in _falls_due(replay.world.copy(name), name, replay, last):
                if first < at <= last:
                    yield at - ONE_MILLISECOND
                    yield at


def _falls_due(world: PlainWorld, name: str, replay: Replay, until: datetime) -> Iterator[datetime]:
    member = world.members[name]
    while (due := member.next_due(replay.latest, until)) is not None:
        member.happen(due, replay.latest)
        yield due.at


def _stored(moment: datetime) -> datetime:
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def _word(call: Call) -> str | None:
    """What the model has to say, in a word; None where there is an entry to look at, or no answer."""
    return {REFUSED: call.answer.code, NOTHING: NOTHING, KEPT: KEPT}.get(call.answer.what)


def _words(call: Call) -> set[str]:
    if call.answer.what == NOTHING and isinstance(call.command, Adjust | Decide | Recalculate):
        return {judgement.NOTHING, judgement.REPLAYED}
    if call.answer.what == KEPT and isinstance(call.command, TakeBack) and call.command.by_event:
        return {judgement.KEPT, judgement.REPLAYED}
    return {_word(call) or ""}


def _last_seen(call: Call) -> int:
    """The last change that may have had a part in the answer: of what was becoming visible, the end."""
    return max([call.ended_after, *(commit.last_change for commit in call.under_way)])


def check_posted(replay: Replay) -> None:
    """Requires that what clients were shown is what was posted, and that one call at most did it.

    Raises:
        Violation: it is not.
    """
    fresh: Counter[Command] = Counter()
    for call in replay.played.calls:
        if call.answer.what != POSTED:
            continue
        fresh[call.command] += call.answer.fresh
        require(fresh[call.command] <= 1, "twice", f"{call}: two calls are told that they did it")
        entries = _entries_of(replay, call.command)
        require(entries, "lost", f"{call}, and there is no entry")
        shown = call.answer.shown
        if isinstance(shown, list):
            for entry in shown:
                stored = replay.entries.get((entry.member_id, entry.entry_id))
                require(
                    stored and _sorted(entry) == _sorted(stored),
                    "shown",
                    f"{call} shows {entry}, and posted is {stored}",
                )
        if isinstance(shown, Redemption) and isinstance(call.command, EndHold):
            require(shown.status == call.command.how, "shown", f"{call} shows {shown}")
            wanted = call.command.points
            require(wanted in {None, shown.captured_points}, "shown", f"{call} shows {shown}")


def _entries_of(replay: Replay, command: Command) -> list[Entry]:
    members = replay.played.history.members
    wanted = set(identities(command, members))
    return [entry for (_, identity), entry in replay.entries.items() if identity in wanted]


def _sorted(entry: Entry) -> Entry:
    """Of whom a member absorbed there is no order."""
    return replace(entry, movement=replace(entry.movement, absorbed=sorted(entry.movement.absorbed)))
