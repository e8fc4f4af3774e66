"""The state machine that fulfils a gift card: thin, its decisions are the function's.

::

    Screen ─ clear ──────────────────────────► Order ── ordered ──► Capture ──► Fulfilled
      │ approval            approved ▲          │ ▲ again            ▲   │ given up
      └────────► Approve ────────────┤          │ └─ Pause           │   ▼
                    │ time is over   │          ├─ refused ──────────│─► Release ─► Refused, Closed
                    ▼                │          │ unknown            │   ▲
                  Remind ────────────┘          ├────────► Settle ─► Query ─ not ordered
                    │ nobody came in time       │ pending    ▲ ▲    │ ▲
                    └──────────► Release        └──► Listen ─│─┼────┘ │
                                                       └─ told, or ───┘
    whatever cannot be decided ─► Attention ─► Unresolved: a person decides; another execution goes on from there

Each step answers with one word, by which ``Decide`` goes on, and with the seconds to wait where there is a wait. Order is
repeated after whatever may pass, such as a throttled table: it is idempotent, and giving up is no member's wish. Only the
supplier's word, a refusal or "not ordered", or a person's, leads to Release. Whatever loses the answer (an exhausted
retry, an order requested while Release ran) leads to Query, and a Query without an answer leads to a person: points are
never given back for a card that may have been ordered, and never captured for one that may not.
"""

from typing import Final

from infra.asl import ANY, Json, catch, invoke, never, retry

TASK_TIMEOUT_SECONDS: Final = 60
"""Twice the function's own timeout: an invocation whose result is lost does not hold the execution for ever."""

MOVED: Final = ["RedemptionMoved"]
AWAITED: Final = ["NothingAwaited"]
TIMED_OUT: Final = ["States.Timeout"]
DAYS: Final = 60
"""An execution lives so long at most: an approval takes 30 days at most, and so does a wait for money."""

WAYS: Final = {
    "clear": "Order",
    "approval": "Approve",
    "again": "Pause",
    "unknown": "Settle",
    "pending": "Listen",
    "ordered": "Capture",
    "not_ordered": "Release",
    "replace": "Replace",
    "captured": "Fulfilled",
    "released": "Refused",
    "closed": "Closed",
}
"""Where the machine goes on after each answer; after any other: to a person."""


def definition(*, settle_seconds: int) -> Json:
    """The machine in Amazon States Language; ``${Worker}`` stands for the function.

    Args:
        settle_seconds: how long an order without an answer may still arrive at the supplier before it is asked.
    """
    lost = {**catch(ANY, "Settle"), "Output": {"wait": settle_seconds}}
    moved = {**catch(MOVED, "Settle"), "Output": {"wait": settle_seconds}}
    return {
        "QueryLanguage": "JSONata",
        "StartAt": "Screen",
        "States": {
            "Screen": _step("screen", retries=[retry(ANY, seconds=2, attempts=6)], catches=[catch(ANY, "Attention")]),
            "Decide": {
                "Type": "Choice",
                "Choices": [
                    {"Condition": f"{{% $states.input.status = '{word}' %}}", "Next": state}
                    for word, state in WAYS.items()
                ],
                "Default": "Unresolved",
            },
            "Approve": _wait("ask", then="Decide", after="Remind"),
            "Remind": _step("remind", retries=[retry(ANY, seconds=2, attempts=6)], catches=[catch(ANY, "Attention")]),
            "Order": _step("order", retries=[retry(ANY, seconds=2, attempts=6)], catches=[lost]),
            "Pause": {"Type": "Wait", "Seconds": "{% $states.input.wait %}", "Next": "Order"},
            "Settle": {"Type": "Wait", "Seconds": "{% $states.input.wait %}", "Next": "Query"},
            "Listen": _wait("listen", then="Query", after="Query"),
            "Query": _step("query", retries=[retry(ANY, seconds=5, attempts=8)], catches=[catch(ANY, "Attention")]),
            "Capture": _step(
                "capture", retries=[retry(ANY, seconds=2, attempts=10)], catches=[catch(ANY, "Attention")]
            ),
            "Release": _step(
                "release",
                retries=[never(MOVED), retry(ANY, seconds=2, attempts=10)],
                catches=[moved, catch(ANY, "Attention")],
            ),
            "Replace": _step(
                "replace", retries=[retry(ANY, seconds=2, attempts=10)], catches=[catch(ANY, "Attention")]
            ),
            "Attention": _step(
                "attention",
                error="{% $states.input.Error %}",
                then="Unresolved",
                retries=[retry(ANY, seconds=2, attempts=10)],
                catches=[catch(ANY, "Unresolved")],
            ),
            "Fulfilled": {"Type": "Succeed"},
            "Closed": {"Type": "Succeed"},
            "Refused": {
                "Type": "Fail",
                "Error": "OrderRefused",
                "Cause": "No supplier has taken the order; the points were given back.",
            },
            "Unresolved": {
                "Type": "Fail",
                "Error": "Unresolved",
                "Cause": "A person has to look: the run says at what. The points stay held until finance retries, cancels "
                "or resolves it.",
            },
        },
    }


def _step(step: str, *, retries: list[Json], catches: list[Json], then: str = "Decide", **more: str) -> Json:
    return invoke(_request(step, **more), timeout_seconds=TASK_TIMEOUT_SECONDS, Retry=retries, Catch=catches, Next=then)


def _wait(step: str, *, then: str, after: str) -> Json:
    """A step that hands the function the token by which it is woken, and waits for that as long as the answer before said."""
    state = invoke(
        _request(step, token="{% $states.context.Task.Token %}"),  # noqa: S106 - an expression, no secret
        timeout_seconds=TASK_TIMEOUT_SECONDS,
        Retry=[never(TIMED_OUT + AWAITED), retry(ANY, seconds=2, attempts=6)],
        Catch=[catch(TIMED_OUT + AWAITED, after), catch(ANY, "Attention")],
        Next=then,
    )
    return {
        **state,
        "Resource": f"{state['Resource']}.waitForTaskToken",
        "TimeoutSeconds": "{% $states.input.wait %}",
        "Output": "{% $states.result %}",
    }


def _request(step: str, **more: str) -> Json:
    given = {
        name: f"{{% $states.context.Execution.Input.{name} %}}" for name in ("program", "member_id", "redemption_id")
    }
    return {"step": step, **given, **more}
