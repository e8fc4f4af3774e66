"""Whatever a member did before, and whatever is taken back after: once erased, nobody has points and nobody owes any.

The sums are made of what the shop and the rewards say, by numbers of this test's own: issued is what was bought and not given
back, redeemed what was captured and not cancelled; the rest broke.
"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.core.errors import InsufficientPoints, MemberErased, ReversalRefused
from loyalty.core.table import Table
from loyalty.ledger.model import Account, Balances
from loyalty.privacy.closing import closing, require_no_holds
from tests.ledgerkit.clock import SettableClock, at
from tests.ledgerkit.programs import BASE, program
from tests.ledgerkit.tables import empty_table
from tests.ledgerkit.world import MEMBER, World, total

EARN = [
    *BASE["earn_rules"],
    {"id": "late", "activity": "delivery", "return_days": 14, "rates": [{"points": 1, "per": "1", "currency": "EUR"}]},
]
POLICIES = st.sampled_from(["allow_negative", "clamp_with_debt", "refuse"])
BUYS = st.lists(st.tuples(st.integers(1, 300), st.booleans()), min_size=1, max_size=4)
"""Points, and whether they are pending for a while."""
ORDER = st.lists(st.tuples(st.integers(0, 3), st.integers(1, 300)), max_size=4)
"""Which purchase is given back, and how much of it."""
DAYS = st.integers(0, 400)


@settings(max_examples=15, deadline=None)
@given(policy=POLICIES, buys=BUYS, before=ORDER, after=ORDER, coffees=st.integers(0, 3), waits=st.tuples(DAYS, DAYS))
def test_nothing_is_left_and_every_point_is_accounted_for(
    memory_table: Table,
    *,
    policy: str,
    buys: list[tuple[int, bool]],
    before: list[tuple[int, int]],
    after: list[tuple[int, int]],
    coffees: int,
    waits: tuple[int, int],
) -> None:
    empty_table(memory_table)
    terms = {"policy": "rolling", "months": 2, "grace_days": 10}
    of = program(reversal=policy, earn_rules=EARN, expiry=terms)
    world = World(memory_table, of=of, clock=SettableClock(at("2026-03-15T12:00:00Z"))).enroll()
    left = {f"R-{place}": points for place, (points, _) in enumerate(buys)}
    for place, (points, pending) in enumerate(buys):
        world.accrue(f"R-{place}", str(points), activity="delivery" if pending else "purchase")
    captured = _captured(world, coffees)

    def give_back(name: str, orders: list[tuple[int, int]]) -> None:
        for number, (place, points) in enumerate(orders):
            of_ = f"R-{place}"
            part = min(points, left.get(of_, 0))
            if part:
                try:
                    world.refund(f"{name}-{number}", of_, str(part))
                except ReversalRefused:
                    assert name == "before"  # afterwards nobody is left who could keep them
                    continue
                left[of_] -= part

    give_back("before", before)
    world.clock.advance(days=waits[0])
    posting = closing(
        of,
        MEMBER,
        actor="a",
        approved_by="b",
        records=(),
        require_free=require_no_holds,
        beside=lambda _situation: [],
    )
    assert world.ledger.post(of.scope, MEMBER, posting)
    assert world.wallet().balances == Balances()
    world.clock.advance(days=waits[1])
    give_back("after", after)
    redeemed = 50 * len(captured)
    if captured:
        world.cancel(captured[0])
        redeemed -= 50
    again = world.ledger.post(of.scope, MEMBER, posting)
    assert again is not None
    assert again.replayed
    for act in (lambda: world.accrue("late"), lambda: world.hold("late")):
        with pytest.raises(MemberErased):
            act()
    assert world.wallet().balances == Balances()
    assert world.proven().balances == Balances()
    entries = world.entries()
    issued = sum(left.values())
    assert -total(entries, Account.ISSUED) == issued
    assert total(entries, Account.REDEEMED) == redeemed
    assert total(entries, Account.EXPIRED) == issued - redeemed
    assert world.settle() == 0


def _captured(world: World, coffees: int) -> list[str]:
    """Ids of as many coffees as the points are enough for."""
    found: list[str] = []
    for number in range(coffees):
        try:
            held = world.hold(f"h-{number}")[0].redemption_id
        except InsufficientPoints:
            break
        world.capture(held)
        found.append(held)
    return found
