"""A fulfilment run: what became of one redemption's gift card, attempt by attempt, as finance sees it.

::

    F#{program}#{redemption_id}   RUN            where it stands
                                  STEP#{nnnnnn}  what was done, in order: never changed, never removed

A run is open until it ends. Both are found through the due index, which has it under one key at a time: while it is open
under ``RUNS#{program}#open``, by when it was opened; afterwards under ``RUNS#{program}#{day}`` of its end, in UTC.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final

from pynamodb.attributes import UnicodeAttribute

from loyalty.core.clock import from_text, to_text
from loyalty.core.four_eyes import same_hands
from loyalty.core.money import Money
from loyalty.core.table import IntegerAttribute, Item, RawItem, Table
from loyalty.fulfillment.errors import FulfillmentRunNotFound
from loyalty_contract import DUE_AT, DUE_INDEX_KEY, RUN_SK

STEP_PREFIX: Final = "STEP#"
OPEN: Final = "open"
_PAGE: Final = 100


class RunStatus(StrEnum):
    """Where a run stands."""

    SCREENING = "screening"
    """Opened; nobody was asked for anything."""
    AWAITING_APPROVAL = "awaiting_approval"
    """A person of finance decides, until the deadline."""
    ORDERING = "ordering"
    """A supplier is about to be asked, or was asked and has not answered."""
    AWAITING_FUNDS = "awaiting_funds"
    """The supplier's balance, or the program's budget, is too low: nothing was ordered, and it is tried again."""
    PENDING = "pending"
    """The supplier has the order and has not settled it."""
    DELIVERING = "delivering"
    """The card is in the vault; the points are about to be captured."""
    ATTENTION = "attention"
    """A person has to look: ``reason`` says at what. The points stay held."""
    FULFILLED = "fulfilled"
    """The card was issued and the points captured."""
    REFUSED = "refused"
    """No supplier gave a card; the points went back."""
    REJECTED = "rejected"
    """Finance said no; the points went back."""
    EXPIRED = "expired"
    """Finance said nothing in time; the points went back."""
    CANCELLED = "cancelled"
    """Finance gave it up, the order where there was one is cancelled; the points went back."""
    RESOLVED = "resolved"
    """A person settled it outside of the platform, and wrote down how."""


ENDED: Final = frozenset(
    {
        RunStatus.FULFILLED,
        RunStatus.REFUSED,
        RunStatus.REJECTED,
        RunStatus.EXPIRED,
        RunStatus.CANCELLED,
        RunStatus.RESOLVED,
    }
)
"""What a run leaves by a person's decision alone: a card that was issued can be taken back, or replaced."""


@dataclass(frozen=True, slots=True)
class Run:
    """One redemption's fulfilment. ``value`` is what the card is worth; times are UTC."""

    program: str
    redemption_id: str
    member_id: str
    reward_id: str
    points: int
    value: Money
    requested_by: str
    """The client, or the person, who held the points or asked for the campaign: not who may approve it."""
    opened_at: datetime
    requested_through: str | None = None
    """The client that named the person: it may not approve it either."""
    status: RunStatus = RunStatus.SCREENING
    reason: str | None = None
    """Why it is where it is: a stable code such as ``over_threshold``, ``supplier_timeout``."""
    flags: tuple[str, ...] = ()
    """Everything that screening found; ``reason`` has the first one."""
    campaign: str | None = None
    """The list that it came with, where it was one of many."""
    supplier: str | None = None
    """Whom it was ordered from last."""
    product: str | None = None
    external_id: str | None = None
    """The key of ours that the last order bears."""
    supplier_order_id: str | None = None
    cost: Money | None = None
    """What the supplier charges for the card that was issued."""
    orders: int = 0
    """How many orders were begun, each with a key of its own: one more for another supplier, or for a new card."""
    steps: int = 0
    """How many steps are written down."""
    executions: int = 1
    """How often the state machine was started for it."""
    approve_until: datetime | None = None
    reminded_at: datetime | None = None
    task_token: str | None = None
    """By which the state machine that waits for a person is answered."""
    approved_by: str | None = None
    """Who let it order, where somebody had to."""
    decided_by: str | None = None
    decided_at: datetime | None = None
    note: str | None = None
    """What the person who decided last wrote."""
    ends_as: RunStatus | None = None
    """What it becomes once the points are back; None: nobody gave it up."""
    replaces: int = 0
    """The number of the order whose card is to be taken back before another one is ordered; 0: none."""
    candidate: int = 0
    """Whom it is ordered from: 0 is the reward's supplier, 1 its first fallback, and so on."""
    tries: int = 0
    """How often in a row a step was taken that has to be taken again: each waits longer than the one before."""
    waiting_since: datetime | None = None
    """When the first of these was taken."""
    turn_at: datetime | None = None
    """When its first order's turn comes at the supplier; None: it has none yet, or nothing is to be ordered."""
    news_at: datetime | None = None
    """When the supplier last told, by itself, that something had become of the order."""
    updated_at: datetime | None = None
    ended_at: datetime | None = None
    revision: int = 1
    """Counts the changes: who writes names the one that was read."""

    def asked_by(self, actor: str) -> bool:
        """Whether the client or person asked for it: who did may not approve it."""
        return same_hands((self.requested_by, self.requested_through), (actor,))

    @property
    def ended(self) -> bool:
        """Whether it is over."""
        return self.status in ENDED


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was done in a run, or was about to be: what a timeline shows."""

    number: int
    at: datetime
    name: str
    """``screen``, ``approval_requested``, ``reminder``, ``approve``, ``order``, ``query``, ``capture``, ``release``, …"""
    outcome: str
    """``asked`` is written before a supplier is; after it ``issued``, ``pending``, ``refused``, ``ambiguous``; else ``done``."""
    supplier: str | None = None
    external_id: str | None = None
    request_id: str | None = None
    """The supplier's own name for the request."""
    cost: Money | None = None
    error: str | None = None
    """The name of what went wrong, with its message; no code, link or body."""
    by: str | None = None
    """The person or client, where it was one."""
    note: str | None = None


