"""What is a sign of a member, and what is none."""

from collections.abc import Callable

import pytest

from loyalty.core.clock import to_text
from loyalty.core.table import Table
from loyalty.members.erasure import ErasureReason
from loyalty.privacy.inactivity import Inactivity
from loyalty.programs.privacy import Channel
from tests.ledgerkit.clock import at
from tests.ledgerkit.programs import program
from tests.unit.privacy.rig import ANNA, BERT, MARKETING, Rights

SINCE = at("2027-01-01T00:00:00Z")
"""Ada came on 22 November 2026 at nine, and bought something at once."""


@pytest.fixture
def rights(table: Table) -> Rights:
    """Points never expire, so that Ada has her 300 whenever she is looked at."""
    rights = Rights(table)
    rights.publish(expiry={"policy": "never"})
    return rights


def _refund(rights: Rights, ada: str) -> None:
    rights.world.refund("F-1", "R-1", "10", currency="USD", member=ada)


def _held(rights: Rights, ada: str) -> None:
    rights.world.hold("h-1", member=ada)


def _agreed(rights: Rights, ada: str) -> None:
    rights.consents.say(rights.program, ada, MARKETING, client_id="app", idempotency_key="k")


def _preferred(rights: Rights, ada: str) -> None:
    rights.consents.prefer(rights.program, ada, [("marketing", (Channel.SMS,))])


def _renamed(rights: Rights, ada: str) -> None:
    rights.enrollment.update(rights.program, ada, {"given_name": "Augusta"})


def _merged(rights: Rights, ada: str) -> None:
    rights.merging.merge(rights.program, ada, absorbed=rights.person("bob"), actor="staff-1")


def _restricted(rights: Rights, ada: str) -> None:
    rights.restricting.restrict("acme", ada, actor="staff-1")


def _settled(rights: Rights, ada: str) -> None:
    assert rights.world.settle(ada) == 1  # what was delivered in November matured


@pytest.mark.parametrize(
    ("does", "heard"),
    [
        (lambda rights, ada: rights.bought(ada, "R-2"), True),
        (_refund, True),
        (_held, True),
        (_agreed, True),
        (_preferred, True),
        (_renamed, True),
        (_merged, True),
        (_settled, False),
        (_restricted, False),
        (lambda _rights, _ada: None, False),
    ],
)
def test_what_they_did_or_said_and_not_what_fell_due(
    rights: Rights, does: Callable[[Rights, str], None], heard: bool
) -> None:
    ada = rights.person("ada")
    rights.bought(ada, "R-1", "270")
    rights.bought(ada, "D-1", "30", activity="delivery")
    rights.clock.advance(days=100)
    does(rights, ada)
    found = {one.member_id: one for one in Inactivity(rights.table, rights.clock).members(rights.program, SINCE)}
    assert (ada not in found) is heard
    if not heard:
        assert to_text(found[ada].last_sign_at) == "2026-11-22T09:00:00.000Z"
        assert found[ada].points == 300
        assert found[ada].kept_for == ("restricted" if does is _restricted else None)


def test_a_later_sign_than_the_enrollment_is_told(rights: Rights) -> None:
    ada = rights.person("ada")
    rights.clock.advance(days=10)
    rights.bought(ada, "D-1", "30", activity="delivery")
    rights.clock.advance(days=100)
    _settled(rights, ada)
    (quiet,) = Inactivity(rights.table, rights.clock).members(rights.program, SINCE)
    assert to_text(quiet.last_sign_at) == "2026-12-02T09:00:00.000Z"


def test_who_is_erased_or_absorbed_is_not_looked_for_and_an_open_erasure_is_told(rights: Rights) -> None:
    ada, bob, cleo = (rights.person(name) for name in ("ada", "bob", "cleo"))
    rights.merging.merge(rights.program, ada, absorbed=bob, actor="staff-1")
    rights.erase(cleo)
    rights.erasing.ask(rights.program, ada, ErasureReason.REQUEST, ANNA)
    rights.clock.advance(days=100)
    walk = Inactivity(rights.table, rights.clock)
    assert [(one.member_id, one.kept_for) for one in walk.members(rights.program, SINCE)] == [(ada, "erasure_open")]
    rights.erasing.reject(rights.program, ada, BERT)
    assert [one.kept_for for one in walk.members(rights.program, SINCE)] == [None]


@pytest.mark.parametrize(
    ("now", "months", "since"),
    [
        ("2027-03-31T10:00:00Z", 1, "2027-02-27T23:00:00.000Z"),  # 28 February has no 31st; Rome is an hour ahead
        ("2027-07-15T10:00:00Z", 12, "2026-07-14T22:00:00.000Z"),  # and two in summer
        ("2027-01-31T23:30:00Z", 2, "2026-11-30T23:00:00.000Z"),  # it is February in Rome
        ("2028-02-29T10:00:00Z", 24, "2026-02-27T23:00:00.000Z"),
    ],
)
def test_months_are_those_of_the_programs_calendar(table: Table, now: str, months: int, since: str) -> None:
    of = program(time_zone="Europe/Rome")
    assert to_text(Inactivity(table, lambda: at(now)).since(of, months)) == since
