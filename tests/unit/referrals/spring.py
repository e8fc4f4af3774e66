"""A spring of referrals, small enough to be reckoned by hand.

::

    day (Rome)  friend  campaign  channel   how far                           points   amount
    1 March     1       spring    email     rewarded, by a link of ADA        100+40   30.00 EUR
    1 March     2       spring    email     rewarded, by a link of ADA        100+40   20.50 EUR
    2 March     3       spring    whatsapp  rewarded, by a code of BOB        150+40   99.99 USD
    2 March     4       spring    whatsapp  reversed, by a link of BOB        100+40   30.00 EUR
    3 March     5       -         email     qualified, by a link of ADA                50.00 EUR
    3 March     6       -         -         enrolled, by a code of ADA
    3 March     7       -         email     rejected, by a link of CLEO                30.00 EUR
    3 March     8       -         email     expired, by a code of CLEO
    3 March     9       -         -         unrewarded, by a code of CLEO              30.00 EUR
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from loyalty.attribution.model import Qualified, Referral, ReferralStatus, Rewarded, Source
from loyalty.core.money import Money

ADA, BOB, CLEO = ("mbr_" + letter * 26 for letter in "abc")
_QUALIFIED: Final = frozenset(ReferralStatus) - {ReferralStatus.ENROLLED, ReferralStatus.EXPIRED}
_REWARDED: Final = frozenset({ReferralStatus.REWARDED, ReferralStatus.REVERSED})


def friend(number: int) -> str:
    """The id of who was brought."""
    return f"mbr_{number:026}"


def claimed(
    number: int,
    at: datetime,
    status: ReferralStatus = ReferralStatus.ENROLLED,
    *,
    referrer: str = ADA,
    campaign: str | None = None,
    channel: str | None = None,
    linked: bool = False,
    points: int = 100,
    amount: str = "30.00 EUR",
) -> Referral:
    """A referral of that moment (UTC) and status; who was rewarded got 40 points."""
    later = at + timedelta(days=1)
    qualified = Qualified(f"accrual:pos:B-{number}", Money.parse(amount), later, later, later + timedelta(days=14))
    return Referral(
        program="acme",
        member_id=friend(number),
        referrer=referrer,
        code="K7WQ4M2X",
        claimed_at=at,
        deadline=at + timedelta(days=30),
        status=status,
        source=Source(campaign, channel, f"clk_{number:026}" if linked else None),
        qualified=qualified if status in _QUALIFIED else None,
        rewarded=Rewarded(referrer, friend(number), number, points, 40, later) if status in _REWARDED else None,
    )


def spring(first: datetime) -> Iterator[Referral]:
    """The nine, whose first day begins at ``first`` (UTC)."""
    second, third = first + timedelta(days=1, hours=12), first + timedelta(days=2, hours=12)
    of, done = ReferralStatus, ReferralStatus.REWARDED
    yield claimed(1, first, done, campaign="spring", channel="email", linked=True)
    yield claimed(2, first, done, campaign="spring", channel="email", linked=True, amount="20.50 EUR")
    yield claimed(3, second, done, referrer=BOB, campaign="spring", channel="whatsapp", points=150, amount="99.99 USD")
    yield claimed(4, second, of.REVERSED, referrer=BOB, campaign="spring", channel="whatsapp", linked=True)
    yield claimed(5, third, of.QUALIFIED, channel="email", linked=True, amount="50.00 EUR")
    yield claimed(6, third, of.ENROLLED)
    yield claimed(7, third, of.REJECTED, referrer=CLEO, channel="email", linked=True)
    yield claimed(8, third, of.EXPIRED, referrer=CLEO, channel="email")
    yield claimed(9, third, of.UNREWARDED, referrer=CLEO)
