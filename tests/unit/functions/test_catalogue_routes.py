"""The catalogue, quotes, holds of what it asks for, and the list of redemptions, as partner apps see them."""

from typing import Any

import pytest

from infra.routes import ROUTES
from loyalty.core.table import Table
from tests.unit.functions.test_ledger_routes import BASE as MEMBER_PATH
from tests.unit.functions.test_ledger_routes import MEMBER, Api, api_of

REWARDS = "/v1/programs/acme/rewards"
OF_MEMBER = f"{MEMBER_PATH}/rewards"
HOLDS = f"{MEMBER_PATH}/redemptions"
PICTURE, OTHER_PICTURE = f"{'a' * 64}.png", f"{'b' * 64}.webp"
CATALOGUE: list[dict[str, Any]] = [
    {
        "id": "mug", "name": "Mug", "translations": {"it": "Tazza"}, "type": "product", "points": 80,
        "cash": {"value": "4.50", "currency": "EUR"},
        "description": {"text": "A mug.", "translations": {"it": "Una tazza."}},
        "images": {"default": PICTURE, "it": OTHER_PICTURE},
        "countries": ["IT", "ID"], "per_member": [{"per": "month", "count": 1}], "return_days": 14,
    },
    {
        "id": "any-card", "name": "Gift card", "type": "gift_card", "gift_card": {"product": "P1"},
        "denominations": [
            {"currency": "EUR", "least": "5", "most": "50", "step": "2.50", "points": 9, "per": "1"},
            {"currency": "JPY", "least": "500", "most": "5000", "step": "500", "points": 1, "per": "17"},
        ],
    },
    {"id": "dinner", "name": "Dinner", "type": "experience", "points": 60, "tiers": ["gold"]},
    {
        "id": "advent", "name": "Advent", "type": "perk", "points": 5,
        "available_from": "2026-12-01T00:00", "available_until": "2026-12-25T00:00",
    },
    {
        "id": "trees", "name": "Ten trees", "type": "donation", "points": 20,
        "value": {"value": "10.00", "currency": "EUR"}, "charity": {"id": "trees", "name": "Trees"},
    },
]  # fmt: skip


@pytest.fixture
def acme(table: Table) -> Api:
    """A member with 100 points."""
    acme = api_of(table, rewards=CATALOGUE, locales=["en", "it"], time_zone="Europe/Rome")
    acme.post_accrual("R-1")
    return acme


def ids(reply: Any) -> list[str]:
    assert reply.status == 200
    return [item["reward_id"] for item in reply.json["items"]]


def hold(acme: Api, key: str, **body: Any) -> Any:
    return acme.call("POST", HOLDS, body, Idempotency_Key=key)


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ({}, ["mug", "any-card", "dinner", "advent", "trees"]),
        ({"type": "product"}, ["mug"]),
        ({"country": "FR"}, ["any-card", "dinner", "advent", "trees"]),
        ({"country": "ID"}, ["mug", "any-card", "dinner", "advent", "trees"]),
        ({"tier": "bronze"}, ["mug", "any-card", "advent", "trees"]),
        ({"available": "true"}, ["mug", "any-card", "dinner", "trees"]),
    ],
)
def test_the_catalogue_shows_what_is_asked_for(acme: Api, query: dict[str, str], shown: list[str]) -> None:
    assert ids(acme.get(REWARDS, query)) == shown


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ({"available": "true"}, ["mug", "any-card", "trees"]),
        ({"affordable": "false"}, []),
        ({"affordable": "true", "type": "donation"}, ["trees"]),
        ({"country": "FR", "available": "true"}, ["any-card", "trees"]),
    ],
)
def test_a_member_is_shown_what_is_asked_for(acme: Api, query: dict[str, str], shown: list[str]) -> None:
    assert ids(acme.get(OF_MEMBER, query)) == shown


