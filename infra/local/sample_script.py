"""``events/sample_day.json``: the script of a trading day, and where everybody must stand at its end."""

import json
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

EVENTS: Final = Path(__file__).resolve().parents[2] / "events"


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    caption: str = Field(description="What a person is told.")


class Enroll(_Strict):
    """A partner enrolls a member."""

    kind: Literal["enroll"]
    member: str
    file: str


class ValidateReferral(_Strict):
    """A partner asks whether a referral code is good."""

    kind: Literal["validate_referral"]
    file: str
    valid: bool


class Posts(BaseModel):
    """The entry that an event must lead to."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    member: str
    entry_id: str
    points: int


class BusEvent(_Strict):
    """A system delivers an event to the bus; without ``posts`` it must lead to nothing that can be seen."""

    kind: Literal["bus_event"]
    file: str
    posts: Posts | None = None


class Accrue(_Strict):
    """A partner posts an accrual."""

    kind: Literal["accrue"]
    member: str
    file: str


class Redeem(_Strict):
    """A partner holds points for a reward and ends the hold, or waits for the gift card's delivery."""

    kind: Literal["redeem"]
    member: str
    file: str
    end: Literal["capture", "release", "delivery"]


class WaitForTier(_Strict):
    """The platform moves a member to a tier by itself."""

    kind: Literal["wait_for_tier"]
    member: str
    tier: str


class WaitForEntry(_Strict):
    """The platform posts an entry by itself."""

    kind: Literal["wait_for_entry"]
    member: str
    entry_id: str


class WaitForReferral(_Strict):
    """The platform rewards who brought a member, and the member, by itself."""

    kind: Literal["wait_for_referral"]
    referrer: str
    member: str


Step = Enroll | ValidateReferral | BusEvent | Accrue | Redeem | WaitForTier | WaitForEntry | WaitForReferral


class Expected(BaseModel):
    """Where a member must stand in the end: ``sum`` are the points of all lines of the statement that move any."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    tier: str
    sum: list[int]
    available: int


class Script(BaseModel):
    """The day."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    title: str
    program: str
    rule: str
    members: dict[str, str]
    steps: list[Annotated[Step, Field(discriminator="kind")]]
    expected: dict[str, Expected]

    @classmethod
    def load(cls, path: Path = EVENTS / "sample_day.json") -> "Script":
        """The script in the repository."""
        return cls.model_validate_json(path.read_text(encoding="utf-8"))


def sample(file: str) -> dict[str, Any]:
    """A sample under ``events/``."""
    loaded: dict[str, Any] = json.loads((EVENTS / file).read_text(encoding="utf-8"))
    return loaded
