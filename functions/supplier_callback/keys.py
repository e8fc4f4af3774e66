"""What suppliers sign their callbacks with."""

from collections.abc import Mapping
from typing import Any

from loyalty.suppliers.model import SupplierAccessDenied
from loyalty.suppliers.registry import UnknownSupplier
from loyalty.suppliers.secret import Keys, SupplierSecret


class WebhookKeys:
    """Keys by supplier, read anew each time: callbacks are few, and a key may change.

    Args:
        secrets: ARN of each supplier's secret.
        secrets_manager: a client; made at the first use if None.
    """

    def __init__(self, secrets: Mapping[str, str], secrets_manager: Any = None) -> None:
        self._secrets = secrets
        self._client = secrets_manager

    def get(self, supplier: str) -> str:
        """The key of a supplier.

        Raises:
            UnknownSupplier: the stage has none of this name.
            SupplierAccessDenied: its secret has no ``webhook_key``.
        """
        if supplier not in self._secrets:
            raise UnknownSupplier(f"this stage has no supplier '{supplier}'")
        key = SupplierSecret(self._secrets[supplier], Keys, self._client).read().webhook_key
        if key is None:
            raise SupplierAccessDenied(f"the secret of supplier '{supplier}' has no webhook_key: store one")
        return key
