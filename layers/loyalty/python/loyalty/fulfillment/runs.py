"""Fulfilment runs in the table.

::

    F#{program}#{redemption_id}   RUN            where it stands
                                  STEP#{nnnnnn}  what was done, in order: never changed, never removed

Runs are found through the due index, which has each under one key at a time: while it is open under
``RUNS#{program}#open``, by when it was opened; afterwards under ``RUNS#{program}#{day}`` of its end, in UTC.
"""

from collections.abc import Iterator
from dataclasses import fields
from datetime import date
from typing import Final

from pynamodb.attributes import UnicodeAttribute

from loyalty.core.attributes import MomentAttribute, MoneyAttribute
from loyalty.core.clock import to_text
from loyalty.core.listing import Listed, all_listed, listed
from loyalty.core.table import IntegerAttribute, Item, RawItem, Table
from loyalty.fulfillment.errors import FulfillmentRunNotFound
from loyalty.fulfillment.run import Run, RunStatus, Step
from loyalty.ledger.model import POINTS
from loyalty_contract import DUE_AT, DUE_INDEX_KEY, RUN_SK

STEP_PREFIX: Final = "STEP#"
OPEN: Final = "open"
_OTHERWISE: Final = {
    "program",
    "redemption_id",
    "status",
    "flags",
    "ends_as",
    "replaces",
    "candidate",
    "tries",
    "wallet",
}
_OF_RUNS: Final = tuple(one.name for one in fields(Run) if one.name not in _OTHERWISE)
"""Fields that are stored under their own names, as they are."""
_OF_STEPS: Final = tuple(one.name for one in fields(Step) if one.name != "number")


class RunItem(Item):
    """``F#{program}#{redemption_id}`` / ``RUN``."""

    member_id = UnicodeAttribute()
    reward_id = UnicodeAttribute()
    points = IntegerAttribute()
    wallet = UnicodeAttribute(null=True)
    value = MoneyAttribute()
    requested_by = UnicodeAttribute()
    requested_through = UnicodeAttribute(null=True)
    opened_at = MomentAttribute()
    status = UnicodeAttribute()
    reason = UnicodeAttribute(null=True)
    flags = UnicodeAttribute(null=True)
    campaign = UnicodeAttribute(null=True)
    supplier = UnicodeAttribute(null=True)
    product = UnicodeAttribute(null=True)
    external_id = UnicodeAttribute(null=True)
    supplier_order_id = UnicodeAttribute(null=True)
    cost = MoneyAttribute(null=True)
    orders = IntegerAttribute()
    steps = IntegerAttribute()
    executions = IntegerAttribute()
    approve_until = MomentAttribute(null=True)
    reminded_at = MomentAttribute(null=True)
    task_token = UnicodeAttribute(null=True)
    approved_by = UnicodeAttribute(null=True)
    decided_by = UnicodeAttribute(null=True)
    decided_at = MomentAttribute(null=True)
    note = UnicodeAttribute(null=True)
    ends_as = UnicodeAttribute(null=True)
    replaces = IntegerAttribute(null=True)
    candidate = IntegerAttribute(null=True)
    tries = IntegerAttribute(null=True)
    waiting_since = MomentAttribute(null=True)
    turn_at = MomentAttribute(null=True)
    news_at = MomentAttribute(null=True)
    updated_at = MomentAttribute(null=True)
    ended_at = MomentAttribute(null=True)
    revision = IntegerAttribute()
    due_shard = UnicodeAttribute(attr_name=DUE_INDEX_KEY)
    due_at = UnicodeAttribute(attr_name=DUE_AT)


class StepItem(Item):
    """``F#{program}#{redemption_id}`` / ``STEP#{nnnnnn}``."""

    at = MomentAttribute()
    name = UnicodeAttribute()
    outcome = UnicodeAttribute()
    supplier = UnicodeAttribute(null=True)
    external_id = UnicodeAttribute(null=True)
    request_id = UnicodeAttribute(null=True)
    cost = MoneyAttribute(null=True)
    error = UnicodeAttribute(null=True)
    by = UnicodeAttribute(null=True)
    note = UnicodeAttribute(null=True)


