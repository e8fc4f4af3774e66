"""The enrollment and referral APIs over a table and keys in memory; two programs, two clients."""

from typing import Any

from functions.enrollment.routes import routes as enrollment_routes
from functions.referral_validation.codes import code_routes
from functions.referral_validation.links import link_routes
from functions.referral_validation.routes import routes as referral_routes
from loyalty.core.http import api
from loyalty.core.pii import Lookups
from loyalty.core.table import RawItem, Table
from loyalty.members.service import MemberService
from loyalty.members.store import MemberStore
from loyalty.members.vault import MemberVault
from loyalty.programs.store import ProgramStore
from loyalty.referrals.choosing import MemberCodes
from loyalty.referrals.code_store import CodeStore
from loyalty.referrals.link_store import LinkStore
from loyalty.referrals.service import ReferralService
from loyalty.referrals.sharing import Sharing
from loyalty.segments.service import SegmentService
from loyalty.segments.store import SegmentStore
from tests.apikit.gateway import Gateway
from tests.apikit.keys import FakeKeys
from tests.ledgerkit.clock import SettableClock, at
from tests.ledgerkit.programs import document

LINKS_URL = "https://go.example"


class Members:
    """Everything that a test of members wants to hold."""

    def __init__(self, table: Table, keys: FakeKeys | None = None, *, time_zone: str = "UTC") -> None:
        self.table = table
        self.keys = keys or FakeKeys()
        self.clock = SettableClock(at("2026-03-15T12:00:00Z"))
        self.programs = ProgramStore(table, self.clock)
        self.store = MemberStore(table)
        self.lookups = Lookups(self.keys)
        self.service = self.service_with(self.store)
        self.segments = SegmentService(SegmentStore(table), self.clock, sleep=lambda _seconds: None)
        self.code_store = CodeStore(table)
        referrals = ReferralService(self.code_store, self.lookups, self.clock)
        self.codes = MemberCodes(self.store, self.code_store, self.clock, sleep=lambda _seconds: None)
        self.links = LinkStore(table, draw=lambda shards: shards - 1)
        self.sharing = Sharing(self.codes, self.links, LINKS_URL, self.clock, sleep=lambda _seconds: None)
        self.app = api(
            enrollment_routes(self.programs, self.service, self.segments),
            referral_routes(self.programs, referrals),
            code_routes(self.programs, self.codes, self.clock),
            link_routes(self.programs, self.sharing),
        )
        self.call = Gateway(self.app)
        for program, client in (("acme", "app"), ("other", "stranger")):
            self.programs.publish(document(id=program, time_zone=time_zone), expected_version=0, actor="test")
            self.programs.clients.bind(client, {program})

    def service_with(self, store: MemberStore, keys: FakeKeys | None = None, **parts: Any) -> MemberService:
        """A service over another store, or with other parts."""
        return MemberService(
            store,
            MemberVault(keys or self.keys, self.clock),
            self.lookups,
            self.clock,
            sleep=lambda _seconds: None,
            **parts,
        )

    def items(self) -> dict[tuple[str, str], RawItem]:
        """The whole table: compared before and after, it shows that nothing was written."""
        return {(raw["pk"]["S"], raw["sk"]["S"]): raw for raw in self.table.scan()}

    def enroll(self, email: str = "ada@example.com", **fields: object) -> dict[str, str]:
        reply = self.call("POST", "/v1/programs/acme/members", {"email": email, **fields})
        assert reply.status == 201, reply.text
        body: dict[str, str] = reply.json
        return body
