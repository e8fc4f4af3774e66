"""The supplier's API key, as the operator stored it in Secrets Manager: ``{"api_key": "…"}``."""

import json
from typing import Any

from loyalty.core.aws import client
from loyalty.suppliers.model import SupplierAccessDenied


class SecretApiKey:
    """Read at the first use, kept for the life of the process, and read again once the supplier refuses it.

    Args:
        secret: ARN of the secret.
        secrets_manager: a client; made at the first use if None.
    """

    def __init__(self, secret: str, secrets_manager: Any = None) -> None:
        self._secret = secret
        self._client = secrets_manager
        self._key: str | None = None

    def read(self) -> str:
        """The key.

        Raises:
            SupplierAccessDenied: the secret holds none.
        """
        if self._key is None:
            secrets_manager = self._client or client("secretsmanager")
            self._key = _key_in(secrets_manager.get_secret_value(SecretId=self._secret)["SecretString"])
        return self._key

    def forget(self) -> None:
        """Reads the secret anew at the next use: the operator may have stored another key."""
        self._key = None


def _key_in(text: str) -> str:
    try:
        document = json.loads(text)
    except ValueError:
        document = None
    key = document.get("api_key") if isinstance(document, dict) else None
    if isinstance(key, str) and key and key.isascii() and key.isprintable():
        return key
    # Neither the text nor a cause: they may be most of a key.
    raise SupplierAccessDenied('the supplier\'s secret holds no key: store {"api_key": "…"} in it') from None
