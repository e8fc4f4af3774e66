"""The state machine that fulfils a gift card: thin, its decisions are the function's.

::

    Order ── ordered ────────────────► Capture ──► Fulfilled
      │ refused                          ▲
      ├────────────► Release ──► Refused │ ordered
      │        moved │  ▲ not_ordered    │
      └ no answer ► Settle ► Query ──────┘
                      ▲────────┘ pending

Order is repeated after whatever may pass, such as a throttled table: it is idempotent, and giving up is no member's wish.
Not after a time-out, since the request may be under way. Only the supplier's word, a refusal or "not ordered", leads to
Release. Whatever loses the answer (a time-out, an exhausted retry, an order requested while Release ran) leads to Query,
and a Query without an answer leads to a person: points are never given back for a card that may have been ordered, and
never captured for one that may not.
"""

from typing import Any, Final

Json = dict[str, Any]

TASK_TIMEOUT_SECONDS: Final = 60
"""Twice the function's own timeout: an invocation whose result is lost does not hold the execution for ever."""

SETTLED: Final = ["OrderRefused"]
IN_FLIGHT: Final = ["SupplierTimeout"]
MOVED: Final = ["RedemptionMoved"]
ANY: Final = ["States.ALL"]


def definition(*, settle_seconds: int) -> Json:
    """The machine in Amazon States Language; ``${Worker}`` stands for the function.

    Args:
        settle_seconds: how long an order without an answer may still arrive at the supplier before it is asked.
    """
    return {
        "QueryLanguage": "JSONata",
        "StartAt": "Order",
        "States": {
            "Order": _step(
                "order",
                then="Decide",
                retry=[_never(SETTLED + IN_FLIGHT), _retry(ANY, seconds=2, attempts=6)],
                catch=[_catch(SETTLED, "Release"), _catch(ANY, "Settle")],
            ),
            "Settle": {"Type": "Wait", "Seconds": settle_seconds, "Next": "Query"},
            "Query": _step(
                "query",
                then="Decide",
                retry=[_retry(ANY, seconds=5, attempts=8)],
                catch=[_catch(ANY, "Unresolved")],
            ),
            "Decide": {
                "Type": "Choice",
                "Choices": [
                    {"Condition": "{% $states.input.status = 'ordered' %}", "Next": "Capture"},
                    {"Condition": "{% $states.input.status = 'not_ordered' %}", "Next": "Release"},
                    {"Condition": "{% $states.input.status = 'pending' %}", "Next": "Settle"},
                ],
                "Default": "Unresolved",
            },
            "Capture": _step(
                "capture",
                then="Fulfilled",
                retry=[_retry(ANY, seconds=2, attempts=10)],
                catch=[_catch(ANY, "Unresolved")],
            ),
            "Release": _step(
                "release",
                then="Refused",
                retry=[_never(MOVED), _retry(ANY, seconds=2, attempts=10)],
                catch=[_catch(MOVED, "Settle"), _catch(ANY, "Unresolved")],
            ),
            "Fulfilled": {"Type": "Succeed"},
            "Refused": {
                "Type": "Fail",
                "Error": "OrderRefused",
                "Cause": "The supplier has not taken the order; the points were given back.",
            },
            "Unresolved": {
                "Type": "Fail",
                "Error": "Unresolved",
                "Cause": "It is not known whether the card was ordered, or the ledger could not be told. The points stay "
                "held: compare the redemption with the supplier's list, then capture or release it.",
            },
        },
    }


def _step(step: str, *, then: str, retry: list[Json], catch: list[Json]) -> Json:
    request = {
        "step": step,
        **{
            name: f"{{% $states.context.Execution.Input.{name} %}}"
            for name in ("program", "member_id", "redemption_id")
        },
    }
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Arguments": {"FunctionName": "${Worker}", "Payload": request},
        "Output": "{% $states.result.Payload %}",
        "TimeoutSeconds": TASK_TIMEOUT_SECONDS,
        "Retry": retry,
        "Catch": catch,
        "Next": then,
    }


def _never(errors: list[str]) -> Json:
    """Keeps errors from the retry after it, which is for all the others."""
    return {"ErrorEquals": errors, "MaxAttempts": 0}


def _retry(errors: list[str], *, seconds: int, attempts: int) -> Json:
    return {
        "ErrorEquals": errors,
        "IntervalSeconds": seconds,
        "BackoffRate": 2,
        "MaxAttempts": attempts,
        "MaxDelaySeconds": 300,
        "JitterStrategy": "FULL",
    }


def _catch(errors: list[str], then: str) -> Json:
    return {"ErrorEquals": errors, "Next": then}
