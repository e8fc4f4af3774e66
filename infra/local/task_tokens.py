"""Whose token a request answers: IAM asks for the state machine, and a token's request does not name it."""

import functools
import json
import threading
from collections.abc import Callable
from typing import Any

ANY: str = "*"
"""What ministack takes for the resource of a request that names none: a policy for one machine does not allow it."""


class TokenOwners:
    """Remembers the executions that run a task, and so whose token is whose."""

    def __init__(self) -> None:
        self._contexts: dict[int, dict[str, Any]] = {}
        self._guard = threading.Lock()

    def remembering(self, execute: Callable[..., Any]) -> Callable[..., Any]:
        """Wrap the execution of a task state so that its context is known for as long as it takes."""

        @functools.wraps(execute)
        def wrapper(state: dict[str, Any], raw_input: Any, execution: Any, context: Any) -> Any:
            with self._guard:
                self._contexts[id(context)] = context
            try:
                return execute(state, raw_input, execution, context)
            finally:
                with self._guard:
                    self._contexts.pop(id(context), None)

        return wrapper

    def naming(self, extract: Callable[..., str]) -> Callable[..., str]:
        """Wrap the search for a request's resource so that one with a token is for the machine that waits with it."""

        @functools.wraps(extract)
        def wrapper(service: str, method: str, path: str, headers: Any, body: bytes, *others: Any) -> str:
            found = extract(service, method, path, headers, body, *others)
            return self.machine_of(body) if service == "states" and found == ANY else found

        return wrapper

    def machine_of(self, body: bytes) -> str:
        """ARN of the state machine whose execution waits with the request's ``taskToken``; ``*`` if none does."""
        try:
            token = json.loads(body).get("taskToken")
        except (ValueError, AttributeError):
            return ANY
        with self._guard:
            waiting = list(self._contexts.values())
        machines = (one["StateMachine"]["Id"] for one in waiting if token and one.get("Task", {}).get("Token") == token)
        return next(machines, ANY)
