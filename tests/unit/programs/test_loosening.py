"""Who could do alone what took two before is named: every limit above which two are asked, each field of the document told apart."""

from collections.abc import Iterator
from typing import Any, Final, get_args

import pytest
from pydantic import BaseModel

from loyalty.core.errors import SecondPersonRequired
from loyalty.core.table import Table
from loyalty.programs.drafts import DraftStore
from loyalty.programs.lifecycle import ProgramLifecycle
from loyalty.programs.loosening import LIMITS, loosened
from loyalty.programs.model import ProgramDocument
from loyalty.programs.publication import Proposal
from loyalty.programs.versions import VersionStore
from loyalty.programs.writing import as_stored
from tests.ledgerkit.brought import EARNS
from tests.ledgerkit.clock import SettableClock, at
from tests.ledgerkit.programs import document

USD, LESS, MORE = ([{"value": value, "currency": "USD"}] for value in ("10.00", "9.99", "10.01"))
EUR = [{"value": "5.00", "currency": "EUR"}]


def cards(days: int, most: int | None = None, value: str | None = None, currency: str = "USD") -> dict[str, Any]:
    amount = None if value is None else {"value": value, "currency": currency}
    return {name: said for name, said in (("days", days), ("cards", most), ("value", amount)) if said is not None}


