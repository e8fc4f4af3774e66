"""An operator recalculates tiers: the state machine raises whom a new version means, and goes on where it was cut off."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest

from infra.local.cloud import STAGE, LocalCloud
from infra.local.seed import program_documents
from loyalty.accruals.model import Activity
from loyalty.accruals.service import AccrualService
from loyalty.core.clock import system_clock
from loyalty.core.ids import new_member_id
from loyalty.core.money import Money
from loyalty.core.table import Table
from loyalty.ledger.items import new_book_put
from loyalty.ledger.keys import member_shard, member_shard_name
from loyalty.ledger.model import EntryKind
from loyalty.ledger.service import Ledger
from loyalty.ledger.store import LedgerStore
from loyalty.programs.model import Program
from loyalty.programs.store import ProgramStore
from loyalty.tiers.everybody import Recalculation
from loyalty.tiers.runs import TierRun
from loyalty.walking.runs import Checkpoint
from loyalty_contract import MEMBER_INDEX_KEY, POINTS_ACCRUED, resource
from tests.e2e.partner import eventually, unique
from tests.e2e.test_redrive import loyalty
from tests.e2e.traces import overhear

pytestmark = pytest.mark.e2e

MEMBERS: Final = 24
SPENT: Final = "120.00"
"""Of each member: 120 points, below the first threshold of the program and above that of its next version. One more, who
is the last of ``members``, reached a tier by the first."""


class Cheaper:
    """A program with members who reach a tier by its second version, and have heard nothing of it."""

    def __init__(self, cloud: LocalCloud, folder: Path, overheard: str) -> None:
        self.cloud = cloud
        self._overheard = overheard
        self.table = Table(cloud.table)
        self.store = LedgerStore(self.table)
        self.id = f"cheaper-{unique()}"
        self._folder = folder
        self._document = json.loads(program_documents()[cloud.program].read_text()) | {
            "id": self.id,
            "shopify_shops": [],
        }
        self.publish(10_000)
        first = self.program.document.tiers[0].id
        self.members = [new_member_id(datetime.now(UTC)) for _ in range(MEMBERS)]
        for member in self.members:
            self.table.write([new_book_put(self.id, member, first, system_clock())])
            self._spend(member, SPENT)
        self._let_the_events_pass()
        self.publish(100)

    @property
    def unheard(self) -> list[str]:
        """Whom only a recalculation can raise: all but the last, whom a purchase raised."""
        return self.members[:MEMBERS]

    @property
    def program(self) -> Program:
        return ProgramStore(self.table, system_clock).current(self.id)

    def _spend(self, member: str, amount: str) -> None:
        spent = Activity("purchase", "pos", unique(), system_clock(), amount=Money.of(amount, "USD"))
        AccrualService(Ledger(self.table, system_clock), system_clock).accrue(self.program, member, spent)

    def _let_the_events_pass(self) -> None:
        """Until the tiers of all were looked at in the wake of what they spent, by the first version."""
        everybody = set(self.members)

        def all_were_told(heard: list[dict[str, Any]]) -> bool:
            told = {one["detail"]["member_id"] for one in heard if one["detail-type"] == POINTS_ACCRUED}
            return everybody <= told

        overhear(self.cloud, self._overheard, "the points of all", all_were_told)
        # What we overheard may reach the queue of tiers a moment later. One more purchase passes the whole way after it.
        last, first = new_member_id(datetime.now(UTC)), self.program.document.tiers[0].id
        self.table.write([new_book_put(self.id, last, first, system_clock())])
        self._spend(last, "10000.00")
        eventually("the last member's tier", lambda: self.raised(last) or None)
        sqs = self.cloud.client("sqs")
        queue = sqs.get_queue_url(QueueName=resource(STAGE, "tier-recalculation"))["QueueUrl"]
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]

        def is_empty() -> bool | None:
            counts = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]
            return sum(int(counts[name]) for name in names) == 0 or None

        eventually("an empty queue", is_empty)
        self.members.append(last)

    def publish(self, threshold: int) -> None:
        """A version with this threshold of the second tier; those above it follow."""
        tiers = [tier | {"threshold": threshold * place} for place, tier in enumerate(self._document["tiers"])]
        path = self._folder / f"{threshold}.json"
        path.write_text(json.dumps(self._document | {"tiers": tiers}))
        code, text = loyalty(self.cloud, "program", "publish", str(path))
        assert code == 0, text

    def recalculate(self, *whom: str) -> tuple[int, dict[str, Any]]:
        command = ("tiers", "recalculate", "--program", self.id, "--workflow", *whom, "--json")
        code, text = loyalty(self.cloud, *command)
        return code, json.loads(text) if code == 0 else {}

    def tiers(self) -> list[int]:
        """On which of the program's tiers each member is."""
        order = [tier.id for tier in self.program.document.tiers]
        books = [self.store.book(self.id, member) for member in self.members]
        return [order.index(book.tier) for book in books if book]

    def raised(self, member: str) -> list[str]:
        """The entries by which a member was raised."""
        entries = self.store.entries(self.id, member, limit=100).entries
        return [entry.key.source_id for entry in entries if entry.key.kind is EntryKind.TIER]


