"""A member with points for gift cards, the real client against the sandbox supplier, and the steps over both.

Every call that leaves the process (table, keys, supplier) passes the :class:`Fuse`, which can kill the process there.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from infra.local.supplier.server import SandboxSupplier
from loyalty.core.keys import DataKey
from loyalty.core.pii import Vault
from loyalty.core.table import Table
from loyalty.fulfillment.model import Progress
from loyalty.fulfillment.reveal import GiftCardService
from loyalty.fulfillment.service import FulfillmentService
from loyalty.fulfillment.store import FulfillmentStore
from loyalty.ledger.model import EntryKind
from loyalty.programs.store import ProgramStore
from loyalty.rewards.model import Redemption
from loyalty.rewards.store import RedemptionStore
from loyalty.suppliers.transport import Answer
from loyalty.suppliers.tremendous import Tremendous
from tests.apikit.keys import FakeKeys
from tests.ledgerkit.programs import program
from tests.ledgerkit.world import MEMBER, World
from tests.unit.fulfillment.machine import Machine

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
    fuse: Fuse

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


class Rig:
    """One table, one supplier, one member with 1,000 points, and a redemption that is held."""

    def __init__(self, table: Table, supplier: SandboxSupplier, *, read_seconds: float = 5.0) -> None:
        self.table = table
        self.sandbox = supplier.api
        self.world = World(table, of=PROGRAM).enroll()
        self.world.accrue("R-1", "1000")
        self.programs = ProgramStore(table, self.world.clock)
        self.programs.publish(PROGRAM.document, expected_version=0, actor="test")
        self.fuse = Fuse()
        self.keys = FusedKeys(self.fuse)
        self.client = FusedTremendous(supplier.url, FixedKey(supplier.key), read_seconds=read_seconds)
        self.client.fuse = self.fuse
        vault = Vault(self.keys)
        self.cards = GiftCardService(RedemptionStore(table), vault)
        self.steps = FulfillmentService(
            store=FulfillmentStore(table),
            programs=self.programs,
            redemptions=self.world.redemptions,
            supplier=self.client,
            vault=vault,
            clock=self.world.clock,
        )
        self.held = self.hold("k-1")

    def hold(self, key: str, reward: str = "card", quantity: int = 1) -> Redemption:
        return self.world.hold(key, reward, quantity)[0]

    def faults(self, *rules: dict[str, Any]) -> None:
        self.sandbox.faults.replace(list(rules))

    def step(self, name: str, redemption: Redemption | None = None) -> Progress:
        of = redemption or self.held
        take: Callable[[str, str, str], Progress] = getattr(self.steps, name)
        return take(of.program, of.member_id, of.redemption_id)

    def machine(self, faults: Iterable[Exception] = ()) -> Machine:
        """The machine over the steps; the first of them fail with ``faults`` before they did anything."""
        waiting = list(faults)

        def work(payload: Mapping[str, str]) -> dict[str, str]:
            if waiting:
                raise waiting.pop(0)
            return {"status": str(self.step(payload["step"]))}

        return Machine(work)

    def request(self) -> dict[str, str]:
        of = self.held
        return {"program": of.program, "member_id": of.member_id, "redemption_id": of.redemption_id}

    @property
    def redemption(self) -> Redemption:
        return self.world.redemptions.get(self.held.program, MEMBER, self.held.redemption_id)

    @property
    def orders(self) -> list[Any]:
        return self.sandbox.book.all()

    def ends(self) -> list[str]:
        """The kinds of the entries that ended holds."""
        kinds = [entry.key.kind for entry in self.world.entries()]
        return [kind.value for kind in kinds if kind in {EntryKind.CAPTURE, EntryKind.RELEASE}]

    def reveal(self) -> str:
        return self.cards.reveal(self.held.program, MEMBER, self.held.redemption_id).link or ""

    def fulfilled(self) -> None:
        """Exactly one order, exactly one capture, a card that the member can read, and books that balance."""
        assert len(self.orders) == 1
        assert self.ends() == ["capture"]
        assert self.redemption.supplier_order_id == self.orders[0].id
        assert "/rewards/payout/" in self.reveal()
        wallet = self.world.proven()
        assert (wallet.available, wallet.held) == (800, 0)

    def given_back(self) -> None:
        """No order, exactly one release, and books that balance."""
        assert self.orders == []
        assert self.ends() == ["release"]
        assert self.redemption.supplier_order_id is None
        wallet = self.world.proven()
        assert (wallet.available, wallet.held) == (1000, 0)

    def still_held(self) -> None:
        """Nothing was spent and nothing given back."""
        assert self.ends() == []
        assert self.world.proven().held == 200
