"""Many who want the last of something at once: as many get it as there are, and what comes back comes back once."""

from collections.abc import Callable
from functools import partial

import pytest

from loyalty.core.table import Table
from loyalty.stock.errors import OutOfStock, StockTooLow
from loyalty.stock.model import Level
from tests.integration.ledger.test_concurrency import together
from tests.integration.rewards.test_races import Call, patient
from tests.ledgerkit.cuts import Send, cut_off_everywhere
from tests.ledgerkit.stocked import Stocked
from tests.ledgerkit.world import World

pytestmark = pytest.mark.integration

THREADS = 32
MEMBERS = [f"mbr_{number:02}" for number in range(THREADS)]


@pytest.fixture
def shop(table: Table) -> Stocked:
    shop = Stocked(table)
    shop.enroll(*MEMBERS)
    for member in MEMBERS:
        shop.accrue("R-1", "100", member=member)
    return shop


def wanted(shop: Stocked, member: str, units: int = 1, key: str = "key", minutes: int | None = None) -> str:
    return shop.hold(key, "mug", units, member=member, hold_minutes=minutes)[0].status


def at_once(calls: list[Call]) -> dict[str, int]:
    """Whoever meets too many others is told to send the same again, and does."""

    def again(call: Call) -> object:
        for _ in range(20):
            outcome = patient(call)
            result = outcome()
            if result != "unavailable":
                return result
        raise AssertionError("never got through")

    return dict(together(THREADS, [partial(again, call) for call in calls]))


def test_of_thirty_two_members_who_want_the_last_ten_ten_get_one(shop: Stocked) -> None:
    shop.restock(10)
    outcomes = at_once([partial(wanted, shop, member) for member in MEMBERS])
    assert outcomes.pop("held") == 10
    assert outcomes.pop(OutOfStock.code) + outcomes.pop("wallet_busy", 0) == 22
    assert outcomes == {}
    assert shop.level() == Level(0, 10, 10, 0)
    assert shop.audit() == []


def test_of_several_units_from_several_shards_none_is_sold_twice(shop: Stocked) -> None:
    """Four of each shard's rest are wanted by everybody: most claims take from two shards or more."""
    shop.fill({f"mug/{number:02}": 3 for number in range(16)})
    outcomes = at_once([partial(wanted, shop, member, 5) for member in MEMBERS])
    assert outcomes["held"] == 48 // 5
    assert shop.level() == Level(48 - 45, 48, 45, 0)
    assert shop.audit() == []


def test_time_outs_releases_and_sweeps_give_back_once(shop: Stocked) -> None:
    shop.restock(len(MEMBERS))
    for member in MEMBERS:
        wanted(shop, member, minutes=10)
    released = MEMBERS[:8]
    ids = {member: next(iter(shop.book(member).holds)) for member in MEMBERS}
    early: list[Call] = [
        partial(lambda m: shop.release(ids[m], member=m).status, member) for member in released for _ in range(4)
    ]
    assert at_once(early) == {"released": 32}
    shop.clock.advance(minutes=10)
    late: list[Call] = [partial(lambda m: f"{shop.settle(m)}", member) for member in MEMBERS for _ in range(2)]
    assert set(at_once(late)) <= {"0", "1"}
    assert shop.level() == Level(32, 32, 32, 32)
    assert shop.audit() == []


def test_a_withdrawal_and_claims_do_not_both_get_the_last(shop: Stocked) -> None:
    shop.restock(20)
    takes: list[Call] = [partial(wanted, shop, member) for member in MEMBERS[:16]]
    withdrawals: list[Call] = [
        partial(lambda key: f"withdrew {-shop.restock(-5, key=key)[0].add}", f"audit-{n}") for n in range(4)
    ]
    outcomes = at_once([*takes, *withdrawals])
    held, withdrawn = outcomes.get("held", 0), 5 * outcomes.get("withdrew 5", 0)
    assert held + outcomes.get(OutOfStock.code, 0) + outcomes.get("wallet_busy", 0) == 16
    assert (
        outcomes.get("withdrew 5", 0) + outcomes.get(StockTooLow.code, 0) + outcomes.get("temporarily_unavailable", 0)
        == 4
    )
    assert shop.level() == Level(20 - held - withdrawn, 20 - withdrawn, held, 0)
    assert shop.audit() == []


def _stocked(world: World) -> Stocked:
    return Stocked(world.table, clock=world.clock)


def _full(world: World) -> None:
    _stocked(world).accrue("R-1", "500")
    _stocked(world).fill({"mug/00": 2, "mug/01": 1})


def _held(world: World) -> None:
    _full(world)
    _stocked(world).hold("key", "mug", 3)


def _timed_out(world: World) -> None:
    _held(world)
    world.clock.advance(days=40)


def _id(world: World) -> str:
    (found,) = (sk for _, sk in world.dump() if sk.startswith("REDEMPTION#"))
    return found.removeprefix("REDEMPTION#")


def _captured(world: World) -> None:
    _held(world)
    _stocked(world).capture(_id(world))


def _end(how: str) -> Callable[[World], Send]:
    def run(world: World) -> Send:
        redemption_id = _id(world)
        return lambda: getattr(_stocked(world), how)(redemption_id)

    return run


RUNS: dict[str, tuple[Callable[[World], None], Callable[[World], Send]]] = {
    "release": (_held, _end("release")),
    "cancellation": (_captured, _end("cancel")),
    "capture": (_held, _end("capture")),
    "restock": (_held, lambda world: lambda: _stocked(world).restock(40, key="delivery-2")),
    "time-out written down": (_timed_out, lambda world: lambda: _stocked(world).accrue("R-2", "1")),
}


@pytest.mark.parametrize("run", RUNS)
def test_a_run_cut_off_anywhere_and_sent_again_moves_stock_once(table: Table, run: str) -> None:
    cut_off_everywhere(table, *RUNS[run])
