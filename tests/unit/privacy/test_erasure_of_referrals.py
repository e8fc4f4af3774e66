"""What an erasure takes from referrals is not written back by whoever read them before."""

from dataclasses import replace

import pytest

from loyalty.core.errors import RecordChanged
from loyalty.core.table import Table
from loyalty.privacy.erasure_store import ErasureStore
from loyalty.referrals.store import ReferralStore, claim_puts
from tests.ledgerkit.waking import ADA, FRIEND, Brought


@pytest.fixture
def brought(table: Table) -> Brought:
    brought = Brought(table)
    brought.decide(replace(brought.referral, likenesses={"device": "d1"}))
    return brought


@pytest.mark.parametrize("erased", [FRIEND, ADA])
def test_a_referral_that_was_read_before_is_read_again(brought: Brought, erased: str) -> None:
    before = brought.referral
    ErasureStore(brought.table).sweep("acme", erased)
    assert (dict(brought.referral.likenesses) == {}) is (erased == FRIEND)
    assert (brought.referral.code == "-") is (erased == ADA)
    with pytest.raises(RecordChanged):
        ReferralStore(brought.table).replace(before, replace(before, reminded=1))


def test_a_second_sweep_changes_nothing(brought: Brought) -> None:
    brought.table.write(list(claim_puts(replace(brought.claim(), member_id="mbr_other")).values()))
    erasures = ErasureStore(brought.table)
    for member in (FRIEND, ADA):
        erasures.sweep("acme", member)
    before = brought.world.dump()
    for member in (FRIEND, ADA):
        erasures.sweep("acme", member)
    assert brought.world.dump() == before
