"""What a function waits for gives up before the function is stopped: the caller gets a named problem, not silence."""

import pytest

from infra.functions import FUNCTIONS
from loyalty.core import aws, table

TABLE_GIVES_UP = (1 + table.RETRIES) * (table.CONNECT_SECONDS + table.READ_SECONDS)
SERVICE_GIVES_UP = aws.ATTEMPTS * (aws.CONNECT_SECONDS + aws.READ_SECONDS)


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_a_dependency_that_hangs_is_given_up_in_time(name: str) -> None:
    longest = max(TABLE_GIVES_UP, SERVICE_GIVES_UP)
    assert longest + 1 < FUNCTIONS[name].timeout_seconds
