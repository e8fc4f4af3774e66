"""Signs of abuse in a member's doings: windows by hand, duplicates, order, what is usual, what was looked at."""

from datetime import timedelta
from typing import Any

import pytest

from loyalty.abuse.watch import MOST_NOTES, Evidence, Kind, Note, Signal, Watch
from loyalty.programs.abuse import Abuse, Then
from tests.ledgerkit.clock import at

NOON = at("2026-03-15T12:00:00Z")


def rules(**parts: Any) -> Abuse:
    return Abuse.model_validate(parts)


def note(kind: str, hours: float, points: int = 0, other: str = "", reference: str | None = None) -> Note:
    """A doing so many hours after noon."""
    moment = NOON + timedelta(hours=hours)
    return Note(Kind(kind), reference or f"{kind}{hours}", moment, points, other)


def shown(abuse: Abuse, *notes: Note, **more: Any) -> list[Evidence]:
    watch = Watch()
    for one in notes:
        watch = watch.noted(one, abuse, max(one.at, NOON)) or watch
    return watch.evidence(abuse, **more)


def signals(abuse: Abuse, *notes: Note, **more: Any) -> list[tuple[str, int, int]]:
    return [(one.signal.value, one.counted, one.bound) for one in shown(abuse, *notes, **more)]


SPIKE = rules(accrual_spike={"hours": 2, "count": 3, "points": 100, "times_usual": None})
CHANGE = rules(redemptions_after_change={"hours": 2, "redemptions": 2, "points": 500})
FAN = rules(transfers={"hours": 2, "members": 2})
REVEALS = rules(reveals_of_member={"hours": 1, "count": 2})


@pytest.mark.parametrize(
    ("abuse", "notes", "expected"),
    [
        (SPIKE, [note("a", 0), note("a", 1), note("a", 1.99)], [("many_accruals", 3, 3)]),
        # The first lies two hours before the last: outside of its window.
        (SPIKE, [note("a", 0), note("a", 1), note("a", 2)], []),
        (SPIKE, [note("a", 0, 60), note("a", 1.5, 40)], [("many_points_earned", 100, 100)]),
        (SPIKE, [note("a", 0, 60), note("a", 1.5, 39)], []),
        (SPIKE, [note("a", 0, 60), note("a", 2, 40)], []),
        (SPIKE, [note("a", 0, 99), note("s", 0, 99, "b")], []),
        # Of the hours after the change its own moment counts, and their end does not.
        (CHANGE, [note("c", 0), note("h", 0, 1), note("h", 1.99, 1)], [("redemptions_after_change", 2, 2)]),
        (CHANGE, [note("c", 0), note("h", 1, 1), note("h", 2, 1)], []),
        (CHANGE, [note("h", -0.5, 1), note("c", 0), note("h", 1, 1)], []),
        (CHANGE, [note("c", 0), note("h", 1, 500)], [("large_redemption_after_change", 500, 500)]),
        (CHANGE, [note("c", 0), note("h", 1, 499)], []),
        (CHANGE, [note("h", 0, 500), note("h", 1, 500)], []),
        # A second change begins hours of its own, and does not add to the first one's.
        (CHANGE, [note("c", 0), note("h", 1, 1), note("c", 2), note("h", 2.5, 1)], []),
        (FAN, [note("s", 0, 1, "x"), note("s", 1, 1, "y")], [("points_sent_to_many", 2, 2)]),
        (FAN, [note("s", 0, 1, "x"), note("s", 1, 1, "x")], []),
        (FAN, [note("s", 0, 1, "x"), note("t", 1, 1, "y")], []),
        (FAN, [note("t", 0, 1, "x"), note("t", 1, 1, "y")], [("points_received_from_many", 2, 2)]),
        (REVEALS, [note("r", 0), note("r", 0.5)], [("many_reveals", 2, 2)]),
        (REVEALS, [note("r", 0), note("r", 1)], []),
    ],
)
def test_windows_have_their_edges(abuse: Abuse, notes: list[Note], expected: list[tuple[str, int, int]]) -> None:
    assert signals(abuse, *notes) == expected
    assert signals(abuse, *reversed(notes)) == expected
    assert signals(abuse, *notes, *notes) == expected, "delivered twice, it happened once"


def test_a_rule_that_does_nothing_raises_nothing() -> None:
    off = rules(accrual_spike={"hours": 2, "count": 3, "count_then": "nothing"})
    assert signals(off, note("a", 0), note("a", 0.1), note("a", 0.2)) == []


def test_evidence_names_the_window_and_the_last_doings() -> None:
    (one,) = shown(SPIKE, *(note("a", hour / 10, reference=str(hour)) for hour in range(12)))
    assert (one.since, one.until) == (NOON - timedelta(minutes=54), NOON + timedelta(minutes=66))
    assert one.references == tuple(str(number) for number in range(2, 12))


def test_what_a_person_has_looked_at_is_no_sign_again() -> None:
    notes = [note("a", 0), note("a", 0.5), note("a", 1)]
    assert signals(SPIKE, *notes, cleared_at=NOON) == []
    assert signals(SPIKE, *notes, note("a", 1.5), cleared_at=NOON) == [("many_accruals", 3, 3)]
    changed = [note("c", 0), note("h", 1, 1), note("h", 1.5, 1)]
    assert signals(CHANGE, *changed, cleared_at=NOON) == [], "the change was looked at, too"


