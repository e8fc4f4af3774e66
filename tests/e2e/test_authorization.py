"""Every route of the API with every scope, every bad token, and the ids of another program: nobody gets what is not theirs."""

from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import pytest
import requests
from requests.adapters import HTTPAdapter

import loyalty_contract as contract
from infra import authorization
from infra.local.cloud import LocalCloud
from infra.routes import ROUTES, Route
from tests.e2e.tokens import bad_tokens, short_lived, wait_for_end_of
from tests.e2e.victims import UNKNOWN, Tenant, example, members_in_body, things, without_names

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("expiring")]

THREADS: Final = 8
SCOPED: Final = [route for route in ROUTES if route.scope is not None]
OF_A_PROGRAM: Final = [route for route in SCOPED if authorization.has_program(route)]


@pytest.fixture(scope="module")
def victim(cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> Tenant:
    return Tenant(cloud, tmp_path_factory.mktemp("victim"), "victim")


@pytest.fixture(scope="module")
def expiring(cloud: LocalCloud) -> str:
    """A token that expires while the first tests here go on."""
    return short_lived(cloud)


@pytest.fixture(scope="module")
def intruder(cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> Tenant:
    return Tenant(cloud, tmp_path_factory.mktemp("intruder"), "intruder")


@pytest.fixture(scope="module")
def status(cloud: LocalCloud, victim: Tenant) -> Callable[[Route, str | None], int]:
    """Calls a route for real things of the program and tells the status; the other argument is ``Authorization``."""
    session = requests.Session()
    session.mount("http://", HTTPAdapter(pool_maxsize=THREADS))

    def call(route: Route, credentials: str | None) -> int:
        url = cloud.api_url + route.path.format(**(UNKNOWN | victim.ids | {"program": victim.program}))
        headers = {"Authorization": credentials} if credentials is not None else {}
        answer = session.request(
            route.method, url, json=example(route), headers=headers, timeout=60, allow_redirects=False
        )
        return answer.status_code

    return call


Answers = dict[tuple[Route, str], int]


def in_threads(call: Callable[[Route, str], int], pairs: Iterable[tuple[Route, str]]) -> Answers:
    """What ``call`` tells of each pair of a route and a word."""
    wanted = list(pairs)
    with ThreadPoolExecutor(THREADS) as threads:
        return dict(zip(wanted, threads.map(lambda pair: call(*pair), wanted), strict=True))


def named(route: Route) -> str:
    """The route, as a person calls it."""
    return f"{route.method} {route.path.removeprefix('/v1/programs/{program}')}"


def told(answers: Answers) -> list[str]:
    """Answers as lines, for a person who reads of a failure."""
    return [f"{route.method} {route.path} with {word}: {answer}" for (route, word), answer in answers.items()]


def test_no_scope_opens_a_route_but_its_own(victim: Tenant, status: Callable[[Route, str | None], int]) -> None:
    tokens = {scope: victim.token(scope) for scope in contract.SCOPES}

    def call(route: Route, scope: str) -> int:
        return status(route, f"Bearer {tokens[scope]}")

    others = [(route, scope) for route in SCOPED for scope in tokens if authorization.expected(route, scope)]
    answers = in_threads(call, others)
    assert len(answers) == len(SCOPED) * (len(contract.SCOPES) - 1)
    assert not told({pair: answer for pair, answer in answers.items() if answer not in authorization.LACKS_SCOPE})
    own = in_threads(call, [(route, route.scope) for route in ROUTES if route.scope])
    assert not told({pair: answer for pair, answer in own.items() if answer in {401, 403} or answer >= 500})
    assert {answer // 100 for answer in own.values()} == {2, 4}, Counter(own.values())


def test_all_scopes_together_open_every_route(victim: Tenant, status: Callable[[Route, str | None], int]) -> None:
    everything = f"Bearer {victim.token()}"
    answers = in_threads(lambda route, _: status(route, everything), [(route, "all scopes") for route in ROUTES])
    open_ones = {route for route, _ in answers if route.scope is None}
    assert not told(
        {pair: answer for pair, answer in answers.items() if pair[0] not in open_ones and answer in {401, 403}}
    )


def test_a_bad_token_opens_no_route(
    cloud: LocalCloud, victim: Tenant, status: Callable[[Route, str | None], int], expiring: str
) -> None:
    wait_for_end_of(expiring)
    bad = bad_tokens(cloud, victim.token(), expiring)
    assert set(bad) == set(authorization.BAD_TOKENS)
    one_of_each = {route.function: route for route in SCOPED}.values()
    pairs = [
        (route, kind)
        for route in SCOPED
        for kind in bad
        if kind in authorization.ON_EVERY_ROUTE or route in one_of_each
    ]
    answers = in_threads(lambda route, kind: status(route, bad[kind]), pairs)
    assert not told({pair: answer for pair, answer in answers.items() if answer not in authorization.UNAUTHENTICATED})


def test_another_program_is_as_one_that_is_not_there(victim: Tenant, intruder: Tenant) -> None:
    for route in OF_A_PROGRAM:
        foreign = intruder.call(route, UNKNOWN | victim.ids, program=victim.program)
        nowhere = intruder.call(route, UNKNOWN | victim.ids, program="nobody-1")
        assert without_names(foreign) == without_names(nowhere), route
        assert foreign.status_code in authorization.NOT_THERE, (route, foreign.text)


@pytest.mark.parametrize("route", [route for route in OF_A_PROGRAM if things(route)], ids=named)
def test_another_programs_ids_are_as_ids_that_never_were(route: Route, victim: Tenant, intruder: Tenant) -> None:
    """In each position of the path alone, the others being the caller's own, and in all of them at once."""
    positions = [(name,) for name in things(route)] + [tuple(things(route))]
    for names in positions:
        foreign = intruder.call(route, intruder.ids | {name: victim.ids[name] for name in names})
        unknown = intruder.call(route, intruder.ids | {name: UNKNOWN[name] for name in names})
        assert without_names(foreign) == without_names(unknown), names
        # Whom a household of the caller's own does not have, it cannot let go: known or not.
        not_among = route.method == "DELETE" and "household_id" in things(route) and names == ("member_id",)
        assert foreign.status_code in ({409} if not_among else authorization.NOT_THERE), (names, foreign.text)


@pytest.mark.parametrize("route", [route for route in OF_A_PROGRAM if members_in_body(route)], ids=named)
def test_another_programs_members_in_a_body_are_as_members_that_never_were(
    route: Route, victim: Tenant, intruder: Tenant
) -> None:
    for name in members_in_body(route):
        foreign = intruder.call(route, intruder.ids, **{name: victim.ids["member_id"]})
        unknown = intruder.call(route, intruder.ids, **{name: UNKNOWN["member_id"]})
        assert without_names(foreign) == without_names(unknown)
        assert foreign.status_code in authorization.NOT_THERE, foreign.text


def test_a_client_of_no_program_finds_none(cloud: LocalCloud, victim: Tenant) -> None:
    client_id, secret = cloud.new_client("of-no-program", list(contract.SCOPES), ["nobody-2"])
    token = cloud.token(client_id=client_id, client_secret=secret)
    for route in OF_A_PROGRAM:
        url = cloud.api_url + route.path.format(**(UNKNOWN | victim.ids | {"program": victim.program}))
        answer = requests.request(
            route.method, url, json=example(route), headers={"Authorization": f"Bearer {token}"}, timeout=60
        )
        assert answer.status_code < 500, answer.text
        assert not answer.ok, route