def test_the_programs_catalogue_tells_nothing_of_a_member(acme: Api) -> None:
    """Its scope is not that of wallets: a member who is named there changes nothing, and no field is of one."""
    for path in (REWARDS, f"{REWARDS}/any-card"):
        plain = acme.get(path, {})
        for asked in ({"member_id": MEMBER}, {"member_id": "mbr_" + "9" * 26}, {"affordable": "false"}):
            assert acme.get(path, asked).json == plain.json
    assert all("affordable" not in item for item in acme.get(REWARDS, {}).json["items"])


def test_who_may_read_what_a_member_can_pay_may_read_wallets() -> None:
    scopes = {route.path: route.scope for route in ROUTES if route.path.endswith(("/rewards", "{reward_id}"))}
    assert scopes == {
        "/v1/programs/{program}/rewards": "rewards.read",
        "/v1/programs/{program}/rewards/{reward_id}": "rewards.read",
        "/v1/programs/{program}/members/{member_id}/rewards": "wallet.read",
    }


def test_a_reward_is_in_the_readers_language(acme: Api) -> None:
    italian = acme.get(REWARDS, {"locale": "it-IT"})
    mug = italian.json["items"][0]
    assert (italian.headers["Content-Language"], mug["name"], mug["description"]) == ("it", "Tazza", "Una tazza.")
    assert mug["picture_url"] == f"https://pictures.example/{OTHER_PICTURE}"
    english = acme.get(f"{REWARDS}/mug", {})
    assert english.json["picture_url"] == f"https://pictures.example/{PICTURE}"
    assert english.json == mug | {
        "name": "Mug", "description": "A mug.", "picture_url": f"https://pictures.example/{PICTURE}",
    }  # fmt: skip
    acme.get(f"{REWARDS}/tea", {}).problem(404, "reward_not_found")


def test_for_a_member_it_says_what_speaks_against_each(acme: Api) -> None:
    hold(acme, "k-1", reward_id="mug", country="IT")
    reply = acme.get(OF_MEMBER, {})
    said = {item["reward_id"]: [reason["code"] for reason in item["reasons"]] for item in reply.json["items"]}
    assert said == {
        "mug": ["reward_limit_reached", "insufficient_points"],
        "any-card": ["insufficient_points"],  # at least 45 points
        "dinner": ["tier_required", "insufficient_points"],
        "advent": ["reward_not_yet_available"],
        "trees": [],
    }
    assert [item["affordable"] for item in reply.json["items"]] == [False, False, False, True, True]
    acme.get(f"/v1/programs/acme/members/mbr_{'9' * 26}/rewards", {}).problem(404, "member_not_found")
    acme.stranger("GET", OF_MEMBER).problem(404, "program_not_found")


def test_a_quote_says_the_price_and_writes_nothing(acme: Api) -> None:
    before = acme.world.dump()
    reply = acme.call("POST", f"{HOLDS}/quote", {"reward_id": "mug", "quantity": 2})
    assert reply.json == {
        "reward_id": "mug",
        "quantity": 2,
        "points": 160,
        "wallet": "points",
        "cash": {"value": "9.00", "currency": "EUR"},
        "value": None,
        "available_points": 100,
        "remaining_points": None,
        "redeemable": False,
        "reasons": reply.json["reasons"],
        "quoted_at": "2026-03-15T12:00:00.000Z",
    }
    assert [one["code"] for one in reply.json["reasons"]] == [
        "country_required", "reward_limit_reached", "insufficient_points",
    ]  # fmt: skip
    good = acme.call("POST", f"{HOLDS}/quote", {"reward_id": "mug", "country": "IT"}).json
    assert (good["points"], good["remaining_points"], good["redeemable"], good["reasons"]) == (80, 20, True, [])
    assert acme.world.dump() == before


