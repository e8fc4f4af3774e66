"""What an answer comes to, in the closed set that the platform concludes by."""

import json
from collections.abc import Callable
from typing import Any

from loyalty.suppliers.model import Outcome, SupplierError, SupplierOrder, outcome_of
from tests.unit.suppliers.canned import Canned


def outcome(canned: Canned, status: int, body: Any, ask: Callable[[], SupplierOrder]) -> tuple[Outcome, str]:
    """The outcome of a request with this answer, and the bare name of what was raised, if anything was.

    Whatever it is, nothing of the body may be repeated: samples have ``planted`` in every place that could.
    """
    canned.status = status
    canned.body = body if isinstance(body, bytes) else json.dumps(body).encode()
    result = _result(ask)
    assert "planted" not in repr(result)
    if isinstance(result, SupplierError):
        assert "planted" not in f"{result} {result.__cause__!r}"
        return outcome_of(result), type(result).__name__
    return outcome_of(result), ""


def _result(ask: Callable[[], SupplierOrder]) -> SupplierOrder | SupplierError:
    try:
        return ask()
    except SupplierError as error:
        return error
