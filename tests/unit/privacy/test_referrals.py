"""What is left of referrals once either side is erased, what a merge and a restriction do to them, what a copy says."""

import json
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from loyalty.attribution.clicks import click_put
from loyalty.attribution.errors import ReferralCodeUnknown
from loyalty.attribution.likenesses import Signals
from loyalty.attribution.links import Click
from loyalty.attribution.model import Referral, Source
from loyalty.attribution.store import ReferralStore, referral_put
from loyalty.attribution.touches import Came
from loyalty.core.cursor import Cursors
from loyalty.core.errors import MemberErased, MemberMerged, MemberRestricted
from loyalty.core.table import Table, TransactionRefused
from loyalty.members.arriving import MAX_FORMER
from loyalty.members.model import Profile
from loyalty.referrals.claim_store import ClaimStore
from loyalty.referrals.claims import ClaimService
from tests.ledgerkit.calls import recorded
from tests.ledgerkit.interleaving import interrupted
from tests.unit.commerce.world import RATES
from tests.unit.privacy.rig import Rights
from tests.unit.privacy.test_erasure import text
from tests.unit.privacy.test_exports import made
from tests.unit.referrals.rig import RULES

EARNING: list[object] = [
    *RATES,
    {"id": "brings", "activity": "referral", "fixed_points": 500},
    {"id": "brought", "activity": "referred", "fixed_points": 250},
]
KINDS = {"email_like", "email_stem", "device", "network", "payment", "address"}


OUTLIVE = {"email_like", "payment"}
"""By these it stays known that somebody was erased who had them, and no more than that."""


class Chain:
    """Ada brought Bob, who brought Cleo."""

    def __init__(self, rights: Rights) -> None:
        self.rights = rights
        rights.publish(earn_rules=EARNING, referrals=RULES)
        cursors = Cursors(rights.key_service)
        self.claims = ClaimService(ClaimStore(rights.table), rights.clock, cursors, sleep=lambda _: None)
        self.ada = self.person("ada")
        self.bob = self.person("bob@mailinator.com", self.ada)
        self.cleo = self.person("cleo", self.bob)

    def person(self, name: str, referrer: str | None = None) -> str:
        email = name if "@" in name else f"{name}@example.com"
        code = None if referrer is None else self.code(referrer)
        signals = Signals(f"device of {name}", "203.0.113.7", f"payment of {name}", f"Main St 1, {name}")
        return self.rights.enrollment.enroll(
            self.rights.program, Profile(email), referral_code=code, came=Came(signals=signals)
        ).member.member_id

    def code(self, member: str) -> str:
        return self.rights.enrollment.get(self.rights.program, member).referral_code

    def of(self, member: str) -> Referral:
        found = ReferralStore(self.rights.table).get("acme", member)
        assert found is not None
        return found

    def item(self, member: str, sk: str) -> dict[str, Any]:
        return dict(self.rights.world.dump()[f"M#acme#{member}", sk])

    def seen(self, digest: str) -> dict[str, Any]:
        """Who had a likeness of late."""
        return dict(self.rights.world.dump().get((f"U#acme#{digest}", "SEEN"), {}))

    def brought(self, member: str) -> list[str]:
        page = self.claims.brought(self.rights.program, member, limit=10)
        return [one.member_id for one in page.referrals]


@pytest.fixture
def chain(table: Table) -> Chain:
    return Chain(Rights(table))


def test_of_who_is_erased_no_likeness_is_left_and_no_code_and_the_referrals_stay(chain: Chain) -> None:
    code, own = chain.code(chain.bob), dict(chain.of(chain.bob).likenesses)
    assert own.keys() == KINDS
    shared = own.pop("network")
    chain.rights.erase(chain.bob)
    assert not {"likenesses", "email_stem", "flags"} & chain.item(chain.bob, "MEMBER").keys()
    gone, of_cleo = chain.of(chain.bob), chain.of(chain.cleo)
    assert (gone.referrer, gone.likenesses, gone.flags) == (chain.ada, {}, {})
    assert (of_cleo.referrer, of_cleo.code) == (chain.bob, "-")
    assert of_cleo.likenesses.keys() == KINDS
    assert of_cleo.likenesses["network"] == shared
    whole = text(chain.rights)
    assert {kind for kind, digest in own.items() if digest in whole} == OUTLIVE, "as long as the program says"
    assert code not in whole
    assert chain.brought(chain.ada) == [chain.bob]


