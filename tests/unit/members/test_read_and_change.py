import pytest

from functions.enrollment.routes import routes
from loyalty.core.errors import Stale
from loyalty.core.http import api
from loyalty.core.table import TransactionRefused
from loyalty.ledger.service import Ledger
from loyalty.members.errors import MemberChanged
from loyalty.members.items import StoredMember
from loyalty.members.keys import MemberKey
from loyalty.members.model import MAX_EXTERNAL_IDS
from loyalty.members.service import MemberService
from loyalty.members.store import MemberStore
from loyalty.tiers.grants import Asked, TierGrants
from tests.apikit.gateway import Gateway
from tests.apikit.members import Members
from tests.ledgerkit.ladders import laddered
from tests.ledgerkit.programs import program

MEMBERS = "/v1/programs/acme/members"


def path(member: dict[str, str]) -> str:
    return f"{MEMBERS}/{member['member_id']}"


def digests(members: Members, member: dict[str, str]) -> dict[str, str]:
    stored = members.store.get("acme", member["member_id"])
    assert stored is not None
    return dict(stored.lookups)


def test_reading_shows_the_wallets_tier(members: Members) -> None:
    ada = members.enroll()
    key = {"pk": {"S": f"M#acme#{ada['member_id']}"}, "sk": {"S": "WALLET"}}
    members.table.client.update_item(
        TableName=members.table.name,
        Key=key,
        UpdateExpression="SET tier = :tier",
        ExpressionAttributeValues={":tier": {"S": "gold"}},
    )
    reply = members.call("GET", path(ada))
    assert (reply.json["tier"], reply.headers["ETag"]) == ("gold", '"1"')


@pytest.mark.parametrize("member_id", ["mbr_00000000000000000000000000", "mbr_x", "a%40b.example", "mbr_" + "0" * 3000])
def test_nobody_is_found_under_another_id(members: Members, member_id: str) -> None:
    members.call("GET", f"{MEMBERS}/{member_id}").problem(404, "member_not_found")
    members.call("PATCH", f"{MEMBERS}/{member_id}", {"given_name": "A"}).problem(404, "member_not_found")


@pytest.mark.parametrize("program", ["other", "nowhere", "X", "a" * 3000])
def test_another_partners_program_looks_like_none(members: Members, program: str) -> None:
    ada = members.enroll()
    before = members.items()
    for method, rest, body in (
        ("GET", f"/members/{ada['member_id']}", None),
        ("PATCH", f"/members/{ada['member_id']}", {"given_name": "A"}),
        ("POST", "/members", {"email": "bob@example.com"}),
        ("POST", "/referrals/validate", {"referral_code": ada["referral_code"]}),
    ):
        members.call(method, f"/v1/programs/{program}{rest}", body).problem(404, "program_not_found")
    assert members.items() == before


def test_another_partner_does_not_see_the_member(members: Members) -> None:
    ada = members.enroll()
    stranger = Gateway(members.app, client_id="stranger")
    stranger("GET", path(ada)).problem(404, "program_not_found")
    stranger("GET", path(ada).replace("acme", "other")).problem(404, "member_not_found")


def test_changes_only_what_is_named(members: Members) -> None:
    ada = members.enroll(
        phone="+393331234567", given_name="Ada", locale="it", external_ids={"shopify": "1", "woo": "2"}
    )
    members.clock.advance(hours=1)
    changes = {"given_name": "Augusta", "locale": None, "external_ids": {"woo": None, "magento": "3"}}
    reply = members.call("PATCH", path(ada), changes, If_Match='"1"')
    assert reply.json == ada | {
        "given_name": "Augusta",
        "locale": None,
        "external_ids": {"shopify": "1", "magento": "3"},
        "version": 2,
    }
    assert reply.headers["ETag"] == '"2"'
    assert members.call("GET", path(ada)).json == reply.json
    assert set(digests(members, ada)) == {"email", "phone", "external:shopify", "external:magento"}


def test_lookups_move_in_the_same_transaction(members: Members) -> None:
    ada = members.enroll("ada@example.com", phone="+393331234567")
    old = digests(members, ada)
    members.call("PATCH", path(ada), {"email": "augusta@example.com", "phone": None})
    new = digests(members, ada)
    assert members.store.owners("acme", *old.values()) == {}
    assert members.store.owners("acme", *new.values()) == {new["email"]: ada["member_id"]}
    members.enroll("ada@example.com", phone="+393331234567")


def test_another_spelling_of_the_same_address_keeps_its_lookup(members: Members) -> None:
    ada = members.enroll("ada@example.com")
    before = digests(members, ada)
    reply = members.call("PATCH", path(ada), {"email": "Ada@Example.com"})
    assert (reply.json["email"], reply.json["version"]) == ("Ada@Example.com", 2)
    assert digests(members, ada) == before


