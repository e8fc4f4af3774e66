"""``loyalty pii rewrap``, against a table and KMS in moto."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from moto import mock_aws
from typer.testing import CliRunner, Result

from loyalty.cli.app import app
from loyalty.core.aws import client
from loyalty.core.clock import system_clock
from loyalty.core.keys import KmsDataKeys
from loyalty.core.table import Table
from loyalty.members.model import Profile
from loyalty.members.rewrapping import Rewrapping
from loyalty.members.service import MemberService
from loyalty.members.vault import MemberVault
from tests.apikit.members import Members
from tests.ledgerkit.tables import create_table

RUNNER = CliRunner()


class Stage:
    """Three members, whose keys lie under the first of two keys."""

    def __init__(self) -> None:
        table = Table("loyalty-test")
        create_table(table.client, table.name)
        self.members = Members(table)
        self.kms = client("kms")
        self.old, self.new = (self.kms.create_key()["KeyMetadata"]["Arn"] for _ in range(2))
        self.program = self.members.programs.current("acme")
        service = self.service(self.old)
        self.ids = [service.enroll(self.program, Profile(f"p{n}@example.com")).member.member_id for n in range(3)]

    def service(self, key: str) -> MemberService:
        """As a process that remembers nothing."""
        members = self.members
        return MemberService(members.store, MemberVault(KmsDataKeys(key), system_clock), members.lookups, system_clock)

    def under(self) -> list[str]:
        return [raw["key_id"]["S"] for (_, sk), raw in self.members.items().items() if sk == "KEY"]

    def rewrap(self, key: str, *options: str) -> Result:
        return RUNNER.invoke(app, ["pii", "rewrap", "--program", "acme", "--key", key, *options])


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    for name, value in {
        "AWS_DEFAULT_REGION": "eu-south-1",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "LOYALTY_TABLE": "loyalty-test",
        "COLUMNS": "200",
    }.items():
        monkeypatch.setenv(name, value)
    # moto cannot answer two requests at once
    defaults: dict[str, Any] = {**(Rewrapping.__init__.__kwdefaults__ or {}), "workers": 1}
    monkeypatch.setattr(Rewrapping.__init__, "__kwdefaults__", defaults)
    client.cache_clear()
    with mock_aws():
        yield Stage()
    client.cache_clear()


def test_everybody_moves_to_another_key_and_the_old_one_may_go(stage: Stage) -> None:
    dry = json.loads(stage.rewrap(stage.new, "--dry-run", "--json").stdout)
    assert {state: dry[state] for state in ("kept", "due", "single", "gone")} == {
        "kept": 0, "due": 3, "single": 0, "gone": 0,
    }  # fmt: skip
    assert stage.under() == [stage.old] * 3
    result = stage.rewrap(stage.new)
    assert (result.exit_code, "3 members, 3 changed." in result.stdout) == (0, True), result.output
    assert stage.under() == [stage.new] * 3
    stage.kms.disable_key(KeyId=stage.old.rpartition("/")[2])
    service = stage.service(stage.new)
    emails = [service.get(stage.program, one).profile.email for one in stage.ids]
    assert emails == ["p0@example.com", "p1@example.com", "p2@example.com"]


def test_what_was_wrapped_since_a_rotation_is_left_alone(stage: Stage) -> None:
    rotated = "2020-01-01T00:00:00Z"
    done = json.loads(stage.rewrap(stage.old, "--before", rotated, "--json").stdout)
    assert (done["members"], done["changed"], done["failed"]) == (3, 0, 0)
    assert json.loads(stage.rewrap(stage.old, "--json").stdout)["changed"] == 3
    assert stage.under() == [stage.old] * 3


def test_a_run_that_ended_says_so(stage: Stage) -> None:
    stage.rewrap(stage.new, "--run", "move")
    assert "The run move has ended before" in stage.rewrap(stage.new, "--run", "move").output
    differs = stage.rewrap(stage.old, "--run", "move")
    assert (differs.exit_code, type(differs.exception).__name__) == (1, "RunDiffers")


@pytest.mark.parametrize(
    "options",
    [["--before", "yesterday"], ["--before", "2026-01-01T00:00:00"], ["--run", "No Name"]],
)
def test_what_cannot_be_meant_is_refused(stage: Stage, options: list[str]) -> None:
    assert stage.rewrap(stage.new, *options).exit_code == 2
    assert stage.under() == [stage.old] * 3


def test_of_a_program_that_there_is_not_nothing_is_said_to_be_done(stage: Stage) -> None:
    for more in (["--dry-run"], []):
        words = ["pii", "rewrap", "--program", "acmee", "--key", stage.new, *more]
        assert type(RUNNER.invoke(app, words).exception).__name__ == "ProgramNotFound"


def test_whoever_fails_is_named_with_what_aws_said(stage: Stage) -> None:
    result = stage.rewrap(stage.new.rpartition("/")[0] + "/00000000-0000-0000-0000-000000000000")
    assert result.exit_code == 1
    told = [line.split() for line in result.stdout.splitlines()[1:]]
    assert sorted(told) == sorted([one, "NotFoundException.NotFoundException"] for one in stage.ids)


@pytest.mark.parametrize("key", ["alias/pii", "1234abcd", "arn:aws:kms:eu-south-1:1:alias/pii"])
def test_a_key_is_named_by_its_arn(stage: Stage, key: str) -> None:
    assert "no alias" in stage.rewrap(key).output
    assert stage.under() == [stage.old] * 3
