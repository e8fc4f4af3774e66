"""What belongs together, and what is posted at once: pure, so by tables and by properties."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.accruals.model import Activity
from loyalty.commerce import tasks
from loyalty.commerce.inbound import parse
from loyalty.commerce.model import MemberSignal, Refund
from loyalty.commerce.records import Record, Unclaimed
from loyalty.commerce.tasks import Target, Task, lanes, run_of, target
from loyalty.programs.model import Program
from tests.ledgerkit.clock import at
from tests.ledgerkit.programs import document
from tests.unit.commerce.shopify_samples import ORDER, envelope

ACME, BETA = (Program(version=1, document=document(id=name)) for name in ("acme", "beta"))
NOW = at("2026-11-22T09:00:00Z")


def activity(order: int, source: str = "shopify") -> Activity:
    return Activity("purchase", source, str(order), NOW)


def purchase(order: int, *, program: Program | None = ACME, **more: Any) -> Task:
    """Told by somebody who is known by the digest ``d``, where nothing else is said."""
    more = {"digests": ("d",), "record": record(order)} | more
    asked = parse(envelope("orders/paid", ORDER | {"id": order}))
    return Task(asked, program, activity(order), **more)  # type: ignore[arg-type]


def refund(order: int, **more: Any) -> Task:
    asked = parse(
        envelope(
            "refunds/create",
            {
                "id": 10_000 + order,
                "order_id": order,
                "created_at": "2026-11-20T16:00:00Z",
                "transactions": [{"kind": "refund", "status": "success", "amount": "1.00", "currency": "USD"}],
            },
        )
    )
    assert isinstance(asked, Refund)
    known: dict[str, Any] = {"program": ACME, "record": record(order)} | more
    return Task(asked, **known)


def record(order: int, *, member: str | None = None, program: str = "acme", until: int | None = None) -> Record:
    seen = 1 if member or until else 0
    return Record("shopify", str(order), program, seen, member, expires_at=until)


def claim(order: int, **more: Any) -> Task:
    return Task(Unclaimed(activity(order), "d"), ACME, activity(order), named="mbr_1", **more)


MINE = Target("acme", "mbr_1")


@pytest.mark.parametrize(
    ("task", "expected"),
    [
        (purchase(1), None),
        (purchase(1, owners={"d": "mbr_1"}), MINE),
        (purchase(1, digests=("x", "d"), owners={"d": "mbr_1", "x": "mbr_2"}), Target("acme", "mbr_2")),
        (purchase(1, named="mbr_1"), MINE),
        (purchase(1, named="mbr_1", program=None), None),
        (purchase(1, owners={"d": "mbr_1"}, record=record(1, until=9)), MINE),
        (purchase(1, owners={"d": "mbr_1"}, record=record(1, until=9, program="beta")), None),
        (purchase(1, owners={"d": "mbr_2"}, record=record(1, member="mbr_1")), MINE),
        (purchase(1, program=BETA, record=record(1, member="mbr_1")), MINE),
        (purchase(1, program=None, record=record(1, member="mbr_1")), MINE),
        (purchase(1, named="mbr_2", record=record(1, member="mbr_1")), None),
        (refund(1), None),
        (refund(1, record=record(1, until=9)), None),
        (refund(1, record=record(1, member="mbr_1")), MINE),
        (refund(1, program=None, record=record(1, member="mbr_1")), MINE),
        (claim(1, record=record(1, until=9)), MINE),
        (claim(1, record=record(1)), MINE),
        (claim(1, record=record(1, member="mbr_1")), None),
        (claim(1, record=record(1, until=9, program="beta")), None),
        (Task(MemberSignal("acme", "mbr_1")), None),
    ],
)
def test_to_whom_a_task_is_posted(task: Task, expected: Target | None) -> None:
    assert target(task, {}) == expected


def test_a_run_is_the_longest_beginning_for_one_member() -> None:
    mine: dict[str, Any] = {"owners": {"d": "mbr_1"}}
    yours = purchase(9, owners={"d": "mbr_2"})
    first, again, back = purchase(1, **mine), purchase(1, **mine), refund(1)
    other = refund(2, record=record(2, member="mbr_1"))
    run = run_of([first, again, back, other, yours, purchase(3, **mine)])
    assert run is not None
    assert (run.target, run.tasks) == (MINE, [first, again, back, other])
    assert run_of([back, first]) is None, "its purchase comes after it"
    assert run_of([]) is None


def test_a_run_is_about_as_long_as_a_transaction() -> None:
    run = run_of([purchase(order, owners={"d": "mbr_1"}) for order in range(1, 101)])
    assert run is not None
    assert len(run.tasks) == tasks.MOST_AT_ONCE
    assert 3 * tasks.MOST_AT_ONCE + 1 <= 100


def test_lanes_join_what_shares_a_member_a_record_or_a_hash() -> None:
    one = purchase(1, owners={"d": "mbr_1"})
    other_digest = purchase(2, digests=("e",), owners={"e": "mbr_1"})
    signal = Task(MemberSignal("acme", "mbr_1"))
    back = refund(2)
    stranger, same_stranger = purchase(3, digests=("f", "g")), purchase(4, digests=("g",))
    elsewhere = purchase(5, program=BETA, digests=("g",), record=record(5, program="beta"))
    nobody = purchase(6, digests=())
    found = lanes([one, stranger, other_digest, elsewhere, signal, same_stranger, back, nobody])
    assert sorted(found, key=len) == [
        [elsewhere],
        [nobody],
        [stranger, same_stranger],
        [one, other_digest, signal, back],
    ]


@st.composite
def batches(draw: st.DrawFn) -> list[Task]:
    orders = st.integers(1, 6)
    found = []
    for _ in range(draw(st.integers(0, 12))):
        order = draw(orders)
        digests = tuple(draw(st.lists(st.sampled_from("abcd"), max_size=2, unique=True)))
        owners = {digest: f"mbr_{digest}" for digest in digests if digest in "ab"}
        counted = record(order, member=draw(st.sampled_from(["mbr_a", "mbr_b"])))
        task = purchase(order, digests=digests, owners=owners) if draw(st.booleans()) else refund(order)
        task.record = draw(st.sampled_from([task.record, counted]))
        found.append(task)
    return found


@given(batches())
def test_lanes_share_nothing_and_keep_order(batch: list[Task]) -> None:
    found = lanes(batch)
    assert sorted(batch.index(task) for lane in found for task in lane) == list(range(len(batch)))
    assert all(lane == sorted(lane, key=batch.index) for lane in found)
    touched = [set().union(*map(tasks._touched, lane)) for lane in found]
    assert sum(map(len, touched)) == len(set().union(*touched))


@given(batches())
def test_runs_take_a_lane_apart_completely(batch: list[Task]) -> None:
    """Whatever is not posted is taken by itself: nothing is left out, nothing taken twice."""
    for lane in lanes(batch):
        taken: list[Task] = []
        left = list(lane)
        while left:
            run = run_of(left)
            taken += run.tasks if run else left[:1]
            left = left[len(run.tasks) if run else 1 :]
        assert taken == lane
