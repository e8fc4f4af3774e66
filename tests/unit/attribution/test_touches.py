"""By whom who enrolls is said to have come: codes, links that were followed, and what is refused of either."""

from datetime import timedelta
from typing import Any

import pytest

from loyalty.attribution.model import Source
from tests.apikit.members import Members
from tests.ledgerkit.calls import recorded
from tests.ledgerkit.interleaving import interrupted
from tests.unit.referrals.rig import MEMBERS, Referring


@pytest.fixture
def acme(members: Members) -> Referring:
    return Referring(members)


def test_a_code_is_attributed_with_the_channel_and_campaign_that_were_said(acme: Referring) -> None:
    ada = acme.member("ada")
    bob = acme.member("bob", referral_code=ada["referral_code"], referral_channel="till", referral_campaign="summer")
    found = acme.referral(bob)
    assert found is not None
    assert (found.referrer, found.source) == (ada["member_id"], Source("summer", "till"))
    assert bob["referred_by"] == ada["member_id"]
    assert found.deadline == found.claimed_at + timedelta(days=30)
    assert set(found.likenesses) == {"email_like", "email_stem"}


@pytest.mark.parametrize(("touch", "expected"), [("first", 1), ("last", 3)])
def test_of_several_links_the_first_or_the_last_counts(acme: Referring, touch: str, expected: int) -> None:
    acme.publish(touch=touch)
    ada, eve, joe = (acme.member(name) for name in ("ada", "eve", "joe"))
    clicks = [
        acme.followed(ada, 1, ago=timedelta(days=9), campaign="summer", channel="link"),
        acme.followed(eve, 2, ago=timedelta(days=5)),
        acme.followed(joe, 3, ago=timedelta(hours=1), channel="whatsapp"),
    ]
    bob = acme.member("bob", referral_clicks=[clicks[2], clicks[0], clicks[1]])
    found = acme.referral(bob)
    assert found is not None
    assert found.source.click == clicks[expected - 1]
    assert found.referrer == {1: ada, 3: joe}[expected]["member_id"]
    assert found.source.channel == {1: "link", 3: "whatsapp"}[expected]


def test_of_links_at_one_moment_the_same_counts_each_time(acme: Referring) -> None:
    ada, eve = acme.member("ada"), acme.member("eve")
    one, two = acme.followed(ada, 1), acme.followed(eve, 2)
    first, second = acme.member("bob", referral_clicks=[one, two]), acme.member("dan", referral_clicks=[two, one])
    assert first["referred_by"] == second["referred_by"] == ada["member_id"]


@pytest.mark.parametrize("touch", ["first", "last"])
def test_a_link_of_too_long_ago_counts_for_nothing(acme: Referring, touch: str) -> None:
    acme.publish(touch=touch)
    ada, eve = acme.member("ada"), acme.member("eve")
    late = acme.followed(ada, 1, ago=timedelta(days=10, milliseconds=1))
    assert acme.member("bob", referral_clicks=[late])["referred_by"] is None
    just = acme.followed(eve, 2, ago=timedelta(days=10))
    assert acme.member("dan", referral_clicks=[late, just])["referred_by"] == eve["member_id"]


def test_links_that_are_none_keep_nobody_from_enrolling(acme: Referring) -> None:
    clicks = ["x", "clk_nothing", "clk_" + "0" * 26, "CLK_" + "0" * 26, "\u20ac#", "clk_" + "z" * 26]
    assert acme.member("bob", referral_clicks=clicks)["referred_by"] is None


def test_a_code_counts_before_links_and_a_link_of_the_same_member_says_from_where(acme: Referring) -> None:
    ada, eve = acme.member("ada"), acme.member("eve")
    of_ada = acme.followed(ada, 1, ago=timedelta(days=2), channel="whatsapp", campaign="summer")
    of_eve = acme.followed(eve, 2)
    bob = acme.member("bob", referral_code=ada["referral_code"], referral_clicks=[of_ada, of_eve])
    said = acme.member("dan", referral_code=ada["referral_code"], referral_clicks=[of_ada], referral_channel="till")
    other = acme.member("joe", referral_code=ada["referral_code"], referral_clicks=[of_eve])
    sources = [one.source for one in map(acme.referral, (bob, said, other)) if one is not None]
    assert sources == [Source("summer", "whatsapp", of_ada), Source(None, "till", of_ada), Source()]
    assert {one["referred_by"] for one in (bob, said, other)} == {ada["member_id"]}


def test_a_link_that_was_followed_while_its_code_was_good_counts_afterwards(acme: Referring) -> None:
    ada = acme.member("ada")
    acme.members.clock.advance(days=95)
    click = acme.followed(ada, 1)
    acme.members.clock.advance(days=6)
    code = ada["referral_code"]
    acme.enroll("bob", referral_code=code, referral_clicks=[click]).problem(422, "referral_code_expired")
    assert acme.member("bob", referral_clicks=[click])["referred_by"] == ada["member_id"]


