"""AWS clients with time-outs that fit inside a function's own. ``botocore`` alone: ``boto3`` would only add imports."""

from functools import cache
from typing import Any, Final

import botocore.session
from botocore.config import Config

CONNECT_SECONDS: Final = 1.0
READ_SECONDS: Final = 2.0
ATTEMPTS: Final = 2

CONFIG: Final = Config(
    connect_timeout=CONNECT_SECONDS,
    read_timeout=READ_SECONDS,
    retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
    tcp_keepalive=True,
)


@cache
def _session() -> botocore.session.Session:
    return botocore.session.get_session()


@cache
def client(service: str) -> Any:
    """One client per service and process. Given up after six seconds: 1 to connect, 2 to read, twice."""
    return _session().create_client(service, config=CONFIG)
