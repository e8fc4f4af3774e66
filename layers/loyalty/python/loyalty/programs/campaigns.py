"""Campaigns: rules that count for a while, and bounds of what they give."""

from datetime import datetime
from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from loyalty.programs.brand import Translations
from loyalty.programs.fields import DocumentPart, LocalDatetime, Name, Period, PositivePoints, Slug, twice

MAX_BUDGET: Final = 1_000_000_000_000


class Cap(DocumentPart):
    """The most that one member gets of something in a day, an ISO week, a month, a year of the program, or ever.

    Either ``points``, or ``times`` that it gives any. The day is that on which the activity occurred.
    """

    per: Period
    points: PositivePoints | None = None
    times: Annotated[int, Field(strict=True, ge=1, le=1_000_000)] | None = None

    @model_validator(mode="after")
    def _points_or_times(self) -> Self:
        if (self.points is None) == (self.times is None):
            raise ValueError("a cap has either points or times, and not both")
        return self

    @property
    def unit(self) -> Literal["points", "times"]:
        """What it counts."""
        return "times" if self.points is None else "points"

    @property
    def limit(self) -> int:
        """The most of it."""
        return self.points or self.times or 0


def one_of_each(caps: tuple[Cap, ...]) -> tuple[Cap, ...]:
    """The caps, of which no two bound the same.

    Raises:
        ValueError: two do.
    """
    if same := twice([f"{cap.unit} per {cap.per}" for cap in caps]):
        raise ValueError(f"two caps bound the {same}; keep the lower one")
    return caps


Caps = Annotated[tuple[Cap, ...], Field(max_length=5)]


class Campaign(DocumentPart):
    """A time in which the rules that name it count: from ``starts_at`` to just before ``ends_at``, by when it occurred.

    ``budget_points`` is the most that they give to all members together. What passes it is given in part (``partial``),
    or the rule gives nothing (``nothing``). ``caps`` bound what one member gets of all its rules together.
    """

    id: Slug
    name: Name
    translations: Translations | None = None
    starts_at: LocalDatetime
    ends_at: LocalDatetime
    budget_points: Annotated[int, Field(strict=True, gt=0, le=MAX_BUDGET)] | None = None
    when_exhausted: Literal["partial", "nothing"] = "partial"
    caps: Caps = ()

    @model_validator(mode="after")
    def _a_time_and_distinct_caps(self) -> Self:
        if self.ends_at <= self.starts_at:
            raise ValueError(f"campaign '{self.id}' ends ({self.ends_at:%Y-%m-%dT%H:%M}) before it has started")
        one_of_each(self.caps)
        return self

    @property
    def counts_points(self) -> bool:
        """Whether it bounds points, and so has to count them."""
        return self.budget_points is not None or any(cap.unit == "points" for cap in self.caps)

    def runs_at(self, local: datetime) -> bool:
        """Whether it runs at a moment, given without an offset, by the program's own clocks."""
        return self.starts_at <= local < self.ends_at
