"""Which version is in force: what every function answers, whenever it last looked and whatever is published meanwhile."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

import pytest
from hypothesis import HealthCheck, event, example, given, settings
from hypothesis import strategies as st

from loyalty.core.table import Table
from loyalty.programs.errors import NothingScheduled, ScheduleDue, VersionScheduled
from loyalty.programs.publication import CACHE_SECONDS, LEAD, Proposal, State, require_version
from loyalty.programs.store import ProgramStore
from loyalty.programs.versions import VersionStore
from tests.ledgerkit.clock import SettableClock, at
from tests.ledgerkit.fixtures import memory_table
from tests.ledgerkit.programs import document
from tests.ledgerkit.tables import empty_table

__all__ = ["memory_table"]

START = at("2026-03-15T12:00:00Z")
FUNCTIONS = 3
CACHE = timedelta(seconds=CACHE_SECONDS)

seconds = st.sampled_from([1, 29, 59, 60, 61, 119, 120, 121, 300])
steps = st.lists(
    st.one_of(
        st.tuples(st.just("wait"), seconds),
        st.tuples(st.just("ask"), st.integers(0, FUNCTIONS - 1)),
        st.tuples(st.just("publish"), st.booleans()),
        st.tuples(st.just("schedule"), st.sampled_from([120, 121, 150, 400])),
        st.tuples(st.just("cancel"), st.just(0)),
    ),
    max_size=25,
)


@dataclass
class Told:
    """What was said to the platform, and what must follow from it: written down apart from the code under test."""

    in_force: int = 1
    numbers: int = 1
    scheduled: tuple[int, datetime] | None = None
    replaced: list[tuple[datetime, int]] = field(default_factory=list)
    """When a version was replaced at once, and which: functions may go on with it for a while."""

    def at(self, now: datetime) -> None:
        if self.scheduled and self.scheduled[1] <= now:
            self.in_force, self.scheduled = self.scheduled[0], None

    def allowed(self, now: datetime) -> set[int]:
        return {self.in_force} | {version for moment, version in self.replaced if now - moment < CACHE}

    def too_late(self, now: datetime) -> bool:
        return self.scheduled is not None and now > self.scheduled[1] - LEAD

    def publish(self, now: datetime, effective_at: datetime | None) -> None:
        self.numbers += 1
        if effective_at is None:
            self.replaced.append((now, self.in_force))
            self.in_force, self.scheduled = self.numbers, None
        else:
            self.scheduled = self.numbers, effective_at


class Platform:
    def __init__(self, table: Table) -> None:
        self.clock, self.told = SettableClock(START), Told()
        self.versions = VersionStore(table, self.clock)
        self.functions = [ProgramStore(table, self.clock, seconds=self.age) for _ in range(FUNCTIONS)]
        self.functions[0].publish(document(name="1"), expected_version=0, actor="test")

    def age(self) -> float:
        return (self.clock.now - START).total_seconds()

    def step(self, what: str, how: int) -> None:
        event(what)
        if what == "wait":
            self.clock.advance(seconds=how)
            self.told.at(self.clock.now)
            self.ask(0)
        elif what == "ask":
            self.ask(how)
        elif what == "cancel":
            self.cancel()
        else:
            later = self.clock.now + timedelta(seconds=how) if what == "schedule" else None
            self.publish(later, replace=what == "publish" and bool(how))

    def ask(self, function: int) -> None:
        program = self.functions[function].current("acme")
        assert program.version in self.told.allowed(self.clock.now)
        assert program.document.name == str(program.version)

    def publish(self, effective_at: datetime | None, *, replace: bool) -> None:
        named = document(name=str(self.told.numbers + 1))
        proposal = Proposal(named, "test", effective_at=effective_at, replace_scheduled=replace)
        require = partial(require_version, "acme", expected=self.told.in_force)
        if self.told.scheduled and (not replace or self.told.too_late(self.clock.now)):
            with pytest.raises(ScheduleDue if replace else VersionScheduled):
                self.versions.publish("acme", proposal, require=require)
            return
        published = self.versions.publish("acme", proposal, require=require)
        self.told.publish(self.clock.now, effective_at)
        assert published.number == self.told.numbers

    def cancel(self) -> None:
        def anything(_state: State) -> None:
            pass

        if self.told.scheduled is None or self.told.too_late(self.clock.now):
            with pytest.raises(ScheduleDue if self.told.scheduled else NothingScheduled):
                self.versions.cancel("acme", "test", require=anything)
            return
        self.versions.cancel("acme", "test", require=anything)
        self.told.scheduled = None


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(steps=steps)
@example(steps=[("schedule", 120), ("wait", 61), ("ask", 1), ("wait", 59), ("ask", 1)])
@example(steps=[("ask", 1), ("schedule", 150), ("wait", 29), ("cancel", 0), ("wait", 121), ("ask", 1)])
def test_every_function_answers_by_what_is_in_force_or_was_replaced_a_moment_ago(
    memory_table: Table, steps: list[tuple[str, int]]
) -> None:
    empty_table(memory_table)
    platform = Platform(memory_table)
    revision = platform.versions.state("acme").revision
    for what, how in steps:
        platform.step(what, how)
        state = platform.versions.state("acme")
        assert (state.number, state.latest) == (platform.told.in_force, platform.told.numbers)
        assert state.scheduled is None or state.scheduled.number == (platform.told.scheduled or (0,))[0]
        assert state.revision >= revision
        revision = state.revision
    numbers = [one.number for one in platform.versions.page("acme", limit=50).versions]
    assert numbers == list(range(platform.told.numbers, 0, -1))