def run_pk(program: str, redemption_id: str) -> str:
    """The partition of a run."""
    return f"F#{program}#{redemption_id}"


def run_item(run: Run) -> RunItem:
    """A run as it is stored, with where the index has it."""
    moment = run.ended_at if run.ended and run.ended_at else run.opened_at
    return RunItem(
        run_pk(run.program, run.redemption_id),
        RUN_SK,
        **{name: getattr(run, name) for name in _OF_RUNS},
        status=run.status.value,
        flags=",".join(run.flags) or None,
        ends_as=None if run.ends_as is None else run.ends_as.value,
        replaces=run.replaces or None,
        candidate=run.candidate or None,
        tries=run.tries or None,
        wallet=None if run.wallet == POINTS else run.wallet,
        due_shard=shard_of(run.program, moment.date() if run.ended else OPEN),
        due_at=f"{to_text(moment)}#{run.redemption_id}",
    )


def run_of(raw: RawItem) -> Run:
    """The run that :func:`run_item` wrote."""
    item = RunItem.from_raw_data(raw)
    _, program, redemption_id = item.pk.split("#")
    return Run(
        program=program,
        redemption_id=redemption_id,
        **{name: getattr(item, name) for name in _OF_RUNS},
        status=RunStatus(item.status),
        flags=tuple(item.flags.split(",")) if item.flags else (),
        ends_as=RunStatus(item.ends_as) if item.ends_as else None,
        replaces=item.replaces or 0,
        candidate=item.candidate or 0,
        tries=item.tries or 0,
        wallet=item.wallet or POINTS,
    )


def step_item(run: Run, step: Step) -> StepItem:
    """A step as it is stored."""
    sk = f"{STEP_PREFIX}{step.number:06d}"
    return StepItem(run_pk(run.program, run.redemption_id), sk, **{name: getattr(step, name) for name in _OF_STEPS})


def step_of(raw: RawItem) -> Step:
    """The step that :func:`step_item` wrote."""
    item = StepItem.from_raw_data(raw)
    return Step(int(item.sk.removeprefix(STEP_PREFIX)), **{name: getattr(item, name) for name in _OF_STEPS})


def shard_of(program: str, when: date | str) -> str:
    """The partition of the index that has the open runs of a program (:data:`OPEN`), or those that ended on a day."""
    return f"RUNS#{program}#{when}"


class RunStore:
    """Reads of runs. Lists are eventually consistent as to which runs there are, and read each one consistently."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def find(self, program: str, redemption_id: str) -> Run | None:
        """The run of a redemption, or None where none was opened."""
        raw = self._table.read(run_pk(program, redemption_id), RUN_SK)
        return None if raw is None else run_of(raw)

    def get(self, program: str, redemption_id: str) -> Run:
        """The run of a redemption.

        Raises:
            FulfillmentRunNotFound: there is none.
        """
        run = self.find(program, redemption_id)
        if run is None:
            raise FulfillmentRunNotFound(f"Program '{program}' has no fulfilment run '{redemption_id}'.")
        return run

    def steps(self, program: str, redemption_id: str) -> Iterator[Step]:
        """What was done in a run, the first step first."""
        pk = run_pk(program, redemption_id)
        yield from map(step_of, self._table.query_all(pk, where=StepItem.sk.startswith(STEP_PREFIX)))

    def page(self, program: str, when: date | str, *, limit: int, after: str | None = None) -> Listed[Run]:
        """Up to ``limit`` runs that are open (:data:`OPEN`), or that ended on a day (UTC), the oldest first.

        ``after`` is the cursor of the page before.
        """
        return listed(self._table, shard_of(program, when), run_of, limit=limit, after=after)

    def all(self, program: str, when: date | str) -> Iterator[Run]:
        """Every such run, page after page."""
        return all_listed(self._table, shard_of(program, when), run_of)
