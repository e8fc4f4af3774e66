"""Referrals on the deployed platform: both sides are rewarded, and both rewards are taken back, by events and by the clock."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest

import loyalty_contract as contract
from infra.local.cloud import STAGE, LocalCloud
from infra.local.seed import publish_programs
from infra.names import resource
from loyalty.attribution.store import due_shard, shard_of
from loyalty.core.clock import to_text
from tests.e2e.partner import Partner, eventually, unique
from tests.e2e.traces import events

pytestmark = pytest.mark.e2e

ROOT: Final = Path(__file__).parents[2]
SCOPES: Final = [
    "members.read", "members.write", "wallet.read", "accruals.write", "referrals.read", "referrals.review", "rewards.read",
    "redemptions.write",
]  # fmt: skip
RULES: Final = [
    {"id": "purchase", "activity": "purchase", "rates": [{"points": 1, "per": "1.00", "currency": "USD"}]},
    {"id": "brings", "activity": "referral", "fixed_points": 500, "tier_multiplied": False},
    {"id": "brought", "activity": "referred", "fixed_points": 250, "tier_multiplied": False},
]

COFFEES: Final = "coffees"
VOUCHERS: Final[dict[str, Any]] = {
    "wallets": [{"id": COFFEES, "name": "Free coffees", "expiry": {"policy": "rolling", "months": 3}}],
    "earn_rules": [
        RULES[0],
        *({"id": one, "activity": one, "wallet": COFFEES, "fixed_points": 1} for one in ("referral", "referred")),
    ],
    "rewards": [{"id": "free-coffee", "name": "A coffee on us", "type": "perk", "wallet": COFFEES, "points": 1}],
}
"""One coffee for each side, instead of points."""


def document(program: str, return_days: int, **more: Any) -> dict[str, Any]:
    """A program in which 20.00 USD count, and are rewarded so many days later."""
    found: dict[str, Any] = json.loads((ROOT / "events" / "programs" / "aurora.json").read_text())
    qualifying = {"minimum": [{"value": "20.00", "currency": "USD"}], "return_days": return_days}
    referrals = {"landing_url": "https://shop.example/join", "qualifying": qualifying, "reminder_days": [7]}
    kept = {name: found[name] for name in ("tiers", "time_zone", "expiry") if name in found}
    own = {"id": program, "name": program.title(), "earn_rules": RULES, "referrals": referrals, "rewards": []}
    return kept | own | more


@pytest.fixture(scope="module")
def partners(cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Partner]:
    """A partner in each of three programs: rewards at once, after a fortnight, and at once as vouchers."""
    programs: dict[str, tuple[int, dict[str, Any]]] = {"atonce": (0, {}), "patient": (14, {}), "treats": (0, VOUCHERS)}
    paths = {program: tmp_path_factory.mktemp("programs") / f"{program}.json" for program in programs}
    for program, path in paths.items():
        return_days, more = programs[program]
        path.write_text(json.dumps(document(program, return_days, **more)))
    publish_programs(cloud.environment, paths)
    client_id, secret = cloud.new_client("bringing", SCOPES, list(programs))
    token = cloud.token(client_id=client_id, client_secret=secret)
    found = {program: Partner(cloud, token) for program in programs}
    for program, partner in found.items():
        partner.program_url = f"{cloud.api_url}/v1/programs/{program}"
    return found


def buys(partner: Partner, member_id: str, value: str) -> str:
    """A purchase of this moment; its receipt."""
    receipt, what = unique(), {"activity": "purchase", "channel": "in_store", "source": "pos"}
    amount = {"value": value, "currency": "USD"}
    body = what | {"source_id": receipt, "occurred_at": to_text(datetime.now(UTC)), "amount": amount}
    answer = partner.call("POST", f"/members/{member_id}/accruals", body)
    assert answer.status_code == 201, answer.text
    return receipt


def returns(partner: Partner, member_id: str, receipt: str) -> None:
    what = {"source": "pos", "source_id": unique(), "accrual_source_id": receipt, "everything": True}
    body = what | {"reason": "return", "occurred_at": to_text(datetime.now(UTC))}
    answer = partner.call("POST", f"/members/{member_id}/reversals", body)
    assert answer.status_code == 201, answer.text


def two(partner: Partner) -> tuple[str, str]:
    """A member, and somebody who came by their code."""
    ada = partner.enroll()
    friend = partner.enroll(referral_code=ada["referral_code"])
    return ada["member_id"], friend["member_id"]


def rewards(partner: Partner, *members: str) -> list[list[int]]:
    """Points of the entries of referrals, the earliest first, of each."""
    return [
        [one["points"] for one in reversed(partner.entries(member)) if one["entry_id"].split(":")[1] == "referral"]
        for member in members
    ]


def test_both_are_rewarded_and_both_rewards_are_taken_back(
    partners: dict[str, Partner], cloud: LocalCloud, overheard: str
) -> None:
    partner = partners["atonce"]
    ada, friend = two(partner)
    small = buys(partner, friend, "19.99")
    receipt = buys(partner, friend, "25.00")
    eventually("both rewards", lambda: rewards(partner, ada, friend) == [[500], [250]] or None)
    returns(partner, friend, small)
    returns(partner, friend, receipt)
    eventually("both reversals", lambda: rewards(partner, ada, friend) == [[500, -500], [250, -250]] or None)
    assert [partner.wallet(one)["available"] for one in (ada, friend)] == [0, 0]
    told = [
        contract.REFERRAL_ENROLLED, contract.REFERRAL_QUALIFIED, contract.REFERRAL_REWARDED, contract.REFERRAL_REVERSED,
    ]  # fmt: skip
    heard = events(cloud, overheard, friend, set(told))
    by_kind = {one["detail-type"]: one["detail"] for one in heard if one["detail"].get("member_id") == friend}
    assert [by_kind[kind]["status"] for kind in told] == ["pending", "pending", "rewarded", "reversed"]
    assert (by_kind[contract.REFERRAL_REWARDED]["referrer"], by_kind[contract.REFERRAL_REWARDED]["points"]) == (
        ada,
        500,
    )


def test_both_get_a_voucher_and_redeem_it_as_a_reward(partners: dict[str, Partner]) -> None:
    partner = partners["treats"]
    ada, friend = two(partner)
    buys(partner, friend, "25.00")

    def coffees(member: str) -> list[tuple[int, int]]:
        wallets = [one for one in partner.wallet(member)["others"] if one["wallet"] == COFFEES]
        return [(one["available"], one["held"]) for one in wallets]

    eventually("both vouchers", lambda: [coffees(one) for one in (ada, friend)] == [[(1, 0)], [(1, 0)]] or None)
    (shown,) = partner.call("GET", f"/members/{ada}/rewards").json()["items"]
    assert (shown["wallet"], shown["points"], shown["affordable"], shown["available"]) == (COFFEES, 1, True, True)
    wish = {"reward_id": "free-coffee", "quoted_points": 1, "quoted_wallet": COFFEES}
    held = partner.call("POST", f"/members/{ada}/redemptions", wish, Idempotency_Key=unique())
    assert held.status_code == 201, held.text
    assert (held.json()["wallet"], held.json()["points"], coffees(ada)) == (COFFEES, 1, [(0, 1)])
    captured = partner.call("POST", f"/members/{ada}/redemptions/{held.json()['redemption_id']}/capture")
    assert captured.ok, captured.text
    again = partner.call("POST", f"/members/{ada}/redemptions", wish, Idempotency_Key=unique())
    assert (again.status_code, again.json()["code"]) == (409, "insufficient_points")
    assert again.json()["detail"] == "This needs 1 of the wallet 'coffees'; 0 can be spent."
    assert (partner.wallet(ada)["available"], partner.wallet(friend)["available"], coffees(friend)) == (0, 25, [(1, 0)])


def test_who_looks_like_the_referrer_waits_for_a_person(partners: dict[str, Partner], cloud: LocalCloud) -> None:
    """Two who came on their referrers' own devices: neither side sees a difference until a person has decided."""
    partner = partners["atonce"]

    def alike() -> tuple[str, str]:
        device = {"device": f"tablet-{unique()}"}
        ada = partner.enroll(signals=device)
        friend = partner.enroll(referral_code=ada["referral_code"], signals=device)["member_id"]
        buys(partner, friend, "25.00")
        return ada["member_id"], friend

    (ada, known), (eve, made_up) = alike(), alike()
    friends = [known, made_up]

    def waiting() -> list[str] | None:
        found, query = [], "limit=1"
        while query:
            page = partner.call("GET", f"/referral-reviews?{query}").json()
            found += [one["member_id"] for one in page["items"]]
            query = page["next_cursor"] and f"limit=1&cursor={page['next_cursor']}"
        return found if set(friends) <= set(found) else None

    eventually("two that wait", waiting)
    seen = partner.call("GET", f"/members/{known}/referral/review").json()
    assert "same_device" in {one["signal"] for one in seen["screening"]["signs"]}
    assert seen["reproduced"] is True
    assert partner.call("GET", f"/members/{known}/referral").json()["status"] == "pending"
    assert rewards(partner, ada, eve, *friends) == [[], [], [], []]
    said = {"actor": "staff-17", "reason": "known_family"}
    approved = partner.call("POST", f"/members/{known}/referral/review/approve", said)
    assert approved.ok, approved.text
    rejected = partner.call("POST", f"/members/{made_up}/referral/review/reject", said | {"reason": "made_up"})
    assert rejected.ok, rejected.text
    eventually("both rewards", lambda: rewards(partner, ada, eve, *friends) == [[500], [], [250], []] or None)
    assert partner.call("GET", f"/members/{made_up}/referral").json()["status"] == "pending"


