"""What a program document says, line by line, for people."""

from calendar import month_name
from collections.abc import Iterator

from pydantic import BaseModel

from loyalty.cli.rule_words import counted, ladder_lines, rule_lines
from loyalty.ledger.model import POINTS
from loyalty.programs.brand import Brand
from loyalty.programs.fulfillment import Fulfillment
from loyalty.programs.model import Expiry, ProgramDocument, Reward


def lines(document: ProgramDocument) -> Iterator[tuple[str, str]]:
    """What a document says, as pairs of a word and a text."""
    if len(document.locales) > 1:
        yield "languages", ", ".join(document.locales)
    if document.brand is not None:
        yield "brand", _brand(document.brand)
    for wallet_id in document.wallet_ids:
        wallet, unit = document.wallet(wallet_id), document.currency_of(wallet_id)
        name = f"{wallet.name}, {f'minor units of {unit}' if unit else 'points'}, " if wallet else ""
        yield "wallet", f"{wallet_id}: {name}{_in_words(document.expiry_of(wallet_id))}"
    for segment in document.segments:
        yield "segment", f"{segment.id}: {segment.name}"
    yield from rule_lines(document)
    yield from ladder_lines(document)
    for reward in document.rewards:
        tiers = f", for {', '.join(reward.tiers)}" if reward.tiers else ""
        yield "reward", f"{reward.id}: {reward.name}, {reward.type}, {_price(reward)}{tiers}"
    if document.point_cost is not None:
        yield "cost", f"{document.point_cost.amount} {document.point_cost.currency} a point"
    yield "reversal", f"{document.reversal} where points are spent already"
    for name, value in document.limits:
        if value is not None:
            yield "limit", f"{name}: {value}"
    yield from _fulfillment(document.fulfillment)
    yield "adjustment", f"reasons: {', '.join(document.adjustment_reasons)}"
    yield "four eyes", ", ".join(kind for kind, wanted in document.four_eyes if wanted) or "nowhere"
    yield "transfers", _bounds(document.transfers)
    yield "households", _bounds(document.households)
    if document.shopify_shops:
        yield "shops", ", ".join(document.shopify_shops)


def _price(reward: Reward) -> str:
    """``50 points and 10.00 EUR``, ``1 point of 'coffees'``, or the amounts that members choose of."""
    of = "" if reward.wallet == POINTS else f" of '{reward.wallet}'"
    if reward.points is None:
        return "; ".join(
            f"{one.in_words}, {counted(one.points, 'point')}{of} per {one.per}" for one in reward.denominations
        )
    return counted(reward.points, "point") + of + (f" and {reward.cash.money}" if reward.cash else "")


def _fulfillment(rules: Fulfillment) -> Iterator[tuple[str, str]]:
    """What is asked of gift cards beyond their defaults."""
    for amount in rules.approve_above:
        yield "approval", f"gift cards above {amount.money}, within {counted(rules.approval_hours, 'hour')}"
    for amount in rules.monthly_budget:
        yield "budget", f"gift cards: {amount.money} a month"
    for flag in rules.velocity:
        most = [counted(flag.cards, "card")] if flag.cards else []
        most += [str(flag.value.money)] if flag.value else []
        yield "risk", f"more than {' or '.join(most)} of one member in {counted(flag.days, 'day')}"


def _brand(brand: Brand) -> str:
    colours = [colour for _, colour in brand.colours or () if colour]
    return ", ".join(filter(None, [brand.display_name, *colours, brand.logo_url])) or "nothing of its own"


def _in_words(expiry: Expiry) -> str:
    """The policy of an expiry, e.g. ``expire 12 months later, at the end of the month``."""
    match expiry.policy:
        case "never":
            return "never expire"
        case "rolling":
            when = f"expire {counted(expiry.months or 0, 'month')} later, at the end of the month"
        case "inactivity":
            when = f"expire {counted(expiry.months or 0, 'month')} after the last activity, at the end of the month"
        case _:
            after = f", at least {counted(expiry.minimum_months, 'month')} later" if expiry.minimum_months else ""
            when = f"expire every year on {expiry.day} {month_name[expiry.month or 0]}{after}"
    warned = f"; warned {', '.join(map(str, expiry.warn_days))} days before" if expiry.warn_days else ""
    return f"{when}; {counted(expiry.grace_days, 'day')} of grace{warned}"


def _bounds(part: BaseModel | None) -> str:
    """The numbers of a part that a program may do without."""
    if part is None:
        return "not offered"
    return ", ".join(f"{name} {_text(value)}" for name, value in part)


def _text(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
