"""Clients at the deployed API: rotation, shutting out, plans, scopes, and what every answer has at the edge."""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
import requests

from infra.constructs import gateway_problems
from infra.local.cloud import LocalCloud
from infra.local.seed import SeedFailed, run_loyalty
from infra.local.tokens import TokenRefused
from loyalty.core import http
from tests.e2e.partner import Partner, unique
from tests.e2e.test_partner_api import refused

pytestmark = pytest.mark.e2e
SECONDS_TO_BE_OUT = 60.0


def loyalty(cloud: LocalCloud, *words: str) -> str:
    return run_loyalty(["client", *words], cloud.environment)


def made(cloud: LocalCloud, *scopes: str, plan: str = "standard") -> tuple[str, Callable[[str], Partner], str]:
    """A client of the demo program: its id, its app by a secret, and its first secret."""
    client_id, secret = cloud.new_client(f"app-{unique()}", scopes, [cloud.program], plan)

    def app(by: str) -> Partner:
        return Partner(cloud, cloud.token(client_id=client_id, client_secret=by))

    return client_id, app, secret


def until(status: int, ask: Callable[[], requests.Response]) -> float:
    """Seconds until the answer has that status."""
    began = time.monotonic()
    while time.monotonic() - began <= SECONDS_TO_BE_OUT:
        if ask().status_code == status:
            return time.monotonic() - began
        time.sleep(1)
    raise AssertionError(f"no {status} within {SECONDS_TO_BE_OUT:.0f} seconds")


class Disabled:
    """A client that was let in and then disabled; from then on it asks again and again, beside the other tests here."""

    def __init__(self, cloud: LocalCloud, asking: ThreadPoolExecutor) -> None:
        self.id, self.app, self.secret = made(cloud, "rewards.read", "programs.read")
        caller = self.app(self.secret)
        assert caller.call("GET", "/rewards").status_code == 200
        loyalty(cloud, "disable", self.id)
        self.out: Future[float] = asking.submit(until, 401, lambda: caller.call("GET", "/rewards"))
        self.at_a_new_route = caller.call("GET", "")


@pytest.fixture(scope="module", autouse=True)
def disabled(cloud: LocalCloud) -> Iterator[Disabled]:
    """Made before the first test here, so that its minute has begun when the last one asks for its end."""
    with ThreadPoolExecutor(1) as asking:
        yield Disabled(cloud, asking)


def test_two_secrets_are_good_at_once_and_the_old_one_until_it_is_removed(cloud: LocalCloud) -> None:
    client_id, app, first = made(cloud, "rewards.read")
    added = json.loads(loyalty(cloud, "secret", "add", client_id, "--json"))
    second = added["client_secret"]
    assert [app(secret).call("GET", "/rewards").status_code for secret in (first, second)] == [200, 200]
    with pytest.raises(SeedFailed, match="two_secrets_already"):
        loyalty(cloud, "secret", "add", client_id)
    listed = loyalty(cloud, "secret", "list", client_id, "--json")
    assert first not in listed
    assert second not in listed
    old, new = [one["secret_id"] for one in json.loads(listed)]
    assert new == added["secret_id"]
    loyalty(cloud, "secret", "remove", client_id, old)
    with pytest.raises(TokenRefused, match="invalid_client"):
        app(first)
    assert app(second).call("GET", "/rewards").status_code == 200
    with pytest.raises(SeedFailed, match="last_secret"):
        loyalty(cloud, "secret", "remove", client_id, new)


def test_one_client_over_its_plan_waits_and_the_others_do_not(cloud: LocalCloud, partner: Partner) -> None:
    _, app, secret = made(cloud, "rewards.read", plan="trial")
    eager = app(secret)
    assert eager.call("GET", "/rewards").status_code == 200
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: eager.call("GET", "/rewards"), range(16)))
        others = list(pool.map(lambda _: partner.call("GET", "/rewards"), range(8)))
    met = Counter(answer.status_code for answer in answers)
    assert met[200] >= 4
    assert met[429] >= 4
    for answer in answers:
        if answer.status_code == 429:
            refused(answer, 429, "throttled")
            assert answer.headers["Retry-After"] == "1"
    assert {answer.status_code for answer in others} == {200}
    spent = _use_up(eager)
    refused(spent, 429, "quota_exceeded")
    assert spent.headers["Retry-After"] == "3600"
    assert partner.call("GET", "/rewards").status_code == 200


