"""Imported codes in the table: each known for ever by its keyed hash, and free until a redemption takes it.

::

    U#{program}#{hash}           CODE          it was imported, or made; to whom it was sold
    Q#{program}#{reward}#{nn}    FREE#{hash}   the code itself, sealed for the pool; goes when it is sold
    Q#{program}#{reward}#{nn}    POOL          how many are free in the shard

A code is sold by deleting it from the pool, by writing the redemption into its record, and by sealing it for the member:
all in the transaction of the capture.
"""

import random
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from pynamodb.attributes import BinaryAttribute, UnicodeAttribute

from loyalty.core.clock import to_text
from loyalty.core.pii import Sealed
from loyalty.core.table import Delete, IntegerAttribute, Item, Operation, Put, Table, Update

SHARDS: Final = 16
FREE_PREFIX: Final = "FREE#"
CODE_SK: Final = "CODE"
POOL_SK: Final = "POOL"
_LOOKED_AT: Final = 25
"""Free codes of a shard of which one is chosen at random, so that claims at one moment seldom choose the same."""
_RANDOM: Final = random.SystemRandom()


class KnownCodeItem(Item):
    """``origin`` is the reward that it was imported or made for."""

    origin = UnicodeAttribute()
    known_at = UnicodeAttribute()
    redemption_id = UnicodeAttribute(null=True)
    sold_at = UnicodeAttribute(null=True)


class FreeCodeItem(Item):
    """Sealed for the pool: see ``core.pii.pool_code_of``."""

    key = BinaryAttribute(legacy_encoding=False)
    nonce = BinaryAttribute(legacy_encoding=False)
    data = BinaryAttribute(legacy_encoding=False)


class PoolItem(Item):
    """How many codes are free in one shard."""

    free = IntegerAttribute()


@dataclass(frozen=True, slots=True)
class FreeCode:
    """A code that nobody has yet."""

    program: str
    reward_id: str
    code_hash: str
    sealed: Sealed


class CodePool:
    """Reads free codes, and says by which operations one comes and goes."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def free(self, program: str, reward_id: str, identity: str) -> FreeCode | None:
        """A free code; None where there is none in any shard. One query, unless the first shard is empty."""
        first = zlib.crc32(identity.encode()) % SHARDS
        for step in range(SHARDS):
            page = self._table.query(
                _pool_pk(program, reward_id, (first + step) % SHARDS),
                where=FreeCodeItem.sk.startswith(FREE_PREFIX),
                limit=_LOOKED_AT,
            )
            if page.items:
                item = FreeCodeItem.from_raw_data(_RANDOM.choice(page.items))
                sealed = Sealed(item.key, item.nonce, item.data)
                return FreeCode(program, reward_id, item.sk.removeprefix(FREE_PREFIX), sealed)
        return None

    def left(self, program: str, reward_id: str) -> int:
        """How many are free, over all shards: one read of 16 items."""
        keys = [(_pool_pk(program, reward_id, number), POOL_SK) for number in range(SHARDS)]
        return sum(int(raw["free"]["N"]) for raw in self._table.get_many(keys).values())

    def known(self, program: str, code_hash: str) -> bool:
        """Whether such a code was ever imported or made in the program."""
        return self._table.read(_known_pk(program, code_hash), CODE_SK) is not None

    def add(self, code: FreeCode, now: datetime) -> list[Operation]:
        """Makes a code known and free; its first operation fails where it is known."""
        pk = _pool_pk(code.program, code.reward_id, _shard(code.code_hash))
        sealed = code.sealed
        free = FreeCodeItem(
            pk, FREE_PREFIX + code.code_hash, key=sealed.key, nonce=sealed.nonce, data=sealed.ciphertext
        )
        known = KnownCodeItem(
            _known_pk(code.program, code.code_hash), CODE_SK, origin=code.reward_id, known_at=to_text(now)
        )
        return [
            Put(known, KnownCodeItem.pk.does_not_exist()),
            Put(free),
            Update(PoolItem, pk, POOL_SK, [PoolItem.free.add(1)]),
        ]

    def sell(self, code: FreeCode, redemption_id: str, now: datetime) -> list[Operation]:
        """Takes a free code for a redemption; fails where another took it."""
        pk = _pool_pk(code.program, code.reward_id, _shard(code.code_hash))
        sold = [KnownCodeItem.redemption_id.set(redemption_id), KnownCodeItem.sold_at.set(to_text(now))]
        return [
            Delete(FreeCodeItem, pk, FREE_PREFIX + code.code_hash, FreeCodeItem.pk.exists()),
            Update(
                KnownCodeItem, _known_pk(code.program, code.code_hash), CODE_SK, sold,
                KnownCodeItem.pk.exists() & KnownCodeItem.redemption_id.does_not_exist(),
            ),
            Update(PoolItem, pk, POOL_SK, [PoolItem.free.add(-1)], shared=True),
        ]  # fmt: skip

    def hashes(self, program: str, reward_id: str) -> Iterator[str]:
        """Of all free codes; for audits."""
        for number in range(SHARDS):
            for raw in self._table.query_all(
                _pool_pk(program, reward_id, number), where=FreeCodeItem.sk.startswith(FREE_PREFIX)
            ):
                yield raw["sk"]["S"].removeprefix(FREE_PREFIX)


def made_known(program: str, reward_id: str, code_hash: str, redemption_id: str, now: datetime) -> Put:
    """Writes down a code that the platform made for a redemption; fails where there is such a code."""
    item = KnownCodeItem(
        _known_pk(program, code_hash), CODE_SK,
        origin=reward_id, known_at=to_text(now), redemption_id=redemption_id, sold_at=to_text(now),
    )  # fmt: skip
    return Put(item, KnownCodeItem.pk.does_not_exist())


def _shard(code_hash: str) -> int:
    return int(code_hash[:8], 16) % SHARDS


def _pool_pk(program: str, reward_id: str, shard: int) -> str:
    return f"Q#{program}#{reward_id}#{shard:02}"


def _known_pk(program: str, code_hash: str) -> str:
    return f"U#{program}#{code_hash}"
