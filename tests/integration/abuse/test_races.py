"""A flag and what it stops, at the same moment: whoever comes after the flag is refused, and nothing is lost."""

from collections.abc import Callable, Sequence
from functools import partial

import pytest

from loyalty.abuse.cases import CaseService
from loyalty.abuse.errors import RedemptionsOnHold
from loyalty.abuse.model import Case, Person, State
from loyalty.abuse.store import RiskStore
from loyalty.core.table import Operation, Table
from loyalty.ledger.model import EntryKind
from tests.engines.fixtures import REGION, TableEngine
from tests.integration.ledger.test_concurrency import together
from tests.ledgerkit.moves import ADA, BOB, Moves
from tests.ledgerkit.world import MEMBER, World
from tests.unit.abuse.watched import ANN, BEN

pytestmark = pytest.mark.integration

ROUNDS = 6
THREADS = 12


class Interposed(Table):
    """A table in which something else happens between what is read and the write that is decided on it."""

    between: Callable[[], object] | None = None

    def write(self, operations: Sequence[Operation]) -> None:
        """As of any table, after what comes between."""
        between, self.between = self.between, None
        if between is not None:
            between()
        super().write(operations)


@pytest.fixture
def interposed(table: Table, table_engine: TableEngine) -> Interposed:
    """The same table, which is warm."""
    return Interposed(table.name, endpoint=table_engine.endpoint_url, region=REGION)


def cases_of(world: World) -> CaseService:
    return CaseService(world.table, world.clock)


def flag(world: World, member: str = MEMBER) -> Case:
    return cases_of(world).hold("acme", member, ANN, "complaint")


def test_a_flag_between_the_read_and_the_write_of_a_hold_stops_it(interposed: Interposed) -> None:
    world = World(interposed).enroll()
    world.accrue("R-1", "1000")
    interposed.between = partial(flag, world)
    with pytest.raises(RedemptionsOnHold):
        world.hold("k")
    assert [entry.key.kind for entry in world.entries()] == [EntryKind.ACCRUAL]
    assert world.proven().available == 1_000


def test_a_flag_between_the_read_and_the_write_of_an_accrual_is_not_lost(interposed: Interposed) -> None:
    world = World(interposed).enroll()
    interposed.between = partial(flag, world)
    world.accrue("R-1", "1000")
    assert world.book().on_hold
    assert world.proven().available == 1_000


def test_a_flag_between_the_read_and_the_write_of_a_transfer_stops_it(interposed: Interposed) -> None:
    moves = Moves(interposed).enroll()
    moves.grant(ADA, {"2027-03-31": 100})
    interposed.between = partial(flag, moves.world, ADA)
    with pytest.raises(RedemptionsOnHold):
        moves.give(50)
    assert (moves.wallet(ADA).available, moves.wallet(BOB).available) == (100, 0)
    assert moves.world.audit() == []


def test_a_flag_between_the_read_and_the_write_of_a_merge_goes_with_the_member(interposed: Interposed) -> None:
    moves = Moves(interposed).enroll()
    interposed.between = partial(flag, moves.world, BOB)
    moves.merge(BOB, into=ADA)
    assert moves.world.book(ADA).on_hold
    case = RiskStore(interposed).case("acme", ADA)
    assert case is not None
    assert case.on_hold
    assert moves.world.audit() == []


def test_a_release_between_the_read_and_the_write_of_a_case_is_seen(interposed: Interposed) -> None:
    world = World(interposed).enroll()
    flag(world)
    released = partial(cases_of(world).release, "acme", MEMBER, BEN, "called_back", second_person=False)
    interposed.between = released
    again = flag(world)
    assert (again.state, again.on_hold, world.book().on_hold) == (State.OPEN, True, True)
    assert world.audit() == []


def test_holds_accruals_flags_and_releases_at_once_leave_what_happened_last(world: World) -> None:
    """The engine decides who comes first; whatever it is, the case and the book say the same."""
    world.accrue("R-0", "100000")
    cases = cases_of(world)

    def released(by: Person) -> str:
        return cases.release("acme", MEMBER, by, "called_back", second_person=False).state

    for turn in range(ROUNDS):
        calls: list[Callable[[], object]] = []
        for number in range(THREADS // 4):
            calls += [
                lambda: flag(world).state,
                lambda: released(BEN),
                partial(lambda key: world.hold(key)[0].status, f"{turn}/{number}"),
                partial(lambda key: world.accrue(key, "1").replayed, f"R-{turn}/{number}"),
            ]
        together(THREADS, calls)
        case = RiskStore(world.table).case("acme", MEMBER)
        assert case is not None
        assert world.book().on_hold == case.on_hold
        assert world.audit() == []
    flag(world)
    with pytest.raises(RedemptionsOnHold):
        world.hold("last")
