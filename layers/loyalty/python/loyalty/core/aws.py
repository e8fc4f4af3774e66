"""AWS clients with time-outs that fit inside a function's own. ``botocore`` alone: ``boto3`` would only add imports."""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

import botocore.session
from botocore.config import Config
from botocore.exceptions import ClientError

CONNECT_SECONDS: Final = 1.0
READ_SECONDS: Final = 2.0
ATTEMPTS: Final = 2

CONFIG: Final = Config(
    connect_timeout=CONNECT_SECONDS,
    read_timeout=READ_SECONDS,
    retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
    tcp_keepalive=True,
)

S3_CONFIG: Final = CONFIG.merge(Config(signature_version="s3v4", s3={"addressing_style": "virtual"}))
"""Said outright, for the sake of signed links. Unless both are, botocore signs them for the host of all regions, which
redirects those opened after March 2019, and a link is not signed for where it is redirected to; in some regions also by
version 2, which opens nothing under a customer's key. An endpoint that is an address, as the local cloud's, keeps paths."""


@cache
def _session() -> botocore.session.Session:
    return botocore.session.get_session()


@cache
def client(service: str) -> Any:
    """One client per service and process. Given up after six seconds: 1 to connect, 2 to read, twice."""
    return _session().create_client(service, config=S3_CONFIG if service == "s3" else CONFIG)


def start_once(step_functions: Any, state_machine: str, name: str, request: Mapping[str, str]) -> bool:
    """Starts an execution of that name with the request as its input; False where there has been one.

    Args:
        step_functions: a client.
        state_machine: its ARN.
        name: of the execution, taken for 90 days after it ends.
        request: becomes JSON.
    """
    try:
        step_functions.start_execution(stateMachineArn=state_machine, name=name, input=json.dumps(request))
    except ClientError as error:
        if error.response["Error"]["Code"] == "ExecutionAlreadyExists":
            return False
        raise
    return True
