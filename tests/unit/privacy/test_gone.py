"""Whatever is read of a member who was erased, the answer is the same word: on every route of the table of routes."""

from typing import Final

import pytest

from functions.abuse.routes import routes as abuse_routes
from functions.accrual.routes import routes as accrual_routes
from functions.adjustment.routes import routes as adjustment_routes
from functions.enrollment.routes import routes as enrollment_routes
from functions.privacy.routes import routes as privacy_routes
from functions.redemption.routes import routes as redemption_routes
from functions.referral_review.routes import routes as review_routes
from functions.referral_validation.claims import claim_routes
from functions.referral_validation.codes import code_routes
from functions.referral_validation.links import link_routes
from functions.transfer.routes import routes as transfer_routes
from functions.wallet.routes import routes as wallet_routes
from infra.routes import ROUTES
from loyalty.abuse.cases import CaseService
from loyalty.abuse.store import RiskStore
from loyalty.adjustments.model import Asked
from loyalty.adjustments.service import AdjustmentService
from loyalty.adjustments.store import AdjustmentStore
from loyalty.core.cursor import Cursors
from loyalty.core.http import api
from loyalty.core.table import Table
from loyalty.households.pooling import PoolingService
from loyalty.households.store import HouseholdStore
from loyalty.ledger.model import POINTS
from loyalty.members.store import MemberStore
from loyalty.referrals.choosing import MemberCodes
from loyalty.referrals.claim_store import ClaimStore
from loyalty.referrals.claims import ClaimService
from loyalty.referrals.code_store import CodeStore
from loyalty.referrals.link_store import LinkStore
from loyalty.referrals.reviewing import ReviewService
from loyalty.referrals.sharing import Sharing
from loyalty.rewards.catalogue import Catalogue
from loyalty.rewards.history import History
from loyalty.tiers.grants import TierGrants
from loyalty.transfers.service import TransferService
from tests.apikit.gateway import Gateway, Reply, proxy_event
from tests.apikit.keys import FakeKeys
from tests.apikit.pictures import FakePictures
from tests.ledgerkit.brought import EARNS
from tests.unit.privacy.rig import Rights

OF_A_MEMBER: Final = sorted({route.path for route in ROUTES if route.method == "GET" and "{member_id}" in route.path})
MEMBER: Final = "/v1/programs/{program}/members/{member_id}"
REVIEW: Final = f"{MEMBER}/referral/review"
STAYS: Final = f"{MEMBER}/erasure"
"""That they were erased, whoever asked for it may read."""
QUERIES: Final = {"/adjustments": {"status": "posted"}, "/qr": {"channel": "link"}}


def gateway(rights: Rights) -> Gateway:
    """Every function that answers for a member."""
    table, clock, world, programs = rights.table, rights.clock, rights.world, rights.programs
    programs.clients.bind("app", {"acme"})
    cursors = Cursors(FakeKeys())
    store = AdjustmentStore(table)
    codes = MemberCodes(MemberStore(table), CodeStore(table), clock)
    made = api(
        abuse_routes(programs, CaseService(table, clock), RiskStore(table), cursors),
        accrual_routes(programs, world.accruals, world.reversals),
        adjustment_routes(programs, AdjustmentService(world.ledger, store, clock), store, TierGrants(world.ledger)),
        enrollment_routes(programs, rights.enrollment, rights.segments),
        privacy_routes(programs, rights.consents, rights.restricting, rights.exports, rights.erasing),
        redemption_routes(
            programs, world.redemptions, Catalogue(table, clock, FakePictures()), History(table, clock, cursors)
        ),
        transfer_routes(
            programs,
            TransferService(world.ledger, clock),
            rights.households,
            PoolingService(world.ledger, HouseholdStore(table), clock),
        ),
        wallet_routes(programs, world.store, cursors, clock),
        claim_routes(programs, ClaimService(ClaimStore(table), clock, cursors), clock),
        code_routes(programs, codes, clock),
        link_routes(programs, Sharing(codes, LinkStore(table, draw=lambda _: 0), "https://go.example", clock)),
        review_routes(programs, ReviewService(table, clock), cursors),
    )
    return Gateway(made)


class Left:
    """Two members who were one, with something behind each route; the survivor is erased."""

    def __init__(self, rights: Rights) -> None:
        ada, bob = rights.full_life()
        self.members = (ada, bob)
        self.held = rights.world.hold("late", member=ada)[0].redemption_id
        rights.world.capture(self.held, member=ada)
        copy = rights.exports.ask(rights.program, ada, client_id="app", idempotency_key="copy")[0]
        adjustments = AdjustmentService(rights.world.ledger, AdjustmentStore(rights.table), rights.clock)
        asked = Asked(5, "goodwill", "staff-9", POINTS)
        given = adjustments.ask(rights.program, ada, asked, client_id="desk", idempotency_key="gift")[0]
        self.ids = {
            "redemption_id": self.held,
            "adjustment_id": given.adjustment_id,
            "export_id": copy.export_id,
        }
        rules = [*rights.program.document.model_dump(mode="json")["earn_rules"], *EARNS]
        rights.publish(earn_rules=rules, referrals={"landing_url": "https://shop.example/join"})
        self.call = gateway(rights)
        self.before = {path: self.status(path, ada) for path in OF_A_MEMBER}
        rights.erase(ada)

    def reply(self, path: str, member: str) -> Reply:
        """What a route answers."""
        end = next((query for suffix, query in QUERIES.items() if path.endswith(suffix)), {})
        return self.call.send(proxy_event("GET", path.format(program="acme", member_id=member, **self.ids), query=end))

    def status(self, path: str, member: str) -> int:
        """Of its answer."""
        return self.reply(path, member).status


@pytest.fixture
def left(table: Table) -> Left:
    return Left(Rights(table))


def test_a_statement_is_not_read_on_by_a_cursor_from_before(table: Table) -> None:
    rights = Rights(table)
    ada = rights.person("ada")
    for number in range(3):
        rights.bought(ada, f"R-{number}")
    call, path = gateway(rights), f"/v1/programs/acme/members/{ada}/entries"
    first = call.send(proxy_event("GET", path, query={"limit": "1"})).json
    following = {"limit": "1", "cursor": first["next_cursor"]}
    assert len(call.send(proxy_event("GET", path, query=following)).json["items"]) == 1
    rights.erase(ada)
    call.send(proxy_event("GET", path, query=following)).problem(410, "member_erased")


def test_every_read_says_so(left: Left) -> None:
    assert len(OF_A_MEMBER) == 24
    found = {path: status for path, status in left.before.items() if status != 200}
    assert found == {STAYS: 404, REVIEW: 404, f"{MEMBER}/risk": 404, f"{MEMBER}/referral": 404}
    for member in left.members:
        for path in OF_A_MEMBER:
            reply = left.reply(path, member)
            if path == REVIEW:
                assert reply.status == 404, "what people decided stays, and here they decided nothing"
            elif path == STAYS:
                assert reply.status == (200 if member == left.members[0] else 404)
            else:
                reply.problem(410, "member_erased")
