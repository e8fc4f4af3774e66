"""Many writers at once: each identity is posted once, no point is spent twice, no balance is lost."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier

import pytest

from loyalty.accruals.model import Refund
from loyalty.core.errors import InsufficientPoints, LoyaltyError, WalletBusy
from loyalty.core.money import Money
from loyalty.core.table import Table
from loyalty.ledger.verify import audit_table
from loyalty.rewards.errors import RedemptionAlreadyCaptured, RedemptionAlreadyReleased
from loyalty.rewards.model import Redemption
from tests.ledgerkit.world import MEMBER, World

pytestmark = pytest.mark.integration


def together(threads: int, calls: list[Callable[[], object]]) -> Counter[str]:
    """Runs ``calls`` over so many threads that start at once; outcomes by name."""
    barrier = Barrier(threads)

    def run(mine: list[Callable[[], object]]) -> list[str]:
        barrier.wait(timeout=10)
        return [_outcome(call) for call in mine]

    with ThreadPoolExecutor(threads) as pool:
        parts = list(pool.map(run, [calls[number::threads] for number in range(threads)]))
    return Counter(outcome for part in parts for outcome in part)


def _outcome(call: Callable[[], object]) -> str:
    # A writer that is told to come back comes back, as a client would.
    for _ in range(20):
        try:
            result = call()
        except WalletBusy:
            continue
        except LoyaltyError as refusal:
            return refusal.code
        return result.status if isinstance(result, Redemption) else str(result)
    return WalletBusy.code


def _accrued(world: World, number: int) -> bool:
    return world.accrue(f"R-{number}", str(number + 1)).replayed


def _refunded(world: World, number: int) -> bool:
    return world.refund(f"F-{number}", "R-1", "30").replayed


def _held(world: World, number: int) -> bool:
    return world.hold(f"key-{number}")[1]


def _accrued_100(world: World, number: int) -> str:
    world.accrue(f"R-{number}", "100")
    return "accrued"


def _told(world: World, refund: Refund) -> str:
    return type(world.reversals.reverse(world.program, MEMBER, refund)).__name__


def test_one_event_delivered_fifty_times_from_eight_threads_is_one_entry(world: World) -> None:
    outcomes = together(8, [lambda: world.accrue("R-1", "100").replayed] * 50)
    assert outcomes == {"False": 1, "True": 49}
    assert [entry.points for entry in world.entries()] == [100]
    assert world.proven().available == 100


def test_sixty_four_holds_against_points_for_ten_give_exactly_ten(world: World) -> None:
    world.accrue("R-1", "500")
    outcomes = together(64, [partial(_held, world, n) for n in range(64)])
    assert outcomes == {"False": 10, InsufficientPoints.code: 54}
    wallet = world.proven()
    assert (wallet.available, wallet.held, wallet.lots) == (0, 500, {})


def test_a_double_click_holds_once(world: World) -> None:
    world.accrue("R-1", "500")
    outcomes = together(8, [lambda: world.hold("key")[1]] * 8)
    assert outcomes == {"False": 1, "True": 7}
    assert world.proven().held == 50


def test_a_hold_is_captured_or_released_but_never_both(world: World) -> None:
    world.accrue("R-1", "500")
    for number in range(5):
        redemption_id = world.hold(f"key-{number}")[0].redemption_id
        ends: list[Callable[[], object]] = [partial(world.capture, redemption_id)] * 4
        ends += [partial(world.release, redemption_id)] * 4
        outcomes = together(8, ends)
        assert outcomes in (
            {"captured": 4, RedemptionAlreadyCaptured.code: 4},
            {"released": 4, RedemptionAlreadyReleased.code: 4},
        )
    assert world.proven().held == 0


def test_refunds_at_once_never_take_more_than_the_accrual(world: World) -> None:
    world.accrue("R-1", "100")
    outcomes = together(8, [partial(_refunded, world, n) for n in range(8)])
    assert outcomes == {"False": 3, "amount_exceeds_accrual": 5}
    assert world.proven().available == 10


def test_a_reversal_and_its_accrual_at_once_give_the_same_balance_whichever_is_first(world: World) -> None:
    """Sixteen purchases of 100, each with a refund of 30 that comes at the same moment, twice."""
    calls: list[Callable[[], object]] = []
    for number in range(16):
        refund = Refund("pos", f"F-{number}", f"R-{number}", world.occurred_at, Money.of("30", "EUR"))
        reverse = partial(_told, world, refund)
        calls += [partial(_accrued_100, world, number), reverse, reverse]
    outcomes = together(8, calls)
    assert outcomes.total() == 48
    assert set(outcomes) <= {"accrued", "Posted", "Kept"}
    assert world.reversals.page("acme", MEMBER, limit=100).items == []
    assert not [sk for _, sk in world.dump() if sk.startswith(("AWAITED#", "WAITING#"))]
    assert world.proven().available == 16 * 70
    assert world.book().seq == 32


def test_accruals_at_once_are_all_counted_with_gapless_seq(world: World) -> None:
    outcomes = together(8, [partial(_accrued, world, n) for n in range(40)])
    assert outcomes == {"False": 40}
    assert world.proven().available == sum(range(1, 41))
    assert world.book().seq == 40


def test_an_audit_while_others_write_finds_nothing(world: World, table: Table) -> None:
    members = ["mbr_a", "mbr_b"]
    world.enroll(*members)
    audits: list[object] = []
    writes = [partial(world.accrue, f"R-{n}", member=members[n % 2]) for n in range(60)]
    holds = [partial(world.hold, f"key-{n}", member=members[n % 2]) for n in range(60)]

    def audit() -> bool:
        audits.extend(audit_table(table).findings)
        return True

    mixed: list[Callable[[], object]] = [call for pair in zip(writes, holds, strict=True) for call in pair]
    for place in range(0, len(mixed), 6):
        mixed.insert(place, audit)
    together(6, mixed)
    assert audits == []
    world.proven("mbr_a")
