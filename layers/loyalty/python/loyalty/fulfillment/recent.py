"""A member's gift cards of late, by which screening finds those that come too fast.

``F#{program}#{member_id}`` / ``RECENT``: one map of a member's cards, at most :data:`MOST`, changed under a condition on its
revision, so that two holds at the same moment see each other. A card that came to nothing is taken out again.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from loyalty.core.clock import from_text, to_text
from loyalty.core.money import Money, minor_units
from loyalty.core.table import IntegerAttribute, Item, Put, Table, TextMapAttribute, Update
from loyalty.fulfillment.run import Run
from loyalty.fulfillment.runs import run_pk
from loyalty.programs.fulfillment import Velocity

RECENT_SK: Final = "RECENT"
MOST: Final = 1_000
"""Cards that are remembered of one member: the latest ones."""


class RecentItem(Item):
    """``cards``: redemption → ``moment value``."""

    cards = TextMapAttribute()
    revision = IntegerAttribute()


@dataclass(frozen=True, slots=True)
class Recent:
    """A card, or several of a reward, of one redemption."""

    redemption_id: str
    at: datetime
    value: Money


class RecentStore:
    """Reads and operations of the map."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def with_one(
        self, program: str, member_id: str, new: Recent, rules: Iterable[Velocity]
    ) -> tuple[list[Recent], Put]:
        """The cards that the rules look at, the new one among them, and the operation that remembers them."""
        pk = run_pk(program, member_id)
        item = self._table.get(RecentItem, pk, RECENT_SK)
        since = new.at - timedelta(days=max(rule.days for rule in rules))
        known = [] if item is None else [_recent(*pair) for pair in item.cards.items()]
        cards = sorted((each for each in known if each.at > since), key=lambda each: each.at)[-MOST + 1 :]
        cards = [*(each for each in cards if each.redemption_id != new.redemption_id), new]
        revision = 0 if item is None else item.revision
        unchanged = RecentItem.revision == revision if item is not None else RecentItem.pk.does_not_exist()
        texts = {each.redemption_id: f"{to_text(each.at)} {each.value}" for each in cards}
        return cards, Put(RecentItem(pk, RECENT_SK, cards=texts, revision=revision + 1), unchanged)

    def without(self, run: Run) -> list[Update]:
        """Forgets a card that came to nothing; nothing where it was not remembered."""
        pk = run_pk(run.program, run.member_id)
        item = self._table.get(RecentItem, pk, RECENT_SK)
        if item is None or run.redemption_id not in item.cards:
            return []
        actions = [RecentItem.cards[run.redemption_id].remove(), RecentItem.revision.set(item.revision + 1)]
        return [Update(RecentItem, pk, RECENT_SK, actions, RecentItem.revision == item.revision)]


def too_fast(cards: Iterable[Recent], rules: Iterable[Velocity], now: datetime) -> bool:
    """Whether any of the rules is broken at ``now`` (UTC) by these cards, of which the new one is one."""
    cards = list(cards)
    return any(_breaks(rule, [each for each in cards if each.at > now - timedelta(days=rule.days)]) for rule in rules)


def _breaks(rule: Velocity, cards: list[Recent]) -> bool:
    if rule.cards is not None and len(cards) > rule.cards:
        return True
    if rule.value is None:
        return False
    worth = sum(minor_units(each.value) for each in cards if each.value.currency == rule.value.currency)
    return worth > rule.value.minor


def _recent(redemption_id: str, text: str) -> Recent:
    at, _, value = text.partition(" ")
    return Recent(redemption_id, from_text(at), Money.parse(value))
