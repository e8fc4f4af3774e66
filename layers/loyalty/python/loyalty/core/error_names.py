"""What an unexpected error is called in logs and reports, where its message is not repeated."""

from botocore.exceptions import ClientError

from loyalty.core.errors import LoyaltyError


def name_of(error: Exception) -> str:
    """``GetError/ClientError.AccessDeniedException``: AWS's code says more than the type. A message may quote what was sent."""
    cause = getattr(error, "cause", None) or error
    code = cause.response["Error"].get("Code", "") if isinstance(cause, ClientError) else ""
    names = [type(error).__name__] + ([type(cause).__name__] if cause is not error else [])
    return "/".join(names) + (f".{code}" if code else "")


def code_of(error: Exception) -> str:
    """The code of a refusal of ours, the name of any other error."""
    return error.code if isinstance(error, LoyaltyError) else name_of(error)
