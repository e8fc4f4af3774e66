"""A program in which a member has left something everywhere, and the services of privacy over the same table."""

from collections.abc import Iterator
from typing import Any, Final

from loyalty.accruals.awaited import AwaitedReversals
from loyalty.attribution.links import Share
from loyalty.attribution.model import Source
from loyalty.commerce.outcomes import Outcome
from loyalty.core.pii import Vault
from loyalty.core.table import Table
from loyalty.households.service import HouseholdService
from loyalty.households.store import HouseholdStore
from loyalty.ledger.model import Account, EntryKind
from loyalty.members.erasure import Erasure, ErasureReason
from loyalty.members.model import Profile
from loyalty.members.opening import OwnProfiles
from loyalty.members.vault import MemberVault
from loyalty.merging.service import MergeService
from loyalty.privacy.archive import Archive
from loyalty.privacy.consent_store import ConsentStore
from loyalty.privacy.consenting import ConsentService, Said
from loyalty.privacy.erasing import Asked, Erasing
from loyalty.privacy.erasure_store import ErasureStore
from loyalty.privacy.export_store import Export, ExportStore
from loyalty.privacy.exporting import ExportService
from loyalty.privacy.restricting import Restricting
from loyalty.privacy.steps import ErasureSteps
from loyalty.programs.model import Program
from loyalty.programs.privacy import Channel
from loyalty.programs.store import ProgramStore
from loyalty.referrals.link_store import LinkStore
from loyalty.referrals.memory import Memory
from loyalty.rewards.model import Party
from loyalty.segments.model import Assignment
from loyalty.segments.service import SegmentService
from loyalty.segments.store import SegmentStore
from loyalty.suppliers.model import GiftCard
from loyalty.vault.store import CardVault
from tests.apikit.keys import FakeKeys
from tests.ledgerkit.programs import SEGMENTS, document
from tests.ledgerkit.world import World
from tests.reconkit.files import MemoryFiles
from tests.unit.commerce.shopify_samples import SHOP
from tests.unit.commerce.world import RATES, Commerce

PURPOSES: Final[list[dict[str, Any]]] = [
    {"id": "marketing", "name": "News and offers", "wordings": ["2025-01", "2026-01"], "channels": ["email", "sms"]},
    {
        "id": "surveys",
        "name": "Surveys",
        "legal_basis": "legitimate_interest",
        "wordings": ["1"],
        "channels": ["email"],
    },
    {"id": "profiling", "name": "Profiles", "wordings": ["1"]},
]
PRIVACY: Final[dict[str, Any]] = {"purposes": PURPOSES}
MARKETING: Final = Said("marketing", given=True, wording="2026-01", language="it", channel="web")
ANNA, BERT = Asked("staff-1", "desk"), Asked("staff-2", "office")


class ForgettingFiles(MemoryFiles):
    """A bucket in memory from which files can be removed."""

    def keys(self, folder: str) -> Iterator[str]:
        return iter(sorted(key for key in self.stored if key.startswith(folder)))

    def remove(self, folder: str) -> int:
        gone = list(self.keys(folder))
        for key in gone:
            del self.stored[key]
        return len(gone)


