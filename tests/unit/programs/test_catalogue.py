"""The example programs, each lived through by a member; every number was computed by hand."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from loyalty.cli.documents import read_source
from loyalty.core.clock import system_clock
from loyalty.core.table import Table
from loyalty.programs.checking import check
from loyalty.programs.model import Program, ProgramDocument
from loyalty.rewards.errors import TierRequired
from tests.ledgerkit.story import Story, bought

PROGRAMS = Path(__file__).parents[3] / "events" / "programs"
EXAMPLES = sorted(PROGRAMS.glob("*.yaml"))


def example(name: str) -> ProgramDocument:
    return ProgramDocument.model_validate(read_source(PROGRAMS / f"{name}.yaml").content)


Begin = Callable[[str, str], Story]


@pytest.fixture
def begin(table: Table) -> Iterator[Begin]:
    """Starts the story of an example, for who enrolls at a local time; at its end the ledger is proved."""
    stories: list[Story] = []

    def begun(name: str, enrolled: str) -> Story:
        stories.append(Story(table, Program(version=1, document=example(name)), enrolled))
        return stories[0]

    yield begun
    (story,) = stories
    assert story.world.audit() == []


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_has_nothing_to_mend(path: Path) -> None:
    findings = check(example(path.stem), system_clock())
    assert findings.errors == ()
    assert [finding for finding in findings.warnings if "is over" not in finding.message] == []


def test_there_are_the_examples_that_the_guide_promises() -> None:
    assert [path.stem for path in EXAMPLES] == [
        "airline-miles",
        "coffee-stamps",
        "employee-recognition",
        "hotel-nights",
        "retail-points",
        "wellness-challenge",
    ]


def test_airline_miles(begin: Begin) -> None:
    member = begin("airline-miles", "2026-03-10T09:00")
    # (240 - 40 of tax) * 5
    member.at("2026-03-15T08:00")
    assert member.did("flight", "240.00", tax="40.00", attributes={"band": "short"}) == {
        "points": 1000, "status-credits": 20,
    }  # fmt: skip
    # 900 * 5, half as much again in business; credits twice
    long = {"band": "long", "cabin": "business"}
    member.at("2026-04-01T08:00")
    assert member.did("flight", "1000.00", tax="100.00", attributes=long) == {"points": 6750, "status-credits": 160}
    # 10 * 5 would be 50: the least is 125
    assert member.did("flight", "30.00", tax="20.00", attributes={"band": "short"})["points"] == 125
    assert (member.available("status-credits"), member.standing()) == (200, "blue")
    # 200 + 160 credits in the year from 10 March: silver through the next one
    member.at("2026-05-01T08:00")
    assert member.did("flight", "2100.00", tax="100.00", attributes=long) == {"points": 15000, "status-credits": 160}
    assert member.standing() == "silver 2028-03-09"
    # 100 * 5 * 1.25; credits are not multiplied by the tier
    member.at("2026-06-01T08:00")
    assert member.did("flight", "140.00", tax="40.00", attributes={"band": "short"}) == {
        "points": 625, "status-credits": 20,
    }  # fmt: skip
    assert member.available() == 1000 + 6750 + 125 + 15000 + 625
    member.redeemed("lounge-pass")
    # The long flight is cancelled: its miles and credits go, the level stays until its review.
    assert member.gave_back("R-4") == 15000
    assert (member.available(), member.available("status-credits")) == (8500 - 4000, 220)
    assert member.at("2028-03-09T23:59").standing() == "silver 2028-03-09"
    assert member.at("2028-03-10T00:00").standing() == "blue"
    assert member.standing("lifetime") == "traveller"
    with pytest.raises(TierRequired):
        member.redeemed("lounge-pass")


def test_coffee_stamps(begin: Begin) -> None:
    member = begin("coffee-stamps", "2026-06-01T08:00")
    usd: dict[str, Any] = {"currency": "USD"}
    # Two coffees and a cake, on a Tuesday morning
    member.at("2026-06-02T09:00")
    cups = member.did("purchase", "13.00", bought("8.00", "coffee", 2), bought("5.00", "cake"), **usd)
    assert cups == {"points": 2}
    # Two more in a quiet hour: twice as many
    member.at("2026-06-02T14:30")
    assert member.did("purchase", "8.00", bought("8.00", "coffee", 2), **usd) == {"points": 4}
    # Three more: one stamp is left of the day's five, and none of the two for quiet hours
    member.at("2026-06-02T15:00")
    assert member.did("purchase", "12.00", bought("12.00", "coffee", 3), **usd) == {"points": 1}
    # Saturday has no quiet hours
    member.at("2026-06-06T14:30")
    assert member.did("purchase", "4.00", bought("4.00", "coffee"), **usd) == {"points": 1}
    # A stamp for signing up, once
    assert (member.did("signup"), member.did("signup")) == ({"points": 1}, {})
    member.at("2026-06-08T10:00")
    assert member.did("purchase", "4.00", bought("4.00", "coffee"), **usd) == {"points": 1}
    assert member.available() == 2 + 4 + 1 + 1 + 1 + 1
    member.redeemed("free-coffee")
    # One of the first two coffees is given back: a debt, which the next stamp pays. The cake had earned nothing.
    assert member.gave_back("R-1", L_1=1) == 1
    assert member.gave_back("R-1", L_2=1) == 0
    assert (member.available(), member.world.now().wallet().debt) == (0, 1)
    member.did("purchase", "8.00", bought("8.00", "coffee", 2), **usd)
    assert (member.available(), member.world.now().wallet().debt) == (1, 0)
    # Stamps of June live through December.
    assert member.at("2026-12-31T23:59").available() == 1
    assert member.at("2027-01-01T00:00").available() == 0


def test_retail_points_in_four_currencies(begin: Begin) -> None:
    member = begin("retail-points", "2027-01-10T09:00")
    member.at("2027-02-01T10:00")
    # 120 - 20 of tax - 10 of shipping
    assert member.did("purchase", "120.00", tax="20.00", shipping="10.00") == {"points": 90}
    # 250,000 / 16,000 = 15.625; 12.345 * 3 = 37.035; rounded half up
    assert member.did("purchase", "250000", currency="IDR") == {"points": 16}
    assert member.did("purchase", "12.345", currency="KWD") == {"points": 37}
    # 50 and a tenth more in the app
    assert member.did("purchase", "50.00", currency="USD", channel="mobile") == {"points": 55}
    # The gift card earns when it is spent, not when it is bought.
    card = bought("60.00", quantity=1, gift_card=True)
    assert member.did("purchase", "100.00", card, bought("40.00", "shoes")) == {"points": 40}
    assert (member.pending(), member.available(), member.standing()) == (238, 0, "member")
    assert (member.at("2027-02-14T23:59").pending(), member.at("2027-02-15T00:00").available()) == (238, 238)
    # Shoe week: 400, and the 300 of the shoes once more; 300 of the budget of 500 are used.
    member.at("2027-03-02T10:00")
    shoes = member.did("purchase", "400.00", bought("300.00", "shoes"), bought("100.00", "socks"))
    assert shoes == {"points": 700}
    # 317.03 were spent before (15.00 of them in rupiah, 37.03 in dinar, 45.00 in dollars): with 400, Plus.
    assert member.standing() == "plus 2028-12-31"
    # 200 * 1.2, and 200 more: the rest of the budget. Then there is none.
    member.at("2027-03-03T10:00")
    assert member.did("purchase", "200.00", bought("200.00", "shoes")) == {"points": 440}
    assert member.did("purchase", "100.00", bought("100.00", "shoes")) == {"points": 120}
    # The socks go back: 100 points, not a part of the bonus for shoes. The shoes: 600, of which the budget gets 300.
    assert member.gave_back("R-6", L_2=1) == 100
    assert member.gave_back("R-6", L_1=1) == 600
    assert member.did("purchase", "100.00", bought("100.00", "shoes")) == {"points": 220}
    # 5,000 * 1.2 would be 6,000: at most 2,000 a day. What was spent counts all the same.
    member.at("2027-03-20T10:00")
    assert member.did("purchase", "5000.00") == {"points": 2000}
    assert member.standing() == "prime 2028-12-31"
    assert [member.did("review") for _ in range(5)] == [{"points": 38}] * 4 + [{}]
    # Nothing more in 2028: a month of grace, then what that year earned.
    assert member.at("2029-01-30T23:59").standing() == "prime 2028-12-31"
    assert member.at("2029-01-31T00:00").standing() == "member"


def test_hotel_nights(begin: Begin) -> None:
    member = begin("hotel-nights", "2026-01-05T09:00")
    member.at("2026-01-10T11:00")
    first = member.did("stay", "450.00", bought("360.00", "night", 4), bought("90.00", "minibar"), tax="50.00")
    assert first == {"points": 4000, "nights": 4}
    # 90.000 dinars * 30; with ten nights within twelve months, Silver as long as January is one of them.
    member.at("2026-05-02T11:00")
    second = member.did("stay", "100.000", bought("100.000", "night", 6), tax="10.000", currency="KWD")
    assert second == {"points": 2700, "nights": 6}
    assert member.standing() == "silver 2026-12-31"
    # 800 * 10 * 1.2: nights are not multiplied.
    member.at("2026-06-01T11:00")
    assert member.did("stay", "800.00", bought("800.00", "night", 3)) == {"points": 9600, "nights": 3}
    with pytest.raises(TierRequired):
        member.redeemed("suite")
    # Without January nine nights are left. 31 days of grace after December.
    assert member.at("2027-01-31T23:59").standing() == "silver 2026-12-31"
    assert member.at("2027-02-01T00:00").standing() == "guest"


def test_employee_recognition(begin: Begin) -> None:
    member = begin("employee-recognition", "2026-01-02T09:00")
    member.at("2026-01-15T10:00")
    assert [member.did("recognition") for _ in range(11)] == [{"points": 20}] * 10 + [{}]
    assert member.at("2026-03-01T10:00").did("birthday") == {"points": 100}
    assert member.at("2026-04-01T10:00").did("birthday") == {}
    # A Monday: three times as much for an expert; the third course of the week earns nothing.
    member.at("2026-05-04T10:00")
    expert = {"level": "expert"}
    assert [member.did("course_completed", attributes=of) for of in (expert, {}, {})] == [
        {"points": 150}, {"points": 50}, {},
    ]  # fmt: skip
    assert member.standing() == "mentor"
    assert member.at("2026-05-11T10:00").did("course_completed") == {"points": 50}
    member.at("2026-11-20T10:00")
    assert [member.did("goal_reached") for _ in range(5)] == [{"points": 75}] * 4 + [{}]
    assert member.available() == 200 + 100 + 150 + 50 + 50 + 300
    # What is younger than three months at the end of the year lives through the next one.
    assert member.at("2027-01-01T00:00").available() == 300


def test_wellness_challenge(begin: Begin) -> None:
    member = begin("wellness-challenge", "2026-05-30T09:00")
    half_an_hour = {"minutes": "30"}
    # A Monday. Once a day, five times a week; what is too short, or says nothing of its length, earns nothing.
    member.at("2026-06-01T07:00")
    assert member.did("workout", attributes=half_an_hour) == {"points": 10}
    assert member.did("workout", attributes=half_an_hour) == {}
    assert [member.at(f"2026-06-0{day}T07:00").did("workout", attributes=half_an_hour) for day in range(2, 7)] == [
        *[{"points": 10}] * 4, {},
    ]  # fmt: skip
    assert member.at("2026-06-08T07:00").did("workout", attributes={"minutes": "12"}) == {}
    assert member.did("workout") == {}
    assert member.did("goal_reached", attributes={"goal": "steps"}) == {"points": 5}
    # Seven workouts counted; five more make twelve within three months: active as long as these are among them.
    for day in range(15, 20):
        member.at(f"2026-06-{day}T07:00").did("workout", attributes=half_an_hour)
    assert member.standing() == "active 2026-08-31"
    assert member.available() == 50 + 5 + 50
    assert member.at("2026-09-01T00:00").standing() == "starter"
    # In the challenge twice as many.
    assert member.at("2026-09-02T07:00").did("workout", attributes=half_an_hour) == {"points": 20}
    assert member.did("health_check") == {"points": 250}
    assert member.did("health_check") == {}
