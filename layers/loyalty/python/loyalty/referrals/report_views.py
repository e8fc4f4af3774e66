"""How a report of referrals looks from outside: counts are whole numbers, money and shares are text."""

from datetime import date
from typing import Annotated, Self

from pydantic import Field

from loyalty.attribution.model import ReferralStatus
from loyalty.core.clock import to_text
from loyalty.core.fields import MoneyBody, ResponseBody
from loyalty.programs.costs import PointCost
from loyalty.referrals.leaders import Leader
from loyalty.referrals.report import Growth, Ratio, Report, Tally

Percent = Annotated[
    str | None, Field(description="In percent, with one decimal; null where it is of nothing.", examples=["57.1"])
]


class PointsView(ResponseBody):
    """Points of the wallet `points` that both sides were rewarded with."""

    referrers: int
    brought: Annotated[int, Field(description="To those who were brought.")]
    taken_back: Annotated[int, Field(description="From both sides of those that were reversed.")]


class SharesView(ResponseBody):
    """How many of each step came to the next one."""

    clicked_of_shared: Annotated[Percent, Field(description="A link may be followed more than once.")]
    linked_of_clicked: Percent
    qualified_of_enrolled: Percent
    rewarded_of_qualified: Percent
    reversed_of_rewarded: Percent


class TallyView(ResponseBody):
    """Counts of a campaign, of a channel, or of everything."""

    shared: Annotated[int, Field(description="Links that members were given to share for the first time.")]
    clicked: Annotated[int, Field(description="Times that a link was followed.")]
    enrolled: Annotated[int, Field(description="Whoever was brought.")]
    linked: Annotated[int, Field(description="Of them, who came by a link that was followed.")]
    qualified: Annotated[int, Field(description="Of them, who have qualified and did not give it back before.")]
    rewarded: Annotated[
        int, Field(description="Of them, for whom both sides were rewarded, also where it was taken back.")
    ]
    statuses: Annotated[dict[ReferralStatus, int], Field(description="Of `enrolled`, how far they are now.")]
    customers: Annotated[int, Field(description="Rewarded, and not taken back.")]
    shares: SharesView
    points: PointsView
    cost: Annotated[MoneyBody | None, Field(description="Of the points not taken back; null where `point_cost` is.")]
    cost_per_customer: Annotated[MoneyBody | None, Field(description="Null also where there are no customers.")]
    revenue: Annotated[
        list[MoneyBody], Field(description="What qualified the customers, less what they had given back by then.")
    ]

    @classmethod
    def of(cls, tally: Tally, point: PointCost | None) -> Self:
        """The view of these counts, with what a point costs."""
        cost = tally.cost(point)
        each = None if cost is None else cost.per_customer
        return cls(
            shared=tally.shared,
            clicked=tally.clicked,
            enrolled=tally.enrolled,
            linked=tally.linked,
            qualified=tally.qualified,
            rewarded=tally.rewarded,
            statuses={status: tally.statuses[status] for status in ReferralStatus},
            customers=tally.customers,
            shares=SharesView(
                clicked_of_shared=Ratio(tally.clicked, tally.shared).percent,
                linked_of_clicked=Ratio(tally.linked, tally.clicked).percent,
                qualified_of_enrolled=Ratio(tally.qualified, tally.enrolled).percent,
                rewarded_of_qualified=Ratio(tally.rewarded, tally.qualified).percent,
                reversed_of_rewarded=Ratio(tally.rewarded - tally.customers, tally.rewarded).percent,
            ),
            points=PointsView(referrers=tally.points, brought=tally.member_points, taken_back=tally.taken_back),
            cost=None if cost is None else MoneyBody.of(cost.total),
            cost_per_customer=None if each is None else MoneyBody.of(each),
            revenue=[MoneyBody.of(one) for one in tally.money()],
        )


class ByCampaignView(ResponseBody):
    """What one campaign brought; null: whatever had none."""

    campaign: str | None
    counts: TallyView


class ByChannelView(ResponseBody):
    """What one channel brought; null: whatever had none."""

    channel: str | None
    counts: TallyView


class GrowthView(ResponseBody):
    """The K-factor: whom a new member brings. i links shared for each, of which c bring somebody; K = i · c."""

    members: Annotated[int, Field(description="Who enrolled on these days, brought or not, and is still there.")]
    links_per_member: Annotated[str | None, Field(description="i; null where it is of nothing.", examples=["0.250"])]
    brought_per_link: Annotated[str | None, Field(description="c; null where it is of nothing.", examples=["0.480"])]
    k_factor: Annotated[str | None, Field(description="Brought, of those who enrolled.", examples=["0.120"])]

    @classmethod
    def of(cls, growth: Growth) -> Self:
        """The view of it, with three decimals."""
        return cls(
            members=growth.members,
            links_per_member=growth.invitations.text(3),
            brought_per_link=growth.conversion.text(3),
            k_factor=growth.k.text(3),
        )


class ReferrerView(ResponseBody):
    """Who brought customers."""

    member_id: str
    customers: int
    points: int

    @classmethod
    def of(cls, leader: Leader) -> Self:
        """The view of one."""
        return cls(member_id=leader.member_id, customers=leader.customers, points=leader.points)


class PointCostView(ResponseBody):
    """What a point costs, as the program's version in force says."""

    amount: str
    currency: str


class ReferralReportView(ResponseBody):
    """What referrals brought that were claimed on these days, as far as they are now."""

    program: str
    first_day: date
    last_day: date
    time_zone: Annotated[str, Field(description="Of the program; days are by its calendar.")]
    at: Annotated[str, Field(description="When it was counted.")]
    links_since: Annotated[
        date, Field(description="Before this day counts of links are kept no more; `shared` and `clicked` lack them.")
    ]
    total: TallyView
    campaigns: list[ByCampaignView]
    channels: list[ByChannelView]
    growth: GrowthView
    top_referrers: Annotated[list[ReferrerView], Field(description="By customers.")]
    top_referrers_missed: Annotated[
        int, Field(description="By how much a number of `top_referrers` may be too low; 0: all are exact.")
    ]
    point_cost: PointCostView | None

    @classmethod
    def of(cls, report: Report) -> Self:
        """The view of a report."""
        point = report.point
        cost = None if point is None else PointCostView(amount=f"{point.amount:f}", currency=point.currency)
        return cls(
            program=report.program,
            first_day=report.days.first,
            last_day=report.days.last,
            time_zone=report.days.zone,
            at=to_text(report.at),
            links_since=report.links_since,
            total=TallyView.of(report.total, point),
            campaigns=[
                ByCampaignView(campaign=name, counts=TallyView.of(one, point)) for name, one in report.campaigns
            ],
            channels=[ByChannelView(channel=name, counts=TallyView.of(one, point)) for name, one in report.channels],
            growth=GrowthView.of(report.growth),
            top_referrers=[ReferrerView.of(one) for one in report.leaders],
            top_referrers_missed=report.leaders_missed,
            point_cost=cost,
        )
