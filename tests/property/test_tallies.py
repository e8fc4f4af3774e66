"""What reversals take from the money that counts towards tiers adds up to what counted, whichever lines come back."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.accruals.model import Refund
from loyalty.accruals.share import Original, Reversed, part_of
from loyalty.core.errors import LoyaltyError
from loyalty.core.money import Money, money_of
from loyalty.ledger.model import POINTS, Account, Change, EntryKey, EntryKind, Facts, Line, Movement

NOW = datetime(2026, 3, 15, 12, tzinfo=UTC)
TALLY = "spend.EUR/2026-03"
LINES = st.lists(
    st.builds(lambda units, pieces, excluded: Line(pieces, money_of(units, "EUR"), excluded=excluded),
              st.integers(1, 5_000), st.integers(1, 3), st.booleans()), min_size=1, max_size=4,
)  # fmt: skip


@st.composite
def originals(draw: Any) -> Original:
    """An accrual of a point for each whole euro that counts."""
    lines = {f"L-{place}": line for place, line in enumerate(draw(LINES))}
    counted = sum(int(line.amount.amount * 100) for line in lines.values() if not line.excluded)
    paid = money_of(sum(int(line.amount.amount * 100) for line in lines.values()), "EUR")
    points = counted // 100
    change = {POINTS: Change({Account.AVAILABLE: points, Account.ISSUED: -points})} if points else {}
    movement = Movement(change, qualifying={TALLY: counted} if counted else {})
    key = EntryKey(EntryKind.ACCRUAL, "pos", "R-1")
    return Original("mbr_1", key, Facts(NOW, 1, amount=paid, lines=lines), movement)


ASKED = st.one_of(
    st.dictionaries(st.sampled_from(["L-0", "L-1", "L-2", "L-3"]), st.integers(1, 3), min_size=1),
    st.integers(1, 6_000),
)


@settings(max_examples=400, deadline=None)
@given(original=originals(), asked=st.lists(ASKED, max_size=6))
def test_in_any_order_all_of_it_goes_and_what_did_not_count_takes_none(original: Original, asked: list[Any]) -> None:
    counted, taken, before = original.movement.qualifying.get(TALLY, 0), 0, Reversed()
    for number, form in enumerate(asked):
        refund = Refund("pos", f"F-{number}", "R-1", NOW, everything=True)
        if isinstance(form, dict):
            refund = replace(refund, everything=False, lines=form)
        else:
            refund = replace(refund, everything=False, amount=money_of(form, "EUR"))
        try:
            part = part_of(original, before, refund, clamp=False)
        except LoyaltyError:
            continue
        part_taken = part.tallies.get(TALLY, 0)
        lines = original.facts.lines
        if part.lines and all(lines[key].excluded for key in part.lines) and not part.after.whole:
            assert part_taken == 0
        assert part_taken >= 0
        taken, before = taken + part_taken, part.after
    if not before.whole:
        rest = part_of(original, before, Refund("pos", "F-99", "R-1", NOW, everything=True), clamp=False)
        taken += rest.tallies.get(TALLY, 0)
    assert taken == counted


def test_each_line_takes_what_it_counted() -> None:
    """A card for 25, books for 60 and 15, one point a euro: 75.00 count, and go with the books."""
    lines = {
        "card": Line(1, Money.of("25.00", "EUR"), excluded=True),
        "book": Line(1, Money.of("60.00", "EUR")),
        "map": Line(1, Money.of("15.00", "EUR")),
    }
    movement = Movement({POINTS: Change({Account.AVAILABLE: 75, Account.ISSUED: -75})}, qualifying={TALLY: 75_00})
    facts = Facts(NOW, 1, amount=Money.of("100.00", "EUR"), lines=lines)
    original = Original("mbr_1", EntryKey(EntryKind.ACCRUAL, "pos", "R-1"), facts, movement)
    before, taken = Reversed(), []
    for place, line in enumerate(lines):
        part = part_of(original, before, Refund("pos", f"F-{place}", "R-1", NOW, lines={line: 1}), clamp=False)
        taken.append(part.tallies[TALLY])
        before = part.after
    assert (taken, before.whole) == ([0, 60_00, 15_00], True)
