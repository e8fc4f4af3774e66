"""What is left of a member once they are erased, who decides on it, and what may still come for them."""

import json
from typing import Any

import pytest

from loyalty.abuse.cases import CaseService
from loyalty.abuse.model import Person
from loyalty.abuse.store import RiskStore
from loyalty.abuse.watch import Kind, Note
from loyalty.abuse.watching import Doing, Watcher
from loyalty.commerce.outcomes import Outcome
from loyalty.core.errors import (
    EntryExistsWithDifferentRequest,
    MemberErased,
    MemberMerged,
    MemberNotFound,
    SecondPersonRequired,
)
from loyalty.core.table import Table
from loyalty.households.pooling import Pooled, PoolingService
from loyalty.households.store import HouseholdStore
from loyalty.ledger.model import Account, Balances, EntryKind
from loyalty.members.erasure import ErasureReason, ErasureStatus
from loyalty.members.errors import MemberKeyMissing
from loyalty.privacy.erasing import Asked
from loyalty.privacy.errors import ErasureBlocked, ErasureDecided, ErasureNotFound
from loyalty.privacy.steps import note_key
from loyalty.referrals.choosing import MemberCodes
from loyalty.referrals.code_store import CodeStore
from loyalty.rewards.model import Payer
from loyalty.segments.model import Assignment
from tests.ledgerkit.calls import Cut, killed_at, recorded
from tests.ledgerkit.interleaving import interrupted
from tests.ledgerkit.tables import empty_table
from tests.unit.privacy.rig import ANNA, BERT, MARKETING, Rights

CARL = Asked("staff-3", "office")


@pytest.fixture
def rights(table: Table) -> Rights:
    """Nobody yet."""
    return Rights(table)


def kept(rights: Rights, member: str) -> set[str]:
    """What is in a member's partition, by the first part of its sort key."""
    return {sk.split("#")[0] for pk, sk in rights.world.dump() if pk.endswith(member)}


def text(rights: Rights) -> str:
    """The whole table as one text."""
    return json.dumps(sorted(rights.world.dump().items()), default=repr)


def lookups(rights: Rights) -> set[str]:
    """Whom any lookup leads to."""
    return {raw["member_id"]["S"] for (_, sk), raw in rights.world.dump().items() if sk == "LOOKUP"}


def test_nothing_is_left_but_the_ledger_a_stub_and_the_proof_of_consents(rights: Rights) -> None:
    ada, bob = rights.full_life()
    digests = {digest for one in (ada, bob) for digest in rights.store_of_erasures.digests("acme", one)}
    assert len(digests) == 4
    erased = rights.erase(ada)
    assert erased.status is ErasureStatus.ERASED
    assert kept(rights, ada) == {"WALLET", "ENTRY", "MEMBER", "ERASURE", "CONSENT", "HISTORY", "REDEMPTION"}
    assert kept(rights, bob) == {"WALLET", "ENTRY", "MEMBER", "CONSENT"}
    assert not lookups(rights) & {ada, bob}
    assert not any(digest in text(rights) for digest in digests)
    assert not any(sk == "CARD" for _, sk in rights.world.dump())
    for member in (ada, bob):
        stub = rights.world.dump()[f"M#acme#{member}", "MEMBER"]
        assert not stub.keys() & {"pii", "pii_nonce", "pii_key"}
        assert (stub["lookups"]["M"], stub["referral_code"]["S"], stub["request_hash"]["S"]) == ({}, "-", "-")
    assert rights.world.audit() == []


