"""The picture of a run's timeline: three lanes, a row for each step. Plain SVG; the list beside it says the same."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from loyalty.console.languages import Language
from loyalty.fulfillment.run import Step

ROW: Final = 46
TOP: Final = 40
WIDTH: Final = 360
_LANES: Final = {"platform": 22, "person": 62, "supplier": 102}
_TEXT: Final = 128
LONG_BREAK: Final = timedelta(minutes=1)
"""A pause that is worth telling."""
_SHAPES: Final = {"asked": "hollow", "pending": "half", "refused": "cross", "ambiguous": "cross"}
"""How an outcome is drawn, not by its colour alone; any other is a full dot."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One step in the picture. ``pause`` is what went by since the step before, where it is worth telling."""

    x: int
    y: int
    shape: str
    lane: str
    title: str
    below: str
    pause: str | None


@dataclass(frozen=True, slots=True)
class Lane:
    """One of the three columns: who did something."""

    x: int
    name: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """The whole picture, in its own units. In a language from right to left it is mirrored."""

    width: int
    height: int
    text_x: int
    lanes: Sequence[Lane]
    path: str
    marks: Sequence[Mark]


def draw(steps: Sequence[Step], language: Language) -> Drawing:
    """The picture of these steps, the first one at the top."""

    def across(x: int) -> int:
        return WIDTH - x if language.direction == "rtl" else x

    marks = []
    for place, step in enumerate(steps):
        pause = step.at - steps[place - 1].at if place else timedelta()
        marks.append(
            Mark(
                x=across(_LANES[lane_of(step)]),
                y=TOP + ROW * place + ROW // 2,
                shape="cross" if step.error else _SHAPES.get(step.outcome, "full"),
                lane=lane_of(step),
                title=title_of(step, language),
                below=" · ".join(part for part in (language.time(step.at), step.supplier or step.by) if part),
                pause=language.say("timeline.after", time=language.age(pause)) if pause >= LONG_BREAK else None,
            )
        )
    lanes = [Lane(across(x), language.say(f"timeline.{name}")) for name, x in _LANES.items()]
    path = " ".join(f"{'L' if place else 'M'}{mark.x} {mark.y}" for place, mark in enumerate(marks))
    return Drawing(WIDTH, TOP + ROW * len(marks) + 8, across(_TEXT), lanes, path, marks)


def lane_of(step: Step) -> str:
    """Whose step it is."""
    if step.by is not None:
        return "person"
    return "platform" if step.supplier is None else "supplier"


def note_of(step: Step, language: Language) -> str | None:
    """A person's note as they wrote it; the platform's are reasons, or what a supplier calls its news."""
    return language.names_of("reason", step.note) if step.note and step.by is None else step.note


def title_of(step: Step, language: Language) -> str:
    """``Order: refused``; what was simply done needs no more words than its name; some have a name with their outcome."""
    if (own := f"step.{step.name}.{step.outcome}") in language.words:
        return language.say(own)
    name = language.name_of("step", step.name)
    return name if step.outcome == "done" else f"{name}: {language.name_of('outcome', step.outcome)}"
