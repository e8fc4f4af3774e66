"""Get access tokens by the client-credentials flow."""

import base64
import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Sequence
from typing import Final

TIMEOUT_SECONDS: Final = 10.0


class TokenRefused(RuntimeError):
    """The token endpoint answered with an error; the message holds its answer."""


def fetch_token(token_url: str, client_id: str, client_secret: str, scopes: Sequence[str] = ()) -> str:
    """An access token of the client.

    Args:
        token_url: the token endpoint.
        client_id: the client.
        client_secret: its secret.
        scopes: full names (``loyalty/wallet.read``); none means all that the client may have.

    Raises:
        TokenRefused: wrong client, wrong secret, or a scope that it may not have.
    """
    form = {"grant_type": "client_credentials"} | ({"scope": " ".join(scopes)} if scopes else {})
    basic = base64.b64encode(f"{client_id}:{client_secret}".encode()).decode()
    request = urllib.request.Request(  # noqa: S310 -- the URL is the local cloud's own
        token_url,
        data=urllib.parse.urlencode(form).encode(),
        headers={"Authorization": f"Basic {basic}", "Content-Type": "application/x-www-form-urlencoded"},
    )
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310 -- as above
            token: str = json.load(answer)["access_token"]
    except urllib.error.HTTPError as error:
        with error:
            raise TokenRefused(f"{error.code}: {error.read().decode(errors='replace')}") from error
    return token
