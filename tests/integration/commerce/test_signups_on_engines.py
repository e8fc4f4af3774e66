"""Signups on real engines: told by many at once, and merged at that moment, each is posted once."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from loyalty.accruals.awaited import AwaitedReversals
from loyalty.commerce.model import MemberSignal
from loyalty.commerce.outcomes import Outcome
from loyalty.core.table import Table
from loyalty.ledger.service import Ledger
from loyalty.merging.service import MergeService
from tests.unit.commerce.test_signups import WELCOME, publish
from tests.unit.commerce.world import PROGRAM, Commerce

pytestmark = pytest.mark.integration


@pytest.fixture
def commerce(table: Table) -> Commerce:
    """A program that gives 50 points for signing up."""
    commerce = Commerce(table)
    publish(commerce, WELCOME)
    return commerce


def test_of_many_deliveries_one_posts_the_signup(commerce: Commerce) -> None:
    member = commerce.enroll("ada@example.com")
    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(lambda _: commerce.signal(member, enrolled=True), range(16)))
    assert sorted(outcome for outcomes in told for outcome in outcomes) == [*[Outcome.REPLAYED] * 15, Outcome.SIGNED_UP]
    assert (commerce.points(member), commerce.entries(member)) == (50, [f"accrual:enrollment:{member}"])
    commerce.audit()


def test_who_is_merged_while_it_is_told_signs_up_once(commerce: Commerce) -> None:
    ada, bob = commerce.enroll("ada@example.com"), commerce.enroll("bob@example.com")
    reversals = AwaitedReversals(commerce.table, commerce.accruals, commerce.clock)
    merging = MergeService(Ledger(commerce.table, commerce.clock), reversals)
    program = commerce.programs.current(PROGRAM)
    with ThreadPoolExecutor(4) as pool:
        merged = pool.submit(merging.merge, program, ada, absorbed=bob, actor="staff-1")
        told = [pool.submit(commerce.service.apply, MemberSignal(PROGRAM, bob, enrolled=True)) for _ in range(3)]
    merged.result()
    assert [outcome for one in told for outcome in one.result()].count(Outcome.SIGNED_UP) == 1
    assert (commerce.points(ada), commerce.points(bob)) == (50, 0)
    commerce.audit()
