"""What suppliers sign their callbacks with."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from loyalty.core.clock import Clock
from loyalty.suppliers.model import SupplierAccessDenied
from loyalty.suppliers.registry import UnknownSupplier
from loyalty.suppliers.secret import Keys, SupplierSecret

KEPT: Final = timedelta(seconds=60)
"""How long a key is, or that there is none: anybody may call, and each call must not be one of Secrets Manager too."""


class WebhookKeys:
    """Keys by supplier, read anew after :data:`KEPT`, since a key may change.

    Args:
        secrets: ARN of each supplier's secret.
        clock: gives the present moment.
        secrets_manager: a client; made at the first use if None.
    """

    def __init__(self, secrets: Mapping[str, str], clock: Clock, secrets_manager: Any = None) -> None:
        self._secrets = secrets
        self._clock = clock
        self._client = secrets_manager
        self._kept: dict[str, tuple[datetime, str | None]] = {}

    def get(self, supplier: str) -> str:
        """The key of a supplier.

        Raises:
            UnknownSupplier: the stage has none of this name.
            SupplierAccessDenied: its secret has no ``webhook_key``.
        """
        if supplier not in self._secrets:
            raise UnknownSupplier(f"this stage has no supplier '{supplier}'")
        now = self._clock()
        until, key = self._kept.get(supplier, (now, None))
        if now >= until:
            key = self._read(supplier)
            self._kept[supplier] = (now + KEPT, key)
        if key is None:
            raise SupplierAccessDenied(f"the secret of supplier '{supplier}' has no webhook_key: store one")
        return key

    def _read(self, supplier: str) -> str | None:
        try:
            return SupplierSecret(self._secrets[supplier], Keys, self._client).read().webhook_key
        except SupplierAccessDenied:
            # Of an empty secret, or one that is no JSON: it is as if there were no key in it.
            return None