def test_a_hold_at_another_price_than_was_quoted_is_refused(acme: Api) -> None:
    hold(acme, "k-1", reward_id="mug", country="IT", quoted_points=79).problem(409, "price_changed")
    priced = {"reward_id": "mug", "country": "IT", "quoted_points": 80}
    hold(acme, "k-1", **priced, quoted_wallet="cups").problem(409, "price_changed")
    assert hold(acme, "k-1", **priced, quoted_wallet="points").status == 201


# 9 points for 1.00 EUR: 12.50 are 112.5, so 113. 1 point for 17 JPY: 1,500 are 88.2, so 89.
@pytest.mark.parametrize(
    ("value", "currency", "points"),
    [("5", "EUR", 45), ("7.50", "EUR", 68), ("12.50", "EUR", 113), ("50", "EUR", 450), ("1500", "JPY", 89)],
)
def test_a_free_denomination_costs_whole_points_rounded_up(acme: Api, value: str, currency: str, points: int) -> None:
    asked = {"reward_id": "any-card", "amount": {"value": value, "currency": currency}}
    assert acme.call("POST", f"{HOLDS}/quote", asked).json["points"] == points
    assert acme.call("POST", f"{HOLDS}/quote", asked | {"quantity": 3}).json["points"] == 3 * points


@pytest.mark.parametrize(
    ("body", "status", "code", "pointer"),
    [
        ({"reward_id": "any-card"}, 422, "amount_required", "/amount"),
        ({"amount": {"value": "4.99", "currency": "EUR"}}, 422, "denomination_refused", "/amount/value"),
        ({"amount": {"value": "6", "currency": "EUR"}}, 422, "denomination_refused", "/amount/value"),
        ({"amount": {"value": "52.50", "currency": "EUR"}}, 422, "denomination_refused", "/amount/value"),
        ({"amount": {"value": "5", "currency": "USD"}}, 422, "denomination_refused", "/amount/currency"),
        ({"amount": {"value": "5.001", "currency": "EUR"}}, 422, "too_many_decimals", "/amount/value"),
        ({"reward_id": "mug", "amount": {"value": "5", "currency": "EUR"}}, 422, "amount_not_allowed", "/amount"),
        ({"reward_id": "mug"}, 422, "country_required", "/country"),
        ({"reward_id": "mug", "country": "FR"}, 409, "reward_not_in_country", "/country"),
        ({"reward_id": "advent"}, 409, "reward_not_yet_available", None),
        ({"reward_id": "dinner"}, 409, "tier_required", None),
        ({"reward_id": "tea"}, 404, "reward_not_found", None),
    ],
)
def test_what_cannot_be_held_is_refused_by_its_name(
    acme: Api, body: dict[str, Any], status: int, code: str, pointer: str | None
) -> None:
    before = acme.world.dump()
    reply = hold(acme, "k-1", **{"reward_id": "any-card", **body})
    reply.problem(status, code)
    assert [one.get("pointer") for one in reply.json.get("errors", [])] == ([pointer] if pointer else [])
    assert acme.world.dump() == before


def test_a_refused_denomination_says_which_there_are(acme: Api) -> None:
    reply = hold(acme, "k-1", reward_id="any-card", amount={"value": "6", "currency": "EUR"})
    assert "5.00 to 50.00 EUR in steps of 2.50" in reply.json["detail"]


def test_availability_ends_by_the_programs_clocks(acme: Api) -> None:
    acme.world.clock.set("2026-11-30T22:59:59Z")
    hold(acme, "k-1", reward_id="advent").problem(409, "reward_not_yet_available")
    acme.world.clock.set("2026-11-30T23:00:00Z")  # midnight in Rome
    assert hold(acme, "k-1", reward_id="advent").status == 201
    acme.world.clock.set("2026-12-24T23:00:00Z")
    hold(acme, "k-2", reward_id="advent").problem(409, "reward_no_longer_available")


