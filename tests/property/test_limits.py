"""Whatever is earned, taken back and raced for: no cap and no budget is passed, and nothing of them is lost."""

from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.accruals.limits import share_of
from loyalty.accruals.model import Refund
from loyalty.core.errors import LoyaltyError
from loyalty.core.table import Table
from loyalty.ledger.model import EntryKind
from loyalty.programs.model import Program
from tests.ledgerkit.deeds import BASE_RULE, eur, rule
from tests.ledgerkit.interleaving import interrupted
from tests.ledgerkit.programs import program
from tests.ledgerkit.tables import empty_table
from tests.ledgerkit.world import NOON, World

MEMBERS = ["mbr_a", "mbr_b"]
CAPS = {"day": 70, "ever": 150}
TIMES = 3


def _program(budget: int, when: str) -> Program:
    campaign = {
        "id": "sale", "name": "Sale", "starts_at": "2026-01-01T00:00", "ends_at": "2027-01-01T00:00",
        "budget_points": budget, "when_exhausted": when, "caps": [{"per": "week", "times": TIMES}],
    }  # fmt: skip
    capped = {**BASE_RULE, "caps": [{"per": per, "points": points} for per, points in CAPS.items()]}
    return program(earn_rules=[capped, rule("double", multiplier="2", campaign="sale")], campaigns=[campaign])


@dataclass(frozen=True)
class Step:
    """An accrual of so many euros so many days ago, or a refund of an earlier one; ``raced``: somebody is quicker."""

    member: str
    euros: int
    days: int
    refund_of: int | None
    whole: bool
    raced: bool


STEPS = st.lists(
    st.builds(
        Step,
        member=st.sampled_from(MEMBERS),
        euros=st.integers(1, 90),
        days=st.integers(0, 8),
        refund_of=st.none() | st.integers(0, 7),
        whole=st.booleans(),
        raced=st.booleans(),
    ),
    min_size=1,
    max_size=10,
)


def _accrue(world: World, name: str, step: Step, member: str) -> None:
    occurred_at = NOON - timedelta(days=step.days)
    world.accrue(name, str(step.euros), member=member, occurred_at=occurred_at)


def _back(world: World, number: int, step: Step) -> None:
    form: dict[str, object] = {"everything": True} if step.whole else {"amount": eur(str(step.euros))}
    refund = Refund("pos", f"F-{number}", f"R-{step.refund_of}", NOON, **form)  # type: ignore[arg-type]
    for member in MEMBERS:
        try:
            world.accruals.reverse(world.program, member, refund, clamp=True)
        except LoyaltyError:
            continue  # it is the other one's, or there is none


def _require_bounds(world: World, budget: int) -> None:
    spent = 0
    for (pk, sk), raw in world.dump().items():
        if pk.startswith("B#"):
            number = int(raw["spent"]["N"])
            assert 0 <= number <= share_of(budget, int(pk[-2:]))
            spent += number
        elif sk.startswith("CAPS#"):
            for name, counted in raw["used"]["M"].items():
                owner, unit = name.split("|")
                most = TIMES if unit == "times" else CAPS["ever" if sk == "CAPS#ever" else "day"]
                assert 0 < int(counted["N"]) <= most, (sk, owner)
    assert spent <= budget


def _play(world: World, number: int, step: Step) -> None:
    if step.refund_of is not None:
        _back(world, number, step)
    elif not step.raced:
        _accrue(world, f"R-{number}", step, step.member)
    else:
        for other in MEMBERS:  # who is quicker: the same member, or another one
            quicker = partial(_accrue, world, f"Q-{number}-{other}", step, other)
            with interrupted(world.table.client, quicker):
                _accrue(world, f"P-{number}-{other}", step, step.member)


def _take_everything_back(world: World) -> None:
    for member in MEMBERS:
        for name in [entry.key.source_id for entry in world.entries(member) if entry.key.kind is EntryKind.ACCRUAL]:
            refund = Refund("pos", f"B-{name}", name, NOON, everything=True)
            world.accruals.reverse(world.program, member, refund, clamp=True)


def _counted(world: World) -> int:
    """What is left of all counts."""
    items = world.dump().items()
    spent = sum(int(raw["spent"]["N"]) for (pk, _), raw in items if pk.startswith("B#"))
    return spent + sum(len(raw["used"]["M"]) for (_, sk), raw in items if sk.startswith("CAPS#"))


@settings(max_examples=10, deadline=None)
@given(steps=STEPS, budget=st.integers(1, 200), when=st.sampled_from(["partial", "nothing"]))
def test_no_bound_is_passed_and_all_comes_back(memory_table: Table, steps: list[Step], budget: int, when: str) -> None:
    empty_table(memory_table)
    world = World(memory_table, of=_program(budget, when)).enroll(*MEMBERS)
    world.occurred_at = NOON - timedelta(days=9)
    for number, step in enumerate(steps):
        _play(world, number, step)
        _require_bounds(world, budget)
    assert world.audit() == []
    _take_everything_back(world)
    assert _counted(world) == 0
    assert world.audit() == []
