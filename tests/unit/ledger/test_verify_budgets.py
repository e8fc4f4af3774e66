"""The proof of what is counted beside the entries: what campaigns have spent, and caps have counted, is what accruals
used, less what was given back."""

from collections.abc import Iterable, Iterator, Mapping

import pytest

from loyalty.core.money import Money
from loyalty.core.table import RawItem
from loyalty.ledger.model import POINTS, EntryKind
from loyalty.ledger.verify import Finding, audit_table
from tests.unit.ledger.forging import SCOPE, SOON, Forgery, Items, StoredTable, audited, codes
from tests.unit.ledger.test_verify_pairs import merged, together

Shards = Mapping[str, int]
THREE, FIVE, SEVEN = (f"B#acme#summer#{shard}" for shard in ("03", "05", "07"))


def used(name: str, points: int, *, back: int = 0, whole: bool = False, **shards: int) -> Forgery:
    """An accrual of so many points that took them from shards ``s03``, ``s05``; and a refund of some."""
    uses = {f"budget|points|campaign:summer|{shard[1:]}|points": part for shard, part in shards.items()}
    forgery = Forgery(f"mbr_{name}")
    return refunded(
        forgery.earned("R-1", points, says={"used": uses, "amount": Money.of(str(points), "EUR")}), back, whole
    )


def refunded(forgery: Forgery, back: int, whole: bool) -> Forgery:
    if back:
        says = {"reverses": "accrual:pos:R-1", "amount": Money.of(str(back), "EUR")}
        moved = {"qualifying": {"2026": -back}}
        forgery.post(
            EntryKind.REVERSAL, "F-1", available=-back, issued=back, lots={SOON: -back}, says=says, movement=moved
        )
        told = {"points": {POINTS: back}, "reversals": 1, "amount": f"{back}.00 EUR", "whole": 1 if whole else None}
        forgery.record("REVERSED#pos#R-1", **told)
    return forgery


def table(members: Iterable[Forgery], shards: Shards) -> Items:
    """What these members have, and what these shards say."""
    budgets: Items = {(pk, "BUDGET"): budget(pk, spent) for pk, spent in shards.items()}
    others: Items = {(pk, "X"): {"pk": {"S": pk}, "sk": {"S": "X"}} for pk in ("A#acme", "P#acme", "U#acme#hash")}
    return {**together(list(members)), **budgets, **others}


def budget(pk: str, spent: int) -> RawItem:
    return {"pk": {"S": pk}, "sk": {"S": "BUDGET"}, "spent": {"N": str(spent)}, "version": {"N": "1"}}


class Passing(StoredTable):
    """A table of which each scan sees the next of some states; the last stays."""

    def __init__(self, *states: Items) -> None:
        super().__init__(states[-1])
        self._states = list(states)
        self.scans = 0

    def scan(self) -> Iterator[RawItem]:
        seen = self._states[min(self.scans, len(self._states) - 1)]
        self.scans += 1
        yield from [raw for _, raw in sorted(seen.items())]


def found(*states: Items) -> list[Finding]:
    return audit_table(Passing(*states), scopes_of=lambda _: {1: SCOPE}, sleep=lambda _: None).findings


RIGHT: dict[str, tuple[list[Forgery], Shards]] = {
    "nothing was used, nothing spent": ([used("a", 9)], {}),
    "a shard of which nothing was used": ([used("a", 9)], {THREE: 0}),
    "one accrual": ([used("a", 9, s03=9)], {THREE: 9}),
    "a part of its points": ([used("a", 9, s03=4)], {THREE: 4}),
    "two shards": ([used("a", 9, s03=6, s05=3)], {THREE: 6, FIVE: 3}),
    "two members": ([used("a", 9, s03=6, s05=3), used("b", 7, s03=7)], {THREE: 13, FIVE: 3}),
    # In the order of the shards: 4 of 9 points are 4 of the first 6; 7 of 9 are all of the first and one more.
    "taken back in part": ([used("a", 9, s03=6, s05=3, back=4)], {THREE: 2, FIVE: 3}),
    "taken back from the second too": ([used("a", 9, s03=6, s05=3, back=7)], {THREE: 0, FIVE: 2}),
    "taken back from all of three": ([used("a", 9, s03=3, s05=3, s07=3, back=7)], {SEVEN: 2}),
    # 4 of 9 points are 2 of 5, rounded down, and 9 of 9 would be all of them.
    "in proportion": ([used("a", 9, s03=5, back=4)], {THREE: 3}),
    "taken back whole": ([used("a", 9, s03=6, s05=3, back=9, whole=True)], {THREE: 0}),
    "of one of two": ([used("a", 9, s03=9, back=9, whole=True), used("b", 7, s03=7)], {THREE: 7}),
}


@pytest.mark.parametrize("told", RIGHT)
def test_what_was_spent_as_it_was_used_is_not_found(told: str) -> None:
    assert found(table(*RIGHT[told])) == []


def off(pk: str) -> tuple[str, str, str, str]:
    return "acme", "-", "budget_wrong", pk