@pytest.fixture
def cheaper(cloud: LocalCloud, overheard: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cheaper:
    for name, value in cloud.variables.items():
        monkeypatch.setenv(name, value)
    return Cheaper(cloud, tmp_path, overheard)


def test_everybody_is_raised_by_children_of_a_map_and_one_by_a_task(cloud: LocalCloud, cheaper: Cheaper) -> None:
    assert cheaper.tiers() == [0] * MEMBERS + [1]
    one = cheaper.members[0]
    assert cheaper.recalculate("--member", one, "--run", "one")[1]["changed"] == 1
    assert cheaper.tiers() == [1] + [0] * (MEMBERS - 1) + [1]

    code, done = cheaper.recalculate("--everybody", "--run", "all")
    assert (code, done) == (
        0, {"run": "all", "members": MEMBERS + 1, "changed": MEMBERS, "failed": 0, "failures": []},
    )  # fmt: skip
    assert cheaper.tiers() == [1] * MEMBERS + [2]
    states, machine = cloud.client("stepfunctions"), cloud.platform.outputs["RecalculationArn"]
    (execution,) = [
        one["executionArn"]
        for one in states.list_executions(stateMachineArn=machine)["executions"]
        if one["name"].startswith("all-")
    ]
    (found,) = states.list_map_runs(executionArn=execution)["mapRuns"]
    assert states.describe_map_run(mapRunArn=found["mapRunArn"])["executionCounts"]["succeeded"] == 16


def test_a_tier_s_members_alone(cheaper: Cheaper) -> None:
    first, second, *_ = [tier.id for tier in cheaper.program.document.tiers]
    assert cheaper.recalculate("--tier", second, "--run", "second")[1]["members"] == 1
    assert cheaper.recalculate("--tier", first, "--run", "first")[1]["members"] == MEMBERS
    assert cheaper.recalculate("--tier", "diamond")[0] == 1
    assert cheaper.recalculate("--everybody", "--run", "first")[0] == 1, "under this name others were recalculated"


class CutOff(BaseException):
    """The process ended here."""


@pytest.fixture
def broken_shard(cheaper: Cheaper) -> Iterator[int]:
    """A shard whose list of members nothing can read; mended at the end."""
    shard = min(_shard(cheaper, one) for one in cheaper.unheard)
    key = {"pk": {"S": f"M#{cheaper.id}#not#a#member"}, "sk": {"S": "WALLET"}}
    listed = {MEMBER_INDEX_KEY: {"S": member_shard_name(cheaper.id, shard)}}
    cheaper.table.client.put_item(TableName=cheaper.table.name, Item={**key, **listed})
    yield shard
    cheaper.table.client.delete_item(TableName=cheaper.table.name, Key=key)


def _shard(cheaper: Cheaper, member: str) -> int:
    return int(member_shard(cheaper.id, member)[-2:])


def test_a_run_that_was_cut_off_goes_on_where_each_shard_was(
    cheaper: Cheaper, broken_shard: int, capsys: pytest.CaptureFixture[str]
) -> None:
    run = TierRun(cheaper.id, "cut")
    ours, shard = _with_two(cheaper, broken_shard)

    def cut(_: Checkpoint) -> None:
        raise CutOff

    # A process that recalculates a page of one, and ends: what an execution leaves that is stopped between two pages.
    with pytest.raises(CutOff):
        Recalculation(cheaper.table, system_clock, page=1).shard(cheaper.program, run, shard, told=cut)
    assert [cheaper.raised(member) for member in ours[:2]] == [["run:cut"], []]

    code, _ = cheaper.recalculate("--everybody", "--run", "cut")
    lost = [member for member in cheaper.unheard if _shard(cheaper, member) == broken_shard]
    assert (code, [cheaper.raised(member) for member in lost]) == (1, [[]] * len(lost))
    before = cheaper.table.read(f"P#{cheaper.id}", f"RECALCULATION#cut#{shard:02}")

    key = {"pk": {"S": f"M#{cheaper.id}#not#a#member"}, "sk": {"S": "WALLET"}}
    cheaper.table.client.delete_item(TableName=cheaper.table.name, Key=key)
    code, done = cheaper.recalculate("--everybody", "--run", "cut")
    assert (code, done["members"]) == (0, MEMBERS + 1)
    assert [cheaper.raised(member) for member in cheaper.unheard] == [["run:cut"]] * MEMBERS
    assert cheaper.table.read(f"P#{cheaper.id}", f"RECALCULATION#cut#{shard:02}") == before, "it was done already"


def _with_two(cheaper: Cheaper, but: int) -> tuple[list[str], int]:
    """Members of a shard that has two at least, in the order of the index, and the shard."""
    for shard in range(16):
        ours = sorted(member for member in cheaper.unheard if _shard(cheaper, member) == shard)
        if len(ours) > 1 and shard != but:
            return ours, shard
    raise AssertionError("24 members in 15 shards, and no two in one")
