"""``loyalty privacy``: what the commands print, at 100 columns too, and how they end."""

import json
import sys
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

import boto3
import pytest
from moto import mock_aws
from typer.testing import CliRunner, Result

from loyalty.cli import console, privacy
from loyalty.cli.app import app, main
from loyalty.core import aws
from loyalty.core.clock import system_clock, to_text
from loyalty.core.files import Bucket
from loyalty.core.table import Table
from loyalty.members.erasure import ErasureReason, ErasureStatus
from loyalty.merging.service import MergeService
from loyalty.privacy.erasing import Asked, Erasing
from loyalty.privacy.erasure_store import ErasureStore
from loyalty.privacy.errors import ErasureBlocked, ErasureNotFound
from loyalty.privacy.restricting import Restricting
from loyalty.privacy.steps import note_key
from loyalty.programs.store import ProgramStore
from tests.ledgerkit.clock import SettableClock
from tests.ledgerkit.programs import document, program
from tests.ledgerkit.tables import create_table
from tests.ledgerkit.world import World

REGION: Final = "eu-south-1"
BUCKET: Final = "reports-test"
MERGED, SURVIVOR, GONE, LATER = (f"mbr_{one * 26}" for one in "abcd")


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> Iterator[Table]:
    keys = dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "testing")
    settings = {"LOYALTY_TABLE": "loyalty-test", "LOYALTY_REPORTS": BUCKET, "AWS_DEFAULT_REGION": REGION}
    for name, value in (keys | settings).items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        aws.client.cache_clear()
        table = Table("loyalty-test", region=REGION)
        create_table(table.client, table.name)
        ProgramStore(table, system_clock).publish(document(), expected_version=0, actor="test")
        boto3.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        yield table
    aws.client.cache_clear()


def test_one_who_cannot_be_erased_again_keeps_nobody_else(table: Table) -> None:
    """They were merged after the restore, before this command; whoever the bucket names after them is erased."""
    world = World(table, clock=SettableClock(system_clock()))
    for member in (MERGED, SURVIVOR, GONE):
        world.enroll(member)
    MergeService(world.ledger, world.reversals).merge(world.program, SURVIVOR, absorbed=MERGED, actor="staff-1")
    for member in (MERGED, GONE, LATER):
        boto3.client("s3").put_object(Bucket=BUCKET, Key=note_key("acme", member), Body=b"{}")
    told = CliRunner().invoke(app, ["privacy", "reapply", "--program", "acme", "--json"])
    assert told.exit_code == 1, told.output
    said = json.loads(told.stdout)
    assert (said["erased"], said["unknown"], list(said["blocked"])) == (1, 1, [MERGED])
    assert SURVIVOR in said["blocked"][MERGED]
    assert world.book(GONE).erased_at is not None
    assert world.book(SURVIVOR).erased_at is None
    assert world.audit() == []


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ["privacy", *words, "--program", "acme"])


def lines(told: Result) -> list[str]:
    """What it printed, with one space where there are several."""
    return [" ".join(line.split()) for line in told.stdout.splitlines()]


