"""An erasure that was approved is withdrawn: until it has begun to delete anything, and not after."""

from collections.abc import Callable

import pytest

from loyalty.core.errors import MemberMerged, SecondPersonRequired, WalletBusy
from loyalty.core.table import Table
from loyalty.members.erasure import Erasure, ErasureReason, ErasureStatus
from loyalty.privacy.erasing import Asked
from loyalty.privacy.errors import ErasureBegun, ErasureBlocked, ErasureDecided
from loyalty.privacy.steps import note_key
from tests.ledgerkit.interleaving import interrupted
from tests.unit.privacy.rig import ANNA, BERT, Rights

CARL = Asked("staff-3", "third")


@pytest.fixture
def rights(table: Table) -> Rights:
    """Nobody yet."""
    return Rights(table)


def approved(rights: Rights, member: str) -> Erasure:
    """By two people; no step was taken."""
    rights.erasing.ask(rights.program, member, ErasureReason.REQUEST, ANNA)
    return rights.erasing.approve(rights.program, member, BERT)


def actions(rights: Rights) -> list[str]:
    """What the audit trail says was done with erasures, in no order."""
    lines = [raw for (pk, _), raw in rights.world.dump().items() if pk.startswith("A#acme#")]
    return sorted(raw["action"]["S"] for raw in lines if raw["target"]["S"].endswith("/erasure"))


def test_another_approver_withdraws_it_and_nothing_is_left_of_it_but_its_lines(rights: Rights) -> None:
    ada = rights.person("ada")
    approved(rights, ada)
    with pytest.raises(SecondPersonRequired):
        rights.erasing.withdraw(rights.program, ada, ANNA)
    withdrawn = rights.erasing.withdraw(rights.program, ada, CARL)
    assert (withdrawn.status, withdrawn.decided_by) == (ErasureStatus.WITHDRAWN, "staff-3")
    assert rights.erasing.withdraw(rights.program, ada, CARL) == withdrawn
    assert actions(rights) == ["erasure.approved", "erasure.asked", "erasure.withdrawn"]
    acts: list[Callable[[], Erasure]] = [
        lambda: rights.erasing.run(rights.program, ada),
        lambda: rights.erasing.approve(rights.program, ada, BERT),
        lambda: rights.erasing.reject(rights.program, ada, BERT),
        lambda: rights.erasing.withdraw(rights.program, ada, BERT),
    ]
    for act in acts:
        with pytest.raises(ErasureDecided, match="withdrawn"):
            act()
    assert rights.files.stored == {}
    assert rights.enrollment.get(rights.program, ada).profile.given_name == "ada"
    assert rights.erase(ada).status is ErasureStatus.ERASED  # asked anew
    assert rights.world.audit() == []


@pytest.mark.parametrize("status", ["asked", "rejected", "erased"])
def test_nothing_but_an_approval_is_withdrawn(rights: Rights, status: str) -> None:
    ada = rights.person("ada")
    if status == "erased":
        rights.erase(ada)
    else:
        rights.erasing.ask(rights.program, ada, ErasureReason.REQUEST, ANNA)
    if status == "rejected":
        rights.erasing.reject(rights.program, ada, BERT)
    with pytest.raises(ErasureDecided, match=status):
        rights.erasing.withdraw(rights.program, ada, CARL)
    assert rights.erasing.get("acme", ada).status == status


def test_one_person_does_where_one_person_erases(rights: Rights) -> None:
    rights.publish(four_eyes={"erasure": False})
    ada = rights.person("ada")
    rights.erasing.ask(rights.program, ada, ErasureReason.REQUEST, ANNA)
    assert rights.erasing.withdraw(rights.program, ada, ANNA).status is ErasureStatus.WITHDRAWN


def test_what_was_stopped_before_it_began_leaves_no_note_and_is_withdrawn(rights: Rights) -> None:
    """Of a note that stayed, ``loyalty privacy reapply`` would erase who is a member again."""
    ada = rights.person("ada")
    rights.bought(ada, "R-1", "500")
    approved(rights, ada)
    rights.world.hold("h-1", member=ada)
    with pytest.raises(ErasureBlocked):
        rights.erasing.run(rights.program, ada)
    assert rights.erasing.get("acme", ada).begun_at is None
    assert rights.files.stored == {}
    assert rights.erasing.withdraw(rights.program, ada, BERT).problem is None


def test_past_the_point_of_no_return_only_its_end_is_left(rights: Rights) -> None:
    rights.event("ada@example.com", "T-1")
    ada = rights.person("ada")
    rights.bought(ada, "R-1", "500")
    approved(rights, ada)
    rights.clock.advance(minutes=3)
    held: list[str] = []

    def hold() -> None:
        held.append(rights.world.hold("h-1", member=ada)[0].redemption_id)

    with interrupted(rights.table.client, hold), pytest.raises(ErasureBlocked):
        rights.erasing.run(rights.program, ada)  # right before the first write, which says that it began
    begun = rights.erasing.get("acme", ada)
    assert (begun.begun_at, begun.status) == (rights.clock(), ErasureStatus.APPROVED)
    assert note_key("acme", ada) in rights.files.stored
    with pytest.raises(ErasureBegun, match="2026-11-22T09:03:00"):
        rights.erasing.withdraw(rights.program, ada, BERT)
    rights.world.release(held[0], member=ada)
    rights.erasing.approve(rights.program, ada, CARL)  # whoever may approve
    assert rights.erasing.run(rights.program, ada).begun_at == begun.begun_at
    assert "erasure.begun" in actions(rights)


def test_of_a_withdrawal_and_the_beginning_at_the_same_moment_one_happens(rights: Rights) -> None:
    ada, bob = rights.person("ada"), rights.person("bob")
    for member in (ada, bob):
        approved(rights, member)
    with (
        interrupted(rights.table.client, lambda: rights.erasing.withdraw(rights.program, ada, BERT)),
        pytest.raises(WalletBusy),
    ):
        rights.erasing.run(rights.program, ada)
    with pytest.raises(ErasureDecided):
        rights.erasing.run(rights.program, ada)
    assert rights.files.stored == {}
    assert rights.enrollment.get(rights.program, ada).profile.given_name == "ada"
    with (
        interrupted(rights.table.client, lambda: rights.erasing.run(rights.program, bob)),
        pytest.raises(WalletBusy),
    ):
        rights.erasing.withdraw(rights.program, bob, BERT)
    assert rights.erasing.get("acme", bob).status is ErasureStatus.ERASED
    assert rights.world.audit() == []


def test_who_was_merged_since_the_approval_has_not_begun(rights: Rights) -> None:
    ada, bob = rights.person("ada"), rights.person("bob")
    approved(rights, bob)
    rights.merging.merge(rights.program, ada, absorbed=bob, actor="staff-1")
    with pytest.raises(MemberMerged):
        rights.erasing.run(rights.program, bob)
    assert rights.erasing.get("acme", bob).begun_at is None
    assert rights.erasing.withdraw(rights.program, bob, BERT).status is ErasureStatus.WITHDRAWN
