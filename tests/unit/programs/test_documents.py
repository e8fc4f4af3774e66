import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from pydantic import ValidationError

from loyalty.ledger.model import ReversalPolicy, Terms
from loyalty.programs.fields import mistakes
from loyalty.programs.model import MAX_LOTS, Expiry, Limits, ProgramDocument
from tests.ledgerkit.programs import BASE, document, program

RULE = BASE["earn_rules"][0]
TIERS = BASE["tiers"]
REWARD = BASE["rewards"][0]
CARD = BASE["rewards"][2]
RATE = RULE["rates"][0]
CASHBACK = {"id": "cashback", "name": "Cashback", "currency": "EUR", "expiry": {"policy": "never"}}


SALE = {"id": "sale", "name": "Sale", "starts_at": "2026-11-01T00:00", "ends_at": "2026-12-01T00:00"}
STAFF = {"id": "staff", "name": "Staff"}
DAILY = {"per": "day", "points": 5}
SIX_CAPS = [{"per": per, "times": 5} for per in ("day", "week", "month", "year", "ever")] + [DAILY]


def _rules(*more: dict[str, Any]) -> dict[str, Any]:
    return {"earn_rules": [RULE, *more]}


def _double(**changes: Any) -> dict[str, Any]:
    return {"id": "double", "activity": "purchase", "multiplier": "2", **changes}


def _campaign(**changes: Any) -> dict[str, Any]:
    return {"campaigns": [{**SALE, **changes}]}


def _budgets(number: int) -> dict[str, Any]:
    campaigns = [{**SALE, "id": f"sale-{place}", "budget_points": 5} for place in range(number)]
    return _rules(*({**RULE, "id": one["id"], "campaign": one["id"]} for one in campaigns)) | {"campaigns": campaigns}


def _rule(**changes: Any) -> dict[str, Any]:
    return {"earn_rules": [{**RULE, **changes}]}


def _rate(**changes: Any) -> dict[str, Any]:
    return _rule(rates=[{**RATE, **changes}])


def _expiry(policy: str, **fields: Any) -> dict[str, Any]:
    return {"expiry": {"policy": policy, **fields}}


def _wallets() -> dict[str, Any]:
    return {"wallets": [CASHBACK]}


def _transfers(**changes: Any) -> dict[str, Any]:
    return {"transfers": {"maximum_points": 100, "daily_points": 100, **changes}}


