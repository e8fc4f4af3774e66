"""A world in which the platform gives: pools of codes, batches, a vault, files in memory, and a fuse for dying."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from loyalty.core.files import Stored
from loyalty.core.keys import DataKey
from loyalty.core.pii import Lookups, Vault
from loyalty.core.table import Table
from loyalty.delivery.codes import CodeHandler, new_code
from loyalty.delivery.importing import CodeImport, Imported
from loyalty.delivery.lines import BatchStore
from loyalty.delivery.model import Handler, Outcome
from loyalty.delivery.pool import CodePool
from loyalty.delivery.service import DeliveryService
from loyalty.delivery.settlement import SettlementHandler, SettlementService
from loyalty.programs.model import Program
from loyalty.programs.rewards import RewardType
from loyalty.programs.store import ProgramStore
from loyalty.programs.versions import VersionStore
from loyalty.rewards.store import RedemptionStore
from loyalty.vault.service import CardService
from loyalty.vault.store import CardStore, CardVault
from tests.apikit.keys import FakeKeys
from tests.ledgerkit.clock import SettableClock
from tests.ledgerkit.programs import program
from tests.ledgerkit.world import MEMBER, World

EACH: Final = {"value": "2.50", "currency": "EUR"}
REWARDS: Final[list[dict[str, Any]]] = [
    {"id": "summer", "name": "Summer code", "type": "discount", "points": 10, "codes": {"source": "pool"}},
    {"id": "winter", "name": "Winter code", "type": "discount", "points": 10, "codes": {"source": "generated"}},
    {"id": "back", "name": "Cash back", "type": "cashback", "points": 10, "value": EACH},
    {
        "id": "trees",
        "name": "Trees",
        "type": "donation",
        "points": 10,
        "value": EACH,
        "charity": {"id": "wood", "name": "The Wood"},
    },
    {"id": "plain", "name": "Ten percent", "type": "discount", "points": 10},
]
KEYS: Final = FakeKeys()


class Killed(BaseException):
    """The process ended here."""


class Fuse:
    """Ends the process at the n-th place that it passes, counted from 0."""

    def __init__(self) -> None:
        self.passed: list[str] = []
        self.at: int | None = None

    def point(self, name: str) -> None:
        self.passed.append(name)
        if self.at == len(self.passed) - 1:
            raise Killed(name)

    def arm(self, at: int | None) -> None:
        self.passed, self.at = [], at


class FusedKeys(FakeKeys):
    """Keys of :data:`KEYS`, whose calls pass a fuse."""

    def __init__(self, fuse: Fuse) -> None:
        super().__init__()
        self._fuse = fuse

    def new(self, context: Mapping[str, str]) -> DataKey:
        self._fuse.point("before a data key")
        return KEYS.new(context)

    def unwrap(self, wrapped: bytes, context: Mapping[str, str], *, key_id: str | None = None) -> bytes:
        self._fuse.point("before a key is unwrapped")
        return KEYS.unwrap(wrapped, context, key_id=key_id)

    def mac(self, message: bytes) -> bytes:
        return KEYS.mac(message)


class MemoryFiles:
    """A bucket in memory."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}

    def put(self, key: str, path: Path, content_type: str) -> None:
        assert content_type in {"text/csv", "application/json"}
        self.texts[key] = path.read_text(encoding="utf-8")

    def look(self, key: str) -> Stored:
        raise NotImplementedError

    def read(self, file: Stored, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        raise NotImplementedError

    def link(self, key: str, *, seconds: int) -> str:
        raise NotImplementedError

    def upload_link(self, key: str, *, seconds: int) -> str:
        raise NotImplementedError


class Rig(World):
    """One member with 1,000 points, and everything that delivers."""

    def __init__(
        self, table: Table, *, of: Program | None = None, clock: SettableClock | None = None, make: Any = new_code
    ) -> None:
        super().__init__(table, of=of or program(rewards=REWARDS), clock=clock)
        self.fuse = Fuse()
        self.keys = FusedKeys(self.fuse)
        self.vault, self.lookups = Vault(self.keys), Lookups(self.keys)
        self.pool, self.batches, self.files = CodePool(table), BatchStore(table), MemoryFiles()
        programs, versions = ProgramStore(table, self.clock), VersionStore(table, self.clock)
        self.versions = versions
        codes = CodeHandler(
            self.pool,
            pool_vault=self.vault,
            cards=CardVault(self.vault),
            lookups=self.lookups,
            clock=self.clock,
            make=make,
        )
        money = SettlementHandler(self.batches, programs, self.clock)
        handlers: dict[RewardType, Handler] = {
            RewardType.DISCOUNT: codes,
            RewardType.CASHBACK: money,
            RewardType.DONATION: money,
        }
        self.deliveries = DeliveryService(self.redemptions, programs, versions, handlers)
        self.settlements = SettlementService(self.batches, self.files, self.clock)
        self.cards = CardService(CardStore(table), RedemptionStore(table), self.vault, self.clock)
        self._table = table

    def ready(self, *members: str) -> "Rig":
        ProgramStore(self._table, self.clock).publish(self.program.document, expected_version=0, actor="staff-1")
        self.enroll(*(members or (MEMBER,)))
        for member in members or (MEMBER,):
            self.accrue("R-1", "1000", member=member)
        return self

    def load(self, *codes: str, reward: str = "summer") -> list[Imported]:
        """Imports codes, as lines of a file."""
        importer = CodeImport(self._table, self.vault, self.lookups, self.clock)
        return list(importer.run(self.program, reward, ["code\n", *(f"{code}\n" for code in codes)]))

    def deliver(self, redemption_id: str, *, member: str = MEMBER) -> Outcome:
        return self.deliveries.deliver("acme", member, redemption_id).outcome

    def code(self, redemption_id: str, *, member: str = MEMBER) -> str | None:
        """The code that the member sees."""
        return self.cards.reveal("acme", member, redemption_id, client_id="app").card.code

    @contextmanager
    def fused(self, at: int | None = None) -> Iterator[None]:
        """Lets each DynamoDB call pass the fuse, before it is sent and after its answer came."""
        events = self._table.client.meta.events
        hooks = {
            "before-call.dynamodb": lambda model, **_: self.fuse.point(f"before {model.name}"),
            "after-call.dynamodb": lambda model, **_: self.fuse.point(f"after {model.name}"),
        }
        for event, hook in hooks.items():
            events.register(event, hook)
        self.fuse.arm(at)
        try:
            yield
        finally:
            self.fuse.arm(None)
            for event, hook in hooks.items():
                events.unregister(event, hook)