def test_every_code_of_both_goes_over_in_a_merge_and_leads_nowhere_afterwards(rights: Rights) -> None:
    store = CodeStore(rights.table)
    codes = MemberCodes(rights.members, store, rights.clock)
    ada, bob = rights.person("ada"), rights.person("bob")
    held = {code for one in (ada, bob) for code in [rights.enrollment.get(rights.program, one).referral_code]}
    for member, chosen in ((ada, "ADASHOP"), (bob, "BOBSHOP")):
        held.add(codes.choose(rights.program, member, chosen).code)
    before = store.given_codes("acme", held)
    rights.clock.advance(days=3)
    rights.merging.merge(rights.program, ada, absorbed=bob, actor="staff-1")
    merged = store.given_codes("acme", held)
    assert {one.member_id for one in merged.values()} == {ada}
    assert {code: one.created_at for code, one in merged.items()} == {
        code: one.created_at for code, one in before.items()
    }
    assert codes.choose(rights.program, ada, "BOBSHOP").code == "BOBSHOP"
    rights.erase(ada)
    assert store.given_codes("acme", held) == {}
    assert not any(code in text(rights) for code in held)


def test_points_break_and_the_book_is_closed(rights: Rights) -> None:
    ada, _ = rights.full_life()
    # 500 + 40 of the absorbed, less 200 for the card, and 70 that were pending.
    assert rights.world.wallet(ada).balances == Balances(available=340, pending=70)
    rights.erase(ada)
    assert rights.world.wallet(ada).balances == Balances()
    assert rights.forfeitures(ada) == [(ada, 410)]
    last = rights.world.entries(ada)[-1]
    assert (last.facts.reason, last.facts.actor, last.facts.approved_by) == ("erasure", "staff-1", "staff-2")
    assert rights.world.book(ada).erased_at == rights.clock()


def test_what_asks_for_them_is_told_that_they_are_gone(rights: Rights) -> None:
    ada, bob = rights.full_life()
    rights.erase(ada)
    program = rights.program
    for member in (ada, bob):
        for call in (
            lambda one: rights.enrollment.get(program, one),
            lambda one: rights.segments.get(program, one),
            lambda one: rights.segments.assign(program, one, [Assignment("vip")]),
            lambda one: rights.consents.standing(program, one),
            lambda one: rights.consents.say(program, one, MARKETING, client_id="app", idempotency_key="k-9"),
            lambda one: rights.world.store.current("acme", one),
            lambda one: rights.world.accrue("R-9", currency="USD", member=one),
            lambda one: rights.world.hold("h-9", member=one),
            lambda one: rights.households.create(program, one, client_id="app", idempotency_key="h-9"),
        ):
            with pytest.raises(MemberErased) as refused:
                call(member)
            assert refused.value.detail.endswith("as a new member.")
    assert rights.world.audit() == []


def test_a_first_answer_is_given_again_and_nothing_new_costs_a_round_trip(rights: Rights) -> None:
    ada = rights.person("ada")
    rights.bought(ada, "R-1", "500")
    rights.erase(ada)
    assert rights.world.accrue("R-1", "500", currency="USD", member=ada).replayed
    with pytest.raises(EntryExistsWithDifferentRequest):
        rights.world.accrue("R-1", "501", currency="USD", member=ada)
    with recorded(rights.table.client) as calls, pytest.raises(MemberErased):
        rights.world.accrue("R-2", "500", currency="USD", member=ada)
    assert calls.names == ["GetItem", "TransactGetItems"]  # as any refusal: for certain
    assert rights.world.audit() == []