def _use_up(eager: Partner) -> requests.Response:
    """The answer after the last request of the day."""
    for _ in range(40):
        answer = eager.call("GET", "/rewards")
        if answer.status_code == 429 and answer.json()["code"] != "throttled":
            return answer
        time.sleep(0.6)
    raise AssertionError("the quota never ended")


def test_a_scope_is_asked_of_the_token_and_of_the_registry(cloud: LocalCloud) -> None:
    client_id, app, secret = made(cloud, "rewards.read", "programs.read")
    caller = app(secret)
    refused(caller.call("GET", "/members/mbr_00000000000000000000000000/wallet"), 403, "insufficient_scope")
    loyalty(cloud, "scopes", client_id, "--scope", "rewards.read")
    refused(caller.call("GET", ""), 403, "insufficient_scope")  # its token of before has the scope
    assert caller.call("GET", "/rewards").status_code == 200
    with pytest.raises(TokenRefused):
        cloud.token("programs.read", client_id=client_id, client_secret=secret)


def test_a_key_in_a_header_is_nobodys(cloud: LocalCloud, partner: Partner) -> None:
    client_id, _, _ = made(cloud, "rewards.read", plan="trial")
    anonymous = requests.get(f"{partner.program_url}/rewards", headers={"x-api-key": client_id}, timeout=30)
    refused(anonymous, 401, "unauthenticated")
    for _ in range(12):
        assert partner.call("GET", "/rewards", x_api_key=client_id).status_code == 200


EDGES: dict[str, tuple[str, str, dict[str, str], dict[str, str]]] = {
    "a function's answer": ("GET", "/health", {}, http.HEADERS),
    "a function's refusal": ("GET", "/v1/suppliers/nobody/callbacks", {}, gateway_problems.HEADERS),
    "no token": ("GET", "/v1/programs/aurora/rewards", {}, gateway_problems.HEADERS),
    "no such route": ("GET", "/nowhere", {}, gateway_problems.HEADERS),
    "a browser's question": ("OPTIONS", "/health", {"Origin": "https://evil.example"}, gateway_problems.HEADERS),
}


@pytest.mark.parametrize("case", EDGES)
def test_every_answer_has_the_headers_of_the_edge_and_none_for_other_origins(cloud: LocalCloud, case: str) -> None:
    method, path, headers, wanted = EDGES[case]
    answer = requests.request(method, f"{cloud.api_url}{path}", headers=headers, timeout=30)
    assert {name: answer.headers.get(name) for name in wanted} == wanted
    assert not [name for name in answer.headers if name.lower().startswith("access-control-")]


def test_the_trail_tells_of_clients(cloud: LocalCloud) -> None:
    client_id, _, _ = made(cloud, "rewards.read")
    loyalty(cloud, "disable", client_id)
    scanned: list[dict[str, Any]] = cloud.client("dynamodb").scan(
        TableName=cloud.table,
        FilterExpression="target = :target",
        ExpressionAttributeValues={":target": {"S": f"clients/{client_id}"}},
        ConsistentRead=True,
    )["Items"]
    assert sorted(line["action"]["S"] for line in scanned) == ["client.created", "client.disabled"]


def test_who_is_disabled_is_out_within_a_minute_and_gets_no_token(cloud: LocalCloud, disabled: Disabled) -> None:
    refused(disabled.at_a_new_route, 401, "unauthenticated")  # the gateway had no verdict for it yet
    assert disabled.out.result() <= SECONDS_TO_BE_OUT
    with pytest.raises(TokenRefused):
        disabled.app(disabled.secret)
    assert json.loads(loyalty(cloud, "show", disabled.id, "--json"))["disabled_at"]
    loyalty(cloud, "enable", disabled.id)
    assert disabled.app(disabled.secret).call("GET", "/rewards").status_code == 200
