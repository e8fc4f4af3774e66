"""The operator's commands for clients: which scopes a new one is given, what is printed, and what never is."""

import json
from dataclasses import dataclass

import pytest
from typer.testing import CliRunner, Result

from loyalty.cli import clients
from loyalty.cli.app import app
from loyalty.clients.errors import PlanNotFound, ScopeUnknown
from loyalty.clients.store import ClientStore
from loyalty.core.clock import system_clock
from loyalty.core.errors import ProgramNotFound
from loyalty.core.table import Table
from loyalty.programs.store import ProgramStore
from loyalty_contract import SCOPES, STAFF_SCOPES
from tests.apikit.clients import FakeCognito, FakeGateway
from tests.ledgerkit.programs import document

STAFFS = {
    "members.merge",
    "tiers.grant",
    "adjustments.read",
    "adjustments.write",
    "adjustments.approve",
    "programs.write",
    "programs.publish",
    "rewards.reveal",
    "rewards.stock",
    "bulk.write",
    "finance.read",
    "finance.approve",
    "privacy.read",
    "privacy.write",
    "privacy.erase",
    "risk.read",
    "risk.release",
    "referrals.review",
    "reports.read",
}


@dataclass
class Stage:
    """A table with one program, and the services that the commands call."""

    table: Table
    cognito: FakeCognito
    gateway: FakeGateway

    def run(self, *words: str) -> Result:
        return CliRunner().invoke(
            app,
            ["client", *words],
            env={"LOYALTY_TABLE": "t", "LOYALTY_USER_POOL": "p", "LOYALTY_STAGE": "test"},
        )

    def told(self, *words: str) -> str:
        result = self.run(*words)
        assert result.exit_code == 0, result.output
        return result.output

    def make(self, *more: str) -> dict[str, str]:
        made: dict[str, str] = json.loads(self.told("create", "app", "--program", "acme", "--json", *more))
        return made


@pytest.fixture
def stage(table: Table, monkeypatch: pytest.MonkeyPatch) -> Stage:
    found = Stage(table, FakeCognito(), FakeGateway("loyalty-test-plan-standard", "loyalty-test-plan-trial"))
    services = {"cognito-idp": found.cognito, "apigateway": found.gateway}
    monkeypatch.setattr(clients, "service", services.__getitem__)
    monkeypatch.setattr(clients, "open_table", lambda _: table)
    ProgramStore(table, system_clock).publish(document(id="acme"), expected_version=0, actor="test")
    return found


def created(stage: Stage, *scopes: str) -> set[str]:
    made = stage.make(*(part for scope in scopes for part in ("--scope", scope)))
    asked = stage.cognito.clients[made["client_id"]]["AllowedOAuthScopes"]
    return {scope.removeprefix("loyalty/") for scope in asked}


def test_a_client_has_no_scope_of_staff_unless_it_is_named(stage: Stage) -> None:
    assert STAFF_SCOPES == STAFFS
    assert created(stage) == set(SCOPES) - STAFFS
    assert created(stage, "adjustments.write", "members.merge") == {"adjustments.write", "members.merge"}


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["--program", "nope"], ProgramNotFound),
        (["--program", "acme", "--scope", "gods"], ScopeUnknown),
        (["--program", "acme", "--plan", "golden"], PlanNotFound),
    ],
)
def test_of_what_there_is_not_no_client_is_made(stage: Stage, words: list[str], error: type[Exception]) -> None:
    assert isinstance(stage.run("create", "app", *words).exception, error)
    assert stage.cognito.clients == {}


def test_a_client_may_be_made_for_what_it_will_publish_first(stage: Stage) -> None:
    stage.told("create", "app", "--program", "nope", "--unpublished")
    assert len(stage.cognito.clients) == 1


def test_a_secret_is_printed_once(stage: Stage) -> None:
    told = stage.told("create", "app", "--program", "acme")
    (client_id,) = stage.cognito.clients
    (first,) = stage.cognito.secrets[client_id].values()
    assert first in told
    second = json.loads(stage.told("secret", "add", client_id, "--json"))["client_secret"]
    assert second in stage.cognito.secrets[client_id].values()
    for words in (
        ["secret", "list", client_id],
        ["show", client_id],
        ["list"],
        ["secret", "list", client_id, "--json"],
    ):
        shown = stage.told(*words)
        assert client_id in shown or "secret-" in shown
        assert first not in shown
        assert second not in shown


def test_a_client_is_shown_as_it_is(stage: Stage) -> None:
    client_id = stage.make("--scope", "wallet.read", "--plan", "trial")["client_id"]
    stage.told("scopes", client_id, "--scope", "wallet.read", "--scope", "rewards.read")
    stage.told("plan", client_id, "standard")
    stage.told("disable", client_id)
    shown = json.loads(stage.told("show", client_id, "--json"))
    assert shown["scopes"] == ["rewards.read", "wallet.read"]
    assert (shown["name"], shown["plan"], shown["programs"]) == ("app", "standard", ["acme"])
    assert shown["disabled_at"]
    assert "shut out" in stage.told("list")
    assert "disabled_at" in stage.told("show", client_id)
    stage.told("enable", client_id)
    assert json.loads(stage.told("list", "--json"))[0]["disabled_at"] is None
    ClientStore(stage.table, system_clock).bind("stray", {"acme"})
    assert json.loads(stage.told("show", "stray", "--json"))["scopes"] is None


def test_a_secret_is_removed_by_its_id(stage: Stage) -> None:
    client_id = stage.make()["client_id"]
    stage.told("secret", "add", client_id)
    old, new = stage.cognito.secrets[client_id]
    stage.told("secret", "remove", client_id, old)
    assert list(stage.cognito.secrets[client_id]) == [new]
