"""What is written down of an error: a stable code, and its name with its message, which tells no secret."""

import re
from typing import Final

from loyalty.suppliers.model import SupplierError

_MOST: Final = 300


def reason_of(error: BaseException | str) -> str:
    """``SupplierTimeout`` → ``supplier_timeout``."""
    name = error if isinstance(error, str) else type(error).__name__
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.rpartition(".")[2]).lower()[:64]


def told(error: SupplierError) -> str:
    """The error as a timeline shows it."""
    return f"{type(error).__name__}: {error}"[:_MOST]


def reason_metric(reason: str) -> str:
    """``supplier_balance_low`` → ``SupplierBalanceLow``."""
    return "".join(part.capitalize() for part in reason.split("_"))
