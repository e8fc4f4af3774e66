"""Faults between a client and the engine, each as likely as :class:`Faults` says, drawn from one generator."""

import random
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Protocol

from botocore.exceptions import ConnectionClosedError, ReadTimeoutError

from loyalty.core.table import READ_SECONDS
from tests.simulation.dynamodb.errors import Refused, cancelled
from tests.simulation.engine import MemoryDynamoDb
from tests.simulation.scheduler import Crash

_WRITES: Final = frozenset({"PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems"})
_URL: Final = "https://dynamodb.memory"


class Fault(StrEnum):
    """What may happen to one request."""

    CRASH_BEFORE = "the client ends before its request is sent"
    CRASH_AFTER = "the request is answered, and the client ends before it reads the answer"
    LOST_REQUEST = "the connection breaks, and the request never arrives"
    LOST_REPLY = "the connection breaks after the request was answered"
    LATE_REQUEST = "the client gives up waiting, and the write is made later"
    SERVER_ERROR = "status 500, and a write may have been made or not"
    THROTTLED = "the request is refused for want of throughput"
    ITEM_THROTTLED = "a transaction is cancelled because one of its items is throttled"
    CONFLICT = "other transactions hold items of this one"
    SLOW_COMMIT = "what a transaction writes becomes visible item by item"
    UNPROCESSED_KEYS = "a batch of reads is answered in part"
    TORN_READ = "the items of a batch of reads are read at different moments"
    STALE_INDEX = "a read of a global index misses some of the last writes"
    STALL = "the client stands still for a while, as a frozen process does"


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """How likely each fault is, for each request that it can befall; none, unless said otherwise."""

    crash_before: float = 0.0
    crash_after: float = 0.0
    lost_request: float = 0.0
    lost_reply: float = 0.0
    late_request: float = 0.0
    server_error: float = 0.0
    throttled: float = 0.0
    item_throttled: float = 0.0
    conflict: float = 0.0
    slow_commit: float = 0.0
    unprocessed_keys: float = 0.0
    torn_read: float = 0.0
    stale_index: float = 0.0
    stall: float = 0.0
    index_lag: int = 20
    """Global indexes may miss the last so many writes, where ``stale_index`` is not 0."""
    latest_seconds: float = 5.0
    """How long, at most, a stall lasts and a late request is late."""
    skew_seconds: float = 0.0
    """By how much, at most, a client's clock is wrong."""

    @classmethod
    def of_all_kinds(cls, likely: float = 0.02) -> "Faults":
        """Everything that can happen does, now and then; slow commits, torn and stale reads more often than not."""
        return cls(
            crash_before=likely,
            crash_after=likely,
            lost_request=likely,
            lost_reply=likely,
            late_request=likely,
            server_error=likely,
            throttled=likely,
            item_throttled=likely,
            conflict=likely,
            unprocessed_keys=likely,
            stall=likely,
            slow_commit=0.5,
            torn_read=0.5,
            stale_index=0.5,
            skew_seconds=2.0,
        )


LATE: Final = "network of "
"""Before a client's name: what it gave up waiting for, on its way."""


class Turns(Protocol):
    """What the scheduler does for faults."""

    @property
    def current(self) -> str: ...

    def pause(self) -> None: ...

    def sleep(self, seconds: float) -> None: ...

    def spawn(self, name: str, program: Callable[[], object], *, after: float = 0.0) -> object: ...

    def note(self, what: str, *details: Any) -> None: ...


class Dice:
    """Decides which faults strike; ``struck`` counts them. Set ``faults`` to change what may still go wrong."""

    def __init__(self, faults: Faults, rng: random.Random, turns: Turns) -> None:
        self.faults = faults
        self.rng = rng
        self.turns = turns
        self.struck: Counter[Fault] = Counter()

    def strikes(self, fault: Fault) -> bool:
        """Whether the fault befalls this time."""
        probability: float = getattr(self.faults, fault.name.lower())
        if not probability or self.rng.random() >= probability:
            return False
        self.struck[fault] += 1
        self.turns.note(f"fault: {fault}")
        return True

    def show(self, missing: int) -> int:
        """How many of the changes that a global index lacks a read sees: all, or anything down to none."""
        return self.rng.randint(0, missing) if self.strikes(Fault.STALE_INDEX) else missing


