"""Putting rewards into stock, withdrawing them, and saying what is left."""

from collections.abc import Mapping
from typing import Final

from loyalty.core import ids
from loyalty.core.clock import Clock
from loyalty.core.errors import IdempotencyKeyReused, RewardNotFound
from loyalty.programs.model import Program
from loyalty.stock.errors import RestockIsZero, RewardNotLimited
from loyalty.stock.model import Restock, Stock, parts_added, parts_withdrawn
from loyalty.stock.store import StockStore

SHOWN: Final = 50
"""Restocks that are listed."""


class StockService:
    """Restocks are records that are written once; what is left follows from them and from the ledger's entries."""

    def __init__(self, store: StockStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def read(self, program: Program, reward_id: str) -> Stock:
        """What is left of a reward, and how it came to be.

        Raises:
            RewardNotFound: not in the program's catalogue.
            RewardNotLimited: there is no end of it.
        """
        _require_limited(program, reward_id)
        name = program.document.id
        return Stock(self._store.level(name, reward_id), self._store.restocks(name, reward_id, limit=SHOWN))

    def add(
        self,
        program: Program,
        reward_id: str,
        *,
        add: int,
        reference: str,
        actor: str,
        client_id: str,
        idempotency_key: str,
    ) -> tuple[Restock, bool]:
        """The restock that this client's idempotency key stands for; True where an earlier call made it.

        Args:
            program: in force.
            reward_id: of a reward with finite stock.
            add: units; below zero they are withdrawn.
            reference: the operator's own.
            actor: who asks for it, a staff id.
            client_id: the app that they ask through.
            idempotency_key: new for each restock.

        Raises:
            RewardNotFound, RewardNotLimited: it has no stock.
            RestockIsZero: nothing would change.
            StockTooLow: fewer are left than are to be withdrawn.
            IdempotencyKeyReused: the key was used with another request.
            Unavailable: claims changed the shards all the time.
        """
        _require_limited(program, reward_id)
        if add == 0:
            raise RestockIsZero("Add one at least, or withdraw some with a number below zero.", pointer="/add")
        name = program.document.id
        restock_id = ids.restock_id(name, reward_id, client_id, idempotency_key)
        request = ids.request_hash({"add": add, "reference": reference, "actor": actor})
        made: list[Restock] = []

        def decide(left: Mapping[str, int]) -> Restock:
            parts = parts_added(reward_id, restock_id, add) if add > 0 else parts_withdrawn(reward_id, -add, left)
            now = self._clock()
            made.append(Restock(name, reward_id, restock_id, add, reference, actor, client_id, request, now, parts))
            return made[-1]

        written = self._store.write(name, reward_id, restock_id, decide)
        return (made[-1], False) if written is None else (_same_request(written, request), True)


def _require_limited(program: Program, reward_id: str) -> None:
    reward = program.document.reward(reward_id)
    if reward is None:
        raise RewardNotFound(f"Program '{program.document.id}' has no reward '{reward_id}'.")
    if not reward.limited:
        raise RewardNotLimited(
            f"There is no end of '{reward_id}': publish it with \"limited\": true to count its stock."
        )


def _same_request(earlier: Restock, request: str) -> Restock:
    if earlier.request_hash != request:
        raise IdempotencyKeyReused("This Idempotency-Key was used for another restock of this reward; send a new key.")
    return earlier
