"""What a run and its steps are in the table."""

from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Final

from loyalty.core.money import Money
from loyalty.fulfillment.run import Run, RunStatus, Step
from loyalty.fulfillment.runs import run_item, run_of, step_item, step_of

OPENED: Final = datetime(2026, 3, 14, 23, 59, 59, 250_000, tzinfo=UTC)
ENDED: Final = datetime(2026, 3, 15, 0, 0, tzinfo=UTC)
RUN: Final = Run(
    program="acme", redemption_id="rdm_1", member_id="mbr_1", reward_id="card", points=500, value=Money.of("5", "KWD"),
    requested_by="app", opened_at=OPENED, status=RunStatus.CANCELLED, reason="over_threshold",
    flags=("over_threshold", "too_fast"), campaign="spring", supplier="tango", product="U1", external_id="rdm_1.2",
    supplier_order_id="T-1", cost=Money.of("4.950", "KWD"), orders=2, steps=7, executions=3,
    approve_until=OPENED + timedelta(days=1), reminded_at=OPENED + timedelta(days=2), task_token="token",
    approved_by="ada", decided_by="bob", decided_at=OPENED + timedelta(days=3), note="lost", ends_as=RunStatus.CANCELLED,
    replaces=1, candidate=4, tries=5, waiting_since=OPENED + timedelta(days=4), news_at=OPENED + timedelta(days=5),
    requested_through="desk", wallet="cups", turn_at=OPENED + timedelta(days=7),
    updated_at=OPENED + timedelta(days=6), ended_at=ENDED, revision=8,
)  # fmt: skip
STEP: Final = Step(
    7, OPENED, "order", "issued", "tango", "rdm_1.2", "r-1", Money.of("4.950", "KWD"), "E", "bob", "lost"
)


def test_each_field_of_a_run_and_of_a_step_comes_back() -> None:
    assert [
        one.name for record in (RUN, STEP) for one in fields(record) if getattr(record, one.name) == one.default
    ] == []
    assert run_of(run_item(RUN).serialize()) == RUN
    assert step_of(step_item(RUN, STEP).serialize()) == STEP


def test_a_run_is_stored_as_texts_and_whole_numbers() -> None:
    stored = run_item(RUN).serialize()
    assert {name: stored[name] for name in ("pk", "sk", "value", "opened_at", "flags", "ends_as", "tries")} == {
        "pk": {"S": "F#acme#rdm_1"},
        "sk": {"S": "RUN"},
        "value": {"S": "5.000 KWD"},
        "opened_at": {"S": "2026-03-14T23:59:59.250Z"},
        "flags": {"S": "over_threshold,too_fast"},
        "ends_as": {"S": "cancelled"},
        "tries": {"N": "5"},
    }
    assert step_item(RUN, STEP).serialize()["sk"] == {"S": "STEP#000007"}


def test_the_index_has_a_run_by_its_opening_and_then_by_the_day_of_its_end() -> None:
    opened = Run("acme", "rdm_1", "mbr_1", "card", 500, Money.of("5", "KWD"), "app", OPENED)
    places = [
        (raw["due_shard"]["S"], raw["due_at"]["S"]) for raw in (run_item(one).serialize() for one in (opened, RUN))
    ]
    assert places == [
        ("RUNS#acme#open", "2026-03-14T23:59:59.250Z#rdm_1"),
        ("RUNS#acme#2026-03-15", "2026-03-15T00:00:00.000Z#rdm_1"),
    ]


def test_what_a_new_run_does_not_have_is_not_stored() -> None:
    opened = Run("acme", "rdm_1", "mbr_1", "card", 500, Money.of("5", "KWD"), "app", OPENED)
    stored = run_item(opened).serialize()
    assert {"replaces", "candidate", "tries", "flags", "cost", "ended_at"}.isdisjoint(stored)
    assert run_of(stored) == opened
