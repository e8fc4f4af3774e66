"""Referrals: who is stopped and who is delayed of a generated population, what screening costs, and what a hot code makes hot.

The population (:mod:`tests.referralkit`) is played through the real screening, on the engine in memory. Weights and bounds
were chosen with the first set of seeds in sight; the second was drawn for this figure and nothing else.
"""

import math
import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from loyalty.attribution.claiming import new_referral
from loyalty.attribution.model import Referral
from loyalty.attribution.store import claim_puts
from loyalty.core.table import Table
from loyalty.referrals.remembering import seen_key
from loyalty.referrals.screening import Screener
from tests.bench import sizes
from tests.bench.engine import Running
from tests.bench.figures import Figure
from tests.bench.progress import bar
from tests.ledgerkit.clock import SettableClock
from tests.ledgerkit.tables import create_table
from tests.referralkit.matrix import Row, all_of, rows
from tests.referralkit.people import START
from tests.referralkit.playing import CODE, Decision, played, with_referrals
from tests.simulation.client import table_over
from tests.simulation.engine import MemoryDynamoDb

SEEDS: Final = (1, 2, 3)
UNSEEN: Final = (101, 102, 103)
STOPPED, DELAYED, APART = 0.95, 0.01, 0.02
"""The least share of abuse that is not paid at once, the most of honest referrals that are not, and how far the second
set of seeds may be from the first in either."""
HOT: Final = 100_000
HOTTEST: Final = 0.02
"""Share of the write units of all keys that the hottest may have."""
_CARRIERS: Final = 12
_REFERRER: Final = "mbr_ada"
_RULES: Final = with_referrals()


def play(seeds: Sequence[int], what: str) -> list[Decision]:
    """What is decided of the populations of some seeds."""
    decisions: list[Decision] = []
    with bar(what, len(seeds)) as told:
        for seed in seeds:
            decisions += played(seed)
            told(1)
    return decisions


def by_pattern(decisions: Sequence[Decision]) -> list[Row]:
    """The confusion matrix: each pattern, then all honest and all abusive referrals."""
    return [*rows(decisions), all_of(decisions, abusive=False), all_of(decisions, abusive=True)]


def of_population(tuned: Sequence[Decision], unseen: Sequence[Decision]) -> Iterator[Figure]:
    """The shares of the first set, how far the second is from them, and those of a check of equal e-mail addresses."""
    stopped, delayed = all_of(tuned, abusive=True), all_of(tuned, abusive=False)
    stopped_unseen, delayed_unseen = all_of(unseen, abusive=True), all_of(unseen, abusive=False)
    yield Figure("referral.abusive_decided", stopped.decided, "referrals")
    yield Figure("referral.honest_decided", delayed.decided, "referrals")
    yield Figure("referral.abusive_stopped_share", stopped.stopped, "of abuse", STOPPED, "min")
    yield Figure("referral.honest_delayed_share", delayed.stopped, "of honest", DELAYED)
    yield Figure("referral.unseen_abusive_stopped_share", stopped_unseen.stopped, "of abuse", STOPPED, "min")
    yield Figure("referral.unseen_honest_delayed_share", delayed_unseen.stopped, "of honest", DELAYED)
    yield Figure("referral.unseen_stopped_apart", abs(stopped.stopped - stopped_unseen.stopped), "", APART)
    yield Figure("referral.unseen_delayed_apart", abs(delayed.stopped - delayed_unseen.stopped), "", APART)
    yield Figure("peer.email_only.abusive_stopped_share", stopped.stopped_by_equality, "of abuse")
    yield Figure("peer.email_only.honest_delayed_share", delayed.stopped_by_equality, "of honest")


def of_one(running: Running) -> Iterator[Figure]:
    """What it costs to count one of whom everything is known, and to screen them."""
    table = running.table("referrals")
    rules, screener = _RULES, Screener(table, SettableClock(START))
    names = [f"mbr_{number:026}" for number in range(30)]
    for place, name in enumerate(names):
        claimed = _claimed(table, _friend(random.Random(place), name, place))  # noqa: S311 -- the same people every time
        if name != names[-1]:
            screener.count(rules, claimed)
    counted: list[Referral] = []
    count = running.cost(table, lambda: counted.append(screener.count(rules, claimed)))
    screen = running.cost(table, lambda: screener.screen(rules, counted[0]))
    yield Figure("referral.count.round_trips", count.round_trips, "calls", 2)
    yield Figure("referral.count.write_units", count.write_units, "units", 24)
    yield Figure("referral.count.read_units", count.read_units, "units", 8)
    yield Figure("referral.screen.round_trips", screen.round_trips, "calls", 2)
    yield Figure("referral.screen.read_units", screen.read_units, "units", 65)
    yield Figure("referral.screen.write_units", screen.write_units, "units", 0)
    running.drop(table)


