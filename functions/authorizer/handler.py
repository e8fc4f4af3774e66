"""The API's authorizer: a verdict for each token and route, which the gateway keeps for half a minute."""

from pathlib import Path
from typing import Any

import jwt  # noqa: F401 - loaded now, so that it is in the snapshot and not in the first request

from functions.authorizer.answers import authorization, output, packaged_scopes, route
from loyalty.clients.access import KEYS_ATTEMPTS, KEYS_CONNECT_SECONDS, KEYS_READ_SECONDS, Access
from loyalty.clients.store import ClientStore
from loyalty.core.clock import system_clock
from loyalty.core.settings import Settings
from loyalty.core.table import Table
from loyalty.core.telemetry import count, logger, metrics
from loyalty.core.tokens import Keys, PoolWeb
from loyalty_contract import ACCESS_REFUSED, ACCESS_UNDECIDED, shared_usage_key


class AuthorizerSettings(Settings):
    """What this function is told."""

    client_issuer: str
    client_jwks_url: str


SETTINGS = AuthorizerSettings.load()
TABLE = Table(SETTINGS.table)
ACCESS = Access(
    SETTINGS.client_issuer,
    Keys(SETTINGS.client_jwks_url, PoolWeb(KEYS_CONNECT_SECONDS, KEYS_READ_SECONDS, attempts=KEYS_ATTEMPTS)),
    ClientStore(TABLE, system_clock),
    scopes=packaged_scopes(Path(__file__).parent),
    shared_key=shared_usage_key(SETTINGS.stage),
    clock=system_clock,
)
TABLE.client  # noqa: B018 - made now, for the same reason


@logger.inject_lambda_context(clear_state=True, log_event=False)
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """The gateway's question about one request.

    Raises:
        Exception: ``Unauthorized``, by which the gateway knows to answer 401; any other, and it answers 500.
    """
    logger.set_correlation_id(str((event.get("requestContext") or {}).get("requestId") or "unknown"))
    try:
        verdict = ACCESS.decide(authorization(event), route(event))
        if verdict.refusal is not None:
            count(ACCESS_REFUSED)
            logger.info(
                "refused", extra={"code": verdict.refusal, "reason": verdict.reason, "client_id": verdict.client_id}
            )
    except Exception as error:
        count(ACCESS_UNDECIDED)
        # Its text may hold what the caller sent.
        logger.error("undecided", extra={"error_type": type(error).__name__})
        raise
    finally:
        if metrics.metric_set:
            metrics.flush_metrics()
    return output(verdict, event)
