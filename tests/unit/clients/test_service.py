"""What operators do with clients, and the trail of it."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from loyalty.clients.errors import (
    ClientNotFound,
    LastSecret,
    PlanNotFound,
    ScopeUnknown,
    SecretNotFound,
    TwoSecretsAlready,
)
from loyalty.clients.plans import Plans
from loyalty.clients.pool import UserPool
from loyalty.clients.service import Clients
from loyalty.clients.store import ClientStore
from loyalty.core.errors import RecordChanged
from loyalty.core.table import Table
from tests.apikit.clients import FakeCognito, FakeGateway
from tests.ledgerkit.clock import SettableClock, at


class Rig:
    """A registry, a pool, and a gateway with two plans of the stage and one of another."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.store = ClientStore(table, SettableClock(at("2026-03-15T12:00:00Z")))
        self.cognito = FakeCognito()
        self.gateway = FakeGateway(
            "loyalty-test-plan-standard", "loyalty-test-plan-trial", "loyalty-other-plan-standard"
        )
        self.clients = Clients(self.store, UserPool(self.cognito, "p"), Plans(self.gateway, "test"))

    def make(self, plan: str = "standard") -> str:
        return self.clients.create("App", {"acme"}, {"wallet.read", "accruals.write"}, plan).client_id

    def plans_of(self, client_id: str) -> list[str]:
        return [name for name, keys in self.gateway.plans.items() if f"key-{client_id}" in keys]

    def lines(self) -> list[tuple[str, Any, Any]]:
        """Action, before and after of each line of the trail, in the order of the actions' names."""
        raw = list(self.table.query_all("A#_platform#2026-03-15"))
        texts = [
            (one["action"]["S"], *(one.get(name, {}).get("S", "{}") for name in ("before", "after"))) for one in raw
        ]
        return sorted((action, json.loads(before), json.loads(after)) for action, before, after in texts)


@pytest.fixture
def rig(table: Table) -> Rig:
    return Rig(table)


def test_who_is_bound_is_registered_or_in_the_pool(rig: Rig) -> None:
    with pytest.raises(ClientNotFound, match="neither registered nor in the user pool"):
        rig.clients.bind("mistyped", {"acme"})
    assert rig.store.find("mistyped") is None
    assert rig.lines() == []
    rig.cognito.clients["of-the-template"] = {"ClientId": "of-the-template", "ClientName": "partner"}
    assert rig.clients.bind("of-the-template", {"acme"}).programs == {"acme"}
    del rig.cognito.clients["of-the-template"]  # what is registered is bound whatever became of it in the pool
    assert rig.clients.bind("of-the-template", {"acme", "aurora"}).programs == {"acme", "aurora"}


def test_a_client_is_registered_with_its_plan_its_scopes_and_the_id_of_its_secret(rig: Rig) -> None:
    made = rig.clients.create("App", {"acme"}, {"wallet.read"}, "trial")
    client = rig.store.require(made.client_id)
    assert (client.name, client.plan, client.programs, client.scopes) == (
        "App",
        "trial",
        frozenset({"acme"}),
        frozenset({"wallet.read"}),
    )
    assert list(client.secrets) == [made.secret_id]
    assert rig.plans_of(made.client_id) == ["loyalty-test-plan-trial"]
    assert rig.gateway.keys == {made.client_id: made.client_id}
    asked = rig.cognito.clients[made.client_id]
    assert asked["AllowedOAuthScopes"] == ["loyalty/wallet.read"]
    assert asked["AllowedOAuthFlows"] == ["client_credentials"]
    assert asked["ExplicitAuthFlows"] == ["ALLOW_REFRESH_TOKEN_AUTH"]
    everything = json.dumps([list(rig.table.query_all(pk)) for pk in (f"C#{made.client_id}", "A#_platform#2026-03-15")])
    assert made.secret not in everything