WRONG: dict[str, tuple[list[Forgery], Shards, list[str]]] = {
    "one point more": ([used("a", 9, s03=9)], {THREE: 10}, [THREE]),
    "one point less": ([used("a", 9, s03=9)], {THREE: 8}, [THREE]),
    "nothing": ([used("a", 9, s03=9)], {}, [THREE]),
    "something that nobody used": ([used("a", 9)], {THREE: 1}, [THREE]),
    "another shard": ([used("a", 9, s03=9)], {FIVE: 9}, [THREE, FIVE]),
    "another campaign": ([used("a", 9, s03=9)], {"B#acme#winter#03": 9}, [THREE, "B#acme#winter#03"]),
    "one of two": ([used("a", 9, s03=6, s05=3)], {THREE: 6, FIVE: 2}, [FIVE]),
    "one of two members": ([used("a", 9, s03=9), used("b", 7, s03=7)], {THREE: 7}, [THREE]),
    "still what was taken back": ([used("a", 9, s03=9, back=4)], {THREE: 9}, [THREE]),
    "more given back than was taken": ([used("a", 9, s03=9, back=4)], {THREE: 4}, [THREE]),
}


@pytest.mark.parametrize("told", WRONG)
def test_what_was_spent_otherwise_is_found_by_its_shard(told: str) -> None:
    members, shards, expected = WRONG[told]
    findings = found(table(members, shards))
    assert [(one.program, one.member_id, one.code, one.where) for one in findings] == [off(pk) for pk in expected]


def test_a_finding_says_what_was_used_and_what_the_shard_says() -> None:
    (one,) = found(table([used("a", 9, s03=9)], {THREE: 10}))
    assert "used 9" in one.detail
    assert "says 10" in one.detail


MEMBERS = [used("a", 9, s03=9)]


def test_what_is_off_in_one_pass_and_not_in_the_next_was_written_meanwhile() -> None:
    assert found(table(MEMBERS, {THREE: 0}), table(MEMBERS, {THREE: 9})) == []


def test_what_is_off_by_another_number_each_time_is_being_written() -> None:
    assert found(*(table(MEMBERS, {THREE: spent}) for spent in (0, 1, 0, 1, 0, 1))) == []


def test_what_stays_off_is_told_and_what_does_not_is_not() -> None:
    members = [*MEMBERS, used("b", 7, s05=7)]
    findings = found(table(members, {THREE: 8, FIVE: 6}), table(members, {THREE: 8, FIVE: 7}))
    assert [one.where for one in findings] == [THREE]


def test_the_table_is_read_again_only_where_something_is_off_and_not_for_ever() -> None:
    right, wrong = Passing(table(MEMBERS, {THREE: 9})), Passing(table(MEMBERS, {THREE: 8}))
    audit_table(right, sleep=lambda _: None)
    audit_table(wrong, sleep=lambda _: None)
    assert right.scans == 1
    assert 1 < wrong.scans <= 10


def counted(forgery: Forgery, number: int, points: int) -> Forgery:
    """One more accrual under a cap of points and of times."""
    uses = {"cap|points|rule:r|ever|points": points, "cap|points|rule:r|ever|times": 1}
    says = {"used": {name: use for name, use in uses.items() if use}, "amount": Money.of("9.00", "EUR")}
    return forgery.earned(f"R-{number}", points, says=says)


def caps(forgery: Forgery, points: int, times: int) -> Forgery:
    return forgery.record("CAPS#ever", used={"rule:r|points": points, "rule:r|times": times}, version=1)


def little(points: int) -> Forgery:
    """A refund of so little that no point is taken back."""
    says = {"reverses": "accrual:pos:R-1", "amount": Money.of("0.01", "EUR")}
    forgery = counted(Forgery(), 1, 9).post(EntryKind.REVERSAL, "F-1", says=says)
    return caps(forgery.record("REVERSED#pos#R-1", points={}, reversals=1, amount="0.01 EUR"), points, 1)


CAPS: dict[str, tuple[Forgery, list[str]]] = {
    "two accruals": (caps(counted(counted(Forgery(), 1, 9), 2, 4), 13, 2), []),
    "two accruals, the last of them counted": (caps(counted(counted(Forgery(), 1, 9), 2, 4), 4, 1), ["caps_wrong"]),
    "an accrual without points": (caps(counted(Forgery(), 1, 0), 0, 1), []),
    "a refund of no point": (little(9), []),
    "a refund of no point, that gave one back": (little(8), ["caps_wrong"]),
}


@pytest.mark.parametrize("told", CAPS)
def test_what_caps_count(told: str) -> None:
    forgery, expected = CAPS[told]
    assert codes(forgery.items()) == expected


def test_what_caps_of_a_merged_member_count_is_found_there() -> None:
    survivor_first = sorted(merged(), key=lambda one: one.member_id != "mbr_b")
    gone = next(one for one in survivor_first if one.member_id == "mbr_c")
    gone.record("CAPS#ever", used={"rule:r|points": 1}, version=1)
    findings = audited(together(survivor_first))
    assert [(one.member_id, one.code, one.where) for one in findings] == [("mbr_c", "caps_wrong", "CAPS#ever")]
