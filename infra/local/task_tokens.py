"""Whose token a request answers: IAM asks for the state machine, and a token's request does not name it.

A token stays its machine's once nobody waits with it any more, as on AWS: who may answer the machine's tokens is told that
the task is gone (``TaskDoesNotExist``), and not that they may not ask.
"""

import functools
import json
import threading
from collections.abc import Callable
from typing import Any

ANY: str = "*"
"""What ministack takes for the resource of a request that names none: a policy for one machine does not allow it."""

REMEMBERED: int = 10_000
"""Tokens of tasks that are over; the oldest are forgotten."""


class TokenOwners:
    """Remembers the executions that run a task, and those that ran one, and so whose token is whose."""

    def __init__(self) -> None:
        self._contexts: dict[int, dict[str, Any]] = {}
        self._over: dict[str, str] = {}
        self._guard = threading.Lock()

    def remembering(self, execute: Callable[..., Any]) -> Callable[..., Any]:
        """Wrap the execution of a task state so that its context is known for as long as it takes, and its token after it."""

        @functools.wraps(execute)
        def wrapper(state: dict[str, Any], raw_input: Any, execution: Any, context: Any) -> Any:
            with self._guard:
                self._contexts[id(context)] = context
            try:
                return execute(state, raw_input, execution, context)
            finally:
                with self._guard:
                    self._contexts.pop(id(context), None)
                    self._over.update(_owner(context))
                    while len(self._over) > REMEMBERED:
                        del self._over[next(iter(self._over))]

        return wrapper

    def naming(self, extract: Callable[..., str]) -> Callable[..., str]:
        """Wrap the search for a request's resource so that one with a token is for the machine that waits with it."""

        @functools.wraps(extract)
        def wrapper(service: str, method: str, path: str, headers: Any, body: bytes, *others: Any) -> str:
            found = extract(service, method, path, headers, body, *others)
            return self.machine_of(body) if service == "states" and found == ANY else found

        return wrapper

    def machine_of(self, body: bytes) -> str:
        """ARN of the state machine one of whose executions has, or had, the request's ``taskToken``; ``*`` if none is known."""
        try:
            token = json.loads(body).get("taskToken")
        except (ValueError, AttributeError):
            return ANY
        return self.known().get(token, ANY)

    def known(self) -> dict[str, str]:
        """Every token that is remembered, with its machine's ARN."""
        with self._guard:
            waiting = [_owner(context) for context in self._contexts.values()]
            return self._over | {token: machine for one in waiting for token, machine in one.items()}

    def learn(self, owners: dict[str, str]) -> None:
        """Remembers what :meth:`known` told another process before this one."""
        with self._guard:
            self._over.update(owners)


def _owner(context: dict[str, Any]) -> dict[str, str]:
    token = context.get("Task", {}).get("Token")
    return {token: context["StateMachine"]["Id"]} if token else {}