@pytest.mark.parametrize("policy", ["allow_negative", "clamp_with_debt", "refuse"])
def test_refunds_and_cancellations_after_it_leave_nobody_with_points_or_debts(rights: Rights, policy: str) -> None:
    rights.publish(reversal=policy)
    ada = rights.person("ada")
    rights.bought(ada, "R-1", "300")
    rights.bought(ada, "D-1", "80", activity="delivery")
    coffee = rights.world.hold("c", member=ada)[0]
    rights.world.capture(coffee.redemption_id, member=ada)
    rights.erase(ada)
    for number, (of, amount) in enumerate((("R-1", "120"), ("R-1", "180"), ("D-1", "80"))):
        rights.world.refund(f"F-{number}", of, amount, currency="USD", member=ada)
    rights.world.cancel(coffee.redemption_id, member=ada)
    assert rights.world.wallet(ada).balances == Balances()
    cancelled = f"cancellation:redemption:{coffee.redemption_id}"
    assert rights.forfeitures(ada) == [
        (ada, 330),  # 300 - 50 spent, and 80 that were pending
        ("reversal:pos:F-0", -120),
        ("reversal:pos:F-1", -180),
        ("reversal:pos:F-2", -80),
        (cancelled, 50),
    ]
    assert sum(points for _, points in rights.forfeitures(ada)) == 0  # all was given back: nothing broke
    entries = rights.world.entries(ada)
    assert [one.movement.change().postings.get(Account.ISSUED) for one in entries if one.key.kind is EntryKind.REVERSAL] == [120, 180, 80]  # fmt: skip
    assert rights.world.refund("F-0", "R-1", "120", currency="USD", member=ada).replayed
    assert rights.world.settle(ada) == 0
    assert rights.world.recalculate("R-1", member=ada) is None
    assert rights.world.audit() == []


def test_what_the_absorbed_one_redeemed_is_cancelled_under_either_id(rights: Rights) -> None:
    ada, bob = rights.person("ada"), rights.person("bob")
    rights.bought(bob, "R-1", "300")
    held = [rights.world.hold(name, member=bob)[0].redemption_id for name in ("one", "two")]
    for one in held:
        rights.world.capture(one, member=bob)
    rights.merging.merge(rights.program, ada, absorbed=bob, actor="staff-1")
    rights.erase(ada)
    for one, member in zip(held, (bob, ada), strict=True):
        rights.world.cancel(one, member=member)
    assert [points for _, points in rights.forfeitures(ada)] == [200, 50, 50]  # 300 - 2 * 50, which then came back
    assert rights.world.wallet(ada).balances == Balances()
    assert rights.world.audit() == []


def test_the_link_to_a_parcel_is_forgotten(rights: Rights) -> None:
    """The page behind it names the person and where they live."""
    ada = rights.person("ada")
    rights.bought(ada, "R-1", "300")
    held = rights.world.hold("one", member=ada)[0].redemption_id
    rights.world.capture(held, member=ada, reference="B-1", tracking_url="https://parcels.example/PLANTED")
    assert "PLANTED" in text(rights)
    rights.erase(ada)
    assert "PLANTED" not in text(rights)
    rights.world.cancel(held, member=ada)
    assert "PLANTED" not in text(rights)
    assert rights.world.audit() == []


def test_the_person_comes_again_as_somebody_new_and_events_of_before_are_nobodys(rights: Rights) -> None:
    ada = rights.person("ada")
    rights.erase(ada)
    assert rights.event("ada@example.com", "T-1") == [Outcome.KEPT]
    again = rights.person("ada")
    assert again != ada
    rights.signal(again, enrolled=True)
    assert rights.world.wallet(again).available == 30  # as of anybody who enrolls within thirty days
    assert rights.world.audit() == []


def test_what_waits_under_their_hashes_is_forgotten(rights: Rights) -> None:
    rights.event("ada@example.com", "T-1")
    ada = rights.person("ada")  # nothing told of it, so that the purchase waits on
    assert any(sk.startswith("UNCLAIMED#") for _, sk in rights.world.dump())
    rights.erase(ada)
    assert not any(sk.startswith(("UNCLAIMED#", "PURCHASE")) for _, sk in rights.world.dump())


def test_nobody_looks_any_more_into_what_they_did(rights: Rights) -> None:
    """A case of somebody who is gone would be listed for ever, and what they did comes late to who watches."""
    ann = Person("person:ann", "client:desk")
    cases, watcher = CaseService(rights.table, rights.clock), Watcher(rights.table, rights.programs, rights.clock)
    ada, bob = rights.full_life()
    cases.hold("acme", ada, ann, "fraud")
    sent = [Note(Kind.SENT, str(number), rights.clock(), 5, f"mbr_{number}") for number in range(12)]
    watcher.see(Doing("acme", ada, sent[0]))
    rights.erase(ada)
    assert not {"RISK", "WATCH"} & kept(rights, ada)
    assert RiskStore(rights.table).page("acme", limit=10).items == []
    for member in (ada, bob):
        seen = [watcher.see(Doing("acme", member, note)) for note in sent]  # ten would flag a member
        assert [one.case for one in seen] == [None] * 12
    with pytest.raises(MemberErased):
        cases.hold("acme", ada, ann, "fraud")
    assert rights.world.audit() == []


