"""The whole platform in a local cloud, with IAM enforced; at the end of the run its ledger is proved."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import requests

from infra.local.cloud import LocalCloud
from loyalty.core.clock import system_clock
from loyalty.core.table import Table
from loyalty.ledger.verify import audit_table
from loyalty.programs.store import ProgramStore
from tests.e2e.partner import Partner


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
