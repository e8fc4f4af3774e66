"""What state machines have in common: retries and catches in Amazon States Language."""

from typing import Any, Final

Json = dict[str, Any]

ANY: Final = ["States.ALL"]


def never(errors: list[str]) -> Json:
    """Keeps errors from the retry after it, which is for all the others."""
    return {"ErrorEquals": errors, "MaxAttempts": 0}


def retry(errors: list[str], *, seconds: int, attempts: int) -> Json:
    """Tries again, ever later, five minutes at most."""
    return {
        "ErrorEquals": errors,
        "IntervalSeconds": seconds,
        "BackoffRate": 2,
        "MaxAttempts": attempts,
        "MaxDelaySeconds": 300,
        "JitterStrategy": "FULL",
    }


def catch(errors: list[str], then: str) -> Json:
    """Goes on elsewhere."""
    return {"ErrorEquals": errors, "Next": then}


def invoke(payload: Json, *, timeout_seconds: int, **more: Any) -> Json:
    """A task of the function that ``${Worker}`` stands for; its answer is the output."""
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Arguments": {"FunctionName": "${Worker}", "Payload": payload},
        "Output": "{% $states.result.Payload %}",
        "TimeoutSeconds": timeout_seconds,
        **more,
    }
