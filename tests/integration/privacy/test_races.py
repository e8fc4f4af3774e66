"""An erasure, a withdrawal, a card's replacement, a merge and a no, at the same moment: on engines that take turns for real."""

import random
from collections.abc import Callable
from functools import partial

import pytest

from infra.local.supplier.server import SandboxSupplier
from loyalty.core.clock import system_clock
from loyalty.core.errors import RecordChanged
from loyalty.core.table import Table
from loyalty.fulfillment.run import RunStatus
from loyalty.members.erasure import ErasureReason, ErasureStatus
from loyalty.privacy.consent_store import ConsentStore
from loyalty.privacy.consenting import ConsentService, Said
from loyalty.privacy.erasing import Erasing
from tests.integration.ledger.test_concurrency import together
from tests.ledgerkit.world import MEMBER, World
from tests.suppliers import sandbox, sandbox_server
from tests.unit.fulfillment.rig import Rig
from tests.unit.fulfillment.test_decisions import decide
from tests.unit.fulfillment.test_erased import BOB, ask
from tests.unit.privacy.rig import ANNA, BERT, MARKETING, Rights

__all__ = ["sandbox", "sandbox_server"]
pytestmark = pytest.mark.integration

ROUNDS = 5
NO = Said("marketing", given=False, wording="2026-01", language="it", channel="web")


def erased(asked: Erasing, world: World) -> object:
    """Approved, and all steps."""
    asked.approve(world.program, MEMBER, BOB)
    return asked.run(world.program, MEMBER).status


@pytest.mark.parametrize("_turn", range(ROUNDS))
def test_either_the_card_is_replaced_or_the_member_erased(table: Table, sandbox: SandboxSupplier, _turn: int) -> None:
    rig = Rig(table, sandbox)
    rig.execute()
    outcomes = together(2, [partial(erased, ask(rig), rig.world), lambda: decide(rig, "reissue")])
    gone, run = rig.world.book(MEMBER).erased_at is not None, rig.run
    assert gone is (ErasureStatus.ERASED in outcomes)
    assert not (gone and run.replaces), outcomes
    assert run.replaces or run.status is RunStatus.FULFILLED
    assert not (gone and any(sk == "CARD" for _, sk in rig.world.dump()))
    assert rig.world.audit() == []


def test_of_a_withdrawal_and_the_steps_one_happens(table: Table) -> None:
    rights = Rights(table)
    for turn in range(ROUNDS):
        ada = rights.person(f"ada{turn}")
        rights.erasing.ask(rights.program, ada, ErasureReason.REQUEST, ANNA)
        rights.erasing.approve(rights.program, ada, BERT)
        acts = (rights.erasing.run, lambda program, member: rights.erasing.withdraw(program, member, BERT))
        outcomes = together(2, [partial(_status, act, rights, ada) for act in acts])
        gone = rights.world.book(ada).erased_at is not None
        assert outcomes["erased"] == gone, outcomes
        assert outcomes["withdrawn"] == (not gone), outcomes
        assert rights.erasing.get("acme", ada).status == ("erased" if gone else "withdrawn")


def _status(act: Callable[..., object], rights: Rights, member: str) -> object:
    return getattr(act(rights.program, member), "status", None)


class Both:
    """Two members who say yes and no by a clock that goes, while one is merged into the other."""

    def __init__(self, table: Table, turn: int) -> None:
        self.rights = Rights(table)
        self.turn = turn
        self.store = ConsentStore(table)
        self.consents = ConsentService(self.store, system_clock)
        self.ada, self.bob = (self.rights.person(name) for name in ("ada", "bob"))

    def say(self, number: int) -> str:
        """Whose turn it is says what the number tells."""
        member, said = (self.ada, self.bob)[number % 2], (MARKETING, NO)[number // 2 % 2]
        key = f"{self.turn}-{number}"
        self.consents.say(self.rights.program, member, said, client_id="app", idempotency_key=key)
        return "said"

    def merge(self) -> str:
        """As a client that is told to come back does."""
        while True:
            try:
                self.rights.merging.merge(self.rights.program, self.ada, absorbed=self.bob, actor="staff-1")
            except RecordChanged:
                continue
            return "merged"


@pytest.mark.parametrize("turn", range(ROUNDS))
def test_whatever_is_said_around_a_merge_the_latest_line_is_what_counts(table: Table, turn: int) -> None:
    both = Both(table, turn)
    calls: list[Callable[[], object]] = [partial(both.say, number) for number in range(8)]
    calls.append(both.merge)
    random.Random(turn).shuffle(calls)  # noqa: S311 - an order, no secret
    assert together(4, calls) == {"said": 8, "merged": 1}
    lines = [one for member in (both.ada, both.bob) for one in both.store.log("acme", member)]
    standing = both.store.standing("acme", both.ada)
    assert standing is not None
    assert len(lines) == standing.consents.version == 8
    latest = max(one.at for one in lines)
    decided = standing.consents.decided["marketing"]
    assert decided.at == latest
    assert decided.given in {one.given for one in lines if one.at == latest}
