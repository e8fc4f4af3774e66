"""A scan is no snapshot, and a table is large: what is read again, what counts, and what is kept in memory."""

from collections.abc import Iterator

import pytest

from loyalty.core.table import RawItem
from loyalty.ledger.keys import BOOK_SK
from loyalty.ledger.model import EntryKind
from loyalty.ledger.verify import Report, audit_member, audit_table
from loyalty.ledger.verify.pairs import Pairs
from loyalty.ledger.verify.read import read
from tests.unit.ledger.forging import SCOPE, SOON, Forgery, Items, StoredTable
from tests.unit.ledger.test_verify_pairs import HONEST, household, member, merged, of_household, together, transferred


class Moving(StoredTable):
    """A table in which something was written while it was scanned: what the scan saw is older than what a read sees."""

    def __init__(self, scanned: Items, items: Items) -> None:
        super().__init__(items)
        self._scanned = scanned

    def scan(self) -> Iterator[RawItem]:
        yield from [raw for _, raw in sorted(self._scanned.items())]


@pytest.mark.parametrize("history", ["a transfer", "a merge of three", "a household", "a merge of pending points"])
def test_what_was_written_while_the_scan_went_on_is_no_finding(history: str) -> None:
    members = HONEST[history]()
    now = together(members)
    before = {key: raw for key, raw in now.items() if key[0] != members[-1].pk}
    first = Forgery(members[-1].member_id, entries=members[-1].entries[:1])
    assert audit_table(Moving({**before, **first.items()}, now), sleep=lambda _: None).findings == []


def test_what_has_met_its_other_side_is_not_kept() -> None:
    pairs, kept = Pairs(), []
    for forgery in [*merged(), *transferred(), *HONEST["a household"]()]:
        pairs.add(read(forgery.pk, forgery.items().values()))
        kept.append(len(pairs))
    assert kept == [1, 1, 0, 1, 0, 2, 1, 0]


def test_where_nothing_is_merged_and_nothing_is_wrong_nothing_is_read_again() -> None:
    table = StoredTable(together([*transferred(), household("mbr_c"), of_household("c")]))
    assert audit_table(table, sleep=lambda _: None).findings == []
    assert table.reads == 0


class Busy(StoredTable):
    """A book moves on each time that it is read by itself, so many times; a partition is always read half."""

    def __init__(self, items: Items, moves: int) -> None:
        super().__init__(items)
        self.moves = moves

    def read(self, pk: str, sk: str) -> RawItem | None:
        raw = super().read(pk, sk)
        self.moves -= 1
        return {**raw, "moved": {"N": str(self.moves)}} if raw and self.moves > 0 and sk == BOOK_SK else raw

    def query_all(self, pk: str, *, where: object = None) -> Iterator[RawItem]:
        items = list(super().query_all(pk, where=where))
        yield from items[:-2] if self.moves > 0 else items

    def scan(self) -> Iterator[RawItem]:
        for pk in sorted({pk for pk, _ in self.items}):
            yield from list(StoredTable.query_all(self, pk))[1:]


@pytest.mark.parametrize("moves", [1, 4, 8])
def test_what_is_read_while_a_book_moves_does_not_count(moves: int) -> None:
    slept: list[float] = []
    table = Busy(member("a").earned("R-2", 5).items(), moves)
    assert audit_table(table, sleep=slept.append).findings == []
    assert len(slept) <= moves
    assert all(0 < pause <= 0.5 for pause in slept)


def test_members_are_counted_and_progress_is_told() -> None:
    seen: list[int] = []
    items = together([*transferred(), member("c", 0)])
    others = {
        (pk, "X"): {"pk": {"S": pk}, "sk": {"S": "X"}} for pk in ("P#acme", "U#acme#hash", "C#client", "S#shopify#x")
    }
    assert audit_table(StoredTable({**items, **others}), progress=seen.append) == Report(3, 4, [])
    assert seen == [1, 2, 3]


def test_one_member_can_be_proved_alone() -> None:
    right, wrong = member("a"), member("a").book(seq=7)
    assert audit_member(right.pk, right.items().values()) == []
    assert [finding.code for finding in audit_member(wrong.pk, wrong.items().values())] == ["wallet_seq_wrong"]


def test_one_member_can_be_proved_by_what_is_known_of_their_program() -> None:
    """A lot of the last day of March is over in Jakarta, but not everywhere."""
    scopes = {"acme": {SCOPE.version: SCOPE}}
    late = member("a").earned("R-2", 5, on="2026-03-31T17:00:00Z")
    late.held(5, {SOON: 5}).ended(EntryKind.RELEASE, {SOON: 5})
    found = [finding.code for finding in audit_member(late.pk, late.items().values(), scopes.__getitem__)]
    assert "expiry_missed" in found
    assert "end_to_other_lots" in found
    unknown = [finding.code for finding in audit_member(late.pk, late.items().values())]
    assert not {"expiry_missed", "end_to_other_lots"} & set(unknown)


def test_each_program_is_asked_for_by_its_own_id() -> None:
    scopes = {"acme": {SCOPE.version: SCOPE}}
    assert audit_table(StoredTable(together(merged())), scopes_of=scopes.__getitem__).findings == []


def test_every_corrupt_member_is_found() -> None:
    members = [
        member("a").book(seq=7),
        member("b"),
        member("c").book(tier="gold").record("MEMBER", entry_tier="bronze"),
    ]
    found = audit_table(StoredTable(together(members)), sleep=lambda _: None).findings
    assert {(finding.member_id, finding.code) for finding in found} == {
        ("mbr_a", "wallet_seq_wrong"),
        ("mbr_c", "wallet_tier_wrong"),
    }
