"""What is counted while a period is replayed, and what it comes to."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from loyalty.ledger.model import POINTS, Entry
from loyalty.programs.model import ProgramDocument
from loyalty.simulating.cost import Prices
from loyalty.simulating.model import Both, Identity, Period, issued
from loyalty.simulating.replay import Given, Replay
from loyalty.simulating.report import BudgetRow, LadderRow, Points, Report, RuleRow, TierRow

_Numbers = Counter[tuple[str, str]]
"""By tier of the draft, and wallet."""


@dataclass(slots=True)
class Side:
    """What was counted under one version: points by tier and wallet, what rules gave, what was refused."""

    points: _Numbers = field(default_factory=Counter)
    rules: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)

    def add(self, tier: str, given: Given) -> None:
        """Counts what an activity earned."""
        _add(self.points, tier, given.points)
        self.rules.update(given.rules)
        self.refused.update([given.refusal] if given.refusal else [])


@dataclass(slots=True)
class Tally:
    """Everything that is counted; the tier is the one under the draft at the moment of the activity."""

    now: Side = field(default_factory=Side)
    draft: Side = field(default_factory=Side)
    posted: _Numbers = field(default_factory=Counter)
    activities: Counter[str] = field(default_factory=Counter)
    members: dict[str, set[str]] = field(default_factory=dict)
    partly_known: int = 0
    unreadable: int = 0
    _tiers: dict[Identity, str] = field(default_factory=dict)

    def add(self, entry: Entry, now: Given, draft: Given, *, is_taken_back: bool) -> None:
        """Counts an activity, under both versions and as it was posted."""
        tier = draft.tier
        self.activities[tier] += 1
        self.members.setdefault(tier, set()).add(entry.member_id)
        _add(self.posted, tier, issued(entry))
        self.now.add(tier, now)
        self.draft.add(tier, draft)
        if is_taken_back:
            self._tiers[entry.member_id, entry.entry_id] = tier

    def take_back(
        self, homes: Iterable[Identity], posted: Mapping[str, int], now: Mapping[str, int], draft: Mapping[str, int]
    ) -> None:
        """Counts a reversal under the tier of its activity, which is one of ``homes``; none of one before the period."""
        tier = next((self._tiers[home] for home in homes if home in self._tiers), None)
        if tier is not None:
            _add(self.posted, tier, posted)
            _add(self.now.points, tier, {wallet: -points for wallet, points in now.items()})
            _add(self.draft.points, tier, {wallet: -points for wallet, points in draft.items()})


def report_of(tally: Tally, replays: tuple[Replay, Replay], prices: Prices, *, named: str, period: Period) -> Report:
    """What two replays that have ended come to: of the version in force, and of the other one."""
    now, draft = replays
    documents = now.program.document, draft.program.document
    seen = {tier for tier, _ in (*tally.posted, *tally.now.points, *tally.draft.points)} | tally.activities.keys()
    order = [*(tier.id for tier in documents[1].tiers), *sorted(seen)]
    tiers = [tier for tier in dict.fromkeys(order) if tier in seen]
    liability = _both(now.liability(), draft.liability())
    return Report(
        program=documents[0].id,
        now=now.program.version,
        draft=named,
        period=period,
        members=len([book for book in draft.books.values() if book.merged_into is None]),
        activities=tally.activities.total(),
        tiers=tuple(_row(tally, prices, tier, [tier]) for tier in tiers),
        total=_row(tally, prices, None, tiers),
        ladders=tuple(_ladders(now, draft)),
        rules=tuple(_rules(tally, documents)),
        budgets=tuple(_budgets(now, draft)),
        liability=liability,
        liability_costs=prices.of(liability),
        costs_known=prices.known,
        partly_known=tally.partly_known,
        unreadable=tally.unreadable,
        refused=_both(tally.now.refused, tally.draft.refused),
    )


def _row(tally: Tally, prices: Prices, tier: str | None, tiers: Sequence[str]) -> TierRow:
    def of(numbers: _Numbers, wallet: str) -> int:
        return sum(numbers[one, wallet] for one in tiers)

    wallets = {wallet for _, wallet in (*tally.posted, *tally.now.points, *tally.draft.points)} | {POINTS}
    points = {
        wallet: Points(of(tally.posted, wallet), Both(of(tally.now.points, wallet), of(tally.draft.points, wallet)))
        for wallet in sorted(wallets, key=lambda wallet: (wallet != POINTS, wallet))
    }
    return TierRow(
        tier=tier,
        activities=sum(tally.activities[one] for one in tiers),
        members=len(set[str]().union(*(tally.members.get(one, set()) for one in tiers))),
        points=points,
        costs=prices.of({wallet: one.both for wallet, one in points.items()}),
    )


def _ladders(now: Replay, draft: Replay) -> Iterable[LadderRow]:
    ladders = now.program.scope.ladders, draft.program.scope.ladders
    for ladder in dict.fromkeys([*ladders[1], *ladders[0]]):
        before, after = _stands(now, ladder), _stands(draft, ladder)
        counts = Counter(before.values()), Counter(after.values())
        tiers = [tier for terms in (ladders[1].get(ladder), ladders[0].get(ladder)) if terms for tier in terms.tiers]
        terms = ladders[1].get(ladder) or ladders[0][ladder]
        moves = [terms.rank(after[one]) - terms.rank(before[one]) for one in after if one in before]
        yield LadderRow(
            ladder,
            {tier: Both(counts[0][tier], counts[1][tier]) for tier in dict.fromkeys([*tiers, *counts[0], *counts[1]])},
            up=sum(move > 0 for move in moves),
            down=sum(move < 0 for move in moves),
        )


def _stands(replay: Replay, ladder: str) -> dict[str, str]:
    """The tier of each member at the end; of nobody where the version does not have the ladder."""
    terms = replay.program.scope.ladders.get(ladder)
    if terms is None:
        return {}
    books = (book for book in replay.books.values() if book.merged_into is None)
    return {book.member_id: book.standing(ladder, terms).tier for book in books}


def _rules(tally: Tally, documents: tuple[ProgramDocument, ProgramDocument]) -> Iterable[RuleRow]:
    """Every rule of either version, in the order of the draft: one that gave nothing tells something too."""
    names = [f"{rule.wallet}/{rule.id}" for document in reversed(documents) for rule in document.earn_rules]
    for name in dict.fromkeys(names):
        wallet, rule = name.split("/")
        yield RuleRow(wallet, rule, Both(tally.now.rules[name], tally.draft.rules[name]))


def _budgets(now: Replay, draft: Replay) -> Iterable[BudgetRow]:
    of_now, of_draft = (
        {one.id: one.budget_points for one in replay.program.document.campaigns if one.budget_points is not None}
        for replay in (now, draft)
    )
    for campaign in dict.fromkeys([*of_draft, *of_now]):
        used = Both(now.counts.spent(campaign), draft.counts.spent(campaign))
        yield BudgetRow(campaign, of_now.get(campaign), of_draft.get(campaign), used)


def _both(now: Mapping[str, int], draft: Mapping[str, int]) -> dict[str, Both]:
    return {key: Both(now.get(key, 0), draft.get(key, 0)) for key in sorted({*now, *draft})}


def _add(numbers: _Numbers, tier: str, points: Mapping[str, int]) -> None:
    for wallet, number in points.items():
        numbers[tier, wallet] += number
