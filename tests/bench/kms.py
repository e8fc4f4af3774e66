"""Calls to KMS by a thousand of each: what personal data costs, and that points cost none.

The keys are in memory and count the calls of the ports, each of which is one call of KMS. Beside them, every request that
an SDK's client of KMS would send is counted, so that no call goes around the ports.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, Final
from unittest.mock import patch

from botocore.client import BaseClient

from loyalty.commerce.batch import BatchRunner
from loyalty.commerce.buyers import Buyers
from loyalty.core.key_cache import USES
from loyalty.core.pii import Lookups
from loyalty.core.table import Table
from loyalty.members.model import Profile
from loyalty.members.rewrapping import Rewrapping, RewrapRun
from loyalty.members.service import MemberService
from loyalty.members.vault import MemberVault
from loyalty.programs.model import Program
from tests.apikit.members import Members
from tests.bench.commerce import accrued, never, order
from tests.bench.engine import Running
from tests.bench.figures import Figure
from tests.bench.progress import bar
from tests.ledgerkit.world import World
from tests.unit.commerce.world import Commerce

EACH: Final = 1000
OFTEN: Final = 50
"""Members who are read twenty times each, as by an app that somebody has open."""


class _Sdk:
    """Requests to KMS by any client of the process."""

    def __init__(self) -> None:
        self.calls = 0

    @contextmanager
    def counting(self) -> Iterator[None]:
        """Counts what is sent in the block."""
        send = BaseClient._make_api_call  # type: ignore[attr-defined]

        def counted(client: Any, operation: str, arguments: Any) -> Any:
            if client.meta.service_model.service_name == "kms":
                self.calls += 1
            return send(client, operation, arguments)

        with patch.object(BaseClient, "_make_api_call", counted):
            yield


def figures(running: Running) -> Iterator[Figure]:
    """Of members, of accruals through the API's service, and of purchases through the queue's batches."""
    sdk = _Sdk()
    with sdk.counting():
        yield from _members(running)
        yield Figure("kms.accruals", _accruals(running), "calls", 0)
        yield Figure("kms.events", _events(running), "calls", 1)
        yield Figure("kms.calls_around_the_ports", sdk.calls, "calls", 0)


def _members(running: Running) -> Iterator[Figure]:
    table = running.table("kms")
    members = Members(table)
    program, ids = members.programs.current("acme"), list[str]()
    keys = members.keys

    def calls(run: Callable[[], object]) -> int:
        keys.calls.clear()
        run()
        return keys.calls.total()

    def enroll() -> None:
        with bar(f"{EACH:,} enrollments", EACH) as told:
            for number in range(EACH):
                ids.append(members.service.enroll(program, Profile(f"p{number}@example.com")).member.member_id)
                told(1)

    yield Figure("kms.enrollments", calls(enroll), "calls", EACH + 1)
    often, one = ids[:OFTEN] * (EACH // OFTEN), ids[:1] * EACH
    for name, whom, most in (
        ("cold", ids, EACH),
        ("of_50_members", often, OFTEN),
        ("of_one_member", one, EACH // USES),
    ):
        yield Figure(f"kms.reads.{name}", calls(partial(_read, _process(members), program, whom)), "calls", most)
    for name, whom, most in (("cold", ids, EACH), ("of_50_members", often, OFTEN)):
        yield Figure(
            f"kms.updates.{name}", calls(partial(_update, _process(members), program, whom, name)), "calls", most
        )
    keys.current = "key/2"
    yield Figure("kms.rewrap", calls(lambda: _rewrap(members, table)), "calls", EACH)
    yield Figure("kms.rewrap.in_the_clear", keys.calls["unwrap"] + keys.calls["new"], "calls", 0)
    running.drop(table)


def _process(members: Members) -> MemberService:
    """A service as a new process has it: no key in mind."""
    return members.service_with(members.store)


def _read(service: MemberService, program: Program, ids: Sequence[str]) -> None:
    for member_id in ids:
        service.get(program, member_id)


def _update(service: MemberService, program: Program, ids: Sequence[str], name: str) -> None:
    for place, member_id in enumerate(ids):
        service.update(program, member_id, {"given_name": f"{name}{place}"})


def _rewrap(members: Members, table: Table) -> None:
    vault = MemberVault(members.keys, members.clock)
    run = RewrapRun("acme", "bench", "key/2", members.clock())
    done = Rewrapping(table, members.keys, vault, members.clock).many(run)
    if (done.members, done.changed, done.failed) != (EACH, EACH, 0):
        raise AssertionError(f"the run did something else than what is counted: {done}")


def _accruals(running: Running) -> int:
    """Nothing in the path of an accrual has a port for keys; what the SDK would send is counted by the caller."""
    sdk, table = _Sdk(), running.table("kms-accruals")
    world = World(table).enroll("mbr_1")
    with sdk.counting():
        for number in range(EACH):
            world.accrue(f"R-{number}", "1", member="mbr_1")
    running.drop(table)
    return sdk.calls


def _events(running: Running) -> int:
    table = running.table("kms-events")
    commerce = Commerce(table)
    for number in range(10):
        commerce.enroll(f"buyer{number}@example.com")
    commerce.key_service.calls.clear()
    process = commerce.service_with(buyers=Buyers(Lookups(commerce.key_service)))
    accrued(BatchRunner(process, never, workers=1), [order(1000 + number, number % 10) for number in range(EACH)])
    running.drop(table)
    return commerce.key_service.calls.total()
