"""What rules asked of an activity is kept with its entry: all of it, in little room, and never too much for an item."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.accruals.model import Activity, BoughtLine
from loyalty.accruals.told import deed_of, segments_of, told_of
from loyalty.accruals.views import AccrualBody
from loyalty.core.money import Money
from loyalty.core.table import RawItem, Table
from loyalty.ledger.items import entry_of
from loyalty.ledger.keys import entry_sk, partition
from loyalty.ledger.model import EntryKey, EntryKind, Facts
from loyalty.programs.deeds import Deed
from tests.bench.sizes import item_bytes
from tests.ledgerkit.largest import WHAT_FITS, generous, largest
from tests.ledgerkit.programs import program
from tests.ledgerkit.tables import empty_table
from tests.ledgerkit.world import MEMBER, NOON, World

MOST_OF_AN_ITEM = 400 * 1024
"""Bytes, by DynamoDB's limit."""

WORDS = st.none() | st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=8)
AMOUNTS = st.integers(0, 99_999).map(lambda cents: Money.of(f"{cents // 100}.{cents % 100:02}", "EUR"))
LINES = st.lists(
    st.builds(
        BoughtLine,
        amount=AMOUNTS,
        quantity=st.integers(1, 5),
        line_id=st.none() | st.sampled_from(["a", "b", "c", "10", "9", "L/1"]),
        sku=WORDS,
        product=WORDS,
        category=WORDS,
        gift_card=st.booleans(),
        discount=st.none() | AMOUNTS,
    ),
    max_size=6,
    unique_by=lambda line: line.line_id or id(line),
)
ACTIVITIES = st.builds(
    Activity,
    activity=st.just("purchase"),
    source=st.just("pos"),
    source_id=st.just("R-1"),
    occurred_at=st.sampled_from([NOON, NOON.replace(microsecond=123_000)]),
    channel=st.sampled_from([None, "web"]),
    amount=AMOUNTS,
    lines=LINES.map(tuple),
    tax=st.none() | AMOUNTS,
    shipping=st.none() | AMOUNTS,
    store=st.sampled_from([None, "rome-1"]),
    attributes=st.dictionaries(st.sampled_from(["size", "colour"]), st.text("àb\"'\\{ 1", max_size=9)),
)


def kept(world: World, source_id: str = "R-1", member: str = MEMBER) -> RawItem:
    """The stored entry."""
    sk = entry_sk(EntryKey(EntryKind.ACCRUAL, "pos", source_id))
    raw = world.table.read(partition(world.program.document.id, member), sk)
    assert raw is not None
    return raw


@settings(max_examples=60, deadline=None)
@given(activity=ACTIVITIES)
def test_the_deed_is_what_it_was(memory_table: Table, activity: Activity) -> None:
    empty_table(memory_table)
    world = World(memory_table).enroll()
    world.accruals.accrue(world.program, MEMBER, activity)
    assert deed_of(entry_of(kept(world)).facts) == activity.deed


@given(lines=LINES)
def test_lines_without_a_whole_amount_are_kept_as_they_are(lines: list[BoughtLine]) -> None:
    """Of an activity that is not rewarded by amount no line may be given back; their currencies may differ."""
    mixed = [replace(line, amount=Money.of("3", "JPY")) if place % 2 else line for place, line in enumerate(lines)]
    activity = Activity("review", "pos", "R-1", NOON, lines=tuple(mixed))
    facts = Facts(NOON, 1, activity="review", told=told_of(activity))
    assert deed_of(facts) == activity.deed


def test_amounts_are_written_once_and_ids_not_at_all() -> None:
    lines = (
        BoughtLine(Money.of("60", "EUR"), 2, "9", sku="S-1", category="shoes"),
        BoughtLine(Money.of("40", "EUR"), 1, "10", gift_card=True),
        BoughtLine(Money.of("5", "EUR"), 3),
    )
    activity = Activity("purchase", "pos", "R-1", NOON, amount=Money.of("105", "EUR"), lines=lines, store="rome")
    assert told_of(activity, ["staff"]) == (
        '{"l":[{"i":1,"s":"S-1","c":"shoes"},{"i":0,"g":1},{"q":3,"a":"5.00"}],"s":"rome","m":["staff"]}'
    )
    assert segments_of(Facts(NOON, 1, told=told_of(activity, ["staff"]))) == ("staff",)
    assert told_of(Activity("visit", "pos", "V-1", NOON)) == "{}"
    assert segments_of(Facts(NOON, 1)) == ()


def test_an_entry_from_before_tells_what_it_has(world: World) -> None:
    line = BoughtLine(Money.of("60", "EUR"), 2, "a", category="shoes")
    world.accrue("R-1", "60", lines=(line,))
    facts = replace(entry_of(kept(world)).facts, told=None)
    assert deed_of(facts) == Deed("purchase", NOON, amount=line.amount, lines=(replace(line, category=None),))


@pytest.mark.parametrize("told", ["", "{", "[]", '{"l":[{"i":3}]}', '{"l":[{}]}', '{"l":[{"q":1}]}', '{"t":"x y z"}'])
def test_what_was_written_by_nobody_is_refused(told: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        deed_of(Facts(NOON, 1, activity="purchase", amount=Money.of("1", "EUR"), told=told))


def test_an_entry_of_nothing_that_was_done_has_no_deed() -> None:
    with pytest.raises(ValueError, match="no activity"):
        deed_of(Facts(NOON, 1))


def test_a_usual_purchase_stays_below_a_kilobyte(table: Table) -> None:
    """Five lines with sku and category, as a shop names them: the figures of docs/earning.md."""
    member = f"mbr_{'0' * 26}"
    world = World(table).enroll(member)
    lines = tuple(
        BoughtLine(Money.of("21.00", "EUR"), 1, str(14_201_234_567_890 + place), f"SNK-{place}42-BLK", None, "Sneakers")
        for place in range(5)
    )
    plain = world.accrue("6201234567890", "105.00", member=member, channel="web").entry
    full = world.accrue("6201234567891", "105.00", member=member, channel="web", lines=lines).entry
    sizes = [item_bytes(kept(world, entry.key.source_id, member)) for entry in (plain, full)]
    assert [sizes, len(full.facts.told or "")] == [[438, 880], 212]


@pytest.mark.parametrize(("words", "is_kept"), [(WHAT_FITS, True), (WHAT_FITS + 1, False), (100, False)])
def test_the_largest_purchase_is_posted_and_kept_while_an_item_holds_it(
    table: Table, words: int, is_kept: bool
) -> None:
    world = World(table, of=program(**generous())).enroll()
    activity = AccrualBody.model_validate(largest(words)).activity_done()
    entry = world.accruals.accrue(world.program, MEMBER, activity).entry
    assert len(entry.facts.used) == 10 + 3 * 16
    assert all(len(line.points) == 5 for line in entry.facts.lines.values())
    assert sum(map(len, entry.facts.rule_points.values())) == 100
    raw = table.read(partition("acme", MEMBER), entry_sk(entry.key))
    assert raw is not None
    assert 2 * item_bytes(raw) < MOST_OF_AN_ITEM  # it counts with its copy in the local index
    facts = entry_of(raw).facts
    assert (facts.told is not None) is is_kept
    assert is_kept is (deed_of(facts) == activity.deed)