def sign(part: str, before: dict[str, Any], after: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    return {"abuse": {part: before}}, {"abuse": {part: after}}


def screening(said: dict[str, Any]) -> dict[str, Any]:
    rules = [*document().model_dump(mode="json")["earn_rules"], *EARNS]
    referrals = {"landing_url": "https://shop.example/join", "screening": said}
    return {"four_eyes": {"referrals": True}, "earn_rules": rules, "referrals": referrals}


HOLD = {"then": "hold"}
CASES: Final[list[tuple[str, dict[str, Any], dict[str, Any], set[str]]]] = [
    ("an adjustment", {"limits": {"adjustment_points": 10}}, {"limits": {"adjustment_points": 11}}, {"limits.adjustment_points"}),
    ("the default of one", {"limits": {"adjustment_points": 10}}, {"limits": {}}, {"limits.adjustment_points"}),
    ("a smaller one", {"limits": {"adjustment_points": 10}}, {"limits": {"adjustment_points": 9}}, set()),
    *(
        (f"{name}, {what}", {"fulfillment": {name: before}}, {"fulfillment": {name: after}}, {f"fulfillment.{name}"} if found else set())
        for name in ("approve_above", "monthly_budget")
        for what, before, after, found in (
            ("a cent more", USD, MORE, True),
            ("a cent less", USD, LESS, False),
            ("a currency less", USD + EUR, USD, True),
            ("a currency more", USD, USD + EUR, False),
            ("none any more", USD, [], True),
            ("in another order", USD + EUR, EUR + USD, False),
            ("one more, and the other raised", USD, MORE + EUR, True),
        )
    ),
    *(
        (f"velocity, {what}", {"fulfillment": {"velocity": before}}, {"fulfillment": {"velocity": after}},
         {"fulfillment.velocity"} if found else set())
        for what, before, after, found in (
            ("a card more", [cards(7, 3)], [cards(7, 4)], True),
            ("a card less", [cards(7, 3)], [cards(7, 2)], False),
            ("a day less", [cards(7, 3)], [cards(6, 3)], True),
            ("a day more", [cards(7, 3)], [cards(8, 3)], False),
            ("no rule", [cards(7, 3)], [], True),
            ("one rule more", [cards(7, 3)], [cards(1, 1), cards(7, 3)], False),
            ("more value", [cards(7, value="10")], [cards(7, value="11")], True),
            ("value of another currency", [cards(7, value="10")], [cards(7, value="10", currency="EUR")], True),
            ("by value no more", [cards(7, 3, "10")], [cards(7, 3)], True),
            ("by number no more", [cards(7, 3, "10")], [cards(7, value="10")], True),
            ("in two rules", [cards(7, 3, "10")], [cards(7, 3), cards(9, value="10")], False),
        )
    ),
    ("new members sooner", {"fulfillment": {"new_member_days": 3}}, {"fulfillment": {"new_member_days": 2}}, {"fulfillment.new_member_days"}),
    ("new members at once", {"fulfillment": {"new_member_days": 3}}, {}, {"fulfillment.new_member_days"}),
    ("new members later", {"fulfillment": {"new_member_days": 3}}, {"fulfillment": {"new_member_days": 4}}, set()),
    *(
        (f"abuse, {what}", *sign(part, before, after), {f"abuse.{part}.{field}" for field in fields})
        for what, part, before, after, fields in (
            ("more points", "accrual_spike", {"points": 5}, {"points": 6}, ["points"]),
            ("no bound of points", "accrual_spike", {"points": 5}, {}, ["points"]),
            ("fewer points", "accrual_spike", {"points": 5}, {"points": 4}, []),
            ("more than usual", "accrual_spike", {"times_usual": 5}, {"times_usual": None}, ["times_usual"]),
            ("more before it is unusual", "accrual_spike", {}, {"unusual_from": 10_001}, ["unusual_from"]),
            ("other hours", "accrual_spike", {}, {"hours": 25}, ["hours"]),
            ("no hold", "accrual_spike", {}, {"then": "flag"}, ["then"]),
            ("a number that only flags", "accrual_spike", {"count": 5}, {"count": 6}, []),
            ("a number that holds", "accrual_spike", {"count": 5, "count_then": "hold", **HOLD}, {"count": 6, "count_then": "hold"}, ["count"]),
            ("a number that holds no more", "accrual_spike", {"count_then": "hold"}, {}, ["count_then"]),
            ("more redemptions", "redemptions_after_change", {}, {"redemptions": 4}, ["redemptions"]),
            ("a larger one", "redemptions_after_change", {"points": 5}, {"points": 6}, ["points"]),
            ("fewer hours", "redemptions_after_change", {}, {"hours": 23}, ["hours"]),
            ("redemptions that only flag", "redemptions_after_change", {}, {"then": "flag"}, ["then"]),
            ("reveals that only flag", "reveals_of_member", {}, {"count": 21}, []),
            ("reveals that hold", "reveals_of_member", HOLD, HOLD | {"count": 21}, ["count"]),
            ("shown in other hours", "reveals_of_member", HOLD, HOLD | {"hours": 2}, ["hours"]),
            ("reveals that hold no more", "reveals_of_member", HOLD, {}, ["then"]),
            ("transfers that hold", "transfers", HOLD, HOLD | {"members": 11}, ["members"]),
            ("sent in other hours", "transfers", HOLD, HOLD | {"hours": 2}, ["hours"]),
            ("transfers that hold no more", "transfers", HOLD, {"then": "nothing"}, ["then"]),
        )
    ),
    *(
        (f"referrals, {what}", screening({}), screening(after), {f"referrals.screening.{field}" for field in found})
        for what, after, found in (
            ("reviewed from a higher score on", {"review_from": 41}, ["review_from"]),
            ("reviewed from a lower one on", {"review_from": 39}, []),
            ("rejected later", {"reject_from": 90}, []),
            ("another weight", {"weights": {"ring": 10}}, ["weights"]),
            ("another bound", {"bounds": {"ring": 9}}, ["bounds"]),
            ("remembered for longer", {"remember_days": 91}, []),
            ("forgotten sooner", {"remember_days": 89}, ["remember_days"]),
            ("the erased forgotten sooner", {"remember_erased_days": 0}, ["remember_erased_days"]),
        )
    ),
    ("referrals that nobody had", {"four_eyes": {"referrals": True}}, screening({}), set()),
    *(
        (f"{switch} off", {}, {"four_eyes": {switch: False}}, {f"four_eyes.{switch}"})
        for switch in ("adjustments", "approvals", "erasure", "releases")
    ),
    ("a switch on", {"four_eyes": {"erasure": False}}, {}, set()),
    ("what asks nobody", {}, {"limits": {"points_per_day": 5}, "name": "Other"}, set()),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after", "found"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_what_asks_two_less_often_is_named(before: dict[str, Any], after: dict[str, Any], found: set[str]) -> None:
    assert set(loosened(document(**before), document(**after))) == found


def test_every_limit_is_tried() -> None:
    assert {limit.name for limit in LIMITS} <= {name for case in CASES for name in case[3]}


@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: limit.name)
def test_a_limit_counts_where_its_switch_is_on(limit: Any) -> None:
    before, after = next(case[1:3] for case in CASES if limit.name in case[3])
    off = {"four_eyes": {limit.switch: False}}
    assert loosened(document(**{**before, **off}), document(**{**after, **off})) == ()


NO_LIMITS: Final = {
    "limits": {
        "redemption_quantity", "hold_minutes", "redemptions_per_day", "points_per_day", "redeem_after_days", "backdating_days",
    },  # refuse, whoever asks
    "fulfillment": {"approval_hours", "reminder_hours"},  # how long is waited; then the points go back
    "abuse.reveals_by_client": {"minutes", "count"},  # an alarm, of clients
    "abuse.misses_of_client": {"minutes", "members", "codes", "enrollments"},
    "transfers": {"minimum_points", "maximum_points", "daily_points", "wallets"},  # refuse
    "households": {"members", "daily_points"},  # refuse
    "privacy": {"purposes"},
    "referrals": {
        "landing_url", "deep_link", "touch", "attribution_days", "claim_days", "code_days", "code_uses", "reserved_words", "channels",
        "reminder_days",
    },
    "referrals.qualifying": {"activity", "minimum", "within_days", "return_days"},  # what is rewarded at all
    "referrals.screening": {"reject_from"},  # rejected is not paid, whoever asks
    "": {
        "id", "name", "time_zone", "locales", "translations", "brand", "wallets", "campaigns", "segments", "stacking",
        "exclusions", "earn_rules", "tiers", "currencies", "qualification", "downgrade", "ladders", "expiry", "rounding",
        "point_cost", "reversal", "adjustment_reasons", "shopify_shops",
    },  # what the program is; of an adjustment's size says limits.adjustment_points
    "rewards": {
        "id", "name", "translations", "type", "points", "cash", "denominations", "value", "description", "terms", "images",
        "gift_card", "charity", "codes", "limited", "countries", "tiers", "available_from", "available_until", "per_member",
        "return_days", "wallet",
    },  # what there is to redeem; a card's worth is held against fulfillment
}  # fmt: skip
"""Fields above or without which nobody is asked for a second person: they refuse, describe, or ring an alarm."""
DETAILED: Final = frozenset(
    {"limits", "fulfillment", "four_eyes", "abuse", "transfers", "households", "privacy", "referrals", "rewards"}
)


def fields(model: type[BaseModel], path: str = "") -> Iterator[tuple[str, str]]:
    """Each field that a new limit could be, by part and name: all of the document, and all of the parts that have limits."""
    for name, field in model.model_fields.items():
        parts = [one for one in _models(field.annotation) if not path or path in {"abuse", "referrals"}]
        if parts and (path or name in DETAILED):
            yield from fields(parts[0], f"{path}.{name}".strip("."))
        else:
            yield path, name


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for one in get_args(annotation):
        yield from _models(one)


def test_every_field_of_the_document_is_a_limit_or_said_to_be_none() -> None:
    """A new field fails here: add it to LIMITS with a case above, or, where it asks nobody, to NO_LIMITS."""
    known = {tuple(limit.name.rpartition(".")[::2]) for limit in LIMITS}
    known |= {
        ("four_eyes", name) for name in ("adjustments", "approvals", "publishing", "erasure", "releases", "referrals")
    }
    known |= {(part, name) for part, names in NO_LIMITS.items() for name in names}
    assert set(fields(ProgramDocument)) == known


class TestPublishing:
    """Version 1 asks for a second person above ten points; publishing takes one."""

    def lifecycle(self, table: Table) -> ProgramLifecycle:
        clock = SettableClock(at("2026-03-15T12:00:00Z"))
        lifecycle = ProgramLifecycle(DraftStore(table), VersionStore(table, clock), clock)
        lifecycle.publish(Proposal(document(limits={"adjustment_points": 10}), "ann"), expected_version=0)
        return lifecycle

    def test_a_version_that_raises_a_limit_takes_two_and_says_which(self, table: Table) -> None:
        lifecycle, raised = self.lifecycle(table), document(limits={"adjustment_points": 11})
        with pytest.raises(SecondPersonRequired, match=r"limits\.adjustment_points.*Save the document as the draft"):
            lifecycle.publish(Proposal(raised, "ann"), expected_version=1)
        revision = lifecycle.begin("acme", as_stored(raised), "ann").draft.revision
        with pytest.raises(SecondPersonRequired, match=r"limits\.adjustment_points"):
            lifecycle.publish_draft("acme", "ann", revision=revision)
        assert lifecycle.publish_draft("acme", "bob", revision=revision).number == 2
        lowered = document(limits={"adjustment_points": 10})
        assert lifecycle.publish(Proposal(lowered, "ann"), expected_version=2).number == 3, "lowered by one"
        with pytest.raises(SecondPersonRequired, match="Save the document of version 2 as the draft"):
            lifecycle.roll_back("acme", 2, "ann", revision=None)