@pytest.mark.parametrize(
    ("changes", "where", "what"),
    [
        ({"id": "Acme"}, "id", "pattern"),
        ({"id": "a#b"}, "id", "pattern"),
        ({"id": "a"}, "id", "pattern"),
        ({"time_zone": "Mars/Olympus"}, "time_zone", "'Mars/Olympus' is not an IANA time zone"),
        ({"time_zone": "+02:00"}, "time_zone", "is not an IANA time zone"),
        ({"earn_rules": []}, "earn_rules", "at least 1"),
        ({"earn_rules": [RULE, {**RULE, "activity": "other"}]}, "earn_rules", "two earn rules have the id 'shop'"),
        (_rule(fixed_points=5), "earn_rules.0", "needs exactly one of rates, fixed_points"),
        (_rule(rates=[]), "earn_rules.0", "needs exactly one of rates, fixed_points"),
        (_rule(rates=[RATE, RATE]), "earn_rules.0", "two rates for one currency, USD"),
        (_rule(multiplier="2"), "earn_rules.0", "and multiplier; it has rates and multiplier"),
        (_rule(rates=[], multiplier="1"), "earn_rules.0.multiplier", "greater than 1"),
        (_rule(rates=[], multiplier="100.1"), "earn_rules.0.multiplier", "less than or equal to 100"),
        (_rule(of=["shop"]), "earn_rules.0", "'shop' is no multiplier; leave out of"),
        (_rule(minimum_points=9, maximum_points=8), "earn_rules.0", "minimum_points (9) must not be above maximum"),
        (_rule(when=""), "earn_rules.0.when", "at least 1"),
        (_rule(when="x" * 501), "earn_rules.0.when", "at most 500"),
        (_rule(caps=[{"per": "day"}]), "earn_rules.0.caps.0", "either points or times"),
        (_rule(caps=[{"per": "day", "points": 1, "times": 1}]), "earn_rules.0.caps.0", "either points or times"),
        (_rule(caps=[{"per": "hour", "points": 1}]), "earn_rules.0.caps.0.per", "'day', 'week', 'month'"),
        (_rule(caps=[DAILY, DAILY]), "earn_rules.0", "two caps bound the points per day"),
        (_rule(campaign="sale"), "earn_rules", "'shop': there is no campaign 'sale'; add it to campaigns"),
        (_rules(_double(of=["x"])), "earn_rules", "'double': there is no earn rule 'x' for it to multiply"),
        (_rules(_double(of=["shop"], activity="review")), "earn_rules", "multiplies 'shop', which is for 'purchase'"),
        (_rules(_double(of=["double"])), "earn_rules", "the multipliers 'double' multiply each other in a circle"),
        (
            _rules(_double(of=["triple"]), _double(id="triple", of=["double"])),
            "earn_rules",
            "the multipliers 'double', 'triple' multiply each other in a circle",
        ),
        (_rules(_double(return_days=3)), "earn_rules", "differ in return_days (0 and 3): give both the same"),
        (
            _rules(_double(group="g"), {**RULE, "id": "other", "group": "g"}),
            "earn_rules",
            "the group 'g' for 'purchase' in the wallet 'points' has multipliers and other rules",
        ),
        (
            _rules(*({**RULE, "id": f"r{number}", "caps": SIX_CAPS[:5]} for number in range(3))),
            "earn_rules",
            "15 caps concern 'purchase' at once, and at most 10 may",
        ),
        (_rule(caps=SIX_CAPS), "earn_rules.0.caps", "at most 5"),
        (_budgets(4), "earn_rules", "4 campaigns with a budget concern 'purchase' at once, and at most 3 may"),
        (
            _rules(
                {**RULE, "id": "sold", "campaign": "sale"},
                {**RULE, "id": "back", "wallet": "cashback", "campaign": "sale"},
            )
            | _wallets()
            | {"campaigns": [{**SALE, "budget_points": 5}]},
            "earn_rules",
            "campaign 'sale' bounds points, and its rules give to the wallets cashback, points",
        ),
        (_campaign(ends_at="2026-11-01T00:00"), "campaigns.0", "'sale' ends (2026-11-01T00:00) before it has started"),
        (_campaign(ends_at="2026-12-01T00:00Z"), "campaigns.0.ends_at", "without an offset: 2026-11-27T00:00"),
        (_campaign(ends_at="2026-13-01T00:00"), "campaigns.0.ends_at", "month value is outside"),
        (_campaign(budget_points=0), "campaigns.0.budget_points", "greater than 0"),
        ({"campaigns": [SALE, SALE]}, "campaigns", "two campaigns have the id 'sale'"),
        ({"segments": [STAFF, STAFF]}, "segments", "two segments have the id 'staff'"),
        ({"segments": [{**STAFF, "id": "Staff"}]}, "segments.0.id", "should match pattern"),
        ({"segments": [{"id": "staff"}]}, "segments.0.name", "Field required"),
        ({"segments": [{**STAFF, "id": f"s{number}"} for number in range(101)]}, "segments", "at most 100"),
        ({"exclusions": ["tax", "tax"]}, "exclusions", "'tax' is named twice"),
        ({"exclusions": ["tips"]}, "exclusions.0", "'tax', 'shipping', 'gift_cards' or 'discounted_lines'"),
        ({"stacking": "most"}, "stacking", "'sum', 'best' or 'priority'"),
        (_rule(return_days=-1), "earn_rules.0.return_days", "greater than or equal to 0"),
        (_rule(return_days=91), "earn_rules.0.return_days", "less than or equal to 90"),
        (
            _rule(wallet="cash"),
            "earn_rules",
            "no wallet 'cash' in this program, only points; name one of these, or add",
        ),
        (_rule(wallet="cash") | _wallets(), "earn_rules", "no wallet 'cash' in this program, only points, cashback"),
        (_rate(currency="XXX"), "earn_rules.0.rates.0.currency", "'XXX' is not an ISO 4217 currency"),
        (_rate(points=0), "earn_rules.0.rates.0.points", "greater than 0"),
        (_rate(points=-1), "earn_rules.0.rates.0.points", "greater than 0"),
        (_rate(points=1.0), "earn_rules.0.rates.0.points", "valid integer"),
        (_rate(points="1"), "earn_rules.0.rates.0.points", "valid integer"),
        (_rate(points=1_000_000_001), "earn_rules.0.rates.0.points", "less than or equal"),
        (_rate(per="0"), "earn_rules.0.rates.0.per", "greater than 0"),
        (_rate(per="-1"), "earn_rules.0.rates.0.per", "greater than 0"),
        (_rate(per="NaN"), "earn_rules.0.rates.0.per", "finite number"),
        ({"tiers": []}, "tiers", "at least 1"),
        ({"tiers": TIERS[1:]}, "tiers", "everybody begins at 0"),
        ({"tiers": [TIERS[0], TIERS[2], TIERS[1]]}, "tiers", "list tiers by thresholds that rise"),
        ({"tiers": [TIERS[0], {**TIERS[1], "threshold": 0}]}, "tiers", "list tiers by thresholds that rise"),
        ({"tiers": [TIERS[0], {**TIERS[1], "id": "bronze"}]}, "tiers", "two tiers have the id 'bronze'"),
        ({"tiers": [{**TIERS[0], "multiplier": "0.5"}]}, "tiers.0.multiplier", "greater than or equal to 1"),
        (_expiry("rolling"), "expiry", "the policy 'rolling' needs months"),
        (_expiry("rolling", months=0), "expiry.months", "greater than or equal to 1"),
        (_expiry("rolling", months=MAX_LOTS), "expiry.months", "less than or equal to 35"),
        (_expiry("rolling", months=3, day=1), "expiry", "the policy 'rolling' has no day; leave it out"),
        (_expiry("inactivity"), "expiry", "the policy 'inactivity' needs months"),
        (_expiry("inactivity", months=3, minimum_months=1), "expiry", "'inactivity' has no minimum_months"),
        (_expiry("never", months=3), "expiry", "the policy 'never' has no months; leave it out"),
        (_expiry("never", month=1, day=1), "expiry", "the policy 'never' has no day and no month; leave it out"),
        (_expiry("fixed_date"), "expiry", "the policy 'fixed_date' needs day and month"),
        (_expiry("fixed_date", month=2), "expiry", "the policy 'fixed_date' needs day"),
        (_expiry("fixed_date", month=2, day=1, months=1), "expiry", "the policy 'fixed_date' has no months"),
        (_expiry("fixed_date", month=2, day=30), "expiry", "February has no day 30"),
        (_expiry("fixed_date", month=4, day=31), "expiry", "April has no day 31"),
        (_expiry("fixed_date", month=13, day=1), "expiry.month", "less than or equal to 12"),
        (_expiry("fixed_date", month=1, day=1, minimum_months=25), "expiry.minimum_months", "less than or equal to 24"),
        (_expiry("weekly", months=1), "expiry.policy", "'rolling', 'never', 'fixed_date' or 'inactivity'"),
        (_expiry("never", grace_days=366), "expiry.grace_days", "less than or equal to 365"),
        (_expiry("rolling", months=1, warn_days=[7, 7]), "expiry", "warn_days names a number of days twice"),
        (_expiry("rolling", months=1, warn_days=[4, 3, 2, 1]), "expiry.warn_days", "at most 3"),
        (_expiry("rolling", months=1, warn_days=[0]), "expiry.warn_days.0", "greater than or equal to 1"),
        ({"wallets": [{**CASHBACK, "id": "points"}]}, "wallets.0.id", "every member has the wallet 'points' already"),
        ({"wallets": [CASHBACK, CASHBACK]}, "wallets", "two wallets have the id 'cashback'"),
        ({"wallets": [{**CASHBACK, "currency": "EURO"}]}, "wallets.0.currency", "is not an ISO 4217 currency"),
        ({"wallets": [{**CASHBACK, "id": f"w{n}"} for n in range(5)]}, "wallets", "at most 4"),
        ({"wallets": [{**CASHBACK, "expiry": {"policy": "rolling"}}]}, "wallets.0.expiry", "needs months"),
        ({"reversal": "ignore"}, "reversal", "'allow_negative', 'clamp_with_debt' or 'refuse'"),
        ({"rewards": [REWARD, REWARD]}, "rewards", "two rewards have the id 'coffee'"),
        ({"rewards": [{**REWARD, "points": 0}]}, "rewards.0.points", "greater than 0"),
        ({"rewards": [{**REWARD, "gift_card": CARD["gift_card"]}]}, "rewards.0", "only there"),
        ({"rewards": [{**CARD, "gift_card": None}]}, "rewards.0", "only there"),
        ({"limits": {"redemption_quantity": 0}}, "limits.redemption_quantity", "greater than or equal to 1"),
        ({"limits": {"hold_minutes": 0}}, "limits.hold_minutes", "greater than or equal to 1"),
        ({"limits": {"hold_minutes": 43_201}}, "limits.hold_minutes", "less than or equal to 43200"),
        ({"limits": {"backdating_days": 36_501}}, "limits.backdating_days", "less than or equal to 36500"),
        ({"limits": {"adjustment_points": 10**9 + 1}}, "limits.adjustment_points", "less than or equal to 1000000000"),
        ({"adjustment_reasons": ["goodwill", "goodwill"]}, "adjustment_reasons", "'goodwill' is named twice"),
        ({"adjustment_reasons": []}, "adjustment_reasons", "at least 1"),
        ({"adjustment_reasons": ["Because!"]}, "adjustment_reasons.0", "pattern"),
        (_transfers(minimum_points=101), "transfers", "minimum_points (101) must not be above maximum_points (100)"),
        (_transfers(daily_points=99), "transfers", "maximum_points (100), nor that above daily_points (99)"),
        (_transfers(wallets=["cashback"]), "transfers", "there is no wallet 'cashback' in this program, only points"),
        (_transfers(wallets=["points", "points"]), "transfers", "wallets names 'points' twice"),
        (_transfers(wallets=[]), "transfers.wallets", "at least 1"),
        ({"transfers": {"maximum_points": 100}}, "transfers.daily_points", "Field required"),
        ({"households": {"members": 1, "daily_points": 5}}, "households.members", "greater than or equal to 2"),
        ({"households": {"members": 21, "daily_points": 5}}, "households.members", "less than or equal to 20"),
        ({"households": {}}, "households.daily_points", "Field required"),
        ({"colour": "blue"}, "colour", "Extra inputs"),
    ],
)
def test_a_wrong_document_is_refused_with_the_place_and_the_reason(
    changes: dict[str, Any], where: str, what: str
) -> None:
    with pytest.raises(ValidationError) as refusal:
        document(**changes)
    problems = {".".join(map(str, error["loc"])): error["msg"] for error in mistakes(refusal.value)}
    assert list(problems) == [where]
    assert what in problems[where]


