"""A handler that raises goes on in its process, as on AWS; ministack ends the process, and starts another for the next event.

So it stays with the process whether it can go on: one that ran out of time, died or did not start is still replaced.
"""

import functools
from collections.abc import Callable
from typing import Any, Final

RAISED: Final = "raised"
_ENDS: Final = '{"status": "error", "error": str(e), "trace": '
_GOES_ON: Final = f'{{"status": "ok", "{RAISED}": str(e), "trace": '


def telling_apart(script: str) -> str:
    """The script of ministack's Python processes, in whose answer an exception of the handler is no failure of the process.

    Raises:
        ValueError: the script does not answer as it did.
    """
    if script.count(_ENDS) != 1:
        raise ValueError("ministack's processes tell of exceptions in another way")
    return script.replace(_ENDS, _GOES_ON)


def as_errors(invoke: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """Wrap the invocation of a process so that what its handler raised is an error to whoever asked."""

    @functools.wraps(invoke)
    def wrapper(*invocation: Any, **named: Any) -> dict[str, Any]:
        answer = invoke(*invocation, **named)
        return {**answer, "status": "error", "error": answer[RAISED]} if RAISED in answer else answer

    return wrapper
