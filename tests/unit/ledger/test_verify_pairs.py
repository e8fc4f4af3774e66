"""The proof of what members share: transfers, merges, households; and of members who are one person."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from loyalty.core.table import RawItem
from loyalty.ledger.model import POINTS, EntryKind
from loyalty.ledger.verify import audit_table
from tests.unit.ledger.forging import LATER, SOON, Forgery, Items, StoredTable, audited, codes

K = EntryKind
BUCKET = f"2026-01-24/{LATER}"
Members = list[Forgery]


def member(name: str, points: int = 100) -> Forgery:
    forgery = Forgery(f"mbr_{name}")
    return forgery.earned(f"R-{name}", points) if points else forgery


def sent(forgery: Forgery, to: str = "mbr_b", points: int = 40, **more: Any) -> Forgery:
    moves = {"available": -points, "transferred": points, "lots": {SOON: -points}, **more}
    return forgery.post(K.TRANSFER_OUT, "trf_1", source="transfer", says={"other_member": to}, **moves)


def got(forgery: Forgery, by: str = "mbr_a", points: int = 40, **more: Any) -> Forgery:
    moves = {"available": points, "transferred": -points, "lots": {SOON: points}, **more}
    return forgery.post(K.TRANSFER_IN, "trf_1", source="transfer", says={"other_member": by}, **moves)


def gone(forgery: Forgery, into: str = "mbr_b", *, counts: int = -100, **more: Any) -> Forgery:
    moves = {"available": -100, "transferred": 100, "lots": {SOON: -100}, **more}
    moved = {"merged_into": into, "qualifying": {"2026": counts} if counts else {}}
    return forgery.post(K.MERGE_OUT, into, source="merge", says={"other_member": into}, movement=moved, **moves)


def taken(
    forgery: Forgery, over: str = "mbr_a", *, counts: int = 100, absorbed: Iterable[str] = (), **more: Any
) -> Forgery:
    moves = {"available": 100, "transferred": -100, "lots": {SOON: 100}, **more}
    moved = {"absorbed": (over, *absorbed), "qualifying": {"2026": counts} if counts else {}}
    return forgery.post(K.MERGE_IN, over, source="merge", says={"other_member": over}, movement=moved, **moves)


def merged() -> Members:
    """a was merged into b, and c into a before."""
    a = taken(member("a", 0), "mbr_c")
    return [gone(member("c"), "mbr_a"), gone(a), taken(member("b"), absorbed=["mbr_c"])]


def transferred() -> Members:
    return [sent(member("a")), got(member("b"))]


def in_debt(name: str = "b") -> Forgery:
    """30 points owed."""
    first = Forgery(f"mbr_{name}").earned("R-1", 30, says={"policy": "clamp_with_debt"})
    return first.adjusted(-30).reversed(30, available=0, debt=-30, lots={})


def pending(name: str) -> Forgery:
    return Forgery(f"mbr_{name}").earned("D-1", 100, available=0, pending=100, lots={}, maturing={BUCKET: 100})


PENDING_GONE: dict[str, Any] = {"available": 0, "pending": -100, "lots": {}, "maturing": {BUCKET: -100}}
PENDING_TAKEN: dict[str, Any] = {"available": 0, "pending": 100, "lots": {}, "maturing": {BUCKET: 100}}


def reversed_after(counts: str = "2026") -> Members:
    """On the survivor's book what the absorbed had earned; the record is where the accrual is."""
    a, b = gone(member("a")), taken(member("b"))
    b.reversed(100, of="R-a", movement={"qualifying": {counts: -100}})
    a.records["REVERSED#pos#R-a"] = b.records.pop("REVERSED#pos#R-a")
    return [a, b]


def reversed_and_taken() -> Forgery:
    """All of what Mbr_b had, which its record says of more reversals, before Mbr_a's came to it."""
    b = member("b").reversed(100, of="R-b")
    return taken(b.record("REVERSED#pos#R-b", points={POINTS: 100}, reversals=2, whole=1))


def a_capture() -> Forgery:
    """Mbr_a's, who was merged into mbr_b since and had nothing else."""
    a = member("a").held(100, {SOON: 100}, status="cancelled", captured_points=100)
    a.ended(K.CAPTURE, {}, held=-100, redeemed=100)
    return gone(a, available=0, transferred=0, lots={})


def cancelled_after() -> Members:
    return [a_capture(), cancelled(taken(member("b"), available=0, transferred=0, lots={}))]