class TestWhoDecides:
    def test_somebody_else_and_through_another_client(self, rights: Rights) -> None:
        ada = rights.person("ada")
        asked = rights.erasing.ask(rights.program, ada, ErasureReason.REQUEST, ANNA)
        assert (asked.status, rights.started) == (ErasureStatus.ASKED, [])
        for by in (ANNA, Asked("STAFF-1", "office"), Asked("staff-2", "desk")):
            for decide in (rights.erasing.approve, rights.erasing.reject):
                with pytest.raises(SecondPersonRequired):
                    decide(rights.program, ada, by)
        with pytest.raises(ErasureDecided):
            rights.erasing.run(rights.program, ada)
        approved = rights.erasing.approve(rights.program, ada, BERT)
        assert (approved.status, len(rights.started)) == (ErasureStatus.APPROVED, 1)
        for by in (BERT, CARL):  # said again, by whoever may, it starts what may have stopped
            assert rights.erasing.approve(rights.program, ada, by) == approved
        assert len(rights.started) == 3
        with pytest.raises(ErasureDecided):
            rights.erasing.reject(rights.program, ada, BERT)
        lines = {raw["action"]["S"] for (pk, _), raw in rights.world.dump().items() if pk.startswith("A#acme#")}
        assert lines == {"erasure.asked", "erasure.approved", "program.published"}

    def test_nobody_else_where_the_program_says_so(self, rights: Rights) -> None:
        rights.publish(four_eyes={"erasure": False})
        ada = rights.person("ada")
        assert rights.erasing.ask(rights.program, ada, ErasureReason.REQUEST, ANNA).status is ErasureStatus.APPROVED
        # Asked again, it is started again: the first call may have been cut off before the machine heard of it.
        assert rights.erasing.ask(rights.program, ada, ErasureReason.REQUEST, ANNA).status is ErasureStatus.APPROVED
        assert len(rights.started) == 2
        assert rights.erasing.run(rights.program, ada).status is ErasureStatus.ERASED

    def test_a_no_leaves_everything_and_may_be_asked_again(self, rights: Rights) -> None:
        ada = rights.person("ada")
        with pytest.raises(ErasureNotFound):
            rights.erasing.get("acme", ada)
        rights.erasing.ask(rights.program, ada, ErasureReason.REQUEST, ANNA)
        assert rights.erasing.reject(rights.program, ada, BERT).status is ErasureStatus.REJECTED
        assert rights.erasing.reject(rights.program, ada, BERT).status is ErasureStatus.REJECTED
        with pytest.raises(ErasureDecided):
            rights.erasing.approve(rights.program, ada, BERT)
        with pytest.raises(ErasureDecided):
            rights.erasing.run(rights.program, ada)
        assert rights.enrollment.get(rights.program, ada).profile.given_name == "ada"
        assert rights.erasing.ask(rights.program, ada, ErasureReason.REQUEST, BERT).status is ErasureStatus.ASKED
        rights.erasing.approve(rights.program, ada, ANNA)


