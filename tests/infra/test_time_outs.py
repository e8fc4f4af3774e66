"""What a function waits for gives up before the function is stopped: the caller gets a named problem, not silence."""

import pytest

from infra.functions import FUNCTIONS
from loyalty.clients import access
from loyalty.commerce.batch import BUDGET_SECONDS, LEDGER_ATTEMPTS
from loyalty.core import aws, table
from loyalty.ledger.work import _BACKOFF_CAP_SECONDS as BACKOFF_CAP_SECONDS
from loyalty.suppliers.transport import AT_ONCE, CONNECT_SECONDS, READ_SECONDS, REPEAT_WITHIN_SECONDS

TABLE_GIVES_UP = (1 + table.RETRIES) * (table.CONNECT_SECONDS + table.READ_SECONDS)
SERVICE_GIVES_UP = aws.ATTEMPTS * (aws.CONNECT_SECONDS + aws.READ_SECONDS)


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_a_dependency_that_hangs_is_given_up_in_time(name: str) -> None:
    longest = max(TABLE_GIVES_UP, SERVICE_GIVES_UP)
    assert longest + 1 < FUNCTIONS[name].timeout_seconds


def test_keys_and_a_client_that_hang_are_given_up_before_the_authorizer_is_stopped() -> None:
    keys = access.KEYS_ATTEMPTS * (access.KEYS_CONNECT_SECONDS + access.KEYS_READ_SECONDS)
    assert keys + TABLE_GIVES_UP + 1 < FUNCTIONS["authorizer"].timeout_seconds < 29, "the gateway waits no longer"


def test_a_batch_of_commerce_events_ends_before_its_function_is_stopped() -> None:
    """The last step that is begun waits for a busy member as long as it may, and then the table hangs."""
    busy = LEDGER_ATTEMPTS * BACKOFF_CAP_SECONDS
    assert BUDGET_SECONDS + busy + TABLE_GIVES_UP < FUNCTIONS["accrual_events"].timeout_seconds


def test_an_order_and_the_question_for_it_fit_into_a_step_of_fulfilment() -> None:
    """A rejected order is asked for in the same step; the question may fail at once and be asked again."""
    order = CONNECT_SECONDS + READ_SECONDS
    question = AT_ONCE * READ_SECONDS + REPEAT_WITHIN_SECONDS + CONNECT_SECONDS + READ_SECONDS
    assert order + question < FUNCTIONS["fulfillment"].timeout_seconds
