"""AWS clients with time-outs that fit inside a function's own. ``botocore`` alone: ``boto3`` would only add imports."""

from functools import cache
from typing import Any, Final

import botocore.session
from botocore.config import Config

CONFIG: Final = Config(
    connect_timeout=1,
    read_timeout=5,
    retries={"mode": "standard", "total_max_attempts": 3},
    tcp_keepalive=True,
)


@cache
def _session() -> botocore.session.Session:
    return botocore.session.get_session()


@cache
def client(service: str) -> Any:
    """One client per service and process. Seconds: 1 to connect, 5 to read; at most 3 attempts."""
    return _session().create_client(service, config=CONFIG)
