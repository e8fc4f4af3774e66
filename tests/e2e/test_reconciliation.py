"""The morning after: the state machine reads the sandbox supplier's own list, and a person finds what differs."""

import json
from datetime import UTC, datetime
from typing import Any, Final

import pytest
import requests

from infra.local.cloud import LocalCloud
from loyalty.core.clock import system_clock
from loyalty.core.money import Money
from loyalty.core.table import Put, Table
from loyalty.fulfillment.orders import Order, order_item
from loyalty.reconciliation.model import Difference
from loyalty.reconciliation.store import ReportStore
from loyalty.suppliers.model import Outcome
from tests.e2e.partner import eventually, unique

pytestmark = pytest.mark.e2e

SUPPLIER: Final = "tremendous"
TEN: Final = Money.of("10.00", "USD")


def order_there(cloud: LocalCloud, external_id: str, amount: int = 10) -> str:
    """An order at the sandbox supplier, as a program other than ours might have made it; its id there."""
    body = {
        "external_id": external_id,
        "payment": {"funding_source_id": "balance"},
        "reward": {
            "value": {"denomination": amount, "currency_code": "USD"},
            "delivery": {"method": "LINK"},
            "recipient": {"name": "mbr_x"},
            "products": ["OKMHM2X2OHYV"],
        },
    }
    secret = cloud.client("secretsmanager").get_secret_value(SecretId=cloud.platform.outputs["TremendousSecretArn"])[
        "SecretString"
    ]
    headers = {"Authorization": f"Bearer {json.loads(secret)['api_key']}"}
    answer = requests.post(f"{cloud.supplier_url}/api/v2/orders", json=body, headers=headers, timeout=10)
    assert answer.status_code == 200, answer.text
    order_id: str = answer.json()["order"]["id"]
    return order_id


def order_here(table: Table, redemption_id: str, order_id: str | None) -> None:
    """The same as we have it: issued."""
    order = Order(
        "recon", redemption_id, 1, SUPPLIER, redemption_id, "P1", TEN, datetime.now(UTC),
        outcome=Outcome.ISSUED, supplier_order_id=order_id,
    )  # fmt: skip
    table.write([Put(order_item(order))])


def reconcile(cloud: LocalCloud, **asked: Any) -> str:
    """Starts an execution, as the schedule does, and waits; its status."""
    states, machine = cloud.client("stepfunctions"), cloud.platform.outputs["ReconciliationArn"]
    execution = states.start_execution(stateMachineArn=machine, name=f"e2e-{unique()}", input=json.dumps(asked))

    def ended() -> str | None:
        status = str(states.describe_execution(executionArn=execution["executionArn"])["status"])
        return None if status == "RUNNING" else status

    try:
        return eventually("the end of the reconciliation", ended)
    except AssertionError as late:
        events = states.get_execution_history(executionArn=execution["executionArn"])["events"]
        failed = [one["taskFailedEventDetails"] for one in events if "taskFailedEventDetails" in one]
        raise AssertionError(f"{late}; tasks failed: {failed}") from late


@pytest.fixture
def table(cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch) -> Table:
    for name, value in cloud.variables.items():
        monkeypatch.setenv(name, value)
    return Table(cloud.table)


def test_a_report_of_the_supplier_s_own_list(cloud: LocalCloud, table: Table, supplier_faults: str) -> None:
    number = unique()
    matched, dearer, lost, stranger = (f"rdm_{number}{name}" for name in ("m", "d", "l", "s"))
    order_here(table, matched, order_there(cloud, matched))
    dearer_there = order_there(cloud, dearer, 11)
    order_here(table, dearer, dearer_there)
    order_here(table, lost, None)
    stranger_there = order_there(cloud, stranger)

    today = datetime.now(UTC).date()
    assert reconcile(cloud, days=1, until=str(today), supplier=SUPPLIER) == "SUCCEEDED"

    reports = ReportStore(table, system_clock)
    report = reports.get(SUPPLIER, today)
    found = {one.external_id: one for one in reports.differences(SUPPLIER, today)}
    assert matched not in found
    assert _shown(found[dearer]) == ("amount", dearer_there, TEN, Money.of("11.00", "USD"))
    assert _shown(found[lost]) == ("missing_there", None, TEN, None)
    assert _shown(found[stranger]) == ("missing_here", stranger_there, None, TEN)
    assert report.matched >= 1

    s3 = cloud.client("s3")
    stored = (
        s3.get_object(Bucket=cloud.platform.outputs["ReportsBucketName"], Key=report.csv_key)["Body"].read().decode()
    )
    assert len([line for line in stored.splitlines() if number in line]) == 4
    assert next(line for line in stored.splitlines() if matched in line).startswith("matched,")

    resolved = reports.resolve(SUPPLIER, today, found[lost].id, actor="person:ada", note="They look for it.")
    order_here(table, stranger, stranger_there)
    assert reconcile(cloud, days=1, until=str(today)) == "SUCCEEDED"
    again = {one.external_id: one for one in reports.differences(SUPPLIER, today)}
    assert again[lost] == resolved
    assert not again[stranger].open, "ours was late: the report that is made again closes it"


def _shown(one: Difference) -> tuple[str, str | None, Money | None, Money | None]:
    return one.kind.value, one.order_id, one.ours, one.theirs


def test_a_supplier_that_is_unknown_fails_the_execution(cloud: LocalCloud, table: Table) -> None:
    assert reconcile(cloud, supplier="nobody") == "FAILED"
