"""A campaign: one reward for the members of a list, and what became of its lines. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final

from pydantic import StringConstraints

from loyalty.core.money import Money
from loyalty.rewards.model import Payer

BATCH: Final = 100
"""Lines that are worked off, and written down, together."""
MOST_LINES: Final = 100_000
"""Of one list: its batches are the input of one state of the machine, which has its bounds."""
MOST_PROBLEMS: Final = 20
"""Of a malformed list that are told at once."""

CampaignId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
"""Names a campaign within its program, for ever: under one name a line is held once."""
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class CampaignStatus(StrEnum):
    """Where a campaign stands."""

    CREATED = "created"
    """Its list may be sent; nothing was looked at."""
    REFUSED = "refused"
    """The list is malformed: the campaign says where. Nothing was held."""
    AWAITING_APPROVAL = "awaiting_approval"
    """A second person decides. Nothing more is held until then."""
    RUNNING = "running"
    UNFINISHED = "unfinished"
    """Some lines were refused, batches failed, or the list could not be begun: started again, it tries those."""
    DONE = "done"
    """Every line is held; what becomes of each is its redemption's run."""
    REJECTED = "rejected"
    """A second person said no. Nothing more is held."""


OVER: Final = frozenset({CampaignStatus.DONE, CampaignStatus.REJECTED, CampaignStatus.REFUSED})
WORKED: Final = frozenset({CampaignStatus.RUNNING, CampaignStatus.UNFINISHED})
"""In which batches may hold lines. Unfinished too: of two executions the other one may have summed up already."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a list; ``number`` counts from 1, the heading's."""

    number: int
    member_id: str
    reference: str
    quantity: int = 1
    amount: Money | None = None
    """Of each, where the reward has amounts to choose from."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Lines of a list by their place in the file, so that a batch is read without those before it."""

    number: int
    start: int
    end: int
    first_line: int


@dataclass(frozen=True, slots=True)
class Totals:
    """What a list comes to, by the version of the program that it was checked with."""

    lines: int
    units: int
    points: int
    """What the members would pay for all of it, from the reward's wallet."""
    value: Money | None
    """What all of it is worth, where the reward or the lines say so."""
    terms: str
    """A hash of what one costs and is worth, or of the amounts that there are: what was checked holds as long as it does."""


@dataclass(frozen=True, slots=True)
class Campaign:
    """One reward for the members of a list. Times are UTC."""

    program: str
    campaign: str
    reward_id: str
    paid_by: Payer
    sha256: str
    """Of the list, byte by byte: under one name there is one list."""
    started_by: str
    """The person who may not approve it."""
    started_through: str | None
    """The client that named them, or whose credentials an operator's shell had: they may not approve it either."""
    created_at: datetime
    status: CampaignStatus = CampaignStatus.CREATED
    totals: Totals | None = None
    """None: it was not checked yet."""
    columns: tuple[str, ...] = ()
    """Of the list, in their order."""
    etag: str | None = None
    """Of the file as it was checked: no other is read."""
    size: int = 0
    problem: str | None = None
    """What is wrong with the list, line by line."""
    approved: bool = False
    """By a second person, for these totals."""
    decided_by: str | None = None
    decided_through: str | None = None
    """As of ``started_through``."""
    decided_at: datetime | None = None
    note: str | None = None
    running_since: datetime | None = None
    """When its batches were first begun; progress is estimated from it."""
    revision: int = 1

    @property
    def list_key(self) -> str:
        """Where the list lies in the bucket."""
        return f"{self.folder}{self.sha256}.csv"

    @property
    def failures_key(self) -> str:
        """Where the report of refused lines lies."""
        return f"{self.folder}failures.csv"

    @property
    def folder(self) -> str:
        """Its own, in the bucket."""
        return f"bulk/{self.program}/{self.campaign}/"


@dataclass(frozen=True, slots=True)
class BatchDone:
    """What became of a batch's lines. ``failures``: by line number, the reference and the error's name."""

    number: int
    lines: int
    held: int
    failures: Mapping[int, tuple[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a campaign is: its batches that are written down, summed."""

    batches: int
    batches_done: int
    lines: int
    held: int
    refused: int

    @property
    def finished(self) -> bool:
        """Every line is held."""
        return self.batches_done == self.batches and self.refused == 0
