"""What a report says of referrals: counts, shares, costs and growth, reckoned by hand; who brought the most."""

from dataclasses import replace

import pytest

from loyalty.attribution.model import ReferralStatus, Source
from loyalty.core.money import Money
from loyalty.programs.costs import PointCost
from loyalty.referrals.leaders import Leader, Leaders
from loyalty.referrals.report import Cost, Fold, Growth, Ratio, Tally
from tests.ledgerkit.clock import at
from tests.unit.referrals.spring import ADA, BOB, claimed, spring

POINT = PointCost.model_validate({"amount": "0.0125", "currency": "EUR"})
FIRST = at("2026-02-28T23:00:00Z")


@pytest.fixture
def fold() -> Fold:
    fold = Fold()
    for referral in spring(FIRST):
        fold.add(referral)
    fold.add_links(Source("spring", "email"), shares=3, clicks=8)
    fold.add_links(Source("spring", "whatsapp"), shares=1, clicks=0)
    fold.add_links(Source("spring", "email"), shares=0, clicks=2)
    fold.add_links(Source(None, "email"), shares=2, clicks=6)
    fold.add_links(Source("winter", "poster"), shares=1, clicks=0)
    return fold


def figures(tally: Tally) -> tuple[int, ...]:
    """Shared, clicked, enrolled, by a link, qualified, rewarded, customers."""
    return (
        tally.shared, tally.clicked, tally.enrolled, tally.linked, tally.qualified, tally.rewarded, tally.customers,
    )  # fmt: skip


def test_each_step_is_counted_in_all_by_campaign_and_by_channel(fold: Fold) -> None:
    assert figures(fold.total()) == (7, 16, 9, 5, 7, 4, 3)
    assert {name: figures(tally) for name, tally in fold.campaigns()} == {
        None: (2, 6, 5, 2, 3, 0, 0),
        "spring": (4, 10, 4, 3, 4, 4, 3),
        "winter": (1, 0, 0, 0, 0, 0, 0),
    }
    assert {name: figures(tally) for name, tally in fold.channels()} == {
        None: (0, 0, 2, 0, 1, 0, 0),
        "email": (5, 16, 5, 4, 4, 2, 2),
        "poster": (1, 0, 0, 0, 0, 0, 0),
        "whatsapp": (1, 0, 2, 1, 2, 2, 1),
    }
    assert [name for name, _ in fold.channels()] == [None, "email", "poster", "whatsapp"]
    assert fold.total().statuses == {
        ReferralStatus.ENROLLED: 1, ReferralStatus.QUALIFIED: 1, ReferralStatus.REWARDED: 3, ReferralStatus.REVERSED: 1,
        ReferralStatus.EXPIRED: 1, ReferralStatus.REJECTED: 1, ReferralStatus.UNREWARDED: 1,
    }  # fmt: skip


def test_points_cost_and_revenue_are_of_the_customers_that_were_won(fold: Fold) -> None:
    total = fold.total()
    assert (total.points, total.member_points, total.taken_back, total.kept) == (450, 160, 140, 470)
    # 470 x 0.0125 = 5.875; for each of 3: 1.95833…
    assert total.cost(POINT) == Cost(Money.of("5.88", "EUR"), Money.of("1.96", "EUR"))
    assert total.cost(None) is None
    assert total.money() == [Money.of("50.50", "EUR"), Money.of("99.99", "USD")]
    by_channel = dict(fold.channels())
    # 280 x 0.0125 = 3.5 for two, 190 x 0.0125 = 2.375 for one; who was brought by none costs nothing.
    assert by_channel["email"].cost(POINT) == Cost(Money.of("3.50", "EUR"), Money.of("1.75", "EUR"))
    assert by_channel["whatsapp"].cost(POINT) == Cost(Money.of("2.38", "EUR"), Money.of("2.38", "EUR"))
    assert by_channel["poster"].cost(POINT) == Cost(Money.of("0", "EUR"), None)
    yen = PointCost.model_validate({"amount": "0.5", "currency": "JPY"})
    assert by_channel["whatsapp"].cost(yen) == Cost(Money.of("95", "JPY"), Money.of("95", "JPY"))


@pytest.mark.parametrize(
    ("part", "whole", "percent", "three"),
    [
        (1, 3, "33.3", "0.333"),
        (2, 3, "66.7", "0.667"),
        (1, 8, "12.5", "0.125"),
        (1, 2000, "0.1", "0.001"),  # 0.05 and 0.0005: halves go up
        (1, 2001, "0.0", "0.000"),
        (16, 7, "228.6", "2.286"),
        (0, 5, "0.0", "0.000"),
        (10**30, 10**30, "100.0", "1.000"),
        (0, 0, None, None),
        (4, 0, None, None),
    ],
)
def test_shares_are_exact_and_rounded_half_up_once(
    part: int, whole: int, percent: str | None, three: str | None
) -> None:
    assert (Ratio(part, whole).percent, Ratio(part, whole).text(3)) == (percent, three)


def test_growth_is_invitations_times_conversion() -> None:
    growth = Growth(members=60, shared=15, brought=9)
    # i = 15/60, c = 9/15, K = 9/60 = i x c
    assert (growth.invitations.text(3), growth.conversion.text(3), growth.k.text(3)) == ("0.250", "0.600", "0.150")
    by_word_of_mouth = Growth(members=60, shared=0, brought=9)
    assert (by_word_of_mouth.conversion.text(3), by_word_of_mouth.k.text(3)) == (None, "0.150")
    assert Growth(members=0, shared=0, brought=0).k.text(3) is None


def test_who_brought_most_is_first_and_what_was_taken_back_does_not_count(fold: Fold) -> None:
    assert fold.leaders.top() == [Leader(ADA, 2, 200), Leader(BOB, 1, 150)]
    assert fold.leaders.missed == 0
    tied = Leaders()
    for member, points in (("c", 5), ("a", 5), ("b", 6), ("d", 1), ("d", 1)):
        tied.add(member, points)
    assert [one.member_id for one in tied.top(3)] == ["d", "b", "a"]


def test_who_was_merged_is_counted_as_whom_they_were_merged_into() -> None:
    fold = Fold()
    fold.add(claimed(1, FIRST, ReferralStatus.REWARDED))
    before = claimed(2, FIRST, ReferralStatus.REWARDED)
    fold.add(replace(before, referrer=BOB))  # rewarded as ADA
    assert fold.leaders.top() == [Leader(ADA, 2, 200)]