@pytest.mark.parametrize("change", [{}, {"given_name": "Ada"}, {"external_ids": {"woo": None}}, {"phone": None}])
def test_a_change_of_nothing_writes_nothing(members: Members, change: dict[str, object]) -> None:
    ada = members.enroll(given_name="Ada")
    before = members.items()
    assert members.call("PATCH", path(ada), change).json == ada
    assert members.items() == before


def test_customer_ids_are_bounded_whatever_the_number_of_changes(members: Members) -> None:
    ada = members.enroll(external_ids={f"shop{number}": "1" for number in range(MAX_EXTERNAL_IDS)})
    before = members.items()
    problem = members.call("PATCH", path(ada), {"external_ids": {"one-more": "1"}}).problem(
        422, "external_ids_limit_exceeded"
    )
    assert problem["errors"][0]["pointer"] == "/external_ids"
    assert members.items() == before
    reply = members.call("PATCH", path(ada), {"external_ids": {"one-more": "1", "shop0": None}})
    assert len(reply.json["external_ids"]) == MAX_EXTERNAL_IDS
    members.call("PATCH", path(ada), {"given_name": "Ada"})


def test_an_old_etag_changes_nothing(members: Members) -> None:
    ada = members.enroll()
    members.call("PATCH", path(ada), {"given_name": "Augusta"})
    before = members.items()
    members.call("PATCH", path(ada), {"given_name": "Ada"}, If_Match='"1"').problem(412, "precondition_failed")
    members.call("PATCH", path(ada), {"given_name": "Ada"}, If_Match="1").problem(400, "invalid_header")
    assert members.items() == before
    assert members.call("PATCH", path(ada), {"given_name": "Ada"}, If_Match="*").status == 200


def test_what_another_member_has_cannot_be_taken(members: Members) -> None:
    ada, bob = members.enroll("ada@example.com", phone="+393331234567"), members.enroll("bob@example.com")
    before = members.items()
    problem = members.call("PATCH", path(bob), {"phone": "+393331234567"}).problem(409, "already_enrolled")
    assert problem["errors"][0]["pointer"] == "/phone"
    assert members.items() == before
    assert members.call("GET", path(ada)).json == ada


class OvertakenOnce(MemberStore):
    """A store in which another change gets in first, once."""

    def __init__(self, members: Members) -> None:
        super().__init__(members.table)
        self.other: MemberService | None = members.service

    def replace(
        self, before: StoredMember, after: StoredMember, *, new_key: MemberKey | None = None
    ) -> dict[str, str | None]:
        other, self.other = self.other, None
        if other is not None:
            other.update(program(), before.member_id, {"locale": "it"})
        return super().replace(before, after, new_key=new_key)


class Contended(MemberStore):
    """A store in which another transaction always holds the member."""

    def replace(self, *_: object, **__: object) -> dict[str, str | None]:
        raise TransactionRefused({}, ["TransactionConflict"], contended=True)

    create = replace


def test_a_change_that_others_overtake_is_made_on_the_new_version(members: Members) -> None:
    ada = members.enroll()
    service = members.service_with(OvertakenOnce(members))
    assert service.update(program(), ada["member_id"], {"given_name": "Augusta"}).version == 3
    assert members.call("GET", path(ada)).json["locale"] == "it"


def test_a_change_of_a_version_that_others_overtake_is_stale(members: Members) -> None:
    ada = members.enroll()
    service = members.service_with(OvertakenOnce(members))
    with pytest.raises(Stale):
        service.update(program(), ada["member_id"], {"given_name": "Augusta"}, if_version=1)


def test_what_others_always_hold_is_refused_by_name(members: Members) -> None:
    ada = members.enroll()
    service = members.service_with(Contended(members.table))
    with pytest.raises(MemberChanged):
        service.update(program(), ada["member_id"], {"given_name": "Augusta"})
    call = Gateway(api(routes(members.programs, service, members.segments)))
    reply = call("POST", MEMBERS, {"email": "bob@example.com"})
    reply.problem(503, "temporarily_unavailable")
    assert reply.headers["Retry-After"] == "1"


def test_the_tier_is_that_of_now_whatever_was_written_down(members: Members) -> None:
    granted = laddered()
    ada = members.enroll("ada@example.com")
    asked = Asked("status", "goodwill", "staff-1", "app", "k")
    grants = TierGrants(Ledger(members.table, members.clock))
    today = members.clock().date()
    grants.grant(granted, ada["member_id"], asked, tier="gold", until=today)
    assert members.service.get(granted, ada["member_id"]).tier == "gold"
    members.clock.advance(days=1)
    assert members.service.get(granted, ada["member_id"]).tier == "bronze"
