"""Which scopes a new client is given: those of staff tools only where somebody names them."""

from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from loyalty.cli import clients
from loyalty.cli.app import app
from loyalty.core.errors import ProgramNotFound
from loyalty_contract import SCOPES, STAFF_SCOPES

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
}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What the user pool is asked for; the table is not there."""
    requests: list[dict[str, Any]] = []

    def create(**request: Any) -> dict[str, Any]:
        requests.append(request)
        return {"UserPoolClient": {"ClientId": "id", "ClientSecret": "secret"}}

    pool = SimpleNamespace(create_user_pool_client=create)
    monkeypatch.setattr(clients, "boto3", SimpleNamespace(client=lambda _: pool))
    monkeypatch.setattr(clients, "open_table", lambda _: None)

    def current(program: str) -> None:
        if program != "acme":
            raise ProgramNotFound(f"There is no program '{program}'.")

    store = SimpleNamespace(bind_client=lambda *_: None, current=current)
    monkeypatch.setattr(clients, "ProgramStore", lambda *_: store)
    return requests


def created(asked: list[dict[str, Any]], *scopes: str) -> set[str]:
    options = [part for scope in scopes for part in ("--scope", scope)]
    command = ["client", "create", "app", "--program", "acme", "--table", "t", "--user-pool", "p", *options]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    return {scope.removeprefix("loyalty/") for scope in asked[-1]["AllowedOAuthScopes"]}


def test_a_client_has_no_scope_of_staff_unless_it_is_named(asked: list[dict[str, Any]]) -> None:
    assert STAFF_SCOPES == STAFFS
    assert created(asked) == set(SCOPES) - STAFFS
    assert created(asked, "adjustments.write", "members.merge") == {"adjustments.write", "members.merge"}


def test_a_client_of_a_program_that_is_none_is_not_made(asked: list[dict[str, Any]]) -> None:
    command = ["client", "create", "app", "--program", "nope", "--table", "t", "--user-pool", "p"]
    assert isinstance(CliRunner().invoke(app, command).exception, ProgramNotFound)
    assert asked == []
    assert CliRunner().invoke(app, [*command, "--unpublished"]).exit_code == 0
    assert len(asked) == 1


def test_a_scope_of_nobody_is_refused(asked: list[dict[str, Any]]) -> None:
    command = ["client", "create", "app", "--program", "acme", "--table", "t", "--user-pool", "p", "--scope", "gods"]
    assert CliRunner().invoke(app, command).exit_code == 1
    assert asked == []
