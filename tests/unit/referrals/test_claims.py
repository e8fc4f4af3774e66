"""Codes named after the enrollment, and what either side is shown."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from loyalty.attribution.model import ReferralStatus, Rewarded
from loyalty.attribution.store import referral_put
from tests.apikit.gateway import Reply
from tests.apikit.members import Members
from tests.ledgerkit.calls import recorded
from tests.ledgerkit.interleaving import interrupted
from tests.unit.referrals.rig import MEMBERS, Referring


@pytest.fixture
def acme(members: Members) -> Referring:
    return Referring(members)


def path(member: dict[str, str]) -> str:
    return f"{MEMBERS}/{member['member_id']}/referral"


def claim(acme: Referring, member: dict[str, str], code: str, **source: str) -> Reply:
    return acme.call("POST", path(member), {"referral_code": code, **source})


def paid(acme: Referring, member: dict[str, str], status: ReferralStatus = ReferralStatus.REWARDED) -> None:
    """Has somebody's referral be rewarded: 500 points to who brought them, 250 to them."""
    before = acme.referral(member)
    assert before is not None
    rewarded = Rewarded(before.referrer, before.member_id, 1, 500, 250, acme.members.clock())
    acme.members.table.write([referral_put(before, replace(before, status=status, rewarded=rewarded))])


def test_a_member_names_a_code_afterwards(acme: Referring) -> None:
    ada = acme.member("ada")
    bob = acme.member("bob", signals={"device": "device-one-1"})
    acme.members.clock.advance(days=6)
    reply = claim(acme, bob, ada["referral_code"], referral_channel="till", referral_campaign="summer")
    assert (reply.status, reply.headers["Idempotent-Replayed"]) == (201, "false")
    assert reply.json == {
        "member_id": bob["member_id"],
        "referred_by": ada["member_id"],
        "status": "pending",
        "claimed_at": "2026-03-21T12:02:00.000Z",
        "deadline": "2026-04-20T12:02:00.000Z",
        "points": 0,
    }
    assert acme.call("GET", path(bob)).json == reply.json
    found = acme.referral(bob)
    assert found is not None
    assert (found.source.channel, found.source.campaign) == ("till", "summer")
    assert set(found.likenesses) == {"email_like", "email_stem", "device"}, "as of the enrollment"
    again = claim(acme, bob, f" {ada['referral_code'].lower()} ")
    assert (again.json, again.headers["Idempotent-Replayed"]) == (reply.json, "true")


def test_the_same_code_again_is_a_replay_whatever_became_of_it(acme: Referring) -> None:
    ada, bob = acme.member("ada"), acme.member("bob")
    first = claim(acme, bob, ada["referral_code"])
    acme.exhausted(ada, 3)
    acme.members.clock.advance(days=101)
    before = acme.members.items()
    again = claim(acme, bob, ada["referral_code"])
    assert (again.status, again.headers["Idempotent-Replayed"]) == (201, "true")
    assert again.json == first.json | {"status": "pending"}
    assert acme.members.items() == before


def test_a_code_named_at_enrollment_is_not_named_again(acme: Referring) -> None:
    ada, eve = acme.member("ada"), acme.member("eve")
    bob = acme.member("bob", referral_code=ada["referral_code"])
    assert claim(acme, bob, ada["referral_code"]).headers["Idempotent-Replayed"] == "true"
    claim(acme, bob, eve["referral_code"]).problem(409, "referral_exists")
    found = acme.referral(bob)
    assert found is not None
    assert found.referrer == ada["member_id"]


