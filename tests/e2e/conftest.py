"""The whole platform in a local cloud, with IAM enforced; at the end of the run its ledger is proved."""

import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import requests
from playwright.sync_api import Browser, BrowserContext

from infra.local.cloud import LocalCloud
from loyalty.core.clock import system_clock
from loyalty.core.table import Table
from loyalty.ledger.verify import audit_table
from loyalty.programs.store import ProgramStore
from tests.e2e.partner import Partner
from tests.e2e.whole_run import WholeRun


def pytest_configure(config: pytest.Config) -> None:
    """Watches what of the suite runs."""
    config.pluginmanager.register(WholeRun(), WholeRun.NAME)


@pytest.fixture(scope="session")
def whole_run(pytestconfig: pytest.Config) -> WholeRun:
    """What of the suite this run leaves out."""
    found: WholeRun | None = pytestconfig.pluginmanager.get_plugin(WholeRun.NAME)
    assert found is not None
    return found


@pytest.fixture(scope="session")
def cloud(local_cloud: LocalCloud) -> Iterator[LocalCloud]:
    """The cloud. Whatever the tests did to it, no balance may differ from what its entries add up to."""
    yield local_cloud
    with pytest.MonkeyPatch.context() as patch:
        for name, value in local_cloud.variables.items():
            patch.setenv(name, value)
        table = Table(local_cloud.table)
        report = audit_table(table, scopes_of=ProgramStore(table, system_clock).scopes)
    assert report.findings == []
    assert report.entries > 0


@pytest.fixture(scope="session")
def partner(cloud: LocalCloud) -> Partner:
    """A partner app with every scope, bound to the demo program."""
    return Partner(cloud, cloud.token())


@pytest.fixture
def supplier_faults(cloud: LocalCloud) -> Iterator[str]:
    """URL of the sandbox supplier's faults; none are in force before and after."""
    url = f"{cloud.supplier_url}/_sandbox/faults"
    requests.delete(url, timeout=10).raise_for_status()
    yield url
    requests.delete(url, timeout=10).raise_for_status()


@pytest.fixture
def now() -> str:
    """This moment, as a source of events writes it."""
    return datetime.now(UTC).isoformat(timespec="seconds")


@pytest.fixture
def overheard(cloud: LocalCloud) -> Iterator[str]:
    """Url of a queue that gets every event that the platform itself publishes."""
    events, sqs = cloud.client("events"), cloud.client("sqs")
    url: str = sqs.create_queue(QueueName=f"overheard-{uuid.uuid4().hex[:8]}")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    allow = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": arn}
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps({"Statement": [allow]})})
    name = url.rsplit("/", 1)[1]
    events.put_rule(Name=name, EventBusName=cloud.bus, EventPattern=json.dumps({"source": ["loyalty"]}))
    events.put_targets(Rule=name, EventBusName=cloud.bus, Targets=[{"Id": "1", "Arn": arn}])
    yield url
    events.remove_targets(Rule=name, EventBusName=cloud.bus, Ids=["1"])
    events.delete_rule(Name=name, EventBusName=cloud.bus)
    sqs.delete_queue(QueueUrl=url)


@pytest.fixture(scope="module")
def context(browser: Browser) -> Iterator[BrowserContext]:
    """Headless Chromium of somebody who reads Italian; where it cannot run, its tests are skipped and say why."""
    context = browser.new_context(locale="it-IT", viewport={"width": 1280, "height": 900})
    context.set_default_timeout(30_000)
    yield context
    context.close()