def cancelled(forgery: Forgery, points: int = 100) -> Forgery:
    moves: dict[str, Any] = {"available": points, "redeemed": -points, "lots": {SOON: points}}
    return forgery.post(K.CANCELLATION, "rdm_1", source="redemption", says={"redemption_id": "rdm_1"}, **moves)


def household(*members: str, **more: Any) -> Forgery:
    return Forgery("hsh_1").record("HOUSEHOLD", members=dict.fromkeys(members, "2026"), version=1, **more)


def of_household(name: str) -> Forgery:
    return member(name).record("HOUSEHOLD", household_id="hsh_1", joined_at="2026")


HONEST: dict[str, Callable[[], Members]] = {
    "a transfer": transferred,
    "a transfer that pays a debt": lambda: [sent(member("a")), got(in_debt(), available=10, debt=30, lots={SOON: 10})],
    "a merge of three": merged,
    "a merge of pending points": lambda: [gone(pending("a"), **PENDING_GONE), taken(member("b"), **PENDING_TAKEN)],
    "a merge that pays a debt": lambda: [gone(member("a")), taken(in_debt(), available=70, debt=30, lots={SOON: 70})],
    "a merge that takes over a debt": lambda: [
        gone(in_debt("a"), available=0, debt=30, transferred=-30, lots={}, counts=0),
        taken(member("b"), available=-30, transferred=30, lots={SOON: -30}, counts=0),
    ],
    "a merge of nobody's points": lambda: [
        gone(member("a", 0), available=0, transferred=0, lots={}, counts=0),
        taken(member("b", 0), available=0, transferred=0, lots={}, counts=0),
    ],
    "what was earned before a merge and reversed after it": reversed_after,
    "what was captured before a merge and cancelled after it": cancelled_after,
    "what both had posted before they were merged": lambda: [
        gone(Forgery("mbr_a").earned("R-1", 100)),
        taken(Forgery("mbr_b").earned("R-1", 100)),
    ],
    "a household": lambda: [household("mbr_a", "mbr_b"), of_household("a"), of_household("b")],
    "a household that is closed": lambda: [household(closed_at="2026"), member("a")],
}


def together(members: Members) -> Items:
    return {key: raw for forgery in members for key, raw in forgery.items().items()}


@pytest.mark.parametrize("history", HONEST)
@pytest.mark.parametrize("known", [True, False], ids=["program known", "program unknown"])
def test_nothing_is_found_in_what_is_right(history: str, known: bool) -> None:
    items = together(HONEST[history]())
    assert codes(items) == [] if known else codes(items, None) == []


def over_reversed() -> Members:
    """100 earned, 100 reversed, and after the merge 5 more."""
    a, b = member("a").reversed(100, of="R-a"), member("b")
    gone(a, available=0, transferred=0, lots={}, counts=0)
    taken(b, available=0, transferred=0, lots={}, counts=0)
    b.post(
        K.REVERSAL,
        "F-9",
        available=-5,
        issued=5,
        lots={SOON: -5},
        says={"reverses": "accrual:pos:R-a"},
        movement={"qualifying": {"2026": -5}},
    )
    a.record("REVERSED#pos#R-a", points={POINTS: 105}, reversals=2, whole=1)
    return [a, b]


def cancelled_twice() -> Members:
    a = member("a").held(100, {SOON: 100}, status="cancelled", captured_points=100)
    a.ended(K.CAPTURE, {}, held=-100, redeemed=100)
    return [gone(cancelled(a)), cancelled(taken(member("b")))]


