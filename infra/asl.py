"""What state machines have in common, in Amazon States Language: retries, catches, tasks and distributed maps."""

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


def distributed(
    label: str, *, concurrency: int, tolerated_percent: int, start: str, states: dict[str, Json], then: str
) -> Json:
    """A distributed map over its own input, of which it selects nothing: there the local cloud and AWS agree.

    Args:
        label: part of the ARNs of the map's children.
        concurrency: items that are worked off side by side.
        tolerated_percent: of the items that may fail before the others are ended too.
        start: the first of the states.
        states: what is done with one item.
        then: goes on there once all ended.
    """
    return {
        "Type": "Map",
        "Label": label,
        "Items": "{% $states.input %}",
        "MaxConcurrency": concurrency,
        "ToleratedFailurePercentage": tolerated_percent,
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
            "StartAt": start,
            "States": states,
        },
        "Next": then,
    }