def test_a_redemption_says_what_was_given_and_how_it_is_delivered(acme: Api) -> None:
    held = hold(acme, "k-1", reward_id="mug", country="IT").json
    assert (held["cash"], held["country"], held["value"]) == ({"value": "4.50", "currency": "EUR"}, "IT", None)
    path = f"{HOLDS}/{held['redemption_id']}"
    sent = {"reference": "ORD-1", "tracking_url": "https://parcels.example/1"}
    captured = acme.call("POST", f"{path}/capture", sent).json
    assert {name: captured[name] for name in sent} == sent
    # The first capture's stay.
    assert acme.call("POST", f"{path}/capture", {"reference": "ORD-2"}).json == captured
    assert hold(acme, "k-1", reward_id="mug", country="IT").json == held
    acme.call("POST", f"{path}/capture", {"tracking_url": "http://parcels.example"}).problem(422, "invalid")


@pytest.mark.parametrize(
    ("cancelled_at", "status"),
    # Captured on 16 March in Rome: the fourteenth day after it is the 30th, until midnight, by then on summer time.
    [("2026-03-30T21:59:59Z", 200), ("2026-03-30T22:00:00Z", 409)],
)
def test_it_can_be_returned_for_as_many_days_as_its_reward_says(acme: Api, cancelled_at: str, status: int) -> None:
    acme.world.clock.set("2026-03-16T00:00:00Z")
    held = hold(acme, "k-1", reward_id="mug", country="IT").json
    path = f"{HOLDS}/{held['redemption_id']}"
    acme.call("POST", f"{path}/capture")
    acme.world.clock.set(cancelled_at)
    reply = acme.call("POST", f"{path}/cancel")
    assert (reply.status, reply.json.get("code")) == (status, "return_period_over" if status == 409 else None)
    acme.world.proven(MEMBER)


def test_a_donation_says_what_it_is_worth(acme: Api) -> None:
    held = hold(acme, "k-1", reward_id="trees", quantity=3).json
    assert (held["points"], held["value"], held["expires_at"]) == (60, {"value": "30.00", "currency": "EUR"}, None)


def test_redemptions_are_listed_newest_first_page_by_page(acme: Api) -> None:
    acme.post_accrual("R-2", "1000")
    made = []
    for number in range(5):
        acme.world.clock.advance(minutes=1)
        reward = "trees" if number % 2 else "any-card"
        amount = {} if number % 2 else {"amount": {"value": "5", "currency": "EUR"}}
        made.append(hold(acme, f"k-{number}", reward_id=reward, **amount).json["redemption_id"])
    seen, cursor = list[str](), None
    while True:
        page = acme.get(HOLDS, {"limit": "2"} | ({"cursor": cursor} if cursor else {})).json
        seen += [item["redemption_id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == list(reversed(made))
    donations = acme.get(HOLDS, {"type": "donation"}).json["items"]
    assert [item["redemption_id"] for item in donations] == [made[3], made[1]]
    assert acme.get(HOLDS, {"status": "captured"}).json == {"items": [], "next_cursor": None}
    assert len(acme.get(HOLDS, {"status": "held"}).json["items"]) == 5
    acme.get(HOLDS, {"cursor": "nonsense"}).problem(400, "invalid_cursor")


def test_a_filter_finds_what_lies_pages_back(acme: Api) -> None:
    acme.post_accrual("R-2", "1000")
    first = hold(acme, "k-first", reward_id="mug", country="IT").json["redemption_id"]
    for number in range(4):
        acme.world.clock.advance(minutes=1)
        hold(acme, f"k-{number}", reward_id="trees")
    page = acme.get(HOLDS, {"type": "product", "limit": "1"}).json
    assert [item["redemption_id"] for item in page["items"]] == [first]


def test_an_unknown_member_has_no_redemptions(acme: Api) -> None:
    path = f"/v1/programs/acme/members/mbr_{'9' * 26}/redemptions"
    acme.call("GET", path).problem(404, "member_not_found")
    acme.stranger("GET", HOLDS).problem(404, "program_not_found")
