"""The suppliers of a stage: which there are, where they are reached, and with what."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from loyalty.suppliers.model import Supplier, SupplierAccessDenied
from loyalty.suppliers.secret import Keys, SecretApiKey, SupplierSecret, TangoKeys, XoxodayKeys
from loyalty.suppliers.tango import Tango
from loyalty.suppliers.transport import READ_SECONDS
from loyalty.suppliers.tremendous import Tremendous
from loyalty.suppliers.xoxoday import Xoxoday


class UnknownSupplier(LookupError):
    """A program or an order names a supplier that this stage does not have: nothing was asked of anybody."""


class _Access(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str
    """Without a trailing slash."""
    secret: str
    """ARN of the secret with its credentials."""
    read_seconds: Annotated[float, Field(gt=0, le=10)] = READ_SECONDS


class TremendousAccess(_Access):
    """See :class:`Tremendous`."""

    rates: Mapping[str, Annotated[Decimal, Field(gt=0)]] = {}


class TangoAccess(_Access):
    """See :class:`Tango`."""

    customer: str
    account: str


class XoxodayAccess(_Access):
    """See :class:`Xoxoday`."""

    utc_offset_minutes: Annotated[int, Field(gt=-1440, lt=1440)] = 0


class SuppliersSettings(BaseModel):
    """The suppliers that a stage has, by name: the JSON of one environment variable."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tremendous: TremendousAccess | None = None
    tango: TangoAccess | None = None
    xoxoday: XoxodayAccess | None = None

    def access(self, name: str) -> _Access:
        """How a supplier is reached.

        Raises:
            UnknownSupplier: the stage has none of this name.
        """
        access = getattr(self, name) if name in type(self).model_fields else None
        if not isinstance(access, _Access):
            raise UnknownSupplier(
                f"this stage has no supplier '{name}': add it to the stage's settings, or change the program"
            )
        return access


class Suppliers:
    """Clients by name, each made at its first use and kept for the life of the process.

    Args:
        settings: the suppliers that there are.
        secrets_manager: a client; made at the first use of a secret if None.
    """

    def __init__(self, settings: SuppliersSettings, secrets_manager: Any = None) -> None:
        self._settings = settings
        self._secrets_manager = secrets_manager
        self._made: dict[str, Supplier] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """Of all that there are, in alphabetical order."""
        return tuple(sorted(self._settings.model_dump(exclude_none=True)))

    def get(self, name: str) -> Supplier:
        """The client of this name.

        Raises:
            UnknownSupplier: the stage has none.
        """
        if name not in self._made:
            self._made[name] = self._make(self._settings.access(name))
        return self._made[name]

    def webhook_key(self, name: str) -> str:
        """What a supplier signs its callbacks with, read anew each time: callbacks are few.

        Raises:
            UnknownSupplier: the stage has none of this name.
            SupplierAccessDenied: its secret has no ``webhook_key``.
        """
        key = SupplierSecret(self._settings.access(name).secret, Keys, self._secrets_manager).read().webhook_key
        if key is None:
            raise SupplierAccessDenied(
                f"the secret of supplier '{name}' has no webhook_key: callbacks cannot be verified"
            )
        return key

    def _make(self, access: _Access) -> Supplier:
        if isinstance(access, TangoAccess):
            return Tango(
                access.url,
                SupplierSecret(access.secret, TangoKeys, self._secrets_manager),
                customer=access.customer,
                account=access.account,
                read_seconds=access.read_seconds,
            )
        if isinstance(access, XoxodayAccess):
            return Xoxoday(
                access.url,
                SupplierSecret(access.secret, XoxodayKeys, self._secrets_manager),
                utc_offset_minutes=access.utc_offset_minutes,
                read_seconds=access.read_seconds,
            )
        rates = access.rates if isinstance(access, TremendousAccess) else None
        key = SecretApiKey(access.secret, self._secrets_manager)
        return Tremendous(access.url, key, rates=rates, read_seconds=access.read_seconds)
