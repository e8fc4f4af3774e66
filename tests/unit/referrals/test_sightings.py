"""What is remembered, and what is not: bounded, and the same whatever comes twice."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from loyalty.programs.referrals import MAX_SEEN
from loyalty.referrals.sightings import CLAIMS_KEPT, Claim, Counts, Seen, Sighting, nearest, together

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
DAY, QUARTER = timedelta(days=1), timedelta(days=90)


def crowd(count: int, apart: timedelta) -> Seen:
    return Seen(tuple(Sighting(f"mbr_{n:02}", NOON + n * apart) for n in range(count)))


def test_who_is_known_is_not_remembered_again() -> None:
    first = Seen().with_one(Sighting("mbr_1", NOON), QUARTER)
    assert first is not None
    assert first.with_one(Sighting("mbr_1", NOON + DAY), QUARTER) is None
    assert first.with_one(Sighting("mbr_1", NOON + QUARTER + DAY), QUARTER) is not None


def test_who_came_by_themselves_is_known_by_their_referrer_afterwards() -> None:
    by_themselves = Seen((Sighting("mbr_1", NOON),))
    brought = by_themselves.with_one(Sighting("mbr_1", NOON, "mbr_ada"), QUARTER)
    assert brought == Seen((Sighting("mbr_1", NOON, "mbr_ada"),))
    assert brought.with_one(Sighting("mbr_1", NOON), QUARTER) is None


def test_a_hot_likeness_is_not_written_until_its_week_is_over() -> None:
    hot = crowd(MAX_SEEN, timedelta(minutes=1))
    assert crowd(MAX_SEEN - 1, timedelta(minutes=1)).with_one(Sighting("mbr_x", NOON + DAY), QUARTER) is not None
    assert hot.with_one(Sighting("mbr_x", NOON + 7 * DAY - timedelta(minutes=1)), QUARTER) is None
    later = hot.with_one(Sighting("mbr_x", NOON + 7 * DAY), QUARTER)
    assert later is not None
    assert len(later.sightings) == MAX_SEEN
    assert (later.sightings[0].member_id, later.sightings[-1].member_id) == ("mbr_01", "mbr_x")


def test_what_is_too_old_goes_with_the_next_write() -> None:
    later = crowd(3, DAY).with_one(Sighting("mbr_x", NOON + DAY + QUARTER), QUARTER)
    assert later is not None
    assert [one.member_id for one in later.sightings] == ["mbr_01", "mbr_02", "mbr_x"]


def test_who_is_erased_is_forgotten_and_that_they_were_is_known() -> None:
    left = crowd(2, DAY).without("mbr_00", NOON + 5 * DAY, 30 * DAY)
    assert [one.member_id for one in left.sightings] == ["mbr_01"]
    assert [left.was_erased(NOON + days * DAY) for days in (5, 6, 34, 35)] == [False, True, True, False]
    assert crowd(1, DAY).without("mbr_00", NOON, timedelta()) == Seen()


def test_counts_keep_the_last_claims_and_days_and_all_in_the_total() -> None:
    counts = Counts()
    for number in range(40):
        counts = counts.with_one(Claim(f"mbr_{number:02}", NOON + number * DAY / 2))
    assert counts.total == 40
    assert [one.member_id for one in counts.claims] == [f"mbr_{n}" for n in range(40 - CLAIMS_KEPT, 40)]
    assert len(counts.days) == 14
    assert sum(counts.days.values()) == 27  # the last day has one
    assert (counts.on_day_of(NOON + 19 * DAY), counts.on_day_of(NOON)) == (2, 0)


def test_a_claim_that_comes_late_is_in_the_total_and_in_its_place() -> None:
    counts = Counts().with_one(Claim("mbr_b", NOON)).with_one(Claim("mbr_a", NOON - DAY))
    assert [one.member_id for one in counts.claims] == ["mbr_a", "mbr_b"]
    late = counts.with_one(Claim("mbr_c", NOON - 60 * DAY))
    assert (late.total, sorted(late.days)) == (3, ["2026-11-21", "2026-11-22"])


def test_shards_are_one_count() -> None:
    one = Counts().with_one(Claim("mbr_a", NOON)).with_one(Claim("mbr_c", NOON + DAY))
    other = Counts().with_one(Claim("mbr_b", NOON + DAY / 2))
    whole = together([one, Counts(), other])
    assert (whole.total, whole.on_day_of(NOON)) == (3, 1)
    assert [claim.member_id for claim in whole.claims] == ["mbr_a", "mbr_b", "mbr_c"]
    assert [claim.member_id for claim in nearest(whole.claims, NOON + DAY, 2)] == ["mbr_b", "mbr_c"]


def test_the_stem_of_who_is_erased_goes() -> None:
    counts = Counts().with_one(Claim("mbr_a", NOON, "s1")).with_one(Claim("mbr_b", NOON, "s1"))
    assert [claim.stem for claim in counts.without_stem("mbr_a").claims] == ["", "s1"]


MOMENTS = st.integers(0, 40 * 24).map(lambda hours: NOON + timedelta(hours=hours))


@given(st.lists(st.tuples(st.integers(0, 60), MOMENTS), max_size=120))
def test_however_they_come_no_more_is_kept_than_there_is_room_for(coming: list[tuple[int, datetime]]) -> None:
    seen, counts, known = Seen(), Counts(), set[str]()
    for number, at in coming:
        member = f"mbr_{number:02}"
        seen = seen.with_one(Sighting(member, at), QUARTER) or seen
        if member in {one.member_id for one in seen.sightings}:
            assert seen.with_one(Sighting(member, at), QUARTER) is None
        counts = counts.with_one(Claim(member, at))
        known.add(member)
    ids = [one.member_id for one in seen.sightings]
    assert len(ids) == len(set(ids)) <= MAX_SEEN
    assert len(ids) == len(known) or len(ids) == MAX_SEEN
    assert [one.at for one in seen.sightings] == sorted(one.at for one in seen.sightings)
    assert counts.total == len(coming)
    assert len(counts.claims) == min(len(coming), CLAIMS_KEPT)
    assert len(counts.days) <= 14


@given(st.permutations(range(20)))
def test_order_decides_nothing_while_there_is_room(order: list[int]) -> None:
    def remembered(numbers: Iterable[int]) -> Seen:
        seen = Seen()
        for number in numbers:
            seen = seen.with_one(Sighting(f"mbr_{number:02}", NOON + number * DAY), QUARTER) or seen
        return seen

    assert remembered(order) == remembered(range(20))
    assert together([Counts().with_one(Claim(f"mbr_{n}", NOON + n * DAY)) for n in order]).total == 20