REFUSED: dict[str, tuple[str, dict[str, str], int, str]] = {
    "malformed": ("K7WQ4M2X?", {}, 422, "referral_code_malformed"),
    "unknown": ("ZZZZZZZZ", {}, 422, "referral_code_unknown"),
    "of another program": ("{other}", {}, 422, "referral_code_unknown"),
    "one's own": ("{own}", {}, 422, "referral_code_own"),
    "exhausted": ("{exhausted}", {}, 422, "referral_code_exhausted"),
    "of an unknown channel": ("{good}", {"referral_channel": "radio"}, 422, "referral_channel_unknown"),
    "of an unknown campaign": ("{good}", {"referral_campaign": "autumn"}, 422, "referral_campaign_unknown"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_writes_nothing(acme: Referring, name: str) -> None:
    text, source, status, code = REFUSED[name]
    acme.members.programs.clients.bind("app", {"acme", "other"})
    good, used, bob = acme.member("good"), acme.member("used"), acme.member("bob")
    acme.exhausted(used, 3)
    other = acme.call("POST", "/v1/programs/other/members", {"email": "o@example.com"}).json
    codes = {
        "{good}": good["referral_code"],
        "{other}": other["referral_code"],
        "{own}": bob["referral_code"],
        "{exhausted}": used["referral_code"],
    }
    before = acme.members.items()
    claim(acme, bob, codes.get(text, text), **source).problem(status, code)
    assert acme.members.items() == before


@pytest.mark.parametrize(
    ("rules", "days", "status"),
    [({}, 6.999, 201), ({}, 7, 409), ({"claim_days": 0}, 0, 409), ({"claim_days": 90}, 60, 201)],
)
def test_a_code_is_named_within_the_programs_days(
    acme: Referring, rules: dict[str, Any], days: float, status: int
) -> None:
    acme.publish(**rules)
    ada, bob = acme.member("ada"), acme.member("bob")
    acme.members.clock.advance(days=days)
    reply = claim(acme, bob, ada["referral_code"])
    assert reply.status == status
    if status == 409:
        reply.problem(409, "referral_claim_closed")
        acme.call("GET", path(bob)).problem(404, "referral_not_found")


def test_an_expired_code_is_named(acme: Referring) -> None:
    ada = acme.member("ada")
    acme.members.clock.advance(days=100)
    claim(acme, acme.member("bob"), ada["referral_code"]).problem(422, "referral_code_expired")


def test_who_is_not_there_claims_nothing(acme: Referring) -> None:
    ada = acme.member("ada")
    nobody = {"member_id": "mbr_" + "0" * 26}
    claim(acme, nobody, ada["referral_code"]).problem(404, "member_not_found")
    for one in ("referral", "referrals"):
        acme.call("GET", f"{MEMBERS}/{nobody['member_id']}/{one}").problem(404, "member_not_found")


def test_two_referrers_who_race_for_one_friend_bring_them_once(acme: Referring) -> None:
    ada, eve, bob = acme.member("ada"), acme.member("eve"), acme.member("bob")
    with interrupted(acme.members.table.client, lambda: claim(acme, bob, eve["referral_code"])):
        claim(acme, bob, ada["referral_code"]).problem(409, "referral_exists")
    found = acme.referral(bob)
    assert found is not None
    assert found.referrer == eve["member_id"]
    assert acme.brought(ada).json["items"] == []
    assert len(acme.brought(eve).json["items"]) == 1


def test_a_member_who_changes_while_they_claim_has_the_likenesses_that_they_have_then(acme: Referring) -> None:
    ada, bob = acme.member("ada"), acme.member("bob")
    renamed = f"{MEMBERS}/{bob['member_id']}"
    with interrupted(acme.members.table.client, lambda: acme.call("PATCH", renamed, {"email": "x@mailinator.com"})):
        assert claim(acme, bob, ada["referral_code"]).status == 201
    found = acme.referral(bob)
    assert found is not None
    assert found.flags == {"disposable_email": 1}


def test_a_claim_is_one_read_and_one_write(acme: Referring) -> None:
    ada, bob = acme.member("ada"), acme.member("bob")
    with recorded(acme.members.table.client) as calls:
        claim(acme, bob, ada["referral_code"])
    assert calls.names == ["BatchGetItem", "TransactWriteItems"]


def test_whom_a_member_brought_is_listed_newest_first_page_by_page(acme: Referring) -> None:
    ada, eve = acme.member("ada"), acme.member("eve")
    acme.publish(code_uses=1000)
    brought = []
    for number in range(23):
        acme.members.clock.advance(minutes=number % 3)  # some at one moment
        referrer = eve if number % 10 == 0 else ada
        friend = acme.member(f"friend{number}", referral_code=referrer["referral_code"])
        brought += [friend["member_id"]] if referrer is ada else []
    whole = acme.brought(ada).json
    assert whole["next_cursor"] is None
    assert whole["summary"] == {"pending": 20, "rewarded": 0, "reversed": 0, "ended": 0, "points": 0}
    seen, cursor, pages = list[str](), None, 0
    while True:
        page = acme.brought(ada, limit="6", **({"cursor": cursor} if cursor else {})).json
        seen += [one["member_id"] for one in page["items"]]
        pages, cursor = pages + 1, page["next_cursor"]
        assert page["summary"] is None
        if cursor is None:
            break
    assert pages == 4
    assert seen == [one["member_id"] for one in whole["items"]]
    assert sorted(seen) == sorted(brought)
    moments = [one["claimed_at"] for one in whole["items"]]
    assert moments == sorted(moments, reverse=True)
    of_ada = acme.brought(ada, limit="6").json["next_cursor"]
    acme.brought(eve, cursor=of_ada).problem(400, "invalid_cursor")
    for limit in ("0", "101", "x"):
        acme.brought(ada, limit=limit).problem(422, "invalid")


def test_the_list_costs_the_same_reads_for_three_friends_as_for_many(acme: Referring) -> None:
    ada, eve = acme.member("ada"), acme.member("eve")
    acme.publish(code_uses=1000)
    for number in range(40):
        acme.member(f"friend{number}", referral_code=(eve if number < 3 else ada)["referral_code"])
    for referrer in (ada, eve):
        with recorded(acme.members.table.client) as calls:
            assert len(acme.brought(referrer, limit="3").json["items"]) == 3
        assert sorted(calls.names) == ["BatchGetItem", "GetItem", *["Query"] * 16]


def test_both_sides_are_shown_the_same_of_how_far_it_is_and_their_own_points(acme: Referring) -> None:
    ada = acme.member("ada")
    friends = {
        status: acme.member(f"of-{status.value}", referral_code=ada["referral_code"]) for status in ReferralStatus
    }
    for status, friend in friends.items():
        paid(acme, friend, status)
    acme.members.clock.advance(days=31)
    expected = {
        ReferralStatus.ENROLLED: ("pending", 0, 0),
        ReferralStatus.QUALIFIED: ("pending", 0, 0),
        ReferralStatus.REWARDED: ("rewarded", 250, 500),
        ReferralStatus.REVERSED: ("reversed", 0, 0),
        ReferralStatus.EXPIRED: ("ended", 0, 0),
        ReferralStatus.REJECTED: ("ended", 0, 0),
        ReferralStatus.UNREWARDED: ("ended", 0, 0),
    }
    page = acme.brought(ada).json
    listed = {one["member_id"]: one for one in page["items"]}
    for status, (told, own, theirs) in expected.items():
        friend = friends[status]
        shown = acme.call("GET", path(friend)).json
        assert (shown["status"], shown["points"]) == (told, own)
        theirs_of_it = listed[friend["member_id"]]
        assert (theirs_of_it["status"], theirs_of_it["points"]) == (told, theirs)
        assert shown.keys() - {"referred_by"} == theirs_of_it.keys()
    assert page["summary"] == {"pending": 2, "rewarded": 1, "reversed": 1, "ended": 3, "points": 500}


def test_who_is_rejected_looks_like_who_bought_nothing(acme: Referring) -> None:
    ada = acme.member("ada")
    honest, rejected = (acme.member(name, referral_code=ada["referral_code"]) for name in ("honest", "rejected"))
    paid(acme, rejected, ReferralStatus.REJECTED)
    for days in (0, 29, 31):
        acme.members.clock.set("2026-03-15T12:02:00Z")
        acme.members.clock.now += timedelta(days=days)
        if days == 31:
            paid(acme, honest, ReferralStatus.EXPIRED)
        shown = [acme.call("GET", path(one)).json | {"member_id": ""} for one in (honest, rejected)]
        assert shown[0] == shown[1]