@pytest.fixture(params=[100, 200])
def columns(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """How wide the terminal is."""
    monkeypatch.setattr(console.out, "_width", request.param)
    width: int = request.param
    return width


def world_of(table: Table, **changes: Any) -> World:
    """Members who came two years ago, each with 100 points that never expire; the clock is today's again."""
    of = program(expiry={"policy": "never"}, **changes)
    store = ProgramStore(table, system_clock)
    store.publish(of.document, expected_version=store.current("acme").version, actor="test")
    clock = SettableClock(system_clock() - timedelta(days=730))
    world = World(table, of=of, clock=clock)
    for member in (MERGED, SURVIVOR, GONE, LATER):
        world.enroll(member)
        world.accrue(f"R-{member}", "100", member=member)
    clock.advance(days=730)
    return world


def erasing(world: World) -> Erasing:
    """As the command makes it."""
    return privacy._erasing(world.table, Bucket(BUCKET, boto3.client("s3")))


class TestErasure:
    """``loyalty privacy erasure``."""

    @pytest.mark.parametrize(
        ("status", "told", "code"),
        [
            ("asked", "status: asked, reason: request, asked_at: 2026", 0),
            ("approved", "status: approved, reason: request, asked_at: 2026", 0),
            ("stopped", "problem: The redemption 'rdm_", 1),
            ("erased", "erased_at: 2026", 0),
        ],
    )
    def test_says_where_it_stands(self, table: Table, columns: int, status: str, told: str, code: int) -> None:
        world = World(table, clock=SettableClock(system_clock())).enroll(GONE)
        world.accrue("R-1", "100", member=GONE)
        erase = erasing(world)
        erase.ask(world.program, GONE, ErasureReason.REQUEST, Asked("staff-1", "desk"))
        if status != "asked":
            erase.approve(world.program, GONE, Asked("staff-2", "office"))
        if status == "erased":
            erase.run(world.program, GONE)
        if status == "stopped":
            world.hold("h-1", member=GONE)
            with pytest.raises(ErasureBlocked):
                erase.run(world.program, GONE)
        shown = run("erasure", GONE)
        assert shown.exit_code == code, shown.output
        whole = " ".join(shown.stdout.split())
        assert whole.startswith(f"member_id: {GONE}, status: {'approved' if status == 'stopped' else status}")
        assert told.replace("2026", str(system_clock().year)) in whole
        assert all(len(line) <= columns for line in shown.stdout.splitlines())
        document = json.loads(run("erasure", GONE, "--json").stdout)
        assert list(document) == [
            "member_id", "status", "reason", "asked_at", "begun_at", "erased_at", "problem",
        ]  # fmt: skip
        assert (document["begun_at"] is not None) is (status == "erased")

    def test_of_whom_nobody_asked_it_says_what_to_do(
        self, table: Table, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert table.name
        monkeypatch.setattr(sys, "argv", ["loyalty", "privacy", "erasure", GONE, "--program", "acme"])
        with pytest.raises(SystemExit) as end:
            main()
        assert end.value.code == 1
        said = " ".join(capsys.readouterr().err.split())
        assert f"erasure_not_found: Nobody asked for the erasure of '{GONE}'; ask for it by POST" in said


def test_reapply_says_whom_it_erased_in_words(table: Table, columns: int) -> None:
    world = World(table, clock=SettableClock(system_clock())).enroll(GONE)
    for member in (GONE, LATER):
        boto3.client("s3").put_object(Bucket=BUCKET, Key=note_key("acme", member), Body=b"{}")
    told = run("reapply")
    assert (told.exit_code, lines(told)) == (0, ["1 members are erased; 1 are not in this table."])
    assert f"{GONE} is erased" in told.stderr
    assert columns in {100, 200}
    again = run("reapply")
    assert (again.exit_code, lines(again)) == (0, ["1 members are erased; 1 are not in this table."])
    assert world.audit() == []


class TestInactive:
    """``loyalty privacy inactive``: whoever gave any sign is not in it."""

    def test_lists_who_was_quiet_with_what_speaks_against_an_erasure(self, table: Table, columns: int) -> None:
        world = world_of(table)
        world.accrue("R-new", "1", member=MERGED)
        Restricting(table, system_clock).restrict("acme", SURVIVOR, actor="staff-1")
        erasing(world).ask(world.program, LATER, ErasureReason.REQUEST, Asked("staff-1", "desk"))
        told = run("inactive", "--months", "12")
        assert told.exit_code == 0, told.output
        first, head, *rows = lines(told)
        assert first.startswith("Nothing was heard since ")
        assert head == "member last sign (UTC) points"
        then = to_text(world.clock() - timedelta(days=730))
        assert sorted(rows) == [
            f"{SURVIVOR} {then} 100 restricted",
            f"{GONE} {then} 100 quiet",
            f"{LATER} {then} 100 erasure open",
        ]
        assert all(len(line) <= columns for line in told.stdout.splitlines())

    @pytest.mark.parametrize(
        ("months", "found"),
        [(23, True), (25, False)],
    )
    def test_counts_calendar_months(self, table: Table, months: int, found: bool) -> None:
        world_of(table)
        told = json.loads(run("inactive", "--months", str(months), "--json").stdout)
        assert (len(told["members"]), told["more"]) == (4 if found else 0, False)
        if not found:
            assert lines(run("inactive", "--months", str(months)))[0].startswith(
                "Of each member of 'acme' something was heard since "
            )

    def test_proposes_and_leaves_the_decision_to_another_person(self, table: Table) -> None:
        world = world_of(table)
        world.hold("h-1", member=SURVIVOR)
        before = erasing(world)
        told = run("inactive", "--months", "12", "--propose")
        assert told.exit_code == 0, told.output
        rows = lines(told)
        assert [row.rpartition(" ")[2] for row in rows if row.startswith("mbr_")] == ["proposed"] * 3
        assert rows[-1].startswith("Another person decides on each: POST")
        found = before.get("acme", GONE)
        assert (found.status, found.reason) == (ErasureStatus.ASKED, ErasureReason.RETENTION)
        assert found.asked_by.startswith("operator:arn:aws:")
        with pytest.raises(ErasureNotFound):
            before.get("acme", SURVIVOR)
        again = json.loads(run("inactive", "--months", "12", "--propose", "--json").stdout)
        assert again["members"] == []
        assert world.book(GONE).erased_at is None

    def test_never_erases_alone_even_where_one_person_may(self, table: Table) -> None:
        world = world_of(table, four_eyes={"erasure": False})
        run("inactive", "--months", "12", "--propose", "--limit", "1")
        statuses = [
            found.status
            for member in (MERGED, SURVIVOR, GONE, LATER)
            if (found := ErasureStore(table).get("acme", member)) is not None
        ]
        assert statuses == [ErasureStatus.ASKED]
        assert world.audit() == []

    def test_who_cannot_be_proposed_is_named_with_the_reason(self, table: Table) -> None:
        """A card of long ago that never came."""
        world = world_of(table)
        world.clock.advance(days=-730)
        world.accrue("R-more", "300", member=GONE)
        world.hold("gift", "card", member=GONE)
        world.clock.advance(days=730)
        told = run("inactive", "--months", "12", "--propose", "--json")
        outcomes = {one["member_id"]: one["outcome"] for one in json.loads(told.stdout)["members"]}
        assert told.exit_code == 1
        assert "is not ended" in outcomes.pop(GONE)
        assert set(outcomes.values()) == {"proposed"}
        assert "1 members could not be proposed" in told.stderr
