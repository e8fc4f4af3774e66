"""The inbound path over a table in memory: everything real but the keys, the clock and the queues."""

from typing import Any

from loyalty.accruals.service import AccrualService
from loyalty.commerce.batch import BatchRunner, Message, Result
from loyalty.commerce.buyers import Buyers
from loyalty.commerce.inbound import parse
from loyalty.commerce.model import MemberSignal
from loyalty.commerce.outcomes import Outcome
from loyalty.commerce.service import InboundService
from loyalty.commerce.store import CommerceStore
from loyalty.core.errors import Rejected
from loyalty.core.pii import Lookups
from loyalty.core.table import Table
from loyalty.ledger.model import Scope
from loyalty.ledger.service import Ledger
from loyalty.ledger.store import LedgerStore
from loyalty.ledger.verify import audit_table
from loyalty.members.model import Profile
from loyalty.members.service import MemberService
from loyalty.members.store import MemberStore
from loyalty.members.vault import MemberVault
from loyalty.programs.store import ProgramStore
from tests.apikit.keys import FakeKeys
from tests.ledgerkit.clock import SettableClock, at
from tests.ledgerkit.programs import document
from tests.unit.commerce.shopify_samples import SHOP

PROGRAM = "acme"
RATES = [{"id": "buy", "activity": "purchase", "rates": [{"points": 1, "per": "1.00", "currency": "USD"}]},
         {"id": "review", "activity": "review", "fixed_points": 25}]  # fmt: skip


class Commerce:
    """Everything that a test of inbound events wants to hold."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.clock = SettableClock(at("2026-11-22T09:00:00Z"))
        self.key_service = FakeKeys()
        self.lookups = Lookups(self.key_service)
        self.members = MemberStore(table)
        self.enrollment = MemberService(
            self.members, MemberVault(self.key_service, self.clock), self.lookups, self.clock
        )
        self.buyers = Buyers(self.lookups)
        self.programs = ProgramStore(table, self.clock)
        self.programs.publish(
            document(id=PROGRAM, earn_rules=RATES, shopify_shops=[SHOP]), expected_version=0, actor="test"
        )
        self.store = CommerceStore(table)
        self.accruals = AccrualService(Ledger(table, self.clock, sleep=lambda _seconds: None), self.clock)
        self.ledger = LedgerStore(table)
        self.put_aside: list[tuple[str, Rejected]] = []
        self.service = self.service_with()

    def service_with(self, **changes: Any) -> InboundService:
        ports: dict[str, Any] = {
            "store": self.store,
            "programs": self.programs,
            "members": self.members,
            "buyers": self.buyers,
            "accruals": self.accruals,
            "clock": self.clock,
        }
        return InboundService(**(ports | changes))

    def enroll(self, email: str, **fields: Any) -> str:
        """A new member's id; the event that tells of it is not delivered."""
        profile = Profile(email=email, **fields)
        return self.enrollment.enroll(self.programs.current(PROGRAM), profile).member.member_id

    def apply(self, event: dict[str, Any]) -> list[Outcome]:
        return self.service.apply(parse(event))

    def signal(self, member_id: str, *, enrolled: bool = False) -> list[Outcome]:
        return self.service.apply(MemberSignal(PROGRAM, member_id, enrolled))

    def run(self, *bodies: str, workers: int = 1) -> list[Result]:
        """A batch; by one worker, so that all goes in one order, unless a test of threads says otherwise."""

        def reject(body: str, refusal: Rejected) -> None:
            self.put_aside.append((body, refusal))

        runner = BatchRunner(self.service, reject, workers=workers)
        return runner.run([Message(f"m{place}", body) for place, body in enumerate(bodies)])

    def points(self, member_id: str) -> int:
        book = self.ledger.book(PROGRAM, member_id)
        assert book is not None
        return book.wallet().available

    def entries(self, member_id: str) -> list[str]:
        return [entry.entry_id for entry in self.ledger.entries(PROGRAM, member_id, limit=100).entries][::-1]

    def keys(self, prefix: str) -> list[str]:
        """Sort keys of items that start so."""
        return sorted(raw["sk"]["S"] for raw in self.table.scan() if raw["sk"]["S"].startswith(prefix))

    def audit(self) -> None:
        def scopes_of(program: str) -> dict[int, Scope]:
            current = self.programs.current(program)  # tests publish each program once
            return {current.version: current.scope}

        report = audit_table(self.table, scopes_of=scopes_of)
        assert not report.findings, report.findings