class RunItem(Item):
    """``F#{program}#{redemption_id}`` / ``RUN``."""

    member_id = UnicodeAttribute()
    reward_id = UnicodeAttribute()
    points = IntegerAttribute()
    value = UnicodeAttribute()
    requested_by = UnicodeAttribute()
    requested_through = UnicodeAttribute(null=True)
    opened_at = UnicodeAttribute()
    status = UnicodeAttribute()
    reason = UnicodeAttribute(null=True)
    flags = UnicodeAttribute(null=True)
    campaign = UnicodeAttribute(null=True)
    supplier = UnicodeAttribute(null=True)
    product = UnicodeAttribute(null=True)
    external_id = UnicodeAttribute(null=True)
    supplier_order_id = UnicodeAttribute(null=True)
    cost = UnicodeAttribute(null=True)
    orders = IntegerAttribute()
    steps = IntegerAttribute()
    executions = IntegerAttribute()
    approve_until = UnicodeAttribute(null=True)
    reminded_at = UnicodeAttribute(null=True)
    task_token = UnicodeAttribute(null=True)
    approved_by = UnicodeAttribute(null=True)
    decided_by = UnicodeAttribute(null=True)
    decided_at = UnicodeAttribute(null=True)
    note = UnicodeAttribute(null=True)
    ends_as = UnicodeAttribute(null=True)
    replaces = IntegerAttribute(null=True)
    candidate = IntegerAttribute(null=True)
    tries = IntegerAttribute(null=True)
    waiting_since = UnicodeAttribute(null=True)
    turn_at = UnicodeAttribute(null=True)
    news_at = UnicodeAttribute(null=True)
    updated_at = UnicodeAttribute(null=True)
    ended_at = UnicodeAttribute(null=True)
    revision = IntegerAttribute()
    due_shard = UnicodeAttribute(attr_name=DUE_INDEX_KEY)
    due_at = UnicodeAttribute(attr_name=DUE_AT)


