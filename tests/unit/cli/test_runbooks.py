"""What the runbooks tell an operator to type and to read is there."""

import os
import re
import shlex
from pathlib import Path

import boto3
import pytest
from typer.testing import CliRunner

from loyalty.attribution.claiming import new_referral
from loyalty.attribution.store import claim_puts
from loyalty.cli import clients
from loyalty.cli.app import app
from loyalty.clients.store import ClientStore
from loyalty.core.clock import system_clock
from loyalty.core.table import Table
from loyalty.ledger.items import new_book_put
from loyalty.programs.store import ProgramStore
from tests.apikit.clients import FakeCognito, FakeGateway
from tests.unit.cli.test_redrive import Outbox, outbox, stage

__all__ = ["outbox", "stage"]

ROOT = Path(__file__).parents[3]
PROGRAM = ROOT / "events" / "programs" / "aurora.json"
CLIENT = "4f0c2mq8example7k1d3x9z5b6"
RUNBOOKS = sorted((ROOT / "docs" / "runbooks").glob("*.md"))
COMMANDS = sorted(
    {
        line.split(" > ")[0].strip()
        for page in RUNBOOKS
        for block in re.findall(r"```sh\n(.*?)```", page.read_text(), re.DOTALL)
        for line in block.splitlines()
        if line.strip().startswith("loyalty ")
    }
)


def test_there_are_commands() -> None:
    assert len(COMMANDS) >= 5


@pytest.fixture
def member(outbox: Outbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whom the runbooks name: ``mbr_1`` of the sample program, whom somebody brought. The bucket of the audit trail is there, and empty."""
    monkeypatch.setenv("LOYALTY_AUDIT_TRAIL", "loyalty-test-audittrail")
    region = os.environ["AWS_DEFAULT_REGION"]
    boto3.client("s3", region_name=region).create_bucket(
        Bucket="loyalty-test-audittrail", CreateBucketConfiguration={"LocationConstraint": region}
    )
    assert CliRunner().invoke(app, ["program", "publish", str(PROGRAM)]).exit_code == 0
    table = Table("loyalty-test")
    table.write([new_book_put("aurora", "mbr_1", "bronze", system_clock())])
    aurora = ProgramStore(table, system_clock).current("aurora")
    came = new_referral(aurora, referrer="mbr_2", code="K7WQ4M2X", member_id="mbr_1", now=system_clock())
    table.write(list(claim_puts(came).values()))


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which the runbooks name: registered, with two secrets."""
    cognito = FakeCognito()
    cognito.clients[CLIENT] = {"ClientId": CLIENT, "ClientName": "app"}
    cognito.secrets[CLIENT] = {"secret-1": "x", "secret-2": "y"}
    services = {"cognito-idp": cognito, "apigateway": FakeGateway()}
    monkeypatch.setattr(clients, "service", services.__getitem__)
    monkeypatch.setenv("LOYALTY_USER_POOL", "eu-south-1_Clients")
    ClientStore(Table("loyalty-test"), system_clock).bind(CLIENT, {"aurora"})


@pytest.mark.usefixtures("member", "client")
@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_is_called_rightly(command: str) -> None:
    words = shlex.split(command.replace("$LOYALTY_TABLE-compare", "loyalty-test"))
    result = CliRunner().invoke(app, words[1:])
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize("page", RUNBOOKS, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for link, anchor in re.findall(r"\]\((?!https:)([^)#]+)#?([^)]*)\)", page.read_text()):
        target = page.parent / link
        assert target.is_file(), link
        headings = re.findall(r"^#+ (.*)$", target.read_text(), re.MULTILINE)
        slugs = {re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-") for heading in headings}
        assert not anchor or anchor in slugs, f"{link}#{anchor}"
