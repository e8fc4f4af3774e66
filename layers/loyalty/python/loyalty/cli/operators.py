"""Who gives a command: the identity that AWS knows the shell's credentials by."""

import getpass
from typing import Final

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from loyalty.cli.console import fail
from loyalty.core import origin
from loyalty.core.origin import Origin

_PATIENCE: Final = Config(connect_timeout=2, read_timeout=3, retries={"total_max_attempts": 2})
"""A command is not held up for long by a network that reaches the table and not this service."""
_UNVERIFIED: Final = "operator:unverified:"


def operator() -> Origin:
    """``operator:`` and the ARN of the credentials; where AWS does not say, ``operator:unverified:`` and the shell's user.

    Nobody needs a permission to ask for it.
    """
    try:
        arn = boto3.client("sts", config=_PATIENCE).get_caller_identity()["Arn"]
    except (BotoCoreError, ClientError):
        return Origin(by=f"{_UNVERIFIED}{getpass.getuser()}")
    return Origin(by=f"operator:{arn}")


def known_operator() -> str:
    """Who gives the command under way, for what one person asks and another decides; ends it where AWS does not say.

    The shell's user is its own word (``LOGNAME=bob``): with it, one person would be two.
    """
    by = origin.current().by
    if by is None or by.startswith(_UNVERIFIED):
        fail(
            "AWS does not say whose credentials these are, and this takes two people: let sts:GetCallerIdentity be reached, "
            "and do it again."
        )
    return by
