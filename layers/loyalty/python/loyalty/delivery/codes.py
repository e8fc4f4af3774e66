"""Codes for discounts: out of an imported pool, or made by the platform."""

import secrets
from collections.abc import Callable, Sequence
from typing import Final

from loyalty.core.clock import Clock
from loyalty.core.pii import Lookups, Vault, pool_code_of
from loyalty.core.table import Operation
from loyalty.delivery.errors import NothingToGive
from loyalty.delivery.pool import CodePool, made_known
from loyalty.programs.rewards import Reward
from loyalty.rewards.model import Redemption
from loyalty.suppliers.model import GiftCard
from loyalty.vault.store import CardVault, card_in

CODE: Final = "coupon"
"""The kind of lookup that a code is."""
_ALPHABET: Final = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""No 0/O, 1/I/L: a code is read aloud and typed by hand."""
_GROUPS: Final = 5
_GROUP: Final = 4
"""Twenty characters: 31**20, 99 bits."""
_PREFIX: Final = 4


def code_hash(lookups: Lookups, program: str, code: str) -> str:
    """The keyed hash by which a code is known in its program; letter by letter, since shops may tell cases apart."""
    return lookups.digest(program, CODE, code)


def new_code(reward_id: str) -> str:
    """A code that nobody can guess, such as ``SUMM-7K2M-Q9XA-…``; it begins like the reward, for the people at the till."""
    prefix = "".join(letter for letter in reward_id.upper() if letter.isalnum())[:_PREFIX]
    parts = ["".join(secrets.choice(_ALPHABET) for _ in range(_GROUP)) for _ in range(_GROUPS)]
    return "-".join([prefix, *parts])


class CodeHandler:
    """See :class:`Handler`. A pool's code is opened, and sealed anew for the member: two calls to KMS, for a made one one."""

    def __init__(
        self,
        pool: CodePool,
        *,
        pool_vault: Vault,
        cards: CardVault,
        lookups: Lookups,
        clock: Clock,
        make: Callable[[str], str] = new_code,
    ) -> None:
        self._pool = pool
        self._pool_vault = pool_vault
        self._cards = cards
        self._lookups = lookups
        self._clock = clock
        self._make = make

    def deliver(self, redemption: Redemption, reward: Reward) -> Sequence[Operation]:
        """See :meth:`Handler.deliver`."""
        if reward.codes is None:
            raise NothingToGive("no_codes")
        now = self._clock()
        if reward.codes.source == "generated":
            code = self._make(reward.id)
            hashed = code_hash(self._lookups, redemption.program, code)
            known = made_known(redemption.program, reward.id, hashed, redemption.redemption_id, now)
            return [known, self._sealed(redemption, GiftCard(code=code))]
        free = self._pool.free(redemption.program, reward.id, redemption.redemption_id)
        if free is None:
            raise NothingToGive("no_code_left")
        subject = pool_code_of(redemption.program, reward.id, free.code_hash)
        card = card_in(self._pool_vault.open(subject, free.sealed))
        return [*self._pool.sell(free, redemption.redemption_id, now), self._sealed(redemption, card)]

    def _sealed(self, redemption: Redemption, card: GiftCard) -> Operation:
        return self._cards.put(
            redemption.program, redemption.member_id, redemption.redemption_id, card, now=self._clock()
        )