PLANTED: dict[str, tuple[Callable[[], Members], list[str]]] = {
    "points that were sent and never came": (lambda: [sent(member("a")), member("b")], ["transfer_one_sided"]),
    "points that came and were never sent": (lambda: [member("a"), got(member("b"))], ["transfer_one_sided"]),
    "points that were sent to one and came to another": (
        lambda: [sent(member("a")), member("b"), got(member("c"))],
        ["transfer_one_sided", "transfer_one_sided"],
    ),
    "more points that came than were sent": (
        lambda: [sent(member("a")), got(member("b"), points=41)],
        ["transfer_differs"],
    ),
    "points that came to a lot that lives longer": (
        lambda: [sent(member("a")), got(member("b"), lots={LATER: 40})],
        ["transfer_differs"],
    ),
    "points that came to another wallet": (
        lambda: [sent(member("a")), got(member("b"), wallet="stars")],
        ["transfer_differs"],
    ),
    "points that came later": (lambda: [sent(member("a")), got(member("b"), on="2026-01-11")], ["transfer_differs"]),
    "a merge into somebody who knows nothing of it": (lambda: [gone(member("a")), member("b")], ["merge_one_sided"]),
    "a merge of somebody who knows nothing of it": (
        lambda: [member("a"), taken(member("b"))],
        ["merge_one_sided"],
    ),
    "a merge with other points": (
        lambda: [gone(member("a")), taken(member("b"), available=99, transferred=-99, lots={SOON: 99})],
        ["merge_differs"],
    ),
    "a merge after which points live longer": (
        lambda: [gone(member("a")), taken(member("b"), lots={LATER: 100})],
        ["merge_differs"],
    ),
    "a merge after which points mature sooner": (
        lambda: [
            gone(pending("a"), **PENDING_GONE),
            taken(member("b"), **{**PENDING_TAKEN, "maturing": {f"2026-01-12/{LATER}": 100}}),
        ],
        ["merge_differs"],
    ),
    "a merge after which more counts": (
        lambda: [gone(member("a")), taken(member("b"), counts=500)],
        ["merge_differs"],
    ),
    "a merge that leaves points behind": (
        lambda: [
            gone(member("a"), available=-99, transferred=99, lots={SOON: -99}),
            taken(member("b"), available=99, transferred=-99, lots={SOON: 99}),
        ],
        ["merge_left_points"],
    ),
    "an entry after a merge": (
        lambda: [gone(member("a")).earned("R-9", 0, lots={}), taken(member("b"))],
        ["entry_after_merge"],
    ),
    "a merged book that says nothing of it": (
        lambda: [gone(member("a")).book(merged_into=None), taken(member("b"))],
        ["wallet_merged_into_wrong"],
    ),
    "a merged book that says another": (
        lambda: [gone(member("a")).book(merged_into="mbr_c"), taken(member("b")), member("c")],
        ["wallet_merged_into_wrong"],
    ),
    "a book that was never merged and says so": (
        lambda: [member("a").book(merged_into="mbr_b", wallets={}, qualifying={}), member("b")],
        ["wallet_available_wrong", "wallet_lots_wrong", "wallet_merged_into_wrong", "wallet_qualifying_wrong"],
    ),
    "a survivor's book that has forgotten whom it absorbed": (
        lambda: [gone(member("a")), taken(member("b")).book(absorbed=())],
        ["wallet_absorbed_wrong"],
    ),
    "a merged book that waits for a sweep": (
        lambda: [
            gone(member("a")).item(due_at={"S": "2026-03-31T17:00:00.000Z"}, due_shard={"S": "DUE#book#01"}),
            taken(member("b")),
        ],
        ["due_needless"],
    ),
    "an accrual that a survivor posts again": (
        lambda: [gone(member("a")), taken(member("b")).earned("R-a", 100)],
        ["posted_again_after_merge"],
    ),
    "a reversal that a survivor posts again": (
        lambda: [
            gone(member("a").reversed(100, of="R-a"), available=0, transferred=0, lots={}, counts=0),
            taken(member("b"), available=0, transferred=0, lots={}, counts=0).post(
                K.REVERSAL, "F-R-a", says={"reverses": "accrual:pos:R-a"}
            ),
        ],
        ["posted_again_after_merge", "reversal_record_wrong"],
    ),
    "more that is reversed before and after a merge than was earned": (
        over_reversed,
        ["reversal_over_original", "reversal_share_wrong"],
    ),
    "what was captured before a merge and cancelled before and after it": (
        cancelled_twice,
        ["cancelled_twice", "posted_again_after_merge"],
    ),
    "a household of somebody who is in none": (
        lambda: [household("mbr_a", "mbr_b"), of_household("a"), member("b")],
        ["membership_one_sided"],
    ),
    "somebody in a household that does not have them": (
        lambda: [household("mbr_a"), of_household("a"), of_household("b")],
        ["membership_one_sided"],
    ),
    "somebody in a household that there is not": (lambda: [of_household("a")], ["membership_one_sided"]),
}


@pytest.mark.parametrize("planted", PLANTED)
def test_what_is_planted_is_found_and_nothing_else(planted: str) -> None:
    forged, expected = PLANTED[planted]
    assert codes(together(forged())) == expected


def test_the_second_of_two_cancellations_is_the_one_too_many() -> None:
    found = {finding.code: finding.member_id for finding in audited(together(cancelled_twice()))}
    assert found == {"cancelled_twice": "mbr_b", "posted_again_after_merge": "mbr_b"}


