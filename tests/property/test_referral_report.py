"""Tables of a report of referrals add up to its totals, and whoever brought most is found in bounded memory."""

from collections import Counter
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from loyalty.attribution.model import Referral, ReferralStatus, Source
from loyalty.core.money import minor_units
from loyalty.programs.costs import PointCost
from loyalty.referrals.leaders import Leaders
from loyalty.referrals.report import Fold, Tally
from tests.ledgerkit.clock import at
from tests.unit.referrals.spring import claimed

CAMPAIGNS = st.sampled_from((None, "spring", "winter"))
CHANNELS = st.sampled_from((None, "email", "link", "poster"))
AMOUNTS = st.sampled_from(("30.00 EUR", "0.01 EUR", "7 JPY", "1.234 KWD"))
REFERRALS = st.lists(
    st.builds(
        claimed,
        st.integers(1, 10**6),
        st.just(at("2026-03-01")),
        st.sampled_from(ReferralStatus),
        referrer=st.sampled_from(("mbr_a", "mbr_b", "mbr_c")),
        campaign=CAMPAIGNS,
        channel=CHANNELS,
        linked=st.booleans(),
        points=st.integers(0, 10_000),
        amount=AMOUNTS,
    ),
    max_size=40,
)
LINKS = st.lists(st.tuples(st.builds(Source, CAMPAIGNS, CHANNELS), st.integers(0, 99), st.integers(0, 99)), max_size=20)


def added_up(tallies: list[tuple[str | None, Tally]]) -> Tally:
    total = Tally()
    for _, tally in tallies:
        total.add(tally)
    return total


@given(referrals=REFERRALS, links=LINKS, cents=st.integers(1, 999))
def test_campaigns_and_channels_each_add_up_to_the_whole(
    referrals: list[Referral], links: list[tuple[Source, int, int]], cents: int
) -> None:
    fold = Fold()
    for referral in referrals:
        fold.add(referral)
    for source, shares, clicks in links:
        fold.add_links(source, shares=shares, clicks=clicks)
    total = fold.total()
    assert added_up(fold.campaigns()) == added_up(fold.channels()) == total

    rewarded = [one for one in referrals if one.rewarded]
    kept = [one for one in rewarded if one.status is ReferralStatus.REWARDED]
    assert (total.shared, total.clicked) == (sum(one[1] for one in links), sum(one[2] for one in links))
    assert (total.enrolled, total.rewarded, total.customers) == (len(referrals), len(rewarded), len(kept))
    assert total.enrolled >= total.qualified >= total.rewarded >= total.customers
    assert total.kept == sum(one.rewarded.points + one.rewarded.member_points for one in kept if one.rewarded)
    of_currency: Counter[str] = Counter()
    for one in kept:
        if one.qualified and one.qualified.amount:
            of_currency[one.qualified.amount.currency] += minor_units(one.qualified.amount)
    assert {one.currency: minor_units(one) for one in total.money()} == of_currency

    cost = total.cost(PointCost.model_validate({"amount": f"0.{cents:03}", "currency": "EUR"}))
    assert cost is not None
    exact = Fraction(total.kept * cents, 1000)
    assert abs(Fraction(cost.total.amount) - exact) <= Fraction(1, 200)
    assert (cost.per_customer is None) == (not kept)
    if cost.per_customer is not None:
        assert abs(Fraction(cost.per_customer.amount) - exact / len(kept)) <= Fraction(1, 200)


@given(brought=st.lists(st.integers(0, 12), max_size=120), most=st.integers(1, 4))
def test_numbers_of_referrers_are_never_too_high_and_too_low_by_what_is_said_at_most(
    brought: list[int], most: int
) -> None:
    leaders, true = Leaders(most), Counter(str(one) for one in brought)
    for one in brought:
        leaders.add(str(one), 10)
    found = {one.member_id: one for one in leaders.top(100)}
    assert len(found) <= 2 * most
    for member_id, number in true.items():
        shown = found[member_id].customers if member_id in found else 0
        assert number - leaders.missed <= shown <= number
    assert all(one.points == 10 * one.customers for one in found.values())
    if len(true) <= 2 * most:
        assert leaders.missed == 0