def test_the_clock_pays_when_the_return_window_is_over(
    partners: dict[str, Partner], cloud: LocalCloud, overheard: str
) -> None:
    """The days go by in the item: nobody can wait for them."""
    partner = partners["patient"]
    ada, friend = two(partner)
    buys(partner, friend, "25.00")
    eventually("a purchase that counts", lambda: stored(cloud, friend)["status"]["S"] == "qualified" or None)
    assert rewards(partner, ada, friend) == [[], []]
    over = to_text(datetime.now(UTC) - timedelta(days=1))
    changed(cloud, friend, over, "pays_at")
    nobody = two(partner)[1]
    eventually("a look at who came", lambda: "screened" in stored(cloud, nobody) or None)
    changed(cloud, nobody, over, "deadline")
    payload = json.dumps({"shards": sorted({shard_of(friend), shard_of(nobody)})}).encode()
    name = f"{resource(STAGE, 'referral_clock')}:live"
    answer = cloud.client("lambda").invoke(FunctionName=name, Payload=payload)
    done = json.loads(answer["Payload"].read())
    assert (done["failed"], done["finished"]) == (0, True), done
    # The schedule of the stage may have been first.
    assert rewards(partner, ada, friend) == [[500], [250]]
    assert [stored(cloud, one)["status"]["S"] for one in (friend, nobody)] == ["rewarded", "expired"]
    events(cloud, overheard, nobody, {contract.REFERRAL_ENDED})


def changed(cloud: LocalCloud, friend: str, moment: str, attribute: str) -> None:
    """The moment that a referral waits for has come."""
    cloud.client("dynamodb").update_item(
        TableName=cloud.table,
        Key=key(friend),
        UpdateExpression="SET #attribute = :moment, #due_at = :due",
        ExpressionAttributeNames={"#attribute": attribute, "#due_at": contract.DUE_AT},
        ExpressionAttributeValues={":moment": {"S": moment}, ":due": {"S": f"{moment}#{friend}"}},
    )
    assert stored(cloud, friend)[contract.DUE_INDEX_KEY]["S"] == due_shard(shard_of(friend))


def key(friend: str, program: str = "patient") -> dict[str, dict[str, str]]:
    return {"pk": {"S": f"M#{program}#{friend}"}, "sk": {"S": contract.REFERRAL_SK}}


def stored(cloud: LocalCloud, friend: str) -> dict[str, Any]:
    item: dict[str, Any] = cloud.client("dynamodb").get_item(TableName=cloud.table, Key=key(friend))["Item"]
    return item
