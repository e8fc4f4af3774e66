"""Totals: exact, and of a closed day the same for ever."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.core.money import MINOR_UNITS, Money, minor_units, money_of
from loyalty.core.table import Table
from loyalty.finance.days import TotalsService
from loyalty.finance.review import RunReview
from loyalty.finance.totals import tally
from loyalty.fulfillment.run import Run, RunStatus
from loyalty.fulfillment.runs import RunStore
from tests.financekit.runs import a_run, write
from tests.ledgerkit.clock import SettableClock, at

DAY = at("2026-03-14").date()


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock(at("2026-03-14T23:59:00Z"))


@pytest.fixture
def totals(table: Table, clock: SettableClock) -> TotalsService:
    return TotalsService(table, RunReview(RunStore(table), clock), clock)


def _fulfilled(number: int, ended: str, cost: str = "9.90 USD") -> Run:
    run = a_run(number, "2026-03-14T01:00:00Z", status=RunStatus.FULFILLED, supplier="tango", ended_at=ended, cost=cost)
    return replace(run, value=Money.of("10.00", "USD"))


def test_a_day_is_kept_an_hour_after_it_is_over_and_not_before(
    table: Table, totals: TotalsService, clock: SettableClock
) -> None:
    write(table, _fulfilled(1, "2026-03-14T10:00:00Z"))
    assert [(one.issued, one.closed) for one in totals.period("acme", DAY, DAY)] == [(1, False)]
    clock.set("2026-03-15T00:59:59Z")
    write(table, _fulfilled(2, "2026-03-14T23:59:59Z"))  # written after midnight, ended before
    assert [(one.issued, one.closed) for one in totals.period("acme", DAY, DAY)] == [(2, False)]
    clock.set("2026-03-15T01:00:00Z")
    (kept,) = totals.period("acme", DAY, DAY)
    assert (kept.issued, kept.closed) == (2, True)
    write(table, _fulfilled(3, "2026-03-14T11:00:00Z"))
    assert totals.period("acme", DAY, DAY) == [kept]


def test_who_counts_second_takes_what_the_first_one_kept(
    table: Table, totals: TotalsService, clock: SettableClock
) -> None:
    clock.set("2026-03-16")
    write(table, _fulfilled(1, "2026-03-14T10:00:00Z"))
    other = TotalsService(table, RunReview(RunStore(table), clock), clock)
    first = totals._count("acme", DAY)
    write(table, _fulfilled(2, "2026-03-14T11:00:00Z"))
    assert other._count("acme", DAY) == first


def test_a_day_without_runs_is_kept_too(table: Table, totals: TotalsService, clock: SettableClock) -> None:
    clock.set("2026-03-16")
    assert totals.period("acme", DAY, DAY)[0].lines == ()
    assert [raw["sk"]["S"] for raw in table.scan()] == ["DAY#2026-03-14"]


_CURRENCIES = ["USD", "IDR", "JPY", "KWD"]
_MONEY = st.builds(money_of, st.integers(1, 10**12), st.sampled_from(_CURRENCIES))
_RUNS = st.lists(
    st.builds(
        lambda number, status, supplier, value, cost: replace(
            a_run(number, "2026-03-14T01:00:00Z"), status=status, supplier=supplier, value=value, cost=cost
        ),
        st.integers(0, 999),
        st.sampled_from(list(RunStatus)),
        st.sampled_from([None, "tango", "tremendous"]),
        _MONEY,
        st.none() | _MONEY,
    ),
    max_size=40,
)


@given(_RUNS)
def test_no_run_and_no_cent_is_lost_or_counted_twice(runs: list[Run]) -> None:
    lines = tally(runs)
    assert sum(line.issued + line.not_issued + line.waiting for line in lines) == sum(
        run.status is not RunStatus.RESOLVED for run in runs
    )
    issued = [run for run in runs if run.status is RunStatus.FULFILLED]
    for currency in _CURRENCIES:
        assert MINOR_UNITS[currency] in (0, 2, 3)
        assert sum(minor_units(line.value) for line in lines if line.currency == currency) == sum(
            minor_units(run.value) for run in issued if run.value.currency == currency
        )
        assert sum(minor_units(one) for line in lines for one in line.cost if one.currency == currency) == sum(
            minor_units(run.cost) for run in issued if run.cost and run.cost.currency == currency
        )
        assert sum(minor_units(line.waiting_value) for line in lines if line.currency == currency) == sum(
            minor_units(run.value) for run in runs if not run.ended and run.value.currency == currency
        )
