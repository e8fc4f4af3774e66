from collections.abc import Iterator

import pytest

from tests.unit.suppliers.canned import Canned, canned_server


@pytest.fixture
def canned() -> Iterator[Canned]:
    """A supplier that answers what a test gives it."""
    with canned_server() as server:
        yield server
