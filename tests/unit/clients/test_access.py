"""Who is let in: every way in which a token or its client may not be what it should."""

from collections.abc import Callable
from typing import Any

import pytest

from loyalty.clients.access import Access, Refusal, Verdict
from loyalty.clients.store import CLIENT_SK, ClientItem, ClientStore
from loyalty.core.errors import Unavailable
from loyalty.core.table import Put, Table
from loyalty.core.tokens import Keys
from tests.apikit.tokens import ISSUER, KEYS_URL, Issuer
from tests.ledgerkit.clock import SettableClock, at

READ = "GET /v1/programs/{program}/members/{member_id}/wallet"
WRITE = "POST /v1/programs/{program}/members/{member_id}/accruals"
MERGE = "POST /v1/programs/{program}/members/{member_id}/merge"
SCOPES = {READ: "wallet.read", WRITE: "accruals.write", MERGE: "members.merge"}


class Rig:
    """An authorizer over a registry with one client, its clock and its pool."""

    def __init__(self, table: Table) -> None:
        self.clock = SettableClock(at("2026-03-15T12:00:00Z"))
        self.seconds = 0.0
        self.issuer = Issuer(self.clock)
        self.table = table
        self.clients = ClientStore(table, self.clock)
        self.clients.add(
            "app", "App", programs={"acme"}, scopes={"wallet.read", "accruals.write"}, plan="standard", secrets={}
        )
        keys = Keys(KEYS_URL, self.issuer, seconds=lambda: self.seconds)
        self.access = Access(ISSUER, keys, self.clients, scopes=SCOPES, shared_key="shared", clock=self.clock)

    def decide(self, token: str, route: str = READ) -> Verdict:
        return self.access.decide([f"Bearer {token}"], route)


@pytest.fixture
def rig(table: Table) -> Rig:
    return Rig(table)


def test_a_client_with_the_scope_is_let_in_and_counted_by_its_own_key(rig: Rig) -> None:
    assert rig.decide(rig.issuer.token()) == Verdict("app", usage_key="app")
    assert rig.decide(rig.issuer.token(aud="loyalty")).refusal is None
    assert rig.access.decide([f"bearer {rig.issuer.token()}"], WRITE).refusal is None


NOT_BELIEVED: dict[str, Callable[[Issuer], str]] = {
    "forged: signed with another key under the pool's name for its own": lambda pool: pool.token(
        key="stranger", kid="first"
    ),
    "claims changed after it was signed": lambda pool: pool.tampered(scope="loyalty/members.merge"),
    "of the algorithm none": lambda pool: pool.unsigned(),
    "HS256 with the pool's public key": lambda pool: pool.by_public_key(),
    "no key named": lambda pool: pool.token(kid=None),
    "a key of nobody": lambda pool: pool.token(key="stranger"),
    "expired": lambda pool: pool.token(exp=int(at("2026-03-15T11:59:55Z").timestamp())),
    "from the future": lambda pool: pool.token(iat=int(at("2026-03-15T12:00:06Z").timestamp())),
    "without an end": lambda pool: pool.token(exp=None),
    "an end that is no number": lambda pool: pool.token(exp="never"),
    "another pool": lambda pool: pool.token(iss="https://cognito-idp.eu-south-1.amazonaws.com/eu-south-1_People"),
    "no issuer": lambda pool: pool.token(iss=None),
    "another audience": lambda pool: pool.token(aud="https://other.example"),
    "two audiences": lambda pool: pool.token(aud=["loyalty", "https://other.example"]),
    "an ID token": lambda pool: pool.token(token_use="id"),
    "no use": lambda pool: pool.token(token_use=None),
    "a person's token": lambda pool: pool.token(sub="5f1c"),
    "no client": lambda pool: pool.token(client_id=None),
    "a client that is no text": lambda pool: pool.token(client_id=["app"]),
    "scopes that are no text": lambda pool: pool.token(scope=["loyalty/wallet.read"]),
    "no token at all": lambda _: "not-a-token",
    "nothing": lambda _: "",
    "three empty parts": lambda _: "..",
    "a header that is no object": lambda _: "W10.e30.c2ln",
}


@pytest.mark.parametrize("case", NOT_BELIEVED)
def test_a_token_that_is_not_good_is_no_token(rig: Rig, case: str) -> None:
    token = NOT_BELIEVED[case](rig.issuer)
    verdict = rig.decide(token)
    assert verdict.refusal is Refusal.UNAUTHENTICATED
    assert verdict.client_id is None
    # What is logged says which part of it, and nothing that it says.
    assert verdict.reason
    assert not token or token not in verdict.reason
    assert "app" not in verdict.reason


@pytest.mark.parametrize("values", [[], ["Basic YXBwOnNlY3JldA=="], [""], ["Bearer"]])
def test_without_one_bearer_token_nobody_is_let_in(rig: Rig, values: list[str]) -> None:
    assert rig.access.decide(values, READ).refusal is Refusal.UNAUTHENTICATED
    assert rig.issuer.calls["keys"] == 0


def test_two_headers_are_not_chosen_between(rig: Rig) -> None:
    good = f"Bearer {rig.issuer.token()}"
    assert rig.access.decide([good, good], READ).refusal is Refusal.UNAUTHENTICATED


def test_clocks_may_differ_by_five_seconds(rig: Rig) -> None:
    token = rig.issuer.token()
    rig.clock.set("2026-03-15T13:00:04Z")
    assert rig.decide(token).refusal is None
    rig.clock.set("2026-03-15T13:00:05Z")
    assert rig.decide(token).refusal is Refusal.UNAUTHENTICATED