class Rights(Commerce):
    """Everything that a test of privacy wants to hold."""

    def __init__(self, table: Table) -> None:
        super().__init__(table)
        self.world = World(table, clock=self.clock)
        self.publish()
        now = self.clock
        self.files = ForgettingFiles()
        self.consents = ConsentService(ConsentStore(table), now, sleep=lambda _: None)
        self.segments = SegmentService(SegmentStore(table), now)
        self.households = HouseholdService(HouseholdStore(table), now, sleep=lambda _: None)
        self.merging = MergeService(self.world.ledger, AwaitedReversals(table, self.world.accruals, now))
        self.store_of_erasures = ErasureStore(table)
        self.started: list[Erasure] = []
        self.memory = Memory(table, now, sleep=lambda _: None)
        self.steps = ErasureSteps(
            store=self.store_of_erasures,
            ledger=self.world.ledger,
            books=self.world.store,
            households=self.households,
            screening=self.memory,
            files=self.files,
            clock=now,
            sleep=lambda _: None,
        )
        self.archive = Archive(table, OwnProfiles(self.members, MemberVault(self.key_service, now)), now)
        self.copies: list[Export] = []
        self.exports = ExportService(
            store=ExportStore(table),
            consents=ConsentStore(table),
            files=self.files,
            clock=now,
            days=7,
            start=self.copies.append,
        )
        self.restricting = Restricting(table, now, sleep=lambda _: None)
        self.erasing = Erasing(
            store=self.store_of_erasures, books=self.world.store, steps=self.steps, clock=now, start=self.started.append
        )

    def publish(self, **changes: Any) -> None:
        """The next version of the program."""
        whole = {
            "id": "acme",
            "earn_rules": [
                *RATES,
                {
                    "id": "late",
                    "activity": "delivery",
                    "rates": [{"points": 1, "per": "1.00", "currency": "USD"}],
                    "return_days": 14,
                },
            ],
            "shopify_shops": [SHOP],
            "segments": SEGMENTS,
            "households": {"members": 3, "daily_points": 200},
            "transfers": {"minimum_points": 5, "maximum_points": 300, "daily_points": 500},
            "privacy": PRIVACY,
        }
        version = self.programs.current("acme").version
        self.programs.publish(document(**{**whole, **changes}), expected_version=version, actor="test")
        self.programs = ProgramStore(self.table, self.clock)  # one that remembers nothing
        self.service = self.service_with()
        self.world.program = self.program

    @property
    def program(self) -> Program:
        return self.programs.current("acme")

    def person(self, name: str, **more: Any) -> str:
        """A member of that name, who can be found by all that a member can be found by."""
        profile = Profile(
            email=f"{name}@example.com", given_name=name, external_ids={"shopify": f"shop-{name}"}, **more
        )
        return self.enrollment.enroll(self.program, profile).member.member_id

    def bought(self, member: str, order: str, amount: str = "100", *, activity: str = "purchase") -> None:
        self.world.accrue(order, amount, currency="USD", member=member, activity=activity)

    def event(self, email: str, order: str) -> list[Outcome]:
        """A purchase that a commerce platform tells of, by address."""
        detail = {
            "program": "acme", "email": email, "activity": "purchase", "source": "till", "source_id": order,
            "occurred_at": "2026-11-22T09:00:00Z", "channel": "web", "amount": {"value": "30.00", "currency": "USD"},
        }  # fmt: skip
        return self.apply({"source": "till", "detail-type": "activity.recorded", "detail": detail})

    def card(self, member: str, code: str) -> str:
        """A gift card that was delivered; its redemption."""
        held = self.world.hold(f"card-{code}", "card", member=member)[0]
        put = CardVault(Vault(FakeKeys())).put(
            "acme", member, held.redemption_id, GiftCard(code=code), now=self.clock()
        )
        self.table.write([put])
        self.world.capture(held.redemption_id, member=member, by=Party.FULFILLMENT)
        return held.redemption_id

    def full_life(self) -> tuple[str, str]:
        """A member with something everywhere, and somebody whom they absorbed."""
        ada, bob = self.person("ada"), self.person("bob")
        self.bought(ada, "R-1", "500")
        self.bought(ada, "D-1", "70", activity="delivery")
        self.bought(bob, "R-2", "40")
        for member in (ada, bob):
            self.segments.assign(self.program, member, [Assignment("staff")])
            self.consents.say(self.program, member, MARKETING, client_id="app", idempotency_key="k-1")
            share = Share("acme", member, Source("summer", "whatsapp"), self.clock())
            assert LinkStore(self.table, draw=lambda _: 0).share(share, self.clock().date())
        self.card(ada, "PLANTED")
        self.merging.merge(self.program, ada, absorbed=bob, actor="staff-1")
        self.consents.prefer(self.program, ada, [("marketing", (Channel.EMAIL,))])
        head = self.person("cleo")
        home = self.households.create(self.program, head, client_id="app", idempotency_key="h")[0].household
        self.households.join(self.program, home.household_id, ada)
        return ada, bob

    def begun(self, member: str) -> None:
        """Approved by two people, and begun: what is written next closes the book."""
        self.erasing.ask(self.program, member, ErasureReason.REQUEST, ANNA)
        self.erasing._begun(self.erasing.approve(self.program, member, BERT))

    def erase(self, member: str) -> Erasure:
        """By two people, and all steps."""
        self.erasing.ask(self.program, member, ErasureReason.REQUEST, ANNA)
        self.erasing.approve(self.program, member, BERT)
        return self.erasing.run(self.program, member)

    def forfeitures(self, member: str) -> list[tuple[str, int]]:
        """Identities of the forfeitures, and what each let break."""
        return [
            (entry.key.source_id, entry.movement.change().postings.get(Account.EXPIRED, 0))
            for entry in self.world.entries(member)
            if entry.key.kind is EntryKind.FORFEITURE
        ]
