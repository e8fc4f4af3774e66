"""Budgets of campaigns, shard by shard, as the table had them at every moment."""

from collections.abc import Iterable, Iterator, Mapping

from loyalty.ledger.model import Entry
from tests.simulation.dynamodb.storage import Change
from tests.simulation.judge.commits import keys_of
from tests.simulation.judge.telling import used_of
from tests.simulation.judge.violation import require

SHARDS = 16


class Budgets:
    """What every shard of a budget had spent after which change; ``limits`` are the budgets, by campaign."""

    def __init__(self, changes: Iterable[Change], limits: Mapping[str, int]) -> None:
        self._limits = limits
        self._spent: dict[tuple[str, int], list[tuple[int, int]]] = {}
        now: dict[str, dict[int, int]] = {}
        for change in changes:
            pk, _ = keys_of(change)
            if not pk.startswith("B#") or change.new is None:
                continue
            campaign, shard, spent = pk.split("#")[2], int(pk.split("#")[3]), int(change.new["spent"]["N"])
            self._spent.setdefault((campaign, shard), []).append((change.number, spent))
            now.setdefault(campaign, {})[shard] = spent
            total = sum(now[campaign].values())
            require(0 <= spent <= self._share(campaign, shard), "budget", f"{pk} has spent {spent} of its share")
            require(total <= limits[campaign], "budget", f"{campaign} has spent {total} of {limits[campaign]}")

    def seen(self, campaign: str, since: int, until: int) -> range:
        """What somebody may have seen to be left who read all shards, one by one, between two changes."""
        spent = [self._spent_between(campaign, shard, since, until) for shard in range(SHARDS)]
        limit = self._limits[campaign]
        return range(limit - sum(map(max, spent)), limit - sum(map(min, spent)) + 1)

    def spent(self, campaign: str, shard: int) -> int:
        """At the end."""
        return next((spent for _, spent in reversed(self._spent.get((campaign, shard), []))), 0)

    def used_by(self, entry: Entry) -> Iterator[tuple[str, int, int]]:
        """Campaigns and shards, and what an accrual used of them."""
        for kind, owner, _, place, number in used_of(entry):
            if kind == "budget":
                yield owner.removeprefix("campaign:"), int(place), number

    def _spent_between(self, campaign: str, shard: int, since: int, until: int) -> list[int]:
        history = self._spent.get((campaign, shard), [])
        before = next((spent for number, spent in reversed(history) if number <= since), 0)
        return [before, *(spent for number, spent in history if since < number <= until)]

    def _share(self, campaign: str, shard: int) -> int:
        each, rest = divmod(self._limits[campaign], SHARDS)
        return each + (shard < rest)
