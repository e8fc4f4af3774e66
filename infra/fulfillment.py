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

from typing import Final

from infra.asl import ANY, Json, catch, invoke, never, retry

TASK_TIMEOUT_SECONDS: Final = 60
"""Twice the function's own timeout: an invocation whose result is lost does not hold the execution for ever."""

SETTLED: Final = ["OrderRefused"]
IN_FLIGHT: Final = ["SupplierTimeout"]
MOVED: Final = ["RedemptionMoved"]


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
                retries=[never(SETTLED + IN_FLIGHT), retry(ANY, seconds=2, attempts=6)],
                catches=[catch(SETTLED, "Release"), catch(ANY, "Settle")],
            ),
            "Settle": {"Type": "Wait", "Seconds": settle_seconds, "Next": "Query"},
            "Query": _step(
                "query",
                then="Decide",
                retries=[retry(ANY, seconds=5, attempts=8)],
                catches=[catch(ANY, "Unresolved")],
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
                retries=[retry(ANY, seconds=2, attempts=10)],
                catches=[catch(ANY, "Unresolved")],
            ),
            "Release": _step(
                "release",
                then="Refused",
                retries=[never(MOVED), retry(ANY, seconds=2, attempts=10)],
                catches=[catch(MOVED, "Settle"), catch(ANY, "Unresolved")],
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


def _step(step: str, *, then: str, retries: list[Json], catches: list[Json]) -> Json:
    request = {
        "step": step,
        **{
            name: f"{{% $states.context.Execution.Input.{name} %}}"
            for name in ("program", "member_id", "redemption_id")
        },
    }
    return invoke(request, timeout_seconds=TASK_TIMEOUT_SECONDS, Retry=retries, Catch=catches, Next=then)