def test_every_mistake_is_named_at_once_and_none_that_only_follows_from_another() -> None:
    with pytest.raises(ValidationError) as refusal:
        document(
            wallets=[{**CASHBACK, "currency": "EURO"}],
            earn_rules=[{**RULE, "wallet": "cashback"}],
            tiers=TIERS[1:],
            **_expiry("fixed_date", month=2, day=30),
        )
    assert [error["loc"] for error in mistakes(refusal.value)] == [("wallets", 0, "currency"), ("tiers",), ("expiry",)]


EXAMPLES = sorted((Path(__file__).parents[3] / "events" / "programs").glob("*.json"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_a_program_and_stays_what_it_is_in_the_table(path: Path) -> None:
    example = ProgramDocument.model_validate_json(path.read_text())
    assert example.id == path.stem
    assert ProgramDocument.model_validate_json(example.model_dump_json()) == example
    assert ProgramDocument.model_validate(json.loads(example.model_dump_json())) == example


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_fits_the_schema_that_is_generated_from_the_models(path: Path) -> None:
    schema = ProgramDocument.model_json_schema()
    jsonschema.validate(json.loads(path.read_text()), schema, cls=jsonschema.Draft202012Validator)


STORED = """{"id":"acme","name":"Acme","time_zone":"Europe/Rome","earn_rules":[{"id":"shop","activity":"purchase","rates":[
{"points":1,"per":"10.00","currency":"USD"}],"fixed_points":null}],"tiers":[{"id":"bronze","name":"Bronze","threshold":0,
"multiplier":"1"}],"expiry":{"policy":"rolling","months":12},"rounding":"down","rewards":[],"limits":
{"redemption_quantity":10},"shopify_shops":[]}"""
"""As the first release wrote it to the table."""


def test_a_document_that_was_stored_before_there_were_these_fields_takes_their_defaults() -> None:
    old = ProgramDocument.model_validate_json(STORED)
    assert old.wallet_ids == ("points",)
    assert (old.earn_rules[0].wallet, old.earn_rules[0].return_days) == ("points", 0)
    assert (old.expiry.grace_days, old.expiry.warn_days) == (30, (30, 7))
    assert old.reversal is ReversalPolicy.ALLOW_NEGATIVE
    assert old.limits == Limits(
        redemption_quantity=10, hold_minutes=7 * 24 * 60, backdating_days=30, adjustment_points=10_000
    )
    assert old.adjustment_reasons == ("goodwill", "correction", "complaint", "migration")
    assert (old.transfers, old.households) == (None, None)


def test_of_points_that_never_expire_nobody_is_warned_unless_the_program_says_so() -> None:
    assert Expiry(policy="never").warn_days == ()
    # Points of an earlier version's policy still expire.
    assert Expiry(policy="never", warn_days=(7,)).warn_days == (7,)
    stored = document(expiry={"policy": "never"}).model_dump_json()
    assert ProgramDocument.model_validate_json(stored).expiry.warn_days == ()


def test_a_program_tells_the_ledger_the_terms_of_every_wallet() -> None:
    points = {"policy": "rolling", "months": 3, "grace_days": 0, "warn_days": [1]}
    cashback = {**CASHBACK, "expiry": {"policy": "inactivity", "months": 6, "grace_days": 90}}
    stamps = {"id": "stamps", "name": "Stamps", "expiry": {"policy": "never"}}
    scope = program(7, time_zone="Asia/Jakarta", expiry=points, wallets=[cashback, stamps]).scope
    assert (scope.program, scope.version, str(scope.zone)) == ("acme", 7, "Asia/Jakarta")
    assert scope.terms == {"points": Terms(0, (1,)), "cashback": Terms(90, (30, 7)), "stamps": Terms(30, ())}


def test_wallets_are_found_with_their_unit_and_their_expiry() -> None:
    two = document(**_wallets())
    assert two.wallet_ids == ("points", "cashback")
    assert (two.currency_of("points"), two.currency_of("cashback"), two.currency_of("miles")) == (None, "EUR", None)
    assert two.expiry_of("points") == two.expiry
    assert two.expiry_of("cashback").policy == "never"
    with pytest.raises(LookupError, match="'acme' has no wallet 'miles'"):
        two.expiry_of("miles")


def test_rules_of_an_activity_come_in_the_order_of_the_wallets() -> None:
    back = {"id": "back", "activity": "purchase", "wallet": "cashback", "fixed_points": 5}
    two = document(earn_rules=[back, RULE], **_wallets())
    assert [rule.id for rule in two.earn_rules_for("purchase")] == ["shop", "back"]


@pytest.mark.parametrize(
    ("points", "tier"),
    [
        (-5, "bronze"),
        (0, "bronze"),
        (499, "bronze"),
        (500, "silver"),
        (1999, "silver"),
        (2000, "gold"),
        (10**9, "gold"),
    ],
)
def test_qualifying_points_reach_the_highest_threshold_not_above_them(points: int, tier: str) -> None:
    assert document().tier_for(points).id == tier


def test_lookups_name_nothing_for_the_unknown() -> None:
    plain = document()
    assert plain.reward("coffee") is not None
    assert plain.reward("tea") is None
    assert plain.earn_rules_for("dance") == ()
    assert plain.earn_rules[0].rate("GBP") is None
    assert plain.tier("platinum").id == "bronze"


def test_what_was_valid_before_there_were_conditions_means_the_same() -> None:
    plain = document()
    assert (plain.campaigns, plain.stacking, plain.exclusions) == ((), "sum", ())
    rule = plain.earn_rules[0]
    assert (rule.when, rule.lines, rule.caps, rule.group, rule.priority, rule.tier_multiplied) == (
        None, None, (), None, 0, True,
    )  # fmt: skip


def test_campaigns_with_budgets_may_be_many_as_long_as_few_run_at_once() -> None:
    fine = _budgets(4)
    fine["campaigns"][0] |= {"starts_at": "2026-10-01T00:00", "ends_at": "2026-11-01T00:00"}
    assert len(document(**fine).campaigns) == 4


def test_loading_a_document_does_not_load_cel() -> None:
    """Every function loads documents; few evaluate conditions."""
    script = (
        "import sys\n"
        "from tests.ledgerkit.programs import document\n"
        "document(earn_rules=[{'id': 'r', 'activity': 'a', 'fixed_points': 1, 'when': 'nonsense('}])\n"
        "sys.exit(any('cel' in name.split('.')[0] for name in sys.modules))"
    )
    root = Path(__file__).parents[3]
    subprocess.run([sys.executable, "-c", script], check=True, cwd=root)
