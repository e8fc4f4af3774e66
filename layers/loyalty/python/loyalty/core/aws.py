"""AWS clients with time-outs that fit inside a function's own. ``botocore`` alone: ``boto3`` would only add imports."""

from functools import cache
from typing import Any, Final

import botocore.session
from botocore.config import Config

CONFIG: Final = Config(
    connect_timeout=1,
    read_timeout=2,
    retries={"mode": "standard", "total_max_attempts": 2},
    tcp_keepalive=True,
)


@cache
def _session() -> botocore.session.Session:
    return botocore.session.get_session()


@cache
def client(service: str) -> Any:
    """One client per service and process. Given up after six seconds: 1 to connect, 2 to read, twice."""
    return _session().create_client(service, config=CONFIG)
