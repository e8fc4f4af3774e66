"""What the catalogue and redemptions look like to partner apps."""

from typing import Annotated, Any, Self

from pydantic import Field, StringConstraints

from loyalty.core.clock import to_text
from loyalty.core.fields import MoneyBody, RequestBody, ResponseBody, SourceId
from loyalty.core.money import Money
from loyalty.programs.brand import HttpsUrl, Language, name_in
from loyalty.programs.fields import MAX_POINTS, Slug
from loyalty.programs.offer import OfferedDenomination
from loyalty.programs.showing import Prose
from loyalty.rewards.catalogue import Shown, ShownToMember
from loyalty.rewards.holding import MAX_HOLD_MINUTES, Wish
from loyalty.rewards.model import Redemption
from loyalty.rewards.pictures import PictureLinks
from loyalty.rewards.quoting import Quote

Country = Annotated[
    str, StringConstraints(pattern=r"^[A-Z]{2}$"), Field(description="ISO 3166-1 alpha-2.", examples=["ID"])
]


class QuoteBody(RequestBody):
    """Which reward, and how many of it."""

    reward_id: Slug
    quantity: Annotated[int, Field(strict=True, ge=1, le=100)] = 1
    amount: Annotated[
        MoneyBody | None, Field(description="Of each, where the reward has `denominations`; else left out.")
    ] = None
    country: Annotated[Country | None, Field(description="Where it is redeemed.")] = None
    hold_minutes: Annotated[
        int | None,
        Field(
            strict=True,
            ge=1,
            le=MAX_HOLD_MINUTES,
            description="After so many minutes the points go back by themselves. Left out: as long as the program says. "
            "Not for what the platform gives, which ends by itself.",
        ),
    ] = None

    @property
    def money(self) -> Money | None:
        """The chosen amount.

        Raises:
            UnknownCurrency, TooManyDecimals: see :meth:`MoneyBody.to_money`.
        """
        return None if self.amount is None else self.amount.to_money()

    @property
    def wish(self) -> Wish:
        """What is wished for; raises as :attr:`money`."""
        return Wish(self.reward_id, self.quantity, self.hold_minutes, self.money, self.country)


class RedemptionBody(QuoteBody):
    """What is redeemed, and for which price."""

    quoted_points: Annotated[
        int | None,
        Field(strict=True, ge=1, le=MAX_POINTS, description="The price that the member saw; at another one: 409."),
    ] = None
    quoted_wallet: Annotated[
        Slug | None, Field(description="The wallet that the member saw beside it; from another one: 409.")
    ] = None


class CaptureBody(RequestBody):
    """How many of the held points are spent, and how what they bought is delivered."""

    points: Annotated[
        int | None,
        Field(strict=True, ge=1, le=MAX_POINTS, description="The others go back. Left out: all are spent."),
    ] = None
    reference: Annotated[
        SourceId | None, Field(description="Your own id of the order, the booking, the parcel.", examples=["ORD-4711"])
    ] = None
    tracking_url: Annotated[HttpsUrl | None, Field(description="Where the member can follow it.")] = None


class RedemptionView(ResponseBody):
    """A redemption. It is ``held`` until it ends once: ``captured``, ``released`` or ``timed_out``.

    What was captured may be ``cancelled``. Codes and links of what was delivered are never in it.
    """

    redemption_id: str
    status: str
    reward_id: str
    reward_type: str
    quantity: int
    points: Annotated[int, Field(description="The whole price.")]
    wallet: Annotated[str, Field(description="The wallet that it was held in, and comes back to.")]
    cash: Annotated[MoneyBody | None, Field(description="What you collect for all of it, beside the points.")] = None
    value: Annotated[MoneyBody | None, Field(description="What all of it is worth, where that is known.")] = None
    country: str | None = None
    held_at: str
    expires_at: Annotated[
        str | None, Field(description="When the points go back, unless the redemption has ended by then; null: never.")
    ] = None
    ended_at: Annotated[str | None, Field(description="When it was captured, released, or timed out.")] = None
    captured_points: Annotated[int | None, Field(description="How many of the points were captured.")] = None
    cancelled_at: Annotated[str | None, Field(description="When the captured points came back.")] = None
    reference: str | None = None
    tracking_url: str | None = None

    @classmethod
    def of(cls, redemption: Redemption) -> Self:
        """The view of a redemption."""
        moments = {
            name: None if (moment := getattr(redemption, name)) is None else to_text(moment)
            for name in ("expires_at", "ended_at", "cancelled_at")
        }
        return cls(
            redemption_id=redemption.redemption_id,
            status=redemption.status,
            reward_id=redemption.reward_id,
            reward_type=redemption.reward_type,
            quantity=redemption.quantity,
            points=redemption.points,
            wallet=redemption.wallet,
            cash=_money(redemption.cash),
            value=_money(redemption.value),
            country=redemption.country,
            held_at=to_text(redemption.held_at),
            captured_points=redemption.captured_points,
            reference=redemption.reference,
            tracking_url=redemption.tracking_url,
            **moments,
        )


class RedemptionsPage(ResponseBody):
    """Redemptions of a member, newest first. A narrow filter may leave a page with fewer than were asked for, or none."""

    items: list[RedemptionView]
    next_cursor: Annotated[str | None, Field(description="Send it as `cursor` for the next page; null on the last.")]


class ReasonView(ResponseBody):
    """What speaks against it: the `code` of the problem that a hold would be answered with."""

    code: str
    detail: str


