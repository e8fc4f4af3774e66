"""Who gives a command: the identity that AWS knows the shell's credentials by."""

import getpass
from typing import Final

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from loyalty.core.origin import Origin

_PATIENCE: Final = Config(connect_timeout=2, read_timeout=3, retries={"total_max_attempts": 2})
"""A command is not held up for long by a network that reaches the table and not this service."""


def operator() -> Origin:
    """``operator:`` and the ARN of the credentials; where AWS does not say, ``operator:unverified:`` and the shell's user.

    Nobody needs a permission to ask for it.
    """
    try:
        arn = boto3.client("sts", config=_PATIENCE).get_caller_identity()["Arn"]
    except (BotoCoreError, ClientError):
        return Origin(by=f"operator:unverified:{getpass.getuser()}")
    return Origin(by=f"operator:{arn}")