class TestWhatStandsInTheWay:
    def test_a_hold_by_its_name(self, rights: Rights) -> None:
        ada = rights.person("ada")
        rights.bought(ada, "R-1", "500")
        held = rights.world.hold("h-1", member=ada, hold_minutes=60)[0]
        with pytest.raises(ErasureBlocked, match=held.redemption_id):
            rights.erasing.ask(rights.program, ada, ErasureReason.REQUEST, ANNA)
        rights.clock.advance(minutes=61)  # nobody wrote its end down
        assert rights.erase(ada).status is ErasureStatus.ERASED
        assert rights.forfeitures(ada) == [(ada, 500)]
        assert rights.world.audit() == []

    def test_a_hold_that_is_opened_after_the_approval_stops_it_until_it_is_approved_again(self, rights: Rights) -> None:
        ada = rights.person("ada")
        rights.bought(ada, "R-1", "500")
        rights.erasing.ask(rights.program, ada, ErasureReason.REQUEST, ANNA)
        rights.erasing.approve(rights.program, ada, BERT)
        held = rights.world.hold("h-1", member=ada)[0]
        with pytest.raises(ErasureBlocked):
            rights.erasing.run(rights.program, ada)
        assert held.redemption_id in (rights.erasing.get("acme", ada).problem or "")
        assert rights.enrollment.get(rights.program, ada).profile.given_name == "ada"
        rights.world.release(held.redemption_id, member=ada)
        rights.erasing.approve(rights.program, ada, BERT)
        assert rights.erasing.run(rights.program, ada).problem is None

    def test_a_hold_in_the_very_moment_of_the_closing(self, rights: Rights) -> None:
        ada = rights.person("ada")
        rights.bought(ada, "R-1", "500")
        rights.begun(ada)
        with (
            interrupted(rights.table.client, lambda: rights.world.hold("h-1", member=ada)),
            pytest.raises(ErasureBlocked),
        ):
            rights.erasing.run(rights.program, ada)
        assert rights.world.wallet(ada).held == 50
        assert rights.world.audit() == []

    def test_what_the_program_pays_for_in_the_very_moment_of_the_closing(self, rights: Rights) -> None:
        """Such a hold takes no points, so that the book alone does not tell of it; its card would be bought for nobody."""
        ada = rights.person("ada")
        rights.begun(ada)

        def give() -> None:
            rights.world.hold("gift", "card", member=ada, paid_by=Payer.PROGRAM, campaign="spring")

        with interrupted(rights.table.client, give), pytest.raises(ErasureBlocked):
            rights.erasing.run(rights.program, ada)
        assert rights.world.book(ada).erased_at is None
        assert rights.world.audit() == []

    def test_somebody_is_absorbed_in_the_very_moment_of_the_closing(self, rights: Rights) -> None:
        rights.event("bob@example.com", "T-1")
        ada, bob = rights.person("ada"), rights.person("bob")
        rights.begun(ada)

        def merge() -> None:
            rights.merging.merge(rights.program, ada, absorbed=bob, actor="staff-1")

        digests = rights.store_of_erasures.digests("acme", bob)
        with interrupted(rights.table.client, merge):
            rights.erasing.run(rights.program, ada)
        assert not lookups(rights) & {ada, bob}
        assert not any(digest in text(rights) for digest in digests)
        assert rights.world.audit() == []

    def test_the_last_one_of_a_household_with_points(self, rights: Rights) -> None:
        ada = rights.person("ada")
        rights.bought(ada, "R-1", "500")
        home = rights.households.create(rights.program, ada, client_id="app", idempotency_key="h")[0].household
        pools = PoolingService(rights.world.ledger, HouseholdStore(rights.table), rights.clock)
        pools.contribute(rights.program, Pooled(home.household_id, ada, 100, "app", "p"))
        with pytest.raises(ErasureBlocked, match="withdraw them"):
            rights.erase(ada)
        pools.withdraw(rights.program, Pooled(home.household_id, ada, 100, "app", "w"))
        rights.erasing.approve(rights.program, ada, BERT)
        rights.erasing.run(rights.program, ada)
        with pytest.raises(MemberErased):
            rights.households.join(rights.program, home.household_id, ada)
        assert rights.world.audit() == []

    def test_who_is_no_member_or_another_one_now(self, rights: Rights) -> None:
        ada, bob = rights.full_life()
        with pytest.raises(MemberMerged, match="erase that member"):
            rights.erasing.ask(rights.program, bob, ErasureReason.REQUEST, ANNA)
        with pytest.raises(MemberNotFound):
            rights.erasing.ask(rights.program, "mbr_nobody", ErasureReason.REQUEST, ANNA)
        rights.erase(ada)
        with pytest.raises(MemberErased):
            rights.erasing.ask(rights.program, ada, ErasureReason.REQUEST, ANNA)


