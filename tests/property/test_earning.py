"""Whatever the rules and the purchase: points add up, are rounded once, pass no bound, and do not depend on how they are read."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.core.money import Money
from loyalty.programs.conditions import OF_ACTIVITY, evaluate, values_of
from loyalty.programs.counters import CounterKey, counters_for
from loyalty.programs.deeds import BoughtLine, Deed, Earner
from loyalty.programs.earning import Outcome, divided, earn
from loyalty.programs.model import ProgramDocument, Rounding
from tests.ledgerkit.clock import at
from tests.ledgerkit.deeds import SUNDAY
from tests.ledgerkit.programs import document

TIERS = {"bronze": Fraction(1), "silver": Fraction(5, 4), "gold": Fraction(3, 2)}
LINES = [None, None, "line.category == 'a'", "line.category != 'a'", "line.quantity > 1", "false"]
CAMPAIGNS = [
    {
        "id": "sale", "name": "Sale", "starts_at": "2026-11-01T00:00", "ends_at": "2026-12-01T00:00",
        "budget_points": 300, "caps": [{"per": "day", "points": 90}, {"per": "week", "times": 2}],
    },
    {
        "id": "strict", "name": "Strict", "starts_at": "2026-11-22T00:00", "ends_at": "2026-11-23T00:00",
        "budget_points": 40, "when_exhausted": "nothing",
    },
]  # fmt: skip


def cents(number: int) -> Money:
    return Money.of(Decimal(number).scaleb(-2), "EUR")


EFFECTS = st.one_of(
    st.builds(
        lambda points, per: {"rates": [{"points": points, "per": str(per), "currency": "EUR"}]},
        st.integers(1, 20),
        st.decimals("0.5", "20", places=1),
    ),
    st.builds(lambda points: {"fixed_points": points}, st.integers(1, 100)),
    st.builds(lambda points: {"points_per_line": points}, st.integers(1, 20)),
    st.builds(lambda points: {"points_per_item": points}, st.integers(1, 20)),
    st.builds(lambda tenths: {"multiplier": str(Decimal(tenths).scaleb(-1))}, st.integers(11, 40)),
)


@st.composite
def rules(draw: st.DrawFn) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for number in range(draw(st.integers(1, 7))):
        effect = draw(EFFECTS)
        more = {
            "campaign": draw(st.sampled_from([None, None, "sale", "strict"])),
            "lines": draw(st.sampled_from(LINES)),
            "group": draw(st.sampled_from([None, None, None, "g"])),
            "priority": draw(st.integers(0, 1)),
            "minimum_points": draw(st.sampled_from([None, None, 5])),
            "maximum_points": draw(st.sampled_from([None, None, 60])),
            "caps": [{"per": "month", "points": draw(st.integers(1, 80))}] if number == 0 else [],
        }
        if "multiplier" in effect and more["group"]:
            more["group"] = "m"
        found.append({"id": f"r{number}", "activity": "purchase", **effect, **more})
    return found


@st.composite
def deeds(draw: st.DrawFn) -> Deed:
    lines = draw(
        st.lists(
            st.builds(
                lambda amount, quantity, category, card: BoughtLine(
                    cents(amount), quantity, category=category, gift_card=card
                ),
                st.integers(0, 9_999),
                st.integers(1, 4),
                st.sampled_from(["a", "b", None]),
                st.booleans(),
            ),
            max_size=5,
        )
    )
    return Deed("purchase", SUNDAY, amount=cents(draw(st.integers(0, 30_000))), lines=tuple(lines))


DOCUMENTS = st.builds(
    lambda earn_rules, stacking, rounding, exclusions: document(
        earn_rules=earn_rules, stacking=stacking, rounding=rounding, exclusions=exclusions, campaigns=CAMPAIGNS
    ),
    rules(),
    st.sampled_from(["sum", "sum", "best", "priority"]),
    st.sampled_from(Rounding),
    st.sampled_from([[], ["gift_cards"]]),
)
ROOM = st.dictionaries(st.integers(0, 9), st.integers(0, 60), max_size=6)


def _room(of: ProgramDocument, deed: Deed, drawn: dict[int, int]) -> dict[CounterKey, int]:
    return {key: drawn[place] for place, key in enumerate(counters_for(of, deed)) if place in drawn}


def _limits(of: ProgramDocument) -> dict[tuple[str, str, str], int]:
    caps: dict[tuple[str, str, str], int] = {
        (f"rule:{rule.id}", cap.unit, "cap"): cap.limit for rule in of.earn_rules for cap in rule.caps
    }
    for campaign in of.campaigns:
        caps |= {(f"campaign:{campaign.id}", cap.unit, "cap"): cap.limit for cap in campaign.caps}
        caps[f"campaign:{campaign.id}", "points", "budget"] = campaign.budget_points or 0
    return caps


@settings(max_examples=150, deadline=None)
@given(of=DOCUMENTS, deed=deeds(), tier=st.sampled_from(sorted(TIERS)), drawn=ROOM)
def test_points_add_up_and_no_bound_is_passed(
    of: ProgramDocument, deed: Deed, tier: str, drawn: dict[int, int]
) -> None:
    room = _room(of, deed, drawn)
    found = earn(of, deed, Earner(tier), room)
    by_id = {judged.rule.id: judged for judged in found.rules}
    assert list(by_id) == [rule.id for rule in of.earn_rules]
    for one in found.earned:
        assert sum(one.rules.values()) == one.points
        assert sum(one.lines.values()) <= one.points
        assert all(points >= 0 for points in [*one.rules.values(), *one.lines.values()])
    for judged in found.rules:
        assert judged.points == sum(one.rules.get(judged.rule.id, 0) for one in found.earned)
        assert judged.counted or (judged.points == 0 and judged.reason is not None)
        assert judged.points <= (judged.rule.maximum_points or judged.points)
    limits = _limits(of)
    for key, used in found.used.items():
        assert 0 < used <= min(limits[key.owner, key.unit, key.kind], room.get(key, used))
    assert found.used.keys() <= set(counters_for(of, deed))
    _groups_have_one(found)


def _groups_have_one(found: Outcome) -> None:
    counted = [judged.rule.group for judged in found.rules if judged.counted and judged.rule.group]
    assert len(counted) == len(set(counted))


@settings(max_examples=60, deadline=None)
@given(of=DOCUMENTS, deed=deeds(), drawn=ROOM)
def test_more_room_never_gives_less_where_all_count(of: ProgramDocument, deed: Deed, drawn: dict[int, int]) -> None:
    """With stacking and groups another rule may win, and a budget that gives all or nothing may give a capped rule more."""
    plain = of.model_copy(
        update={"stacking": "sum", "earn_rules": tuple(rule.model_copy(update={"group": None}) for rule in of.earn_rules)}
    )  # fmt: skip
    in_part = tuple(one.model_copy(update={"when_exhausted": "partial"}) for one in of.campaigns)
    alone = plain.model_copy(update={"earn_rules": plain.earn_rules[:1], "campaigns": in_part})
    room = _room(alone, deed, drawn)
    less, more = earn(alone, deed, Earner("gold"), room), earn(alone, deed, Earner("gold"))
    assert sum(one.points for one in less.earned) <= sum(one.points for one in more.earned)


@given(st.lists(st.fractions(0, 50), min_size=1, max_size=8), st.sampled_from(Rounding))
def test_what_is_divided_adds_up_and_no_part_is_more_than_its_own_rounded_up(
    parts: list[Fraction], rounding: Rounding
) -> None:
    exact = dict(enumerate(parts))
    total = sum(parts, Fraction(0))
    whole = {Rounding.DOWN: total // 1, Rounding.UP: -(-total // 1), Rounding.HALF_UP: (total + Fraction(1, 2)) // 1}
    found = divided(int(whole[rounding]), exact)
    assert sum(found.values()) == whole[rounding]
    assert all(part // 1 <= found[key] <= -(-part // 1) for key, part in exact.items())


DIGITS_15 = st.integers(0, 10**15 - 1)


@given(first=DIGITS_15, second=DIGITS_15 | st.none(), decimals=st.sampled_from([0, 2, 3]))
def test_amounts_compare_in_a_condition_as_decimals_do(first: int, second: int | None, decimals: int) -> None:
    """A double holds every decimal of up to 15 digits apart from every other."""
    left = Decimal(first).scaleb(-decimals)
    right = Decimal(first + 1 if second is None else second).scaleb(-decimals)
    currency = {0: "JPY", 2: "EUR", 3: "KWD"}[decimals]
    deed = Deed("purchase", at("2026-11-22T13:05:00Z"), amount=Money.of(left, currency))
    values = values_of(deed, Earner("bronze"), document().zone)
    assert values.keys() == OF_ACTIVITY.keys()
    literal = f"{right:f}" if "." in f"{right:f}" else f"{right:f}.0"
    assert evaluate(f"amount < {literal}", values).met == (left < right)
    assert evaluate(f"amount == {literal}", values).met == (left == right)
    assert evaluate(f"amount >= {literal}", values).met == (left >= right)
