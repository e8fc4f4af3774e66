"""Whatever order events are delivered in, and however often: the same members are flagged for the same signs."""

from collections.abc import Iterable
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.abuse.watch import Kind, Note, Signal, Watch, kept_for
from loyalty.programs.abuse import Abuse
from tests.ledgerkit.clock import at

NOON = at("2026-03-15T12:00:00Z")
RULES = Abuse.model_validate(
    {
        "accrual_spike": {"hours": 2, "count": 4, "points": 60, "times_usual": 3, "unusual_from": 10},
        "redemptions_after_change": {"hours": 3, "redemptions": 2, "points": 15},
        "reveals_of_member": {"hours": 1, "count": 3},
        "transfers": {"hours": 2, "members": 3},
    }
)


@st.composite
def doings(draw: st.DrawFn) -> list[Note]:
    """Of the hours around noon, and before them, for what is usual, of some days."""
    notes = [
        Note(
            draw(st.sampled_from(list(Kind))),
            str(number),
            NOON + timedelta(minutes=draw(st.integers(0, 480))),
            draw(st.integers(1, 20)),
            draw(st.sampled_from("xyz")),
        )
        for number in range(draw(st.integers(1, 25)))
    ]
    days = draw(st.lists(st.integers(2, 35), unique=True, max_size=12))
    return notes + [Note(Kind.ACCRUAL, f"day {day}", NOON - timedelta(days=day), 2) for day in days]


def deliver(events: Iterable[tuple[int, Note]]) -> tuple[set[Signal], Watch]:
    """What was flagged after all of them: a sign once seen stays in the case. Each comes so many minutes late."""
    watch, flagged = Watch(), set[Signal]()
    for late, note in sorted(events, key=lambda event: event[1].at + timedelta(minutes=event[0])):
        watch = watch.noted(note, RULES, note.at + timedelta(minutes=late)) or watch
        flagged |= {one.signal for one in watch.evidence(RULES)}
    return flagged, watch


def latest(kind: Kind) -> int:
    """Minutes after which a doing may still become known: half of how long it is kept, under rules of a few hours."""
    return int(kept_for(kind, RULES) / timedelta(minutes=2))


@settings(max_examples=300, deadline=None)
@given(doings(), st.data())
def test_neither_order_nor_repetition_changes_what_is_flagged(notes: list[Note], data: st.DataObject) -> None:
    expected, _ = deliver((0, note) for note in notes)
    events = [
        (late, note)
        for note in notes
        for late in data.draw(st.lists(st.integers(0, latest(note.kind)), min_size=1, max_size=3))
    ]
    flagged, _ = deliver(events)
    assert flagged == expected


@settings(max_examples=300, deadline=None)
@given(doings())
def test_points_of_a_day_are_counted_once(notes: list[Note]) -> None:
    _, watch = deliver((late, note) for note in notes for late in (0, 1, latest(note.kind)))
    for day, points in watch.earned.items():
        of_day = [note for note in notes if note.kind is Kind.ACCRUAL and note.at.date().isoformat() == day]
        assert points == sum(note.points for note in of_day)