class StepItem(Item):
    """``F#{program}#{redemption_id}`` / ``STEP#{nnnnnn}``."""

    at = UnicodeAttribute()
    name = UnicodeAttribute()
    outcome = UnicodeAttribute()
    supplier = UnicodeAttribute(null=True)
    external_id = UnicodeAttribute(null=True)
    request_id = UnicodeAttribute(null=True)
    cost = UnicodeAttribute(null=True)
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
        member_id=run.member_id,
        reward_id=run.reward_id,
        points=run.points,
        value=str(run.value),
        requested_by=run.requested_by,
        requested_through=run.requested_through,
        opened_at=to_text(run.opened_at),
        status=run.status.value,
        reason=run.reason,
        flags=",".join(run.flags) or None,
        campaign=run.campaign,
        supplier=run.supplier,
        product=run.product,
        external_id=run.external_id,
        supplier_order_id=run.supplier_order_id,
        cost=None if run.cost is None else str(run.cost),
        orders=run.orders,
        steps=run.steps,
        executions=run.executions,
        approve_until=_text(run.approve_until),
        reminded_at=_text(run.reminded_at),
        task_token=run.task_token,
        approved_by=run.approved_by,
        decided_by=run.decided_by,
        decided_at=_text(run.decided_at),
        note=run.note,
        ends_as=None if run.ends_as is None else run.ends_as.value,
        replaces=run.replaces or None,
        candidate=run.candidate or None,
        tries=run.tries or None,
        waiting_since=_text(run.waiting_since),
        turn_at=_text(run.turn_at),
        news_at=_text(run.news_at),
        updated_at=_text(run.updated_at),
        ended_at=_text(run.ended_at),
        revision=run.revision,
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
        member_id=item.member_id,
        reward_id=item.reward_id,
        points=item.points,
        value=Money.parse(item.value),
        requested_by=item.requested_by,
        requested_through=item.requested_through,
        opened_at=from_text(item.opened_at),
        status=RunStatus(item.status),
        reason=item.reason,
        flags=tuple(item.flags.split(",")) if item.flags else (),
        campaign=item.campaign,
        supplier=item.supplier,
        product=item.product,
        external_id=item.external_id,
        supplier_order_id=item.supplier_order_id,
        cost=Money.parse(item.cost) if item.cost else None,
        orders=item.orders,
        steps=item.steps,
        executions=item.executions,
        approve_until=_moment(item.approve_until),
        reminded_at=_moment(item.reminded_at),
        task_token=item.task_token,
        approved_by=item.approved_by,
        decided_by=item.decided_by,
        decided_at=_moment(item.decided_at),
        note=item.note,
        ends_as=RunStatus(item.ends_as) if item.ends_as else None,
        replaces=item.replaces or 0,
        candidate=item.candidate or 0,
        tries=item.tries or 0,
        waiting_since=_moment(item.waiting_since),
        turn_at=_moment(item.turn_at),
        news_at=_moment(item.news_at),
        updated_at=_moment(item.updated_at),
        ended_at=_moment(item.ended_at),
        revision=item.revision,
    )


def step_item(run: Run, step: Step) -> StepItem:
    """A step as it is stored."""
    return StepItem(
        run_pk(run.program, run.redemption_id),
        f"{STEP_PREFIX}{step.number:06d}",
        at=to_text(step.at),
        name=step.name,
        outcome=step.outcome,
        supplier=step.supplier,
        external_id=step.external_id,
        request_id=step.request_id,
        cost=None if step.cost is None else str(step.cost),
        error=step.error,
        by=step.by,
        note=step.note,
    )


def step_of(raw: RawItem) -> Step:
    """The step that :func:`step_item` wrote."""
    item = StepItem.from_raw_data(raw)
    fields: Mapping[str, Any] = {
        name: getattr(item, name)
        for name in ("name", "outcome", "supplier", "external_id", "request_id", "error", "by", "note")
    }
    cost = Money.parse(item.cost) if item.cost else None
    return Step(number=int(item.sk.removeprefix(STEP_PREFIX)), at=from_text(item.at), cost=cost, **fields)


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

    def page(self, program: str, when: date | str, *, limit: int, after: str | None = None) -> "RunPage":
        """Up to ``limit`` runs that are open (:data:`OPEN`), or that ended on a day (UTC), the oldest first.

        ``after`` is the cursor of the page before.
        """
        shard = shard_of(program, when)
        page = self._table.sorted_page(shard, after=after or "", limit=limit)
        keys = [(raw["pk"]["S"], raw["sk"]["S"]) for raw in page.items]
        found = self._table.get_many(keys) if keys else {}
        runs = [run_of(found[key]) for key in keys if key in found]
        return RunPage(runs, page.items[-1][DUE_AT]["S"] if page.last_key and page.items else None)

    def all(self, program: str, when: date | str) -> Iterator[Run]:
        """Every such run, page after page."""
        after: str | None = None
        while True:
            page = self.page(program, when, limit=_PAGE, after=after)
            yield from page.runs
            if page.next is None:
                return
            after = page.next


@dataclass(frozen=True, slots=True)
class RunPage:
    """Some runs, and where the next page begins; None: it was the last."""

    runs: Sequence[Run]
    next: str | None


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else to_text(moment)


def _moment(text: str | None) -> datetime | None:
    return None if text is None else from_text(text)
