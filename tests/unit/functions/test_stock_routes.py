"""The stock of rewards over HTTP: restock, withdraw, read; refusals by name."""

from typing import Any

import pytest

from functions.stock.routes import routes
from loyalty.core.http import api
from loyalty.core.table import Table
from loyalty.programs.store import ProgramStore
from tests.apikit.gateway import Gateway, Reply
from tests.ledgerkit.stocked import Stocked

PATH = "/v1/programs/acme/rewards/mug/stock"
BODY = {"add": 20, "reference": "DN-1", "actor": "staff-7"}


@pytest.fixture
def gateway(table: Table) -> Gateway:
    shop = Stocked(table)
    programs = ProgramStore(table, shop.clock)
    programs.publish(shop.program.document, expected_version=0, actor="staff-1")
    programs.clients.bind("app", {"acme"})
    return Gateway(api(routes(programs, shop.stock)))


def restock(gateway: Gateway, key: str = "k1", path: str = PATH, **changes: Any) -> Reply:
    return gateway("POST", path, BODY | changes, Idempotency_Key=key)


def test_a_restock_is_made_once_and_shown(gateway: Gateway) -> None:
    first, again = restock(gateway), restock(gateway)
    assert (first.status, again.status) == (201, 201)
    assert first.json == again.json
    assert (first.headers["Idempotent-Replayed"], again.headers["Idempotent-Replayed"]) == ("false", "true")
    assert restock(gateway, "k2", add=-5, reference="broken").status == 201
    shown = gateway("GET", PATH).json
    assert (shown["left"], shown["restocked"], shown["taken"]) == (15, 15, 0)
    assert {(one["add"], one["client_id"], one["actor"]) for one in shown["restocks"]} == {
        (20, "app", "staff-7"),
        (-5, "app", "staff-7"),
    }


@pytest.mark.parametrize(
    ("path", "changes", "status", "code"),
    [
        (PATH, {"add": 0}, 422, "restock_is_zero"),
        (PATH, {"add": -1}, 409, "stock_too_low"),
        (PATH, {"add": 1.5}, 422, "invalid"),
        (PATH, {"add": 10_000_001}, 422, "invalid"),
        (PATH, {"reference": "Zoë & co"}, 422, "invalid"),
        (PATH.replace("mug", "coffee"), {}, 422, "reward_not_limited"),
        (PATH.replace("mug", "yacht"), {}, 404, "reward_not_found"),
        (PATH.replace("mug", "no%20slug"), {}, 404, "reward_not_found"),
        (PATH.replace("acme", "other"), {}, 404, "program_not_found"),
    ],
)
def test_what_cannot_be_restocked_is_refused_by_name(
    gateway: Gateway, path: str, changes: dict[str, Any], status: int, code: str
) -> None:
    reply = restock(gateway, path=path, **changes)
    assert (reply.status, reply.json["code"]) == (status, code)


def test_a_key_stands_for_one_restock(gateway: Gateway) -> None:
    restock(gateway)
    reply = restock(gateway, add=21)
    assert (reply.status, reply.json["code"]) == (422, "idempotency_key_reused")