@pytest.mark.parametrize(
    ("scopes", "plan", "error"),
    [({"gods"}, "trial", ScopeUnknown), (set(), "trial", ScopeUnknown), ({"wallet.read"}, "golden", PlanNotFound)],
)
def test_what_there_is_not_makes_no_client(rig: Rig, scopes: set[str], plan: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        rig.clients.create("App", {"acme"}, scopes, plan)
    assert rig.cognito.clients == {}


def test_of_a_client_that_is_made_half_nothing_stays(rig: Rig) -> None:
    rig.gateway.broken = True
    with pytest.raises(ClientError):
        rig.make()
    assert (rig.cognito.clients, rig.gateway.keys, rig.lines()) == ({}, {}, [])


def test_a_client_is_in_one_plan_and_a_change_that_was_cut_off_is_mended(rig: Rig) -> None:
    client_id = rig.make()
    rig.gateway.broken = True
    with pytest.raises(ClientError):
        rig.clients.assign(client_id, "trial")
    assert rig.plans_of(client_id) == []
    assert rig.store.require(client_id).plan == "standard"
    rig.gateway.broken = False
    for _ in range(2):
        rig.clients.assign(client_id, "trial")
        assert rig.plans_of(client_id) == ["loyalty-test-plan-trial"]
    assert rig.store.require(client_id).plan == "trial"
    with pytest.raises(ClientNotFound):
        rig.clients.assign("nobody", "trial")


def test_who_is_disabled_gets_no_token_and_has_everything_back_once_enabled(rig: Rig) -> None:
    client_id = rig.make()
    before = rig.cognito.clients[client_id]
    assert rig.clients.disable(client_id).disabled
    assert not rig.cognito.gives_tokens(client_id)
    rig.clients.limit(client_id, {"wallet.read"})
    assert not rig.cognito.gives_tokens(client_id)
    assert not rig.clients.enable(client_id).disabled
    after = rig.cognito.clients[client_id]
    assert rig.cognito.gives_tokens(client_id)
    assert after["AllowedOAuthScopes"] == ["loyalty/wallet.read"]
    assert {name: after[name] for name in ("ClientName", "ExplicitAuthFlows", "EnableTokenRevocation")} == {
        name: before[name] for name in ("ClientName", "ExplicitAuthFlows", "EnableTokenRevocation")
    }


def test_a_client_that_the_pool_lost_can_be_disabled(rig: Rig) -> None:
    client_id = rig.make()
    rig.cognito.delete_user_pool_client(UserPoolId="p", ClientId=client_id)
    assert rig.clients.disable(client_id).disabled
    assert rig.clients.disable(client_id).disabled


def test_a_client_of_before_the_registry_keeps_its_scopes_over_a_time_out(rig: Rig) -> None:
    made = UserPool(rig.cognito, "p").create("Old", ["wallet.read", "members.merge"])
    rig.store.bind(made.client_id, {"acme"})
    rig.clients.disable(made.client_id)
    assert rig.store.require(made.client_id).scopes == frozenset({"wallet.read", "members.merge"})
    rig.clients.enable(made.client_id)
    assert rig.cognito.clients[made.client_id]["AllowedOAuthScopes"] == ["loyalty/members.merge", "loyalty/wallet.read"]


def test_two_secrets_and_never_none(rig: Rig) -> None:
    client_id = rig.make()
    (first,) = rig.clients.secrets(client_id).secrets
    with pytest.raises(LastSecret):
        rig.clients.remove_secret(client_id, first)
    added = rig.clients.add_secret(client_id)
    assert rig.cognito.secrets[client_id][added.secret_id] == added.secret
    assert set(rig.store.require(client_id).secrets) == {first, added.secret_id}
    with pytest.raises(TwoSecretsAlready):
        rig.clients.add_secret(client_id)
    with pytest.raises(SecretNotFound):
        rig.clients.remove_secret(client_id, "secret-99")
    rig.clients.remove_secret(client_id, first)
    assert set(rig.cognito.secrets[client_id]) == set(rig.store.require(client_id).secrets) == {added.secret_id}


def test_secrets_that_were_changed_past_us_are_noted(rig: Rig) -> None:
    client_id = rig.make()
    rig.cognito.add_user_pool_client_secret(UserPoolId="p", ClientId=client_id)
    assert len(rig.clients.secrets(client_id).secrets) == 2
    revision = rig.store.require(client_id).revision
    assert rig.clients.secrets(client_id).revision == revision


def test_every_client_of_the_pool_is_listed_whether_registered_or_not(rig: Rig) -> None:
    ids = {rig.make(), rig.make(), UserPool(rig.cognito, "p").create("Stray", ["wallet.read"]).client_id}
    listed = rig.clients.listed()
    assert {one.id for one in listed} == ids
    assert [one.name for one in listed if one.client is None] == ["Stray"]


def test_every_change_is_a_line_of_the_trail_with_what_it_changed(rig: Rig) -> None:
    client_id = rig.make()
    rig.clients.limit(client_id, {"wallet.read"})
    rig.clients.disable(client_id)
    rig.clients.disable(client_id)
    lines = {action: (before, after) for action, before, after in rig.lines()}
    assert sorted(lines) == ["client.created", "client.disabled", "client.limited"]
    assert lines["client.created"][1]["scopes"] == "accruals.write wallet.read"
    assert lines["client.limited"] == ({"scopes": "accruals.write wallet.read"}, {"scopes": "wallet.read"})
    assert lines["client.disabled"] == ({"disabled": False}, {"disabled": True})


def test_of_two_changes_at_one_moment_one_is_refused_and_leaves_no_line(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    client_id = rig.make()
    stale = rig.store.require(client_id)
    rig.store.bind(client_id, {"other"})
    monkeypatch.setattr(rig.store, "find", lambda _: stale)
    with pytest.raises(RecordChanged):
        rig.store.disable(client_id)
    monkeypatch.undo()
    assert not rig.store.require(client_id).disabled
    assert "client.disabled" not in [action for action, _, _ in rig.lines()]