def test_an_erasure_of_referrals_is_done_once(chain: Chain) -> None:
    rights = chain.rights
    for number in range(30):
        chain.person(f"friend{number}", chain.bob)
        rights.clock.advance(seconds=1)
        if number % 10 == 0:
            rights.publish(earn_rules=EARNING, referrals={**RULES, "code_uses": 1000})
    rights.erase(chain.bob)
    assert {chain.of(one).code for one in ReferralStore(rights.table).friends("acme", chain.bob)} == {"-"}
    before = {key: raw for key, raw in rights.world.dump().items() if key[1] == "REFERRAL"}
    with recorded(rights.table.client) as calls:
        rights.store_of_erasures.sweep("acme", chain.bob)
    assert {key: raw for key, raw in rights.world.dump().items() if key[1] == "REFERRAL"} == before
    assert calls.names.count("BatchGetItem") == 1, "31 friends are one read"


def test_whoever_writes_a_referral_while_it_is_erased_brings_nothing_back(chain: Chain) -> None:
    rights, before = chain.rights, chain.of(chain.cleo)
    erase = partial(rights.store_of_erasures.sweep, "acme", chain.cleo)
    with interrupted(rights.table.client, erase), pytest.raises(TransactionRefused):
        rights.table.write([referral_put(before, replace(before, reminded=1))])
    assert (chain.of(chain.cleo).likenesses, chain.of(chain.cleo).reminded) == ({}, 0)


@pytest.mark.parametrize("days", [0, 365])
def test_that_somebody_was_erased_stays_known_as_long_as_the_program_says_and_not_who(chain: Chain, days: int) -> None:
    rights = chain.rights
    rights.publish(earn_rules=EARNING, referrals={**RULES, "screening": {"remember_erased_days": days}})
    rights.memory.count(rights.program, chain.of(chain.bob))
    digests = dict(chain.of(chain.bob).likenesses)
    assert {kind for kind in digests if chain.seen(digests[kind])} == KINDS - {"email_stem"}
    rights.erase(chain.bob)
    left = {kind: chain.seen(digest) for kind, digest in digests.items() if chain.seen(digest)}
    assert left.keys() == (OUTLIVE if days else set())
    for item in left.values():
        assert item["erased_until"]["S"] == "2027-11-22T09:00:00.000Z"
        assert "members" not in item
    assert chain.bob not in json.dumps([raw for (_, sk), raw in rights.world.dump().items() if sk == "SEEN"])


def test_a_referral_that_is_counted_while_it_is_erased_leaves_nothing(chain: Chain) -> None:
    rights, digests = chain.rights, dict(chain.of(chain.bob).likenesses)
    counting = partial(rights.memory.count, rights.program, chain.of(chain.bob))
    with interrupted(rights.table.client, counting):
        rights.memory.forget(rights.program, chain.bob)
    rights.erase(chain.bob)
    assert {kind for kind, digest in digests.items() if chain.seen(digest)} == OUTLIVE
    assert chain.bob not in json.dumps([raw for (_, sk), raw in rights.world.dump().items() if sk == "SEEN"])


def test_an_address_that_was_changed_since_is_forgotten_too(chain: Chain) -> None:
    rights, digests = chain.rights, dict(chain.of(chain.bob).likenesses)
    rights.memory.count(rights.program, chain.of(chain.bob))
    rights.enrollment.update(rights.program, chain.bob, {"email": "robert@example.com"})
    rights.erase(chain.bob)
    assert "members" not in chain.seen(digests["email_like"])


def test_every_address_that_they_had_is_forgotten_also_of_who_came_by_nobody(chain: Chain) -> None:
    rights, dan = chain.rights, chain.person("dan")
    digests = {chain.item(dan, "MEMBER")["likenesses"]["M"]["email_like"]["S"]}
    rights.memory.remember(rights.program, dan)
    for changes in (
        {"email": "daniel@example.com", "phone": "+4915112345678"},
        {"email": "d@example.org", "phone": None},
    ):
        rights.enrollment.update(rights.program, dan, changes)
        rights.memory.remember(rights.program, dan)
        digests.add(chain.item(dan, "MEMBER")["likenesses"]["M"]["email_like"]["S"])
    assert len(digests) == 3
    assert all(dan in chain.seen(digest)["members"]["M"] for digest in digests)
    rights.erase(dan)
    assert dan not in json.dumps([raw for (_, sk), raw in rights.world.dump().items() if sk == "SEEN"])
    assert all("erased_until" in chain.seen(digest) for digest in digests), (
        "or a change of address would hide an erasure"
    )
    assert "likenesses_before" not in chain.item(dan, "MEMBER")