def test_a_profile_that_is_changed_in_that_moment_does_not_come_back(rights: Rights) -> None:
    ada = rights.person("ada")
    rights.begun(ada)

    def change() -> None:
        rights.enrollment.update(rights.program, ada, {"given_name": "Augusta"})

    with interrupted(rights.table.client, change):
        rights.erasing.run(rights.program, ada)
    assert kept(rights, ada) == {"WALLET", "ENTRY", "MEMBER", "ERASURE"}
    with pytest.raises(MemberErased):
        rights.enrollment.update(rights.program, ada, {"given_name": "Augusta"})


def test_the_profile_does_not_open_even_for_who_kept_a_copy_of_the_item(rights: Rights) -> None:
    ada = rights.person("ada")
    before = rights.members.find("acme", ada)
    assert before is not None
    rights.erase(ada)
    after = rights.members.find("acme", ada)
    assert after is not None
    assert after.key is None
    with pytest.raises(MemberKeyMissing):
        rights.enrollment._profile(type(before)(before.member, before.book, after.key))


def test_cut_off_before_and_after_each_write_and_taken_again_it_ends_the_same(table: Table) -> None:
    def approved() -> tuple[Rights, str, str]:
        empty_table(table)
        rights = Rights(table)
        ada, bob = rights.full_life()
        rights.erasing.ask(rights.program, ada, ErasureReason.REQUEST, ANNA)
        rights.erasing.approve(rights.program, ada, BERT)
        return rights, ada, bob

    rights, ada, _ = approved()
    with recorded(table.client) as calls:
        rights.erasing.run(rights.program, ada)
    writes = [number for number, name in enumerate(calls.names, start=1) if name == "TransactWriteItems"]
    # Leaving the household, that it began, the closing, the absorbed one; of either what they share with others, and what is
    # swept; the end.
    assert len(writes) == 10
    for number in writes:
        for cut in Cut:
            rights, ada, bob = approved()
            with killed_at(table.client, number, cut) as made:
                rights.erasing.run(rights.program, ada)
            assert len(made.names) == number, "the run was not cut off"
            assert rights.erasing.run(rights.program, ada).status is ErasureStatus.ERASED
            assert rights.forfeitures(ada) == [(ada, 410)]
            assert not lookups(rights) & {ada, bob}
            assert kept(rights, ada) == {"WALLET", "ENTRY", "MEMBER", "ERASURE", "CONSENT", "HISTORY", "REDEMPTION"}
            assert kept(rights, bob) == {"WALLET", "ENTRY", "MEMBER", "CONSENT"}
            assert rights.world.audit() == []


def test_after_a_restore_it_is_done_again_from_what_the_bucket_says(rights: Rights) -> None:
    ada, bob = rights.full_life()
    backup = rights.world.dump()
    rights.erase(ada)
    assert note_key("acme", ada) in rights.files.stored
    told: dict[str, Any] = json.loads(rights.files.text(note_key("acme", ada)))
    assert told.keys() == {"program", "member_id", "approved_at"}
    empty_table(rights.table)
    for raw in backup.values():
        rights.table.client.put_item(TableName=rights.table.name, Item=raw)
    assert rights.enrollment.get(rights.program, ada).profile.given_name == "ada"
    again = rights.erasing.restore(rights.program, told["member_id"], Asked("ops-1", None))
    assert (again.status, again.reason) == (ErasureStatus.ERASED, ErasureReason.RESTORED)
    assert not lookups(rights) & {ada, bob}
    assert rights.erasing.restore(rights.program, ada, Asked("ops-1", None)) == again
    assert rights.world.audit() == []