@pytest.mark.parametrize(
    ("points", "found"),
    [
        (1, [("many_accruals", Then.FLAG)]),
        # 400 times 40 points: 16,000 in a day, of which the notes that are kept have 8,000.
        (40, [("many_accruals", Then.FLAG), ("unusual_points_earned", Then.HOLD)]),
    ],
    ids=["a point each", "much in small parts"],
)
def test_by_default_a_mere_number_of_accruals_holds_nobody_and_what_they_come_to_does(
    points: int, found: list[tuple[str, Then]]
) -> None:
    usual = {(NOON.date() - timedelta(days=day)).isoformat(): 10 for day in range(3, 10)}
    watch = Watch(earned=usual)
    for number in range(400):
        one = note("a", number / 100, points, reference=str(number))
        watch = watch.noted(one, Abuse(), one.at) or watch
    told = watch.evidence(Abuse())
    assert [(one.signal.value, one.then) for one in told] == found
    assert told[-1].counted == (200 if points == 1 else 16_000)
    looked_at = watch.evidence(Abuse(), cleared_at=NOON + timedelta(hours=1, minutes=59))
    assert [one.signal for one in looked_at] == [Signal.ACCRUALS], "what is left of the day is 8,000 points"


def test_of_days_that_begin_in_the_window_all_is_counted_and_of_no_other() -> None:
    """A window of two days, from the 13th at noon: the 14th and 15th lie in it, and the 13th does not wholly."""
    abuse = rules(accrual_spike={"hours": 48, "points": 1_000, "times_usual": None})
    watch = Watch(earned={"2026-03-13": 5_000, "2026-03-14": 700})
    for number in range(MOST_NOTES):
        watch = watch.noted(note("a", -number / 1000, 1, reference=str(number)), abuse, NOON) or watch
    assert [one.signal for one in watch.evidence(abuse)] == [Signal.ACCRUALS]
    more = Watch(watch.notes, {**watch.earned, "2026-03-14": 800})
    assert [(one.signal, one.counted) for one in more.evidence(abuse)][1:] == [(Signal.POINTS, 1_000)]


class TestUsual:
    """A week of 10 points a day: on average of 28 days 2.5 a day."""

    ABUSE = rules(accrual_spike={"hours": 24, "times_usual": 8, "unusual_from": 20})

    def watch(self, days: int = 7, last: int = 3) -> Watch:
        """``days`` days on which 10 points were earned; the last of them so many days ago."""
        first = NOON.date() - timedelta(days=last + days - 1)
        return Watch(earned={(first + timedelta(days=day)).isoformat(): 10 for day in range(days)})

    def earns(self, watch: Watch, points: int) -> list[tuple[str, int, int]]:
        after = watch.noted(note("a", 0, points), self.ABUSE, NOON)
        assert after is not None
        return [(one.signal.value, one.counted, one.bound) for one in after.evidence(self.ABUSE)]

    def test_eight_times_as_much_is_unusual_and_a_point_less_is_not(self) -> None:
        assert self.earns(self.watch(), 20) == [("unusual_points_earned", 20, 20)]
        assert self.earns(self.watch(), 19) == []

    def test_of_fewer_days_nobody_knows_what_is_usual(self) -> None:
        assert self.earns(self.watch(days=6), 1_000) == []

    def test_days_of_which_not_everything_is_known_do_not_count_yet(self) -> None:
        """The window begins on the 14th at noon; what was done on the 13th may become known until then, and counts not."""
        assert self.earns(self.watch(last=3), 1_000) != []
        assert self.earns(self.watch(last=2), 1_000) == []

    def test_days_of_long_ago_do_not_count_any_more(self) -> None:
        """Of the 28 days until the 12th the first is the 13th of February: 30 days ago."""
        assert self.earns(self.watch(last=24), 1_000) != []
        assert self.earns(self.watch(last=25), 1_000) == []

    def test_little_is_never_unusual(self) -> None:
        assert self.earns(self.watch(days=8), 19) == []

    def test_what_is_earned_becomes_usual_once(self) -> None:
        watch = Watch().noted(note("a", 0, 30), self.ABUSE, NOON)
        assert watch is not None
        assert watch.noted(note("a", 0, 30), self.ABUSE, NOON) is None
        assert watch.earned == {"2026-03-15": 30}


def test_what_comes_too_late_is_not_counted() -> None:
    """Two hours of the rule and as many again; of a rule of two days these and a day."""
    assert Watch().noted(note("a", 0), SPIKE, NOON + timedelta(hours=4)) is not None
    assert Watch().noted(note("a", 0), SPIKE, NOON + timedelta(hours=4, milliseconds=1)) is None
    long = rules(accrual_spike={"hours": 48})
    assert Watch().noted(note("a", 0), long, NOON + timedelta(hours=72)) is not None
    assert Watch().noted(note("a", 0), long, NOON + timedelta(hours=72, milliseconds=1)) is None


def test_a_little_each_hour_is_never_a_sign_however_long() -> None:
    abuse, watch = rules(accrual_spike={"hours": 1, "count": 50, "times_usual": None}), Watch()
    for number in range(9 * 48):
        one = note("a", number / 9, reference=str(number))
        watch = watch.noted(one, abuse, one.at) or watch
        assert watch.evidence(abuse) == []


def test_more_than_is_kept_is_a_sign_by_itself() -> None:
    """What is dropped is not missed: half of what is kept lies within the hours."""
    wide = rules(accrual_spike={"hours": 1, "count": 100, "times_usual": None})
    notes = [note("a", number * 0.01, reference=str(number)) for number in range(MOST_NOTES)]
    watch = Watch()
    for one in notes[:-1]:
        watch = watch.noted(one, wide, notes[-1].at) or watch
    full = watch.noted(notes[-1], wide, notes[-1].at)
    assert full is not None
    assert [one.signal for one in full.evidence(wide)] == [Signal.ACCRUALS]
    assert len(full.notes) == MOST_NOTES
    assert full.noted(note("a", -0.1), wide, notes[-1].at) is None, "behind all that is kept"
