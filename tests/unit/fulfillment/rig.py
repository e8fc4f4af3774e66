"""A member with points for gift cards, the real client against the sandbox supplier, and the steps over both.

Every call that leaves the process (table, keys, supplier) passes the :class:`Fuse`, which can kill the process there.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from infra.local.supplier.server import SandboxSupplier
from loyalty.core.keys import DataKey
from loyalty.core.pii import Vault
from loyalty.core.table import Table
from loyalty.fulfillment.decisions import Decisions
from loyalty.fulfillment.executions import execution_name
from loyalty.fulfillment.gate import Gates, supplier_pk
from loyalty.fulfillment.journal import Journal
from loyalty.fulfillment.model import Answer as StepAnswer
from loyalty.fulfillment.model import Progress, StepRequest
from loyalty.fulfillment.ordering import SupplierBook
from loyalty.fulfillment.orders import Order, OrderStore
from loyalty.fulfillment.policy import FulfillmentPolicy
from loyalty.fulfillment.run import Run, RunStatus, Step
from loyalty.fulfillment.runs import RunStore
from loyalty.fulfillment.service import FulfillmentService
from loyalty.fulfillment.turns import TURNS_SK
from loyalty.ledger.model import EntryKind
from loyalty.programs.model import Program
from loyalty.programs.store import ProgramStore
from loyalty.rewards.model import Redemption
from loyalty.rewards.store import RedemptionStore
from loyalty.suppliers.model import Supplier
from loyalty.suppliers.registry import UnknownSupplier
from loyalty.suppliers.transport import Answer
from loyalty.suppliers.tremendous import Tremendous
from loyalty.vault.service import CardService
from loyalty.vault.store import CardStore, CardVault
from tests.apikit.keys import FakeKeys
from tests.ledgerkit.clock import SettableClock
from tests.ledgerkit.programs import program
from tests.ledgerkit.world import MEMBER, World
from tests.unit.fulfillment.machine import Execution, Machine

BOOKSHOP = "OKMHM2X2OHYV"
LIBRERIA = "Q24BD9EZ332J"
COFFEE = {"id": "coffee", "name": "Coffee", "type": "perk", "points": 50}

T = TypeVar("T")


def gift_card(product: str = BOOKSHOP, denomination: str = "10.00", currency: str = "USD") -> dict[str, Any]:
    card = {"product": product, "denomination": denomination, "currency": currency}
    return {"id": "card", "name": "Gift card", "type": "gift_card", "points": 200, "gift_card": card}


PROGRAM = program(rewards=[gift_card(), COFFEE])


class Killed(BaseException):
    """The process is gone: nothing of ours may catch this."""


class Fuse:
    """Counts the points around external calls, and kills at some of them."""

    def __init__(self) -> None:
        self.passed: list[str] = []
        self._kills: set[int] = set()

    def arm(self, *places: int) -> None:
        self.passed, self._kills = [], set(places)

    @property
    def blown(self) -> bool:
        return not self._kills

    def point(self, name: str) -> None:
        self.passed.append(name)
        if len(self.passed) - 1 in self._kills:
            self._kills.remove(len(self.passed) - 1)
            raise Killed(name)

    def around(self, name: str, call: Callable[[], T]) -> T:
        self.point(f"before {name}")
        result = call()
        self.point(f"after {name}")
        return result


class FusedKeys(FakeKeys):
    def __init__(self, fuse: Fuse) -> None:
        super().__init__()
        self._fuse = fuse
        self.before_new: Callable[[], None] = lambda: None

    def new(self, context: Mapping[str, str]) -> DataKey:
        make = super().new
        self.before_new()
        return self._fuse.around("GenerateDataKey", lambda: make(context))


class FusedTremendous(Tremendous):
    """The real client; ``named`` is what the program calls it where it stands for another supplier."""

    fuse: Fuse
    named = "tremendous"

    @property
    def name(self) -> str:
        return self.named

    def _call(
        self, method: str, path: str, *, body: Mapping[str, Any] | None = None, query: Mapping[str, str] | None = None
    ) -> Answer:
        call = super()._call
        return self.fuse.around(
            f"{method} {path.rsplit('/', 1)[-1]}", lambda: call(method, path, body=body, query=query)
        )


class FixedKey:
    def __init__(self, *keys: str) -> None:
        self._keys = list(keys)
        self.forgotten = 0

    def read(self) -> str:
        return self._keys[0]

    def forget(self) -> None:
        self.forgotten += 1
        if len(self._keys) > 1:
            self._keys.pop(0)


class Book:
    """Suppliers by name."""

    def __init__(self, *suppliers: Supplier) -> None:
        self._suppliers = {supplier.name: supplier for supplier in suppliers}

    def get(self, name: str) -> Supplier:
        if name not in self._suppliers:
            raise UnknownSupplier(name)
        return self._suppliers[name]


class FakeExecutions:
    """Step Functions as decisions see it: remembers what was started and answered."""

    def __init__(self) -> None:
        self.started: list[str] = []
        self.answers: dict[str, dict[str, str | int]] = {}
        self.alive: set[str] = set()
        self.waiting: set[str] | None = None
        """Tokens that are waited for; None: any."""

    def start(self, run: Run) -> bool:
        name = execution_name(run)
        new = name not in self.started
        if new:
            self.started.append(name)
            self.alive.add(name)
        return new

    def wake(self, token: str, answer: StepAnswer) -> bool:
        if self.waiting is not None and token not in self.waiting:
            return False
        self.answers[token] = answer.document()
        return True

    def running(self, run: Run) -> bool | None:
        name = execution_name(run)
        return name in self.alive if name in self.started else None


class Rig:
    """One table, one supplier, one member with 1,000 points, and a redemption that is held."""

    def __init__(
        self,
        table: Table,
        supplier: SandboxSupplier,
        *,
        read_seconds: float = 5.0,
        of: Program = PROGRAM,
        others: Iterable[tuple[str, SandboxSupplier]] = (),
        policy: FulfillmentPolicy | None = None,
        clock: SettableClock | None = None,
    ) -> None:
        self.table = table
        self.sandbox = supplier.api
        self.world = World(table, of=of, clock=clock).enroll()
        self.world.accrue("R-1", "1000")
        self.programs = ProgramStore(table, self.world.clock)
        self.programs.publish(of.document, expected_version=0, actor="test")
        self.fuse = Fuse()
        self.keys = FusedKeys(self.fuse)
        self.client = self._client("tremendous", supplier, read_seconds)
        more = [self._client(name, other, read_seconds) for name, other in others]
        vault = Vault(self.keys)
        self.cards = CardService(CardStore(table), RedemptionStore(table), vault, self.world.clock)
        self.policy = policy or FulfillmentPolicy(permits_per_second=1_000, breaker_failures=100)
        self.suppliers = Book(self.client, *more)
        self.runs = RunStore(table)
        self.executions = FakeExecutions()
        self.gates = Gates(table, self.policy, self.world.clock, sleep=no_sleep)
        self.journal = Journal(table, self.world.clock, sleep=no_sleep)
        self.vault = CardVault(vault)
        self.when_waiting: Callable[[], None] = lambda: None
        self.rebuild(self.suppliers)
        self.decisions = Decisions(
            table=table,
            programs=self.programs,
            redemptions=self.world.redemptions,
            executions=self.executions,
            clock=self.world.clock,
            sleep=no_sleep,
        )
        self.held = self.hold("k-1")
        self.executions.started.append(self.held.redemption_id)

    def rebuild(self, suppliers: SupplierBook) -> None:
        """The steps over other suppliers."""
        self.steps = FulfillmentService(
            table=self.table,
            programs=self.programs,
            redemptions=self.world.redemptions,
            suppliers=suppliers,
            vault=self.vault,
            policy=self.policy,
            clock=self.world.clock,
            sleep=no_sleep,
        )

    def _client(self, name: str, supplier: SandboxSupplier, read_seconds: float) -> FusedTremendous:
        client = FusedTremendous(supplier.url, FixedKey(supplier.key), read_seconds=read_seconds)
        client.fuse, client.named = self.fuse, name
        return client

    def hold(self, key: str, reward: str = "card", quantity: int = 1, **more: Any) -> Redemption:
        return self.world.hold(key, reward, quantity, **more)[0]

    def faults(self, *rules: dict[str, Any]) -> None:
        self.sandbox.faults.replace(list(rules))

    def wait_behind(self, *, hours: int) -> None:
        """Others have taken the turns of so many hours."""
        now = int(self.world.clock().timestamp()) * 1_000_000
        where = supplier_pk("tremendous"), TURNS_SK, "turns_from"
        self.table.advance(*where, least=now, by=hours * 3_600_000_000)

    def take(self, name: str, redemption: Redemption | None = None, **more: str) -> StepAnswer:
        """One step, as the function takes it."""
        request = {**self.request(redemption), "step": name, **more}
        return self.steps.step(step_request(request))

    def step(self, name: str, redemption: Redemption | None = None) -> Progress:
        """One step of a run that is opened first."""
        if self.runs.find("acme", (redemption or self.held).redemption_id) is None:
            self.take("screen", redemption)
        return self.take(name, redemption).status

    def machine(
        self,
        faults: Iterable[BaseException] = (),
        woken: Callable[[str], dict[str, Any] | None] | None = None,
        *,
        at: str = "order",
    ) -> Machine:
        """The machine over the steps; the first of those named ``at`` fail with ``faults`` before they did anything."""
        waiting = list(faults)

        def work(payload: Mapping[str, str]) -> dict[str, Any]:
            if waiting and payload["step"] == at:
                raise waiting.pop(0)
            return dict(self.steps.step(step_request(payload)).document())

        def waits(seconds: int) -> None:
            self.world.clock.advance(seconds=seconds)
            self.when_waiting()

        return Machine(work, waits, woken or self.executions.answers.get)

    def execute(self, faults: Iterable[BaseException] = (), *, at: str = "order", fatal: bool = False) -> Execution:
        """One execution, see :meth:`machine`. ``fatal``: it dies with the process that the fuse kills."""
        machine = self.machine(faults, at=at)
        machine.fatal = (Killed,) if fatal else ()
        return machine.run(self.request())

    def request(self, redemption: Redemption | None = None) -> dict[str, str]:
        of = redemption or self.held
        return {"program": of.program, "member_id": of.member_id, "redemption_id": of.redemption_id}

    @property
    def redemption(self) -> Redemption:
        return self.world.redemptions.get(self.held.program, MEMBER, self.held.redemption_id)

    @property
    def run(self) -> Run:
        return self.runs.get("acme", self.held.redemption_id)

    @property
    def timeline(self) -> list[Step]:
        return list(self.runs.steps("acme", self.held.redemption_id))

    def told(self) -> list[str]:
        """The timeline in short: ``order asked``."""
        return [f"{step.name} {step.outcome}" for step in self.timeline]

    @property
    def ours(self) -> list[Order]:
        """Our own orders of the redemption."""
        return OrderStore(self.table).of_run("acme", self.held.redemption_id)

    @property
    def orders(self) -> list[Any]:
        return self.sandbox.book.all()

    def ends(self) -> list[str]:
        """The kinds of the entries that ended holds, or undid that."""
        ending = {EntryKind.CAPTURE, EntryKind.RELEASE, EntryKind.CANCELLATION}
        return [entry.key.kind.value for entry in self.world.entries() if entry.key.kind in ending]

    def reveal(self) -> str:
        revealed = self.cards.reveal(self.held.program, MEMBER, self.held.redemption_id, client_id="app")
        return revealed.card.link or ""

    def fulfilled(self) -> None:
        """Exactly one order, exactly one capture, a card that the member can read, and books that balance."""
        assert len(self.orders) == 1
        assert self.ends() == ["capture"]
        assert self.redemption.supplier_order_id == self.orders[0].id
        assert "/rewards/payout/" in self.reveal()
        self.written_down(RunStatus.FULFILLED)
        wallet = self.world.proven()
        assert (wallet.available, wallet.held) == (800, 0)

    def given_back(self) -> None:
        """No order, exactly one release, and books that balance."""
        assert self.orders == []
        self.written_down(RunStatus.REFUSED)
        assert self.ends() == ["release"]
        assert self.redemption.supplier_order_id is None
        wallet = self.world.proven()
        assert (wallet.available, wallet.held) == (1000, 0)

    def still_held(self) -> None:
        """Nothing was spent and nothing given back."""
        assert self.ends() == []
        assert self.world.proven().held == 200

    def written_down(self, status: RunStatus) -> None:
        """The run has this status, its timeline is whole, and its orders are settled as it says."""
        run = self.run
        assert run.status is status
        assert [step.number for step in self.timeline] == list(range(1, run.steps + 1))
        assert [order.number for order in self.ours] == list(range(1, run.orders + 1))
        assert [order.issued for order in self.ours] == [False] * (run.orders - 1) + [
            status is RunStatus.FULFILLED
        ] * bool(run.orders)


def step_request(given: Mapping[str, str]) -> StepRequest:
    """As the function parses it, but for the ids, which are short in these tests."""
    fields: dict[str, Any] = dict(given)
    return StepRequest.model_construct(**fields)


def no_sleep(_seconds: float) -> None:
    """Waits take no time."""