ALONE: dict[str, tuple[Callable[[], Members], tuple[str, str, str]]] = {
    "a gift that nobody got": (
        lambda: [sent(member("a")), member("b")],
        ("mbr_a", "transfer_one_sided", "transfer_out:transfer:trf_1"),
    ),
    "a gift from nobody": (
        lambda: [member("a"), got(member("b"))],
        ("mbr_b", "transfer_one_sided", "transfer_in:transfer:trf_1"),
    ),
    "a gift that grew on its way": (
        lambda: [sent(member("a")), got(member("b"), points=41)],
        ("mbr_a", "transfer_differs", "transfer_out:transfer:trf_1"),
    ),
    "a capture that came back to the survivor in part": (
        lambda: [a_capture(), cancelled(taken(member("b"), available=0, transferred=0, lots={}), 99)],
        ("mbr_b", "cancellation_of_other_amount", "cancellation:redemption:rdm_1"),
    ),
    "a reversal after a merge that counts in a year of nothing": (
        lambda: reversed_after(counts="2025"),
        ("mbr_b", "qualifying_wrong", "reversal:pos:F-R-a"),
    ),
    "a record of reversals that there were none of, at the survivor's": (
        lambda: [gone(member("a")), taken(member("b")).record("REVERSED#pos#R-b", points={POINTS: 5}, reversals=1)],
        ("mbr_b", "reversal_record_without_reversal", "REVERSED#pos#R-b"),
    ),
    "a record of other reversals, at the survivor's": (
        lambda: [gone(member("a")), reversed_and_taken()],
        ("mbr_b", "reversal_record_wrong", "REVERSED#pos#R-b"),
    ),
    "a household that somebody never joined": (
        lambda: [household("mbr_a"), member("a")],
        ("hsh_1", "membership_one_sided", "HOUSEHOLD"),
    ),
    "a household that does not know of its member": (
        lambda: [household(), of_household("a")],
        ("mbr_a", "membership_one_sided", "HOUSEHOLD"),
    ),
}


@pytest.mark.parametrize("history", ALONE)
def test_what_one_side_says_alone_is_told_of_that_side(history: str) -> None:
    members, told = ALONE[history]
    assert [(one.member_id, one.code, one.where) for one in audited(together(members()))] == [told]


class Restless(StoredTable):
    """Somebody leaves the household or joins it again right after it was read, so many times."""

    def __init__(self, times: int) -> None:
        with_b = together([household("mbr_a", "mbr_b"), of_household("a"), of_household("b")])
        without = together([household("mbr_a"), of_household("a"), member("b")])
        super().__init__({**without, **with_b})
        self.scanned = {**with_b, **household("mbr_a").items()}
        self.states = [with_b, without] * times

    def scan(self) -> Iterator[RawItem]:
        yield from [raw for _, raw in sorted(self.scanned.items())]

    def read(self, pk: str, sk: str) -> RawItem | None:
        raw = super().read(pk, sk)
        if pk == household().pk and self.states:
            self.items = self.states.pop()
        return raw


@pytest.mark.parametrize("times", [1, 2, 4])
def test_who_comes_and_goes_while_a_household_is_read_is_no_finding(times: int) -> None:
    assert audit_table(Restless(times), sleep=lambda _: None).findings == []


def test_a_household_that_stays_as_it_was_read_is_read_no_more() -> None:
    table = StoredTable(together([household("mbr_a"), member("a")]))
    assert [finding.code for finding in audit_table(table, sleep=lambda _: None).findings] == ["membership_one_sided"]
    assert table.reads == 3  # the household, the member, the household again


def test_members_who_say_that_they_were_merged_into_one_another_are_found_too() -> None:
    members = [
        member("a").book(merged_into="mbr_b"),
        member("b").book(merged_into="mbr_a"),
        member("c").book(merged_into="mbr_a"),
    ]
    found = {(finding.member_id, finding.code) for finding in audited(together(members))}
    assert found >= {(f"mbr_{name}", "wallet_merged_into_wrong") for name in "abc"}


def test_points_that_never_expired_are_told_of_who_has_the_record_of_them() -> None:
    b = taken(member("b")).record(f"LAPSED#points#{SOON}", points=5)
    found = {finding.code: finding.member_id for finding in audited(together([gone(member("a")), b]))}
    assert found == {"lapsed_over_expired": "mbr_b", "lapsed_record_wrong": "mbr_a"}
