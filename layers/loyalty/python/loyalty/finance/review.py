"""Lists of runs, a page at a time."""

from collections.abc import Iterator
from datetime import date
from typing import Final, Protocol

from loyalty.core.clock import Clock, to_text
from loyalty.core.listing import Listed
from loyalty.finance.filters import RunFilter
from loyalty.fulfillment.run import Run, Step
from loyalty.fulfillment.runs import OPEN, RunStore

LOOKED_AT: Final = 1_000
"""Runs that are looked at for one page, so that a filter that fits none is answered in time."""
_PAGE: Final = 100


class Decider(Protocol):
    """What is done about a run; ``loyalty.fulfillment.decisions`` does it. ``actor`` is a client or a person."""

    def approve(self, program: str, redemption_id: str, *, actor: str, note: str | None = None) -> Run:
        """Lets the card be ordered."""

    def reject(self, program: str, redemption_id: str, *, actor: str, note: str) -> Run:
        """Gives the points back instead."""

    def retry(self, program: str, redemption_id: str, *, actor: str, note: str | None = None) -> Run:
        """Tries a run again that needs attention."""

    def cancel(self, program: str, redemption_id: str, *, actor: str, note: str) -> Run:
        """Gives the run up."""

    def resolve(self, program: str, redemption_id: str, *, actor: str, note: str, give_back: bool = False) -> Run:
        """Closes a run that was settled outside of the platform: the points are spent, or with ``give_back`` go back."""

    def reissue(self, program: str, redemption_id: str, *, actor: str, note: str) -> Run:
        """Orders a new card in place of one that is void."""


class RunReview:
    """Reads of runs for people who decide about them.

    Which runs there are may be a moment behind; each is as it stands now.
    """

    def __init__(self, runs: RunStore, clock: Clock) -> None:
        self._runs = runs
        self._clock = clock

    def get(self, program: str, redemption_id: str) -> tuple[Run, list[Step]]:
        """A run with its timeline.

        Raises:
            FulfillmentRunNotFound: there is none.
        """
        return self._runs.get(program, redemption_id), list(self._runs.steps(program, redemption_id))

    def list(
        self, program: str, day: date | None, wanted: RunFilter, *, limit: int, after: str | None = None
    ) -> Listed[Run]:
        """Up to ``limit`` runs that are open, or that ended on a day (UTC), and that are wanted, the oldest first.

        A page may be short, or empty, and not be the last: :data:`LOOKED_AT` runs are looked at for it.

        Raises:
            FilterRefused: no run can fit the filter.
        """
        wanted.check(open_runs=day is None)
        now, found = self._clock(), list[Run]()
        looked, position = 0, after
        while True:
            page = self._runs.page(program, day or OPEN, limit=_PAGE, after=position)
            for run in page.items:
                if is_in(run, day) and wanted.wants(run, now):
                    found.append(run)
                    if len(found) == limit:
                        return Listed(found, self._behind(page, run, day))
            looked, position = looked + _PAGE, page.next
            if position is None or looked >= LOOKED_AT:
                return Listed(found, position)

    def ended_on(self, program: str, day: date) -> Iterator[Run]:
        """Every run that ended on a day (UTC), in the order of their ends."""
        return (run for run in self._runs.all(program, day) if is_in(run, day))

    def open(self, program: str) -> Iterator[Run]:
        """Every open run, the oldest first."""
        return (run for run in self._runs.all(program, OPEN) if is_in(run, None))

    def _behind(self, page: Listed[Run], last: Run, day: date | None) -> str | None:
        """Where to go on behind a run, unless it was the last one of all."""
        if last is page.items[-1]:
            return page.next
        return position_of(last, day)


def is_in(run: Run, day: date | None) -> bool:
    """Whether a run that an index listed still belongs there: the index may be behind the run."""
    if day is None:
        return not run.ended
    return run.ended and run.ended_at is not None and run.ended_at.date() == day


def position_of(run: Run, day: date | None) -> str:
    """Where a run stands among those that are open, or that ended on a day."""
    moment = run.opened_at if day is None or run.ended_at is None else run.ended_at
    return f"{to_text(moment)}#{run.redemption_id}"
