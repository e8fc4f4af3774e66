"""What is counted for each signal, by tables made by hand: found, and not found by one less."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from loyalty.attribution.model import Evidence, Qualified, Referral, ReferralStatus, Screened, Signal, Verdict
from loyalty.core.money import Money
from loyalty.programs.referrals import Qualifying
from loyalty.referrals.facts import Facts
from loyalty.referrals.features import features_of
from loyalty.referrals.sightings import Claim, Counts, Seen, Sighting

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FRIEND = Referral(
    program="acme",
    member_id="mbr_friend",
    referrer="mbr_ada",
    code="K7WQ4M2X",
    claimed_at=NOON,
    deadline=NOON + 30 * DAY,
    likenesses={
        "email_like": "e1",
        "email_stem": "s1",
        "phone": "t1",
        "device": "d1",
        "payment": "p1",
        "address": "a1",
        "network": "n1",
    },
    flags={"disposable_email": 1},
)
BARE = replace(FRIEND, likenesses={}, flags={})
TWENTY = Qualifying.model_validate({"minimum": [{"value": "20.00", "currency": "EUR"}]})


def counted(facts: Facts) -> dict[str, int]:
    return features_of(facts)[0]


def seen(*who: tuple[str, timedelta, str | None]) -> Seen:
    return Seen(tuple(Sighting(member, NOON + at, referrer) for member, at, referrer in who))


def claims(*minutes: float) -> Counts:
    return Counts(claims=tuple(Claim(f"mbr_{n}", NOON + timedelta(minutes=at)) for n, at in enumerate(minutes)))


def other(number: int, *, cents: int | None = None, after: timedelta = DAY, **changes: object) -> Referral:
    euros = None if cents is None else Money.of(f"{cents // 100}.{cents % 100:02}", "EUR")
    at = FRIEND.claimed_at + after
    bought = None if cents is None else Qualified("accrual:pos:1", euros, at, at, at)
    return replace(FRIEND, member_id=f"mbr_{number}", qualified=bought, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["email_like", "phone", "device", "payment", "address", "network"])
def test_what_is_the_referrers_is_found_and_what_is_not_told_is_not(kind: str) -> None:
    signal = f"same_{kind.removesuffix('_like')}"
    mine = FRIEND.likenesses[kind]
    assert counted(Facts(FRIEND, referrer={kind: mine}))[signal] == 1
    assert counted(Facts(FRIEND, seen={kind: seen(("mbr_ada", -DAY, None))}))[signal] == 1
    for innocent in (
        Facts(FRIEND, referrer={kind: "another"}),
        Facts(FRIEND),
        Facts(BARE, referrer={kind: mine}),
        Facts(FRIEND, seen={kind: seen(("mbr_eve", -DAY, None))}),
    ):
        assert signal not in counted(innocent)


@pytest.mark.parametrize(
    ("sightings", "count"),
    [
        ([("mbr_friend", timedelta(), "mbr_ada")], 0),
        ([("mbr_ada", -DAY, None)], 0),
        ([("mbr_later", DAY, None)], 0),
        ([("mbr_eve", -DAY, None)], 1),
        ([("mbr_eve", -DAY, None), ("mbr_joe", -40 * DAY, "mbr_x")], 2),
    ],
)
def test_an_existing_customer_had_the_mailbox_before(
    sightings: list[tuple[str, timedelta, str | None]], count: int
) -> None:
    for kind in ("email_like", "phone"):
        assert counted(Facts(FRIEND, seen={kind: seen(*sightings)})).get("existing_customer", 0) == count
    assert "existing_customer" not in counted(Facts(FRIEND, seen={"payment": seen(*sightings)}))


@pytest.mark.parametrize(
    ("erased", "until", "count"),
    [(-DAY, DAY, 1), (-DAY, timedelta(), 0), (timedelta(), DAY, 0), (DAY, 9 * DAY, 0)],
)
def test_a_customer_who_was_erased_before_is_known_for_a_while(erased: timedelta, until: timedelta, count: int) -> None:
    gone = Seen(erased_at=NOON + erased, erased_until=NOON + until)
    for kind in ("email_like", "phone", "payment"):
        assert counted(Facts(FRIEND, seen={kind: gone})).get("erased_customer", 0) == count
    assert "erased_customer" not in counted(Facts(FRIEND, seen={"device": gone, "address": gone, "network": gone}))


def test_crowds_are_counted_with_who_was_brought_within_a_week() -> None:
    near = seen(("mbr_friend", timedelta(), "mbr_ada"), ("mbr_1", -7 * DAY, None), ("mbr_2", 7 * DAY, "mbr_x"))
    far = seen(("mbr_1", -7 * DAY - HOUR, None), ("mbr_2", 7 * DAY + HOUR, None))
    for kind in ("device", "network"):
        assert counted(Facts(FRIEND, seen={kind: near}))[f"{kind}_velocity"] == 3
        assert f"{kind}_velocity" not in counted(Facts(FRIEND, seen={kind: far}))
    assert counted(Facts(FRIEND, seen={"payment": far}))["payment_velocity"] == 3


def test_a_ring_is_of_those_whom_the_same_referrer_brought_each_once() -> None:
    shared = seen(("mbr_1", -DAY, "mbr_ada"), ("mbr_2", -DAY, "mbr_eve"), ("mbr_friend", timedelta(), "mbr_ada"))
    facts = Facts(
        FRIEND, seen={"device": shared, "payment": seen(("mbr_1", -DAY, "mbr_ada"), ("mbr_3", DAY, "mbr_ada"))}
    )
    features, members = features_of(facts)
    assert features["ring"] == 2
    assert members[Signal.RING] == ("mbr_1", "mbr_3")
    assert "ring" not in counted(Facts(FRIEND, seen={"address": shared, "network": shared}))
    assert counted(Facts(FRIEND, seen={"address": shared}))["shared_address"] == 1


@pytest.mark.parametrize(
    ("depth", "days", "found"),
    [
        (0, -1, {}),
        (1, -1, {"circle": 1}),
        (4, -1, {"circle": 1}),
        (1, 0, {"in_circle": 1, "chain": 1}),
        (4, 1, {"in_circle": 1}),
    ],
)
def test_a_circle_leads_back_to_who_was_brought(depth: int, days: int, found: dict[str, int]) -> None:
    names = ["mbr_ada", "mbr_b", "mbr_c", "mbr_d", "mbr_friend"]
    up = [
        replace(BARE, member_id=names[n], referrer=names[n + 1], claimed_at=NOON - 9 * DAY) for n in range(depth or 3)
    ]
    up[-1] = replace(up[-1], referrer="mbr_friend" if depth else "mbr_d", claimed_at=NOON + days * DAY)
    features, members = features_of(Facts(BARE, ancestors=up))
    assert features == found
    circle = members.get(Signal.CIRCLE) or members.get(Signal.IN_CIRCLE) or ()
    assert list(circle) == names[:depth]


@pytest.mark.parametrize(
    ("above", "below", "below_that", "links"),
    [
        ([], [], [], 0),
        ([60], [], [], 1),
        ([61], [], [], 0),
        ([-1], [], [], 0),
        ([30, 60], [], [], 2),
        ([30, 91], [], [], 1),
        ([], [60], [], 1),
        ([], [61], [], 0),
        ([], [-5], [], 0),
        ([], [20], [70], 2),
        ([], [20], [81], 1),
        ([], [], [10], 0),
        ([10, 20], [30], [40], 4),
    ],
)
def test_a_chain_is_of_links_within_the_hour(
    above: list[int], below: list[int], below_that: list[int], links: int
) -> None:
    ancestors = [
        replace(BARE, member_id=f"mbr_{n}", claimed_at=NOON - timedelta(minutes=at)) for n, at in enumerate(above)
    ]
    facts = Facts(BARE, ancestors=ancestors, brought=claims(*below).claims, brought_by_them=claims(*below_that).claims)
    assert counted(facts).get("chain", 0) == links


EVEN = [10.0 * n for n in range(-6, 7)]


@pytest.mark.parametrize(
    ("minutes", "percent"),
    [
        (EVEN, 100),
        (EVEN[1:], 0),  # eleven distances
        ([*EVEN, 60 + 41], 100),  # a night
        ([*EVEN, 60 + 40], 92),  # no night: 12 of 13
        ([*EVEN[1:], 60 + 41], 0),  # eleven distances and a night
        ([0, 6, 19, 26, 40, 47, 60, 73, 80, 91, 103, 115, 130], 66),  # middle 12: of 8 to 16 are 8 of 12
        ([0] * 13, 0),  # all at once
    ],
)
def test_even_distances_are_told_in_percent(minutes: list[float], percent: int) -> None:
    assert counted(Facts(BARE, counts=claims(*minutes))).get("even_timing", 0) == percent


def test_of_very_many_claims_the_nearest_sixteen_distances_are_compared() -> None:
    far = [-5_000.0, -4_000.0, -3_900.0, -3_800.0]
    assert counted(Facts(BARE, counts=claims(*far, *(3 * n for n in range(-8, 9)))))["even_timing"] == 100


def test_mailboxes_that_differ_in_digits_alone() -> None:
    def known(*stems: str) -> Counts:
        return Counts(claims=tuple(Claim(f"mbr_{n}", NOON, stem) for n, stem in enumerate(stems)))

    assert counted(Facts(FRIEND, counts=known("s1", "s2", "s1", "")))["alike_emails"] == 2
    assert "alike_emails" not in counted(Facts(BARE, counts=known("", "", "")))
    mine = Counts(claims=(Claim("mbr_friend", NOON, "s1"),))
    assert "alike_emails" not in counted(Facts(FRIEND, counts=mine))


@pytest.mark.parametrize(("others", "percent"), [([1, 1, 1], 0), ([1, 0, 0, 1], 50), ([0] * 4, 0), ([1] * 5, 100)])
def test_disposable_addresses_of_the_others_count_where_their_own_is_one(others: list[int], percent: int) -> None:
    known = Counts(claims=tuple(Claim(f"mbr_{n}", NOON, disposable=bool(is_one)) for n, is_one in enumerate(others)))
    found = counted(Facts(FRIEND, counts=known))
    assert (found["disposable_email"], found.get("disposable_others", 0)) == (1, percent)
    assert not counted(Facts(BARE, counts=known))


@pytest.mark.parametrize(
    ("cents", "others", "percent"),
    [
        (2_200, [2_000, 2_200, 2_100, 2_000], 100),
        (2_201, [2_000] * 4, 0),
        (2_000, [2_000] * 3, 0),
        (2_000, [2_000, 9_000, 2_201, 2_000], 50),
        (None, [2_000] * 4, 0),
    ],
)
def test_the_least_purchase_is_a_pattern_with_the_others(cents: int | None, others: list[int], percent: int) -> None:
    mine = replace(other(99, cents=cents), member_id="mbr_friend")
    known = [other(n, cents=amount) for n, amount in enumerate(others)]
    assert counted(Facts(mine, TWENTY, others=known)).get("least_purchase", 0) == percent
    assert "least_purchase" not in counted(Facts(mine, Qualifying(), others=known))


@pytest.mark.parametrize(("minutes", "percent"), [(10, 75), (10.1, 0)])
def test_a_quick_purchase_is_a_pattern_with_the_others(minutes: float, percent: int) -> None:
    mine = replace(other(99, cents=5_000, after=timedelta(minutes=minutes)), member_id="mbr_friend")
    known = [other(n, cents=5_000, after=timedelta(minutes=9 if n else 11)) for n in range(4)]
    assert counted(Facts(mine, TWENTY, others=[*known, other(7)])).get("quick_purchase", 0) == percent


@pytest.mark.parametrize(("networks", "percent"), [(["n1"] * 3, 0), (["n1", "n1", "n2", "n1"], 75), (["n2"] * 4, 0)])
def test_one_network_of_the_others(networks: list[str], percent: int) -> None:
    known = [other(n, likenesses={"network": network}) for n, network in enumerate(networks)]
    unknown = [other(n + 50, likenesses={}) for n in range(9)]
    assert counted(Facts(FRIEND, others=[*known, *unknown])).get("one_network", 0) == percent
    assert "one_network" not in counted(Facts(BARE, others=known))


@pytest.mark.parametrize(
    ("reversed_", "rewarded", "some", "most"), [(0, 4, 0, 0), (1, 0, 100, 0), (1, 3, 25, 0), (2, 1, 66, 66)]
)
def test_what_the_others_gave_back(reversed_: int, rewarded: int, some: int, most: int) -> None:
    statuses = [ReferralStatus.REVERSED] * reversed_ + [ReferralStatus.REWARDED] * rewarded + [ReferralStatus.EXPIRED]
    found = counted(Facts(BARE, others=[other(n, status=status) for n, status in enumerate(statuses)]))
    assert (found.get("some_returned", 0), found.get("most_returned", 0)) == (some, most)


def test_velocities_are_of_the_day_and_the_hour() -> None:
    found = counted(Facts(BARE, counts=Counts(days={"2026-11-22": 20, "2026-11-21": 99}), in_program=1_600))
    assert found == {"referrer_velocity": 20, "program_velocity": 1_600}


def test_what_was_counted_before_stays_but_for_what_is_bought() -> None:
    evidence = (Evidence(Signal.RING, 60, 5, 3, ("mbr_old",)),)
    before = Screened(Verdict.REVIEW, 60, evidence, {"ring": 5, "least_purchase": 100, "same_email": 1}, 3, NOON)
    again = replace(FRIEND, screened=before)
    features, members = features_of(Facts(again, seen={"device": seen(("mbr_1", DAY, "mbr_ada"))}))
    assert features["ring"] == 5
    assert members[Signal.RING] == ("mbr_old",)
    assert features["same_email"] == 1
    assert "least_purchase" not in features


def test_what_is_not_told_neither_helps_nor_hurts() -> None:
    """Everything around them is as bad as can be, and nothing is known of themselves: only how they came is counted."""
    crowd = {kind: seen(*((f"mbr_{n}", -HOUR, "mbr_ada") for n in range(20))) for kind in FRIEND.likenesses}
    around = Facts(FRIEND, referrer=FRIEND.likenesses, seen=crowd, others=[other(n, cents=2_000) for n in range(9)])
    assert len(counted(around)) > 10
    assert counted(replace(around, referral=BARE, seen={})) == {}
