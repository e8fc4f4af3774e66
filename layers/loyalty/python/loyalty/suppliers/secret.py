"""Suppliers' credentials, as the operator stored them in Secrets Manager: one secret each, a JSON document.

==========  ===================================================================================================
supplier    document
==========  ===================================================================================================
tremendous  ``{"api_key": "…", "webhook_key": "…"}``
tango       ``{"platform_name": "…", "platform_key": "…"}``
xoxoday     ``{"client_id": "…", "client_secret": "…", "refresh_token": "…", "access_token": "…", "webhook_key": "…"}``
==========  ===================================================================================================

``webhook_key`` is needed only where the supplier calls back.
"""

from typing import Annotated, Any, Final, Generic, Protocol, TypeVar

from botocore.exceptions import ClientError
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from loyalty.core.aws import client
from loyalty.suppliers.model import SupplierAccessDenied

CURRENT: Final = "AWSCURRENT"
PENDING: Final = "AWSPENDING"
"""The staging label of a value that is being rotated in and is nobody's yet."""

_Key = Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,8192}$")]
"""Fit for a header: printable ASCII without spaces."""


class Keys(BaseModel):
    """What a secret holds; fields that are not known here are left to those who put them there."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    webhook_key: _Key | None = None

    def __repr__(self) -> str:
        return f"{type(self).__name__}(…)"

    __str__ = __repr__


class TremendousKeys(Keys):
    """Of an API key."""

    api_key: _Key


class TangoKeys(Keys):
    """Name and key of a platform, for basic authorization."""

    platform_name: _Key
    platform_key: _Key


class XoxodayKeys(Keys):
    """A client and its tokens. The access token is what requests bear; the refresh token makes the next pair."""

    client_id: _Key
    client_secret: _Key
    refresh_token: _Key
    access_token: _Key


KeysT = TypeVar("KeysT", bound=Keys)
KeysT_co = TypeVar("KeysT_co", bound=Keys, covariant=True)


class Credentials(Protocol[KeysT_co]):
    """Where credentials come from."""

    def read(self) -> KeysT_co:
        """The credentials. Raises :class:`SupplierAccessDenied` where there are none."""

    def forget(self) -> None:
        """Reads them anew next time: the supplier no longer takes them."""


class SupplierSecret(Generic[KeysT]):
    """Read at the first use, kept for the life of the process, and read again once the supplier refuses it.

    Args:
        secret: ARN of the secret.
        keys: what it holds.
        secrets_manager: a client; made at the first use if None.
        stage: which value: what is in force, or what a rotation is about to put in force.
    """

    def __init__(self, secret: str, keys: type[KeysT], secrets_manager: Any = None, *, stage: str = CURRENT) -> None:
        self._secret = secret
        self._model = keys
        self._client = secrets_manager
        self._stage = stage
        self._keys: KeysT | None = None

    def read(self) -> KeysT:
        """The credentials.

        Raises:
            SupplierAccessDenied: the secret holds none, or others.
        """
        if self._keys is None:
            self._keys = keys_in(self._model, self._text())
        return self._keys

    def forget(self) -> None:
        """Reads the secret anew at the next use: it may have been rotated, or the operator has stored another."""
        self._keys = None

    def _text(self) -> str:
        secrets_manager = self._client or client("secretsmanager")
        try:
            answer = secrets_manager.get_secret_value(SecretId=self._secret, VersionStage=self._stage)
        except ClientError as error:
            if error.response["Error"]["Code"] == "ResourceNotFoundException":
                raise SupplierAccessDenied(f"the supplier's secret has no value {self._stage}") from None
            raise
        return str(answer.get("SecretString", ""))


class SecretApiKey:
    """The API key out of Tremendous' secret.

    Args:
        secret: ARN of the secret.
        secrets_manager: a client; made at the first use if None.
    """

    def __init__(self, secret: str, secrets_manager: Any = None) -> None:
        self._secret = SupplierSecret(secret, TremendousKeys, secrets_manager)

    def read(self) -> str:
        """The key. Raises :class:`SupplierAccessDenied` where there is none."""
        return self._secret.read().api_key

    def forget(self) -> None:
        """See :meth:`SupplierSecret.forget`."""
        self._secret.forget()


def keys_in(model: type[KeysT], text: str) -> KeysT:
    """The credentials in a secret's text.

    Raises:
        SupplierAccessDenied: there are none; the message names the fields that are missing or wrong.
    """
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        named = sorted({str(each["loc"][0]) for each in error.errors() if each["loc"]})
        wanted = named or [name for name, field in model.model_fields.items() if field.is_required()]
        # Neither the text nor a cause: they may be most of a key.
        raise SupplierAccessDenied(f"the supplier's secret must be JSON with {', '.join(wanted)}") from None
