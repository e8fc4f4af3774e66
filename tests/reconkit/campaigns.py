"""Campaigns over a world of members: lists, and a machine that runs when it is told to."""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from loyalty.bulk.batches import Batches
from loyalty.bulk.model import Campaign
from loyalty.bulk.service import Asked, Campaigns
from loyalty.bulk.steps import BatchRequest, CampaignRequest, Steps
from loyalty.bulk.store import CampaignStore
from loyalty.core.table import Table
from loyalty.ledger.model import EntryKind
from loyalty.rewards.model import Payer, Redemption
from tests.ledgerkit.programs import program
from tests.ledgerkit.world import World
from tests.reconkit.files import MemoryFiles

ACME: Final = "acme"
SPRING: Final = "spring"
THRESHOLD: Final = {"approve_above": [{"value": "100.00", "currency": "USD"}]}
"""Ten cards of 10 dollars need no approval; eleven do."""


def member(number: int) -> str:
    return f"mbr_{number:026}"


def listing(lines: Iterable[str], heading: str = "member_id,reference") -> bytes:
    return "\n".join([heading, *lines, ""]).encode()


def one_each(numbers: Iterable[int]) -> bytes:
    """A line for each member."""
    return listing(f"{member(number)},R-{number}" for number in numbers)


@dataclass
class Runs:
    """What the machine's executions came to."""

    batches: int = 0
    held: int = 0


class Desk:
    """Campaigns of a program whose members are numbered; ``run`` is what the state machine does."""

    def __init__(self, table: Table, members: int, *, workers: int = 1, **changes: Any) -> None:
        self.world = World(table, of=program(**({"fulfillment": THRESHOLD} | changes))).enroll(
            *map(member, range(members))
        )
        self.files = MemoryFiles()
        self.store = CampaignStore(table)
        self.started: list[str] = []
        self.campaigns = Campaigns(
            self.store, self.files, self.world.clock, lambda one: self.started.append(one.campaign)
        )
        self.batches = Batches(self.store, self.files, self.world.redemptions, workers=workers)
        self.steps = Steps(self.campaigns, self.batches, lambda _: self.world.program)

    def create(
        self,
        content: bytes,
        *,
        campaign: str = SPRING,
        reward: str = "card",
        paid_by: Payer = Payer.PROGRAM,
        actor: str = "ada",
    ) -> Campaign:
        """Creates a campaign and sends its list."""
        asked = Asked(campaign, reward, paid_by, hashlib.sha256(content).hexdigest(), actor)
        created = self.campaigns.create(self.world.program, asked)
        self.files.stored[created.list_key] = content
        return created

    def run(self, campaign: str = SPRING, *, batch: Callable[[int], bool] = lambda _: True) -> dict[str, Any]:
        """One execution, but for the batches that fail; what it sums up to."""
        request = CampaignRequest(program=ACME, campaign=campaign)
        given = self.steps.begin(request)
        for one in given:
            asked = BatchRequest.model_validate(one["batch"])
            if batch(asked.number):
                self.steps.batch(request, asked)
        return self.steps.sum(request)[0] if given else {"status": self.get(campaign).status.value}

    def get(self, campaign: str = SPRING) -> Campaign:
        return self.store.get(ACME, campaign)

    def failures(self, campaign: str = SPRING) -> list[str]:
        return self.files.text(self.get(campaign).failures_key).splitlines()[1:]

    def holds(self, number: int) -> int:
        """How often something is held for a member."""
        return sum(entry.key.kind is EntryKind.HOLD for entry in self.world.entries(member(number)))

    def held(self, number: int) -> Redemption:
        """What is held for a member first."""
        hold = next(entry for entry in self.world.entries(member(number)) if entry.key.kind is EntryKind.HOLD)
        return self.world.redemptions.get(ACME, member(number), hold.facts.redemption_id or "")