class FaultyService:
    """The engine as clients see it: pauses before every request, and may fail in every way that DynamoDB can."""

    def __init__(self, engine: MemoryDynamoDb, dice: Dice) -> None:
        self._engine = engine
        self._dice = dice
        self._rng = dice.rng
        self._turns = dice.turns
        self._strikes = dice.strikes

    def call(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """The engine's answer, unless a fault is in the way.

        Raises:
            Crash: the client's process ended.
            HTTPClientError: no answer came, as botocore says it.
            Refused: the service's error answer.
        """
        self._turns.pause()
        if self._strikes(Fault.STALL):
            self._turns.sleep(self._delay())
        self._before(operation, request)
        try:
            answer = self._answer(operation, request)
        except Refused as refusal:
            self._turns.note(operation, request, refusal.code, refusal.members)
            self._after()
            raise
        self._turns.note(operation, request, answer)
        self._after()
        return answer

    def _before(self, operation: str, request: Mapping[str, Any]) -> None:
        if self._strikes(Fault.CRASH_BEFORE):
            raise Crash
        if self._strikes(Fault.LOST_REQUEST):
            raise _closed()
        if operation in _WRITES and self._strikes(Fault.LATE_REQUEST):
            self._send_later(operation, request)
            self._turns.sleep(READ_SECONDS)
            raise ReadTimeoutError(endpoint_url=_URL, error="timed out")
        if self._strikes(Fault.THROTTLED):
            code = self._rng.choice(["ProvisionedThroughputExceededException", "ThrottlingException"])
            raise Refused(code, "The level of configured provisioned throughput for the table was exceeded")
        if self._strikes(Fault.SERVER_ERROR):
            if operation in _WRITES and self._rng.random() < 0.5:
                self._send(operation, request)
            raise Refused("InternalServerError", "Internal server error", status=500)

    def _after(self) -> None:
        if self._strikes(Fault.CRASH_AFTER):
            raise Crash
        if self._strikes(Fault.LOST_REPLY):
            raise _closed()

    def _answer(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        if operation == "TransactWriteItems":
            return self._transact(request)
        if operation == "BatchGetItem":
            return self._batch_get(request)
        if operation in _WRITES and self._strikes(Fault.CONFLICT):
            raise Refused("TransactionConflictException", "Transaction is ongoing for the item")
        return self._engine.call(operation, request)

    def _transact(self, request: Mapping[str, Any]) -> dict[str, Any]:
        places = range(len(request["TransactItems"]))
        if self._strikes(Fault.ITEM_THROTTLED):
            unlucky = self._rng.choice(places)
            raise cancelled([{"Code": "ThrottlingError" if place == unlucky else "None"} for place in places])
        if self._strikes(Fault.CONFLICT):
            held = self._rng.sample(places, self._rng.randint(1, len(places)))
            return self._engine.transact(request, frozenset(held))
        if len(places) > 1 and self._strikes(Fault.SLOW_COMMIT):
            for _ in self._engine.commit_slowly(request, self._rng.shuffle):
                self._turns.pause()
            return {}
        return self._engine.call("TransactWriteItems", request)

    def _batch_get(self, request: Mapping[str, Any]) -> dict[str, Any]:
        ((table, wanted),) = request["RequestItems"].items()
        keys = list(wanted["Keys"])
        left: list[Any] = []
        if self._strikes(Fault.UNPROCESSED_KEYS):
            left = [keys.pop(self._rng.randrange(len(keys))) for _ in range(self._rng.randint(1, len(keys)))]
        torn = len(keys) > 1 and self._strikes(Fault.TORN_READ)
        items: list[Any] = []
        for number, part in enumerate([[key] for key in keys] if torn else [keys] if keys else []):
            if number:
                self._turns.pause()
            asked = {**request, "RequestItems": {table: {**wanted, "Keys": part}}}
            items += self._engine.call("BatchGetItem", asked)["Responses"][table]
        unprocessed = {table: {**wanted, "Keys": left}} if left else {}
        return {"Responses": {table: items}, "UnprocessedKeys": unprocessed}

    def _send_later(self, operation: str, request: Mapping[str, Any]) -> None:
        """The service makes the write when nobody waits for it any more; it may have taken it by then, or not."""
        token: str = request.get("ClientRequestToken", "")
        taken = bool(token) and token not in self._engine.in_progress and self._rng.random() < 0.5
        if taken:
            self._engine.in_progress.add(token)

        def arrive() -> None:
            if taken:
                self._engine.in_progress.discard(token)
            self._send(operation, request)

        self._turns.spawn(f"{LATE}{self._turns.current}", arrive, after=self._delay())

    def _send(self, operation: str, request: Mapping[str, Any]) -> None:
        """Makes the write, if it can be made; nobody hears of it."""
        try:
            self._turns.note(f"{operation}, unanswered", request, self._engine.call(operation, request))
        except Refused as refusal:
            self._turns.note(f"{operation}, unanswered", request, refusal.code)

    def _delay(self) -> float:
        return self._rng.uniform(0, self._dice.faults.latest_seconds)


def _closed() -> ConnectionClosedError:
    return ConnectionClosedError(error="connection reset", request=None, endpoint_url=_URL)
