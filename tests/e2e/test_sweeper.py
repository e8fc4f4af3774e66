"""The clock starts the sweeper as it is deployed, with its own role, and what fell due of a silent member is written down."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from infra.local.cloud import STAGE, LocalCloud
from loyalty.core.table import Table
from loyalty.ledger import movements
from loyalty.ledger.draft import Decision, Posting, Situation
from loyalty.ledger.items import new_book_put
from loyalty.ledger.model import POINTS, Entry, EntryKey, EntryKind, Facts, Movement
from loyalty.ledger.service import Ledger
from loyalty.ledger.store import LedgerStore
from loyalty.programs.store import ProgramStore
from loyalty_contract import resource
from tests.e2e.partner import eventually, unique
from tests.e2e.test_redrive import loyalty

pytestmark = pytest.mark.e2e


class Silent:
    """A member who earned points last week, pending until yesterday, and of whom nothing was heard since."""

    def __init__(self, cloud: LocalCloud) -> None:
        self._table = Table(cloud.table)
        self._clock: Callable[[], datetime] = lambda: datetime.now(UTC) - timedelta(days=7)
        self.program = ProgramStore(self._table, self._clock).current(cloud.program)
        self.member_id = f"mbr_{unique()}"
        first = self.program.document.tiers[0].id
        self._table.write([new_book_put(self.program.document.id, self.member_id, first, self._clock())])

    def earn(self, points: int, *, lot: str, pending_until: date) -> None:
        def decide(situation: Situation) -> Decision:
            change = movements.accrue(situation.wallet, points, lot=lot, matures_on=pending_until)
            qualifying = {str(situation.now.year): points}
            return Decision(Movement({POINTS: change}, qualifying=qualifying), Facts(situation.now, 1))

        key = EntryKey(EntryKind.ACCRUAL, "pos", unique())
        Ledger(self._table, self._clock).post(self.program.scope, self.member_id, Posting(key, key.entry_id, decide))

    def entries(self) -> list[Entry]:
        """Oldest first."""
        page = LedgerStore(self._table).entries(self.program.document.id, self.member_id, limit=100)
        return page.entries[::-1]

    def matured(self) -> list[Entry]:
        return [entry for entry in self.entries() if entry.key.kind is EntryKind.MATURITY]


@pytest.fixture
def silent(cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch) -> Silent:
    for name, value in cloud.variables.items():
        monkeypatch.setenv(name, value)
    member = Silent(cloud)
    yesterday = datetime.now(member.program.document.zone).date() - timedelta(days=1)
    member.earn(40, lot="2099-12-31", pending_until=yesterday)
    return member


def deployed(cloud: LocalCloud) -> list[dict[str, Any]]:
    """The schedules of the sweeper."""
    scheduler, group = cloud.client("scheduler"), resource(STAGE, "sweeper")
    names = [each["Name"] for each in scheduler.list_schedules(GroupName=group)["Schedules"]]
    return [scheduler.get_schedule(Name=name, GroupName=group) for name in names]


def test_the_clock_starts_the_sweeper(cloud: LocalCloud, silent: Silent) -> None:
    (schedule,) = deployed(cloud)
    assert schedule["ScheduleExpression"] == "rate(5 minutes)"
    # Not to wait for five minutes: the same start, once, due already. The local scheduler looks every ten seconds.
    cloud.client("scheduler").create_schedule(
        Name=f"now-{unique()}",
        GroupName=schedule["GroupName"],
        ScheduleExpression="at(2026-01-01T00:00:00)",
        FlexibleTimeWindow={"Mode": "OFF"},
        ActionAfterCompletion="DELETE",
        Target={name: schedule["Target"][name] for name in ("Arn", "RoleArn", "Input")},
    )
    eventually("the sweeper's entry", lambda: silent.matured() or None)
    assert [entry.points for entry in silent.entries()] == [0, 40]


def test_an_operator_sweeps_and_settles(cloud: LocalCloud, silent: Silent) -> None:
    command = ("--program", silent.program.document.id, "--member", silent.member_id)
    code, text = loyalty(cloud, "settle", *command, "--json")
    assert (code, json.loads(text)["entries"] in {0, 1}) == (0, True)
    assert len(silent.matured()) == 1
    code, text = loyalty(cloud, "sweep", "--json")
    swept = json.loads(text)
    assert (code, swept["failures"], swept["finished"]) == (0, [], True)
    assert len(silent.matured()) == 1