class QuoteView(ResponseBody):
    """What it would cost now. It reserves nothing."""

    reward_id: str
    quantity: int
    points: Annotated[int, Field(description="For all of it; send it as `quoted_points` with the hold.")]
    wallet: Annotated[str, Field(description="The wallet that it is paid from; send it as `quoted_wallet`.")]
    cash: MoneyBody | None
    value: MoneyBody | None
    available_points: Annotated[int, Field(description="Of that wallet, that the member can spend now.")]
    remaining_points: Annotated[int | None, Field(description="That would be left; null: there are too few.")]
    redeemable: bool
    reasons: Annotated[list[ReasonView], Field(description="All that speaks against it; empty where it is redeemable.")]
    quoted_at: str

    @classmethod
    def of(cls, quote: Quote) -> Self:
        """The view of a quote."""
        return cls(
            reward_id=quote.wish.reward_id,
            quantity=quote.wish.quantity,
            points=quote.price.points,
            wallet=quote.price.wallet,
            cash=_money(quote.price.cash),
            value=_money(quote.price.value),
            available_points=max(quote.available, 0),
            remaining_points=quote.remaining,
            redeemable=not quote.objections,
            reasons=[ReasonView(code=one.code, detail=one.detail) for one in quote.objections],
            quoted_at=to_text(quote.quoted_at),
        )


class LimitView(ResponseBody):
    """How many one member may redeem on a day, in a week, month or year of the program, or ever."""

    per: str
    count: int


class RewardView(ResponseBody):
    """An item of the catalogue, in the language of the answer."""

    reward_id: str
    name: str
    description: str | None
    terms: Annotated[str | None, Field(description="How it is used.")]
    type: str
    points: Annotated[int | None, Field(description="Price of one; null: by the amount that the member chooses.")]
    wallet: Annotated[str, Field(description="The wallet whose points it costs.")]
    cash: Annotated[MoneyBody | None, Field(description="Which you collect beside the points.")]
    denominations: list[OfferedDenomination]
    value: Annotated[MoneyBody | None, Field(description="What one is worth, where that is fixed.")]
    picture_url: Annotated[str | None, Field(description="Good for an hour; ask again, and do not store it.")]
    countries: Annotated[list[str], Field(description="Only there; none: everywhere.")]
    tiers: Annotated[list[str], Field(description="Only for members on one of these; none: for everybody.")]
    available_from: Annotated[str | None, Field(description="By the program's clocks, without an offset.")]
    available_until: Annotated[str | None, Field(description="The first moment at which it no longer is.")]
    per_member: list[LimitView]
    limited: Annotated[bool, Field(description="There are only so many.")]
    return_days: Annotated[int | None, Field(description="Days after the capture in which you may cancel it.")]
    ended_by: Annotated[str, Field(description="`partner`: you capture the hold; `fulfillment`: the platform does.")]
    available: Annotated[bool, Field(description="Nothing speaks against it, as far as was asked.")]
    reasons: list[ReasonView]

    @classmethod
    def of(cls, shown: Shown, language: Language, pictures: PictureLinks) -> Self:
        """The view of a reward in a language of the program."""
        return cls(**cls._fields(shown, language, pictures))

    @staticmethod
    def _fields(shown: Shown, language: Language, pictures: PictureLinks) -> dict[str, Any]:
        reward, images = shown.reward, shown.reward.images
        begins, ends = reward.available_from, reward.available_until
        return {
            "reward_id": reward.id,
            "name": name_in(reward, language),
            "description": _text(reward.description, language),
            "terms": _text(reward.terms, language),
            "type": reward.type,
            "points": reward.points,
            "wallet": reward.wallet,
            "cash": _money(reward.cash.money if reward.cash else None),
            "denominations": [OfferedDenomination.of(one) for one in reward.denominations],
            "value": _money(reward.worth),
            "picture_url": pictures.link(images.seen(language)) if images else None,
            "countries": list(reward.countries),
            "tiers": list(reward.tiers),
            "available_from": begins.isoformat() if begins else None,
            "available_until": ends.isoformat() if ends else None,
            "per_member": [LimitView(per=one.per, count=one.count) for one in reward.per_member],
            "limited": reward.limited,
            "return_days": reward.return_days,
            "ended_by": reward.party,
            "available": not shown.reasons,
            "reasons": [ReasonView(code=one.code, detail=one.detail) for one in shown.reasons],
        }


class RewardsPage(ResponseBody):
    """The catalogue of the program's current version, whole: it has 200 rewards at most."""

    language: str
    items: list[RewardView]


class MemberRewardView(RewardView):
    """The same as one member meets it: `available` and `reasons` are theirs."""

    affordable: Annotated[bool, Field(description="The member has the points; of free denominations, for the least.")]

    @classmethod
    def of_member(cls, shown: ShownToMember, language: Language, pictures: PictureLinks) -> Self:
        """The view of a reward for a member, in a language of the program."""
        return cls(**cls._fields(shown, language, pictures), affordable=shown.affordable)


class MemberRewardsPage(ResponseBody):
    """The catalogue of the program's current version as a member meets it, whole."""

    language: str
    items: list[MemberRewardView]


class GiftCardView(ResponseBody):
    """A delivered gift card. Whoever has its link or code can spend it: show it to the member, and keep it nowhere."""

    link: Annotated[str | None, Field(description="Where the card is shown.")] = None
    code: str | None = None
    pin: str | None = None
    expires_on: Annotated[
        str | None, Field(description="The last day on which it can be spent, where there is one.")
    ] = None


def _money(money: Money | None) -> MoneyBody | None:
    return None if money is None else MoneyBody.of(money)


def _text(prose: Prose | None, language: Language) -> str | None:
    return None if prose is None else prose.read(language)
