"""Pytest fixtures for engines. Each process is started at most once a run, and stopped at its end."""

import os
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NoReturn

import boto3
import pytest
from botocore.config import Config

from infra.local.cloud import LocalCloud, synthesize
from infra.local.ministack import ACCESS_KEY, SECRET_KEY, Ministack
from infra.local.processes import free_port
from tests.engines import chromium
from tests.engines.dynamodb_local import DynamoDbLocal
from tests.engines.faults import FaultProxy
from tests.engines.npm import Unavailable
from tests.ledgerkit.tables import create_table

REGION: Final = "eu-south-1"
REQUIRE_ENGINES: Final = "LOYALTY_REQUIRE_ENGINES"
CONFIG: Final = Config(retries={"mode": "standard", "total_max_attempts": 1}, max_pool_connections=64)


@dataclass(frozen=True)
class TableEngine:
    """A fresh table on an engine."""

    engine: str
    endpoint_url: str
    table_name: str
    client: Any


@pytest.fixture(scope="session")
def ministack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ministack]:
    """An empty ministack without IAM enforcement, for tests of single services."""
    server = Ministack(
        tmp_path_factory.mktemp("ministack"), free_port(), REGION, persistent=False, enforce_iam=False, tied=True
    )
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def dynamodb_local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DynamoDbLocal]:
    """An empty DynamoDB Local; where it cannot run, the tests that need it are skipped and say why.

    Where ``LOYALTY_REQUIRE_ENGINES`` is 1, as in CI, they fail instead: a second engine is not lost in silence.
    """
    server = DynamoDbLocal(tmp_path_factory.mktemp("dynamodb-local"), free_port())
    try:
        server.start()
    except Unavailable as missing:
        do_without(missing, required=os.environ.get(REQUIRE_ENGINES) == "1")
    yield server
    server.stop()


def do_without(missing: Unavailable, *, required: bool) -> NoReturn:
    """End a test that lacks an engine: skipped, or failed where every engine is required."""
    if required:
        pytest.fail(f"{missing}; {REQUIRE_ENGINES}=1 asks for every engine", pytrace=False)
    pytest.skip(str(missing))


@pytest.fixture(params=["ministack", "dynamodb_local"])
def table_engine(request: pytest.FixtureRequest) -> Iterator[TableEngine]:
    """A fresh table, on each engine in turn."""
    endpoint: str = request.getfixturevalue(request.param).endpoint
    client = dynamodb_client(endpoint)
    name = f"loyalty-{uuid.uuid4().hex[:12]}"
    create_table(client, name)
    yield TableEngine(request.param, endpoint, name, client)
    client.delete_table(TableName=name)
    client.close()


@pytest.fixture(scope="session")
def fault_proxies(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], FaultProxy]]:
    """Gives the fault proxy in front of an endpoint, and starts it when it is first asked for."""
    workdir = tmp_path_factory.mktemp("microburst")
    proxies: dict[str, FaultProxy] = {}

    def in_front_of(endpoint: str) -> FaultProxy:
        if endpoint not in proxies:
            proxies[endpoint] = FaultProxy(workdir, free_port(), endpoint)
            proxies[endpoint].start()
        return proxies[endpoint]

    yield in_front_of
    for proxy in proxies.values():
        proxy.stop()


@pytest.fixture
def fault_proxy(table_engine: TableEngine, fault_proxies: Callable[[str], FaultProxy]) -> Iterator[FaultProxy]:
    """The fault proxy in front of the test's engine, with no rule in force."""
    proxy = fault_proxies(table_engine.endpoint_url)
    proxy.inject()
    yield proxy
    proxy.inject()


@pytest.fixture(scope="session")
def local_assembly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The cloud assembly of the local stage, synthesized for this run."""
    outdir = tmp_path_factory.mktemp("assembly") / "cdk.out"
    synthesize(outdir)
    return outdir


@pytest.fixture(scope="session")
def local_cloud(local_assembly: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """The whole platform in a local cloud of its own, seeded, with IAM enforcement on."""
    with LocalCloud(tmp_path_factory.mktemp("local-cloud"), assembly=local_assembly) as cloud:
        yield cloud


def dynamodb_client(endpoint: str) -> Any:
    """A DynamoDB client that tries once, so that a fault is seen and not retried away."""
    return boto3.client(
        "dynamodb",
        endpoint_url=endpoint,
        region_name=REGION,
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
        config=CONFIG,
    )


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Headless Chromium; where it cannot run, the tests that need it are skipped and say why.

    One for the whole process: Playwright runs an event loop of its own, beside which there is no second.
    """
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - `make mutate` goes without it

    try:
        found = chromium.browser()
    except Unavailable as missing:
        do_without(missing, required=os.environ.get(REQUIRE_ENGINES) == "1")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=found.executable, env=dict(found.environment), args=list(chromium.ARGUMENTS)
        )
        yield opened
        opened.close()
