"""Rotation of a supplier's credentials: Secrets Manager's four steps, each of which may be repeated at any time.

::

    createSecret   the supplier is asked for new tokens; they are stored as AWSPENDING, under the rotation's own id
    setSecret      nothing: the supplier made them itself
    testSecret     the balance is asked for with what is pending
    finishSecret   what is pending becomes AWSCURRENT; functions read it once the supplier refuses what they have

Xoxoday alone: a refresh token makes a new pair, and the old one stays good beside it (the access token until its
expiry, the refresh token for six hours), so that a step that died can be taken again. The other two have no call for
it that would be safe: a new key of Tremendous' API replaces the old one at once, before anything could store it.
"""

import json
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final

from botocore.exceptions import ClientError
from pydantic import StringConstraints

from loyalty.suppliers.answers import Shown, parsed, undecided, undocumented
from loyalty.suppliers.model import SupplierAccessDenied
from loyalty.suppliers.secret import CURRENT, PENDING, XoxodayKeys, keys_in
from loyalty.suppliers.transport import Transport, failed
from loyalty.suppliers.xoxoday import Xoxoday

_TOKEN_PATH: Final = "/v1/oauth/token/user"  # noqa: S105 -- a path
_Token = Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,8192}$")]


class RotationRefused(RuntimeError):
    """This rotation is not one that may go on; Secrets Manager reports it and tries again later."""


class _Tokens(Shown):
    access_token: _Token
    refresh_token: _Token


def refreshed(base_url: str, keys: XoxodayKeys) -> tuple[str, str]:
    """A new access token and a new refresh token.

    Raises:
        SupplierAccessDenied: the refresh token has expired (30 days): a person has to make a new pair in the console.
        SupplierUnavailable, SupplierTimeout, SupplierProtocolError: none were given, or the answer was lost.
    """
    body = {
        "grant_type": "refresh_token",
        "refresh_token": keys.refresh_token,
        "client_id": keys.client_id,
        "client_secret": keys.client_secret,
    }
    answer = Transport(base_url).call("POST", _TOKEN_PATH, headers={}, body=body)
    if answer.status == 200:
        tokens = parsed(_Tokens, answer)
        return tokens.access_token, tokens.refresh_token
    if answer.status == 400:
        raise failed(SupplierAccessDenied("the supplier does not take the refresh token: make a new pair"), answer)
    raise undecided(answer) or undocumented(answer)


def probe(base_url: str, keys: XoxodayKeys) -> None:
    """Asks for the balance: it reads, and shows that the access token is taken.

    Raises:
        SupplierError: it is not, or the supplier did not say.
    """
    Xoxoday(base_url, _Fixed(keys)).wallet()


class _Fixed:
    def __init__(self, keys: XoxodayKeys) -> None:
        self._keys = keys

    def read(self) -> XoxodayKeys:
        """Those of the rotation, whatever is in force."""
        return self._keys

    def forget(self) -> None:
        """There are no others."""


class Rotation:
    """The steps for one secret.

    Args:
        secret: ARN of the one secret that may be rotated here.
        secrets_manager: a client.
        refresh: gives a new access token and refresh token for what is in force.
        probe: raises if the supplier does not take these credentials.
    """

    def __init__(
        self,
        *,
        secret: str,
        secrets_manager: Any,
        refresh: Callable[[XoxodayKeys], tuple[str, str]],
        probe: Callable[[XoxodayKeys], None],
    ) -> None:
        self._secret = secret
        self._client = secrets_manager
        self._refresh = refresh
        self._probe = probe
        self._steps: Mapping[str, Callable[[str], None]] = {
            "createSecret": self._create,
            "setSecret": lambda _: None,
            "testSecret": self._test,
            "finishSecret": self._finish,
        }

    def take(self, step: str, secret: str, token: str) -> None:
        """Takes one step of the rotation ``token``.

        Raises:
            RotationRefused: another secret, a step that there is not, or a rotation that is not under way.
            SupplierError: the supplier gave or took no tokens.
        """
        if secret != self._secret:
            raise RotationRefused("this function rotates another secret")
        if step not in self._steps:
            raise RotationRefused(f"there is no step '{step}'")
        described = self._client.describe_secret(SecretId=secret)
        stages = described.get("VersionIdsToStages", {}).get(token)
        if not described.get("RotationEnabled") or stages is None:
            raise RotationRefused("no rotation of this name is under way")
        if CURRENT not in stages:
            self._steps[step](token)

    def _create(self, token: str) -> None:
        if self._value(PENDING, token) is not None:
            return
        text = self._value(CURRENT)
        keys = keys_in(XoxodayKeys, text or "")
        access_token, refresh_token = self._refresh(keys)
        kept = json.loads(text or "{}")
        value = kept | {"access_token": access_token, "refresh_token": refresh_token}
        self._client.put_secret_value(
            SecretId=self._secret, ClientRequestToken=token, SecretString=json.dumps(value), VersionStages=[PENDING]
        )

    def _test(self, token: str) -> None:
        self._probe(keys_in(XoxodayKeys, self._value(PENDING, token) or ""))

    def _finish(self, token: str) -> None:
        versions = self._client.describe_secret(SecretId=self._secret)["VersionIdsToStages"]
        current = next((version for version, stages in versions.items() if CURRENT in stages), None)
        moved = {"RemoveFromVersionId": current} if current is not None else {}
        self._client.update_secret_version_stage(
            SecretId=self._secret, VersionStage=CURRENT, MoveToVersionId=token, **moved
        )

    def _value(self, stage: str, version: str | None = None) -> str | None:
        """The secret's text at a stage, of one version if it is named; None where there is none."""
        asked = {"SecretId": self._secret, "VersionStage": stage} | ({"VersionId": version} if version else {})
        try:
            return str(self._client.get_secret_value(**asked)["SecretString"])
        except ClientError as error:
            if error.response["Error"]["Code"] == "ResourceNotFoundException":
                return None
            raise
