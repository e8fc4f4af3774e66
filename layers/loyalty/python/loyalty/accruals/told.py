"""What rules ask of an activity, kept with its entry: so that other rules can be tried on what happened.

An entry has the activity, when, where and how much, and of each line that may be given back its quantity and its part of
the amount. The rest is its ``Facts.told``: JSON without spaces, and of everything only what there is::

    l   lines, in their order
        i   the id: its place among those of the entry, sorted; itself where the entry has no such line
        q a quantity and amount, where they are not the entry's
        s p c   sku, product, category
        g d     gift card, discount
    t h s x     tax, shipping, store, attributes
    m           segments of the member that rules asked for

Amounts are without their currency where it is that of the whole amount. Entries from before there was such a text have none,
nor those of a purchase that has more to tell than :data:`MOST_BYTES`; all others have one, if only ``{}``.
"""

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from loyalty.accruals.allocation import net_lines
from loyalty.accruals.model import Activity
from loyalty.core.money import Money
from loyalty.ledger.model import Facts, Line
from loyalty.programs.deeds import BoughtLine, Deed

MOST_BYTES: Final = 64 * 1024
"""Of what is told, in UTF-8: some three hundred for each of the most lines.

DynamoDB holds an item to 400 KB together with its copy in a local index, so an entry to 200 KB; the rest of the largest
entry takes up to 112 KB.
"""
_WORDS: Final = {"s": "sku", "p": "product", "c": "category"}


def told_of(activity: Activity, segments: Sequence[str] = ()) -> str | None:
    """What of an activity its entry does not say otherwise; None where that is too much to keep.

    ``segments``: those of the member, where rules ask for them.
    """
    currency = activity.amount.currency if activity.amount else None
    kept = net_lines(activity.lines, activity.amount)
    places = {line_id: place for place, line_id in enumerate(sorted(kept))}
    found = {
        "l": [_line(line, kept.get(line.line_id or ""), places, currency) for line in activity.lines],
        "t": _text(activity.tax, currency),
        "h": _text(activity.shipping, currency),
        "s": activity.store,
        "x": dict(activity.attributes),
        "m": list(segments),
    }
    text = json.dumps(_filled(found), ensure_ascii=False, separators=(",", ":"))
    return text if len(text.encode()) <= MOST_BYTES else None


def deed_of(facts: Facts) -> Deed:
    """The activity that an accrual's entry tells of, as rules saw it; its time to the millisecond.

    Of an entry without ``told`` it is what there is: its lines are those that may be given back, and nothing but their
    quantities and their parts of the amount is known.

    Raises:
        ValueError: it is no activity's entry, or what it has was not written by :func:`told_of`.
    """
    if facts.activity is None:
        raise ValueError("the entry is of no activity")
    if facts.told is None:
        lines = tuple(BoughtLine(line.amount, line.quantity, line_id) for line_id, line in facts.lines.items())
        return Deed(facts.activity, facts.occurred_at, facts.channel, amount=facts.amount, lines=lines)
    currency = facts.amount.currency if facts.amount else None
    ids = sorted(facts.lines)
    try:
        told = json.loads(facts.told)
        return Deed(
            activity=facts.activity,
            occurred_at=facts.occurred_at,
            channel=facts.channel,
            store=told.get("s"),
            amount=facts.amount,
            tax=_money(told.get("t"), currency),
            shipping=_money(told.get("h"), currency),
            lines=tuple(_line_of(line, ids, facts.lines, currency) for line in told.get("l", ())),
            attributes=told.get("x", {}),
        )
    except (AttributeError, IndexError, KeyError, TypeError) as error:
        raise ValueError("what the entry tells of its activity cannot be read") from error


def segments_of(facts: Facts) -> tuple[str, ...]:
    """The segments of the member that rules asked for."""
    return tuple(json.loads(facts.told).get("m", ())) if facts.told else ()


def _line(line: BoughtLine, kept: Line | None, places: Mapping[str, int], currency: str | None) -> dict[str, Any]:
    found: dict[str, Any] = {"i": line.line_id}
    if kept is not None and line.line_id is not None:
        found["i"] = places[line.line_id]
    else:
        found["q"] = line.quantity
    if kept is None or kept.amount != line.amount:
        found["a"] = _text(line.amount, currency)
    found |= {key: getattr(line, name) for key, name in _WORDS.items()}
    found |= {"g": int(line.gift_card) or None, "d": _text(line.discount, currency)}
    return _filled(found)


def _line_of(
    told: Mapping[str, Any], ids: Sequence[str], lines: Mapping[str, Line], currency: str | None
) -> BoughtLine:
    named = told.get("i")
    line_id: str | None = ids[named] if isinstance(named, int) else named
    kept = lines[ids[named]] if isinstance(named, int) else None
    amount = _money(told.get("a"), currency) or (kept.amount if kept else None)
    if amount is None:
        raise KeyError("a")
    return BoughtLine(
        amount=amount,
        quantity=kept.quantity if kept else told["q"],
        line_id=line_id,
        sku=told.get("s"),
        product=told.get("p"),
        category=told.get("c"),
        gift_card=bool(told.get("g")),
        discount=_money(told.get("d"), currency),
    )


def _text(money: Money | None, currency: str | None) -> str | None:
    if money is None:
        return None
    return str(money.amount if money.currency == currency else money)


def _money(text: str | None, currency: str | None) -> Money | None:
    if text is None:
        return None
    return Money.parse(text) if " " in text else Money(Decimal(text), currency or "")


def _filled(found: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in found.items() if value not in (None, [], {})}