def test_a_program_without_referrals_takes_codes_and_no_links(members: Members) -> None:
    acme = Referring(members)
    ada = acme.member("ada")
    click = acme.followed(ada, 1)
    members.programs.publish(
        members.programs.current("acme").document.model_copy(update={"referrals": None}),
        expected_version=members.programs.current("acme").version,
        actor="test",
    )
    members.clock.advance(seconds=120)
    assert acme.member("bob", referral_clicks=[click])["referred_by"] is None
    dan = acme.member("dan", referral_code=ada["referral_code"])
    found = acme.referral(dan)
    assert found is not None
    assert (found.referrer, found.deadline, found.due_at) == (ada["member_id"], None, None)
    refused = {"referral_code": ada["referral_code"], "referral_channel": "link"}
    acme.enroll("joe", **refused).problem(422, "referral_channel_unknown")


BAD: dict[str, tuple[dict[str, Any], str, str]] = {
    "unknown": ({"referral_code": "ZZZZZZZZ"}, "referral_code_unknown", "/referral_code"),
    "malformed": ({"referral_code": "K7WQ4M2XX1-?"}, "referral_code_malformed", "/referral_code"),
    "one character mistyped": ({"referral_code": "{mistyped}"}, "referral_code_malformed", "/referral_code"),
    "of another program": ({"referral_code": "{other}"}, "referral_code_unknown", "/referral_code"),
    "exhausted": ({"referral_code": "{exhausted}"}, "referral_code_exhausted", "/referral_code"),
    "an unknown channel": (
        {"referral_code": "{good}", "referral_channel": "radio"}, "referral_channel_unknown", "/referral_channel",
    ),
    "an unknown campaign": (
        {"referral_code": "{good}", "referral_campaign": "autumn"}, "referral_campaign_unknown", "/referral_campaign",
    ),
    "a channel of no code": ({"referral_channel": "till"}, "invalid", ""),
    "a campaign of no code": ({"referral_campaign": "summer"}, "invalid", ""),
    "too many links": ({"referral_clicks": [f"clk_{n:026}" for n in range(11)]}, "invalid", "/referral_clicks"),
    "a link too long": ({"referral_clicks": ["c" * 65]}, "invalid", "/referral_clicks/0"),
    "a device too short": ({"signals": {"device": "1234567"}}, "invalid", "/signals/device"),
    "a device too long": ({"signals": {"device": "d" * 129}}, "invalid", "/signals/device"),
    "no address": ({"signals": {"ip": "203.0.113.7:443"}}, "invalid", "/signals/ip"),
    "a card number": ({"signals": {"payment": "4111111111111111"}}, "invalid", "/signals/payment"),
    "a card number with dashes": ({"signals": {"payment": "4111-1111-1111-1111"}}, "invalid", "/signals/payment"),
    "a short place": ({"signals": {"address": "Rome"}}, "invalid", "/signals/address"),
    "another signal": ({"signals": {"browser": "Lynx"}}, "invalid", "/signals"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_what_is_refused_enrolls_nobody(acme: Referring, name: str) -> None:
    body, code, pointer = BAD[name]
    acme.members.programs.clients.bind("app", {"acme", "other"})
    good, used = acme.member("good"), acme.member("used")
    other = acme.call("POST", "/v1/programs/other/members", {"email": "o@example.com"}).json
    acme.exhausted(used, 3)
    given = good["referral_code"]
    codes = {
        "{good}": given,
        "{mistyped}": ("A" if given[0] != "A" else "C") + given[1:],
        "{other}": other["referral_code"],
        "{exhausted}": used["referral_code"],
    }
    sent: dict[str, Any] = {
        key: codes.get(value, value) if isinstance(value, str) else value for key, value in body.items()
    }
    before = acme.members.items()
    problem = acme.enroll("bob", **sent).problem(422, code)
    assert [one["pointer"] for one in problem["errors"]] == [pointer]
    assert acme.members.items() == before


def test_a_code_that_may_bring_one_more_brings_one_more(acme: Referring) -> None:
    ada = acme.member("ada")
    acme.exhausted(ada, 3)
    acme.enroll("bob", referral_code=ada["referral_code"]).problem(422, "referral_code_exhausted")
    acme.publish(code_uses=4)
    assert acme.member("bob", referral_code=ada["referral_code"])["referred_by"] == ada["member_id"]


def test_who_enrolls_at_once_by_two_codes_comes_by_one(acme: Referring) -> None:
    ada, eve = acme.member("ada"), acme.member("eve")
    friends: list[str] = []

    def first() -> None:
        friends.append(acme.member("bob", referral_code=eve["referral_code"])["member_id"])

    with interrupted(acme.members.table.client, first):
        acme.enroll("bob", referral_code=ada["referral_code"]).problem(409, "already_enrolled")
    assert acme.brought(ada).json["items"] == []
    assert [one["member_id"] for one in acme.brought(eve).json["items"]] == friends


def test_who_enrolls_by_their_own_code_is_a_member_already(acme: Referring) -> None:
    ada = acme.member("ada", phone="+393331234567")
    code = ada["referral_code"]
    acme.enroll("ada", referral_code=code).problem(409, "already_enrolled")
    acme.enroll("new", phone="+393331234567", referral_code=code).problem(409, "already_enrolled")


def test_the_same_request_again_gives_its_first_result_whatever_became_of_the_code(acme: Referring) -> None:
    ada = acme.member("ada")
    body = {"referral_code": ada["referral_code"], "signals": {"ip": "203.0.113.7"}}
    first = acme.enroll("bob", **body)
    acme.exhausted(ada, 3)
    before = acme.members.items()
    again = acme.enroll("bob", **body | {"signals": {"ip": "198.51.100.7"}})
    assert (again.status, again.headers["Idempotent-Replayed"]) == (201, "true")
    assert again.json == first.json
    acme.enroll("bob", given_name="Bob", **body).problem(409, "already_enrolled")
    acme.enroll("dan", **body).problem(422, "referral_code_exhausted")
    assert acme.members.items() == before


@pytest.mark.parametrize(
    ("kinds", "trips"),
    [
        ((), ["TransactWriteItems"]),
        (("code",), ["BatchGetItem", "TransactWriteItems"]),
        (("clicks",), ["BatchGetItem", "TransactWriteItems"]),
        (("code", "clicks"), ["BatchGetItem", "TransactWriteItems"]),
    ],
)
def test_a_referral_adds_one_round_trip_to_an_enrollment(
    acme: Referring, kinds: tuple[str, ...], trips: list[str]
) -> None:
    ada = acme.member("ada")
    sent: dict[str, Any] = {
        "code": {"referral_code": ada["referral_code"]},
        "clicks": {"referral_clicks": [acme.followed(ada, number) for number in range(10)]},
    }
    body = {name: value for kind in kinds for name, value in sent[kind].items()}
    acme.call("GET", f"{MEMBERS}/{ada['member_id']}")  # the program is remembered
    with recorded(acme.members.table.client) as calls:
        bob = acme.member("bob", **body)
    assert calls.names == trips
    assert bob["referred_by"] == (ada["member_id"] if kinds else None)


def test_signals_are_kept_as_hashes_with_the_member_and_told_nobody(acme: Referring) -> None:
    ada = acme.member("ada")
    signals = {
        "device": "planted-device-1",
        "ip": "203.0.113.7",
        "payment": "planted-payment-1",
        "address": "Planted Road 1, Rome",
    }
    reply = acme.enroll("Planted.Bob", referral_code=ada["referral_code"], signals=signals)
    assert reply.status == 201
    assert "signals" not in reply.json
    found, stored = acme.referral(reply.json), acme.members.items()[f"M#acme#{reply.json['member_id']}", "MEMBER"]
    assert found is not None
    assert set(found.likenesses) == {"email_like", "email_stem", "device", "payment", "address", "network"}
    kept = {kind: digest["S"] for kind, digest in stored["likenesses"]["M"].items()}
    assert kept == {kind: digest for kind, digest in found.likenesses.items() if kind != "email_stem"}
    text = repr(acme.members.items()).lower()
    assert not [trace for trace in ("planted", "203.0.113", "rome") if trace in text]


def test_a_phone_is_kept_as_what_it_is_found_by(acme: Referring) -> None:
    ada = acme.member("ada", phone="+393331234567")
    path = (f"M#acme#{ada['member_id']}", "MEMBER")

    def phones() -> list[str | None]:
        stored = acme.members.items()[path]
        return [stored[name]["M"].get("phone", {}).get("S") for name in ("likenesses", "lookups")]

    first = phones()
    assert first[0] == first[1] is not None
    acme.call("PATCH", f"{MEMBERS}/{ada['member_id']}", {"phone": "+393331234568"})
    assert phones()[0] == phones()[1] != first[0]
    acme.call("PATCH", f"{MEMBERS}/{ada['member_id']}", {"phone": None})
    assert phones() == [None, None]


def test_a_new_address_has_other_likenesses_and_the_rest_stays(acme: Referring) -> None:
    ada = acme.member("ada", signals={"device": "device-one-1"})
    path = ("M#acme#" + ada["member_id"], "MEMBER")

    def kept() -> dict[str, Any]:
        stored = acme.members.items()[path]
        return {
            **{kind: one["S"] for kind, one in stored["likenesses"]["M"].items()},
            "stem": stored.get("email_stem", {}).get("S"),
            "flags": stored.get("flags", {}).get("M"),
        }

    before = kept()
    url = f"{MEMBERS}/{ada['member_id']}"
    acme.call("PATCH", url, {"given_name": "Ada"})
    assert kept() == before
    acme.call("PATCH", url, {"email": "99@mailinator.com"})
    after = kept()
    assert after["device"] == before["device"]
    assert after["email_like"] != before["email_like"]
    assert (after["stem"], after["flags"]) == (None, {"disposable_email": {"N": "1"}})
    acme.call("PATCH", url, {"email": "ada@example.com"})
    assert kept() == before