def test_a_scope_must_be_in_the_token_and_in_the_registry(rig: Rig) -> None:
    token = rig.issuer.token(scope="loyalty/wallet.read loyalty/members.merge")
    assert rig.decide(token, WRITE) == Verdict(
        "app", refusal=Refusal.INSUFFICIENT_SCOPE, reason="token lacks accruals.write"
    )
    assert rig.decide(token, MERGE) == Verdict(
        "app", refusal=Refusal.INSUFFICIENT_SCOPE, reason="registry does not give members.merge"
    )
    of_another_server = rig.issuer.token(scope="wallet.read other/wallet.read loyalty/wallet.readx")
    assert rig.decide(of_another_server).refusal is Refusal.INSUFFICIENT_SCOPE


def test_a_token_of_before_has_no_scope_that_was_taken_since(rig: Rig) -> None:
    token = rig.issuer.token()
    assert rig.decide(token, WRITE).refusal is None
    rig.clients.limit("app", {"wallet.read"})
    assert rig.decide(token, WRITE).refusal is Refusal.INSUFFICIENT_SCOPE
    assert rig.decide(token, READ).refusal is None


def test_a_disabled_client_is_out_with_its_token_of_before_and_back_with_it(rig: Rig) -> None:
    token = rig.issuer.token()
    rig.clients.disable("app")
    assert rig.decide(token) == Verdict("app", refusal=Refusal.UNAUTHENTICATED, reason="client is disabled")
    rig.clients.enable("app")
    assert rig.decide(token).refusal is None


def test_a_client_of_the_pool_that_nobody_registered_is_out(rig: Rig) -> None:
    token = rig.issuer.token(client_id="other", sub="other")
    assert rig.decide(token) == Verdict("other", refusal=Refusal.UNAUTHENTICATED, reason="client is not registered")


def test_a_client_of_before_the_registry_has_the_scopes_of_its_token_and_the_shared_key(rig: Rig) -> None:
    old = ClientItem("C#old", CLIENT_SK, programs={"acme"}, bound_at="2026-01-01T00:00:00.000Z")
    rig.table.write([Put(old)])
    token = rig.issuer.token(client_id="old", sub="old", scope="loyalty/members.merge")
    assert rig.decide(token, MERGE) == Verdict("old", usage_key="shared")
    assert rig.decide(token, READ).refusal is Refusal.INSUFFICIENT_SCOPE
    rig.clients.disable("old")
    assert rig.decide(token, MERGE).refusal is Refusal.UNAUTHENTICATED


def test_keys_are_read_once_and_for_a_new_one_once_a_minute_at_most(rig: Rig) -> None:
    for _ in range(3):
        rig.decide(rig.issuer.token())
    assert rig.issuer.calls["keys"] == 1
    rig.issuer.keys = ["first", "second"]
    rig.seconds = 59.0
    assert rig.decide(rig.issuer.token(key="second")).refusal is Refusal.UNAUTHENTICATED
    rig.seconds = 60.0
    assert rig.decide(rig.issuer.token(key="second")).refusal is None
    for _ in range(100):
        rig.decide(rig.issuer.token(kid="made-up"))
    assert rig.issuer.calls["keys"] == 2
    rig.seconds = 120.0
    for _ in range(100):
        rig.decide(rig.issuer.token(kid="made-up"))
    assert rig.issuer.calls["keys"] == 3


def test_a_key_that_the_pool_took_back_is_none_after_an_hour(rig: Rig) -> None:
    token = rig.issuer.token(exp=int(at("2026-03-16T12:00:00Z").timestamp()))
    assert rig.decide(token).refusal is None
    rig.issuer.keys = ["second"]
    rig.seconds = 3_599.0
    assert rig.decide(token).refusal is None
    rig.seconds = 3_600.0
    assert rig.decide(token).refusal is Refusal.UNAUTHENTICATED


def test_while_the_pool_is_away_known_keys_are_good_and_unknown_ones_undecided(rig: Rig) -> None:
    rig.issuer.away = True
    with pytest.raises(Unavailable):
        rig.decide(rig.issuer.token())
    rig.issuer.away = False
    assert rig.decide(rig.issuer.token()).refusal is None
    rig.issuer.away = True
    rig.seconds = 4_000.0
    for _ in range(3):
        assert rig.decide(rig.issuer.token()).refusal is None
    assert rig.issuer.calls["keys"] == 3  # it was asked for once more, and not again for a minute
    rig.seconds = 4_070.0
    with pytest.raises(Unavailable):
        rig.decide(rig.issuer.token(key="second"))
    for _ in range(100):
        assert rig.decide(rig.issuer.token(key="second")).refusal is Refusal.UNAUTHENTICATED
    assert rig.issuer.calls["keys"] == 4


def test_a_route_without_a_scope_is_not_guessed_about(rig: Rig) -> None:
    with pytest.raises(KeyError):
        rig.decide(rig.issuer.token(), "GET /v1/new")


def test_one_read_and_it_is_consistent(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[dict[str, Any]] = []
    rig.table.client.meta.events.register(
        "provide-client-params.dynamodb.*", lambda params, model, **_: calls.append({"name": model.name, **params})
    )
    rig.decide(rig.issuer.token())
    assert [(one["name"], one.get("ConsistentRead")) for one in calls] == [("GetItem", True)]