def of_a_hot_code() -> Iterator[Figure]:
    """A hundred thousand who come by one code: what is written where."""
    engine = _Tallying()
    table = table_over(engine, "referrals")
    create_table(table.client, table.name)
    rules, screener = _RULES, Screener(table, SettableClock(START), sleep=lambda _: None)
    rng = random.Random(2026)  # noqa: S311 -- the same people every time
    with bar(f"{HOT:,} referrals of one code, in memory", HOT // 1_000) as told:
        for number in range(HOT):
            friend = _friend(rng, f"mbr_{rng.getrandbits(96):026}", number)
            screener.count(rules, _claimed(table, friend))
            engine.forget(table, friend)
            if number % 1_000 == 999:
                told(1)
    if screener.brought("acme", _REFERRER) != HOT:
        raise AssertionError("not everybody was counted, or somebody twice")
    units, index = engine.units, engine.index
    yield Figure("referral.hottest_key_share", max(units.values()) / sum(units.values()), "of units", HOTTEST)
    yield Figure("referral.hottest_index_key_share", max(index.values()) / sum(index.values()), "of index", 0.05)
    yield Figure("referral.items", engine.new / HOT, "items", 8)
    yield Figure("referral.writes", engine.writes / HOT, "writes", 11)
    yield Figure("referral.write_units", sum(units.values()) / HOT, "units", 22)
    yield Figure("referral.largest_shared_item", engine.largest, "bytes", 4096)


class _Tallying(MemoryDynamoDb):
    """The engine in memory, adding up what is written by key. It forgets its own history: there is too much of it."""

    def __init__(self) -> None:
        super().__init__()
        self.units: Counter[str] = Counter()
        self.index: Counter[str] = Counter()
        self.new = self.writes = self.largest = 0

    def call(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        answer = super().call(operation, request)
        if operation == "TransactWriteItems":
            for change in self.changes:
                self._written(change.old, change.new or {})
        self.changes.clear()
        self._tokens.clear()
        return answer

    def _written(self, old: Mapping[str, Any] | None, new: Mapping[str, Any]) -> None:
        pk, size = new["pk"]["S"], max(sizes.item_bytes(new), sizes.item_bytes(old or {}))
        self.writes += 1
        self.new += old is None
        self.units[pk] += sizes.TRANSACTIONAL * math.ceil(size / sizes.WRITE_UNIT_BYTES)
        entry = new.get("due_shard")
        if entry is not None and (old is None or old.get("due_at") != new["due_at"]):
            self.index[entry["S"]] += 1
        if new["sk"]["S"] in {"COUNTS", "SEEN"}:
            self.largest = max(self.largest, size)

    def forget(self, table: Table, friend: Referral) -> None:
        """Deletes what is one friend's alone and nobody reads again, to have room for all of them."""
        alone = [digest for digest in friend.likenesses.values() if not digest.startswith("carrier")]
        for pk, sk in [
            *(put.key for put in claim_puts(friend).values()),
            *(seen_key("acme", digest) for digest in alone),
        ]:
            table.client.delete_item(TableName=table.name, Key={"pk": {"S": pk}, "sk": {"S": sk}})


def _friend(rng: random.Random, name: str, number: int) -> Referral:
    """One of the many, of whom everything is told; a quarter is behind the networks of a few carriers."""
    kinds = ("email_like", "email_stem", "phone", "device", "payment", "address", "network")
    likenesses = {kind: f"{rng.getrandbits(160):040x}" for kind in kinds}
    if rng.random() < 0.25:
        likenesses["network"] = f"carrier{rng.randrange(_CARRIERS):033}"
    moment = START + number * timedelta(seconds=8)
    return new_referral(_RULES, referrer=_REFERRER, code=CODE, member_id=name, now=moment, likenesses=likenesses)


def _claimed(table: Table, friend: Referral) -> Referral:
    table.write(list(claim_puts(friend).values()))
    return replace(friend, revision=1)
