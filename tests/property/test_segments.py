"""Of two members who are one person: in force on a day is what either was in, in whichever order they are united."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from loyalty.segments.model import Assignment, MemberSegments, in_order, united

DAYS = [date(2026, 12, 29) + timedelta(days=number) for number in range(6)]
ASSIGNED = st.dictionaries(st.sampled_from("abcd"), st.none() | st.sampled_from(DAYS)).map(
    lambda segments: in_order(Assignment(name, until) for name, until in segments.items())
)


@given(ASSIGNED, ASSIGNED, ASSIGNED)
def test_the_union_is_in_force_where_either_is(
    one: tuple[Assignment, ...], two: tuple[Assignment, ...], three: tuple[Assignment, ...]
) -> None:
    both = united(one, two)
    for day in DAYS:
        together, *each = (set(MemberSegments("mbr", 1, some).in_force(day)) for some in (both, one, two))
        assert together == each[0] | each[1]
    assert both == united(two, one)
    assert united(both, three) == united(one, united(two, three))
    assert united(one, one) == one
