"""Rewards of referrals on real engines: many workers at once, and one that dies at any call."""

import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier

import pytest

from loyalty.attribution.model import Referral, ReferralStatus
from loyalty.core.errors import LoyaltyError, MemberRestricted, RecordChanged, WalletBusy
from loyalty.core.table import Table
from tests.ledgerkit.brought import EARNS, Brought, rewarding
from tests.ledgerkit.calls import Cut, killed_at, recorded
from tests.ledgerkit.moves import ADA, BOB, CLEO, DAN
from tests.ledgerkit.tables import empty_table

pytestmark = pytest.mark.integration

FRIENDS = ["mbr_" + letter * 26 for letter in "efghjkmnpqrt"]


def together(calls: list[Callable[[], object]], threads: int = 8) -> Counter[str]:
    """Runs ``calls`` over so many threads that start at once; outcomes by name."""
    barrier = Barrier(threads)

    def run(mine: list[Callable[[], object]]) -> list[str]:
        barrier.wait(timeout=30)
        return [_outcome(call) for call in mine]

    with ThreadPoolExecutor(threads) as pool:
        shares = list(pool.map(run, [calls[number::threads] for number in range(threads)]))
    return Counter(outcome for share in shares for outcome in share)


def _outcome(call: Callable[[], object]) -> str:
    for _ in range(60):
        try:
            result = call()
        except (WalletBusy, RecordChanged):
            continue  # a worker that is told to come back comes back
        except LoyaltyError as refusal:
            return refusal.code
        return result.status.value if isinstance(result, Referral) else "done"
    return WalletBusy.code


def test_two_workers_who_pay_at_once_pay_once(brought: Brought) -> None:
    read = brought.bring(BOB, ADA)
    pay = partial(brought.payer.pay, brought.program, read)
    assert together([pay] * 16) == {"rewarded": 16}
    assert [points for _, _, points in brought.given(ADA, BOB)] == [100, 40]
    assert brought.world.audit() == []


def test_two_workers_who_take_back_at_once_take_back_once(brought: Brought) -> None:
    brought.bring(BOB, ADA)
    paid = brought.pay(BOB)
    assert together([partial(brought.payer.reverse, brought.program, paid)] * 16) == {"reversed": 16}
    assert [points for _, _, points in brought.given(ADA, BOB)] == [100, -100, 40, -40]
    assert brought.world.audit() == []


def test_a_referrer_of_many_at_once_has_each_number_once(table: Table) -> None:
    """They are paid one after the other, since all are in one book; and budgets are shared by both sides of all."""
    spring = {"id": "spring", "name": "Spring", "starts_at": "2026-01-01T00:00", "ends_at": "2026-12-31T00:00"}
    rules = [{**rule, "campaign": "spring"} for rule in EARNS]
    brought = Brought(table, of=rewarding(earns=rules, campaigns=[{**spring, "budget_points": 100_000}]))
    brought.moves.enroll(ADA, *FRIENDS)
    read = [brought.bring(friend, ADA) for friend in FRIENDS]
    started = time.monotonic()
    with recorded(table.client) as calls:
        outcomes = together([partial(brought.payer.pay, brought.program, one) for one in read])
    taken = time.monotonic() - started
    assert outcomes == {"rewarded": len(FRIENDS)}
    numbers = sorted(one.number for friend in FRIENDS if (one := brought.stored(friend).rewarded))
    assert numbers == list(range(1, len(FRIENDS) + 1))
    assert brought.moves.wallet(ADA).available == 100 * len(FRIENDS)
    assert brought.world.audit() == []
    tried = calls.names.count("TransactWriteItems")
    print(f"{len(FRIENDS)} rewards of one referrer by 8 workers: {tried} transactions, {taken:.1f} s")


def test_a_refund_and_a_merge_among_payments(brought: Brought) -> None:
    """Bob gives back while he is paid for; Cleo becomes Ada, who brought her; Dan's data is restricted."""
    for friend in (BOB, CLEO, DAN):
        brought.bring(friend, ADA)
    brought.restrict(DAN)

    def bob() -> Referral:
        """As a worker does it who is woken again and again."""
        referral = brought.stored(BOB)
        if brought.world.table.read(f"M#acme#{BOB}", f"REVERSED#pos#B-{BOB}") is None:
            return brought.payer.pay(brought.program, referral, guards=brought.guard(BOB))
        return brought.reverse(BOB) if referral.rewarded else referral

    refund = partial(brought.world.refund, "F-1", f"B-{BOB}", everything=True, member=BOB)
    merge = partial(brought.moves.merge, CLEO, into=ADA)
    calls: list[Callable[[], object]] = [bob, partial(brought.pay, CLEO), partial(brought.pay, DAN)] * 4
    together([*calls, refund, merge, *calls])
    assert bob().status in {ReferralStatus.QUALIFIED, ReferralStatus.REVERSED}
    assert brought.stored(CLEO).status in {ReferralStatus.REWARDED, ReferralStatus.UNREWARDED}
    with pytest.raises(MemberRestricted):
        brought.pay(DAN)
    brought.restrict(DAN, lifted=True)
    assert brought.pay(DAN).status is ReferralStatus.REWARDED
    assert brought.world.audit() == []


Prepare = Callable[[Brought], object]


def _qualified(brought: Brought) -> None:
    brought.bring(BOB, ADA)


def _merged(brought: Brought) -> None:
    brought.bring(BOB, ADA)
    brought.moves.merge(ADA, into=CLEO)


def _rewarded(brought: Brought) -> None:
    brought.bring(BOB, ADA)
    brought.pay(BOB)


def _one(brought: Brought) -> None:
    _rewarded(brought)
    brought.moves.merge(BOB, into=ADA)


def _one_before(brought: Brought) -> None:
    brought.bring(BOB, ADA)
    brought.moves.merge(BOB, into=ADA)


RUNS: dict[str, tuple[Prepare, Callable[[Brought], Referral]]] = {
    "pay": (_qualified, lambda one: one.pay(BOB, guards=one.guard(BOB))),
    "pay whom the referrer was merged into": (_merged, lambda one: one.pay(BOB)),
    "reverse": (_rewarded, lambda one: one.reverse(BOB)),
    "reverse of both in one book": (_one, lambda one: one.reverse(BOB)),
    "pay nobody": (_one_before, lambda one: one.pay(BOB)),
}


def _fresh(table: Table, prepare: Prepare) -> Brought:
    empty_table(table)
    brought = Brought(table)
    brought.moves.enroll(ADA, BOB, CLEO, DAN)
    prepare(brought)
    return brought


@pytest.mark.parametrize("run", RUNS)
def test_a_run_cut_off_anywhere_and_begun_again_leaves_what_one_run_leaves(table: Table, run: str) -> None:
    prepare, act = RUNS[run]
    brought = _fresh(table, prepare)
    before = brought.world.dump()
    with recorded(table.client) as calls:
        act(brought)
    wanted, round_trips = brought.world.dump(), list(calls.names)
    assert round_trips[-1] in {"TransactWriteItems", "PutItem"}
    for number in range(1, len(round_trips) + 1):
        for cut in Cut:
            brought = _fresh(table, prepare)
            with killed_at(table.client, number, cut):
                act(brought)
            written = number == len(round_trips) and cut is Cut.AFTER
            assert brought.world.dump() == (wanted if written else before), f"half a run was written: {number}, {cut}"
            act(brought)
            assert brought.world.dump() == wanted
    assert brought.world.audit() == []