def test_so_many_former_addresses_are_known_and_no_more(chain: Chain) -> None:
    rights, dan = chain.rights, chain.person("dan")
    for number in range(MAX_FORMER + 2):
        rights.enrollment.update(rights.program, dan, {"email": f"dan{number}@example.com"})
    before = chain.item(dan, "MEMBER")["likenesses_before"]["M"]
    assert sorted(before) == [f"{version:06}#email_like" for version in range(4, MAX_FORMER + 4)]


def test_what_was_left_is_found(chain: Chain) -> None:
    rights = chain.rights
    rights.erase(chain.cleo)
    assert rights.store_of_erasures.left("acme", chain.cleo) == []
    before = chain.of(chain.cleo)
    rights.table.write([referral_put(before, replace(before, likenesses={"device": "d"}))])
    assert rights.store_of_erasures.left("acme", chain.cleo) == ["REFERRAL"]
    rights.store_of_erasures.sweep("acme", chain.cleo)
    assert rights.store_of_erasures.left("acme", chain.cleo) == []


def test_by_a_code_of_who_was_erased_nobody_comes_and_by_their_link_one_who_is_never_rewarded(chain: Chain) -> None:
    rights, code = chain.rights, chain.code(chain.bob)
    click = f"clk_{1:026}"
    followed = Click("acme", click, code, chain.bob, Source(), rights.clock())
    rights.table.write([click_put(followed, keep=timedelta(days=10))])
    rights.erase(chain.bob)
    before = rights.world.dump()
    with pytest.raises(ReferralCodeUnknown):
        rights.enrollment.enroll(rights.program, Profile("dan@example.com"), referral_code=code)
    with pytest.raises(ReferralCodeUnknown):
        chain.claims.claim(rights.program, chain.ada, code)
    assert rights.world.dump() == before
    came = Came(clicks=[click])
    dan = rights.enrollment.enroll(rights.program, Profile("dan@example.com"), came=came).member
    assert chain.of(dan.member_id).referrer == chain.bob


def test_who_is_erased_claims_and_is_shown_nothing(chain: Chain) -> None:
    code = chain.code(chain.ada)
    chain.rights.erase(chain.bob)
    program = chain.rights.program
    for call in (
        lambda: chain.claims.claim(program, chain.bob, code),
        lambda: chain.claims.own(program, chain.bob),
        lambda: chain.claims.brought(program, chain.bob, limit=10),
    ):
        with pytest.raises(MemberErased):
            call()


def test_a_survivor_keeps_their_referral_and_has_whom_the_other_brought(chain: Chain) -> None:
    rights, code = chain.rights, chain.code(chain.ada)
    eve = chain.person("eve", chain.ada)
    before = chain.of(eve), chain.of(chain.bob)
    rights.merging.merge(rights.program, eve, absorbed=chain.bob, actor="staff-1")
    assert (chain.of(eve), chain.of(chain.bob)) == before
    assert chain.claims.own(rights.program, chain.bob).member_id == chain.bob
    assert chain.brought(eve) == chain.brought(chain.bob) == [chain.cleo]
    with pytest.raises(MemberMerged):
        chain.claims.claim(rights.program, chain.bob, code)
    assert chain.claims.claim(rights.program, eve, code).replayed
    assert "likenesses" in chain.item(chain.bob, "MEMBER")
    rights.erase(eve)
    assert "likenesses" not in chain.item(chain.bob, "MEMBER")
    assert chain.of(chain.bob).likenesses == chain.of(eve).likenesses == {}


def test_whoever_absorbed_their_referrer_cannot_name_their_code(chain: Chain) -> None:
    rights, code = chain.rights, chain.code(chain.cleo)
    rights.merging.merge(rights.program, chain.ada, absorbed=chain.cleo, actor="staff-1")
    with pytest.raises(Exception, match="own referral code"):
        chain.claims.claim(rights.program, chain.ada, code)


def test_a_restricted_member_claims_nothing_new(chain: Chain) -> None:
    rights, code = chain.rights, chain.code(chain.ada)
    dan = chain.person("dan")
    for member in (dan, chain.bob):
        rights.restricting.restrict("acme", member, actor="staff-1")
    with pytest.raises(MemberRestricted):
        chain.claims.claim(rights.program, dan, code)
    assert chain.claims.claim(rights.program, chain.bob, code).replayed


def test_a_copy_says_by_whom_they_came_and_of_what_hashes_are_kept(chain: Chain) -> None:
    own, friend = made(chain.rights, chain.bob)["referrals.json"]
    assert own == {
        "member_id": chain.bob,
        "referrer": chain.ada,
        "status": "pending",
        "claimed_at": own["claimed_at"],
        "deadline": own["deadline"],
        "hashes": sorted(KINDS),
    }
    assert friend == {"member_id": chain.bob, "referred": chain.cleo}
