"""What the browser tests find: people with different rights, runs of every kind, a fortnight of totals, reports."""

from dataclasses import replace
from datetime import timedelta
from typing import Final

from loyalty.abuse.model import Case, Decided, Person, State
from loyalty.abuse.store import case_put
from loyalty.abuse.watch import Evidence, Signal
from loyalty.attribution.model import Decided as Said
from loyalty.attribution.model import Qualified, Referral, ReferralStatus, Rewarded, Source
from loyalty.attribution.store import referral_put
from loyalty.core.clock import to_text
from loyalty.core.money import Money
from loyalty.fulfillment.run import RunStatus
from loyalty.programs.abuse import Then
from loyalty.programs.referrals import Screening
from loyalty.programs.store import ProgramStore
from loyalty.reconciliation.model import DifferenceKind
from loyalty.referrals.scoring import screened
from tests.financekit.console import ConsoleRig, a_difference, a_report
from tests.financekit.runs import a_run, redemption, step, write
from tests.ledgerkit.clock import at
from tests.ledgerkit.programs import document

WAITING: Final = redemption(1)
OWN: Final = redemption(2)
ATTENTION: Final = redemption(3)
REJECTED: Final = redemption(7)
FULFILLED: Final = redemption(6)


FLAGGED: Final = "mbr_01J8QX2V5T0000000000000001"
HELD: Final = "mbr_01J8QX2V5T0000000000000002"
ASKED: Final = "mbr_01J8QX2V5T0000000000000003"
CONFIRMED: Final = "mbr_01J8QX2V5T0000000000000004"

BROUGHT: Final = "mbr_01J8QX2V5T0000000000000011"
APPEALED: Final = "mbr_01J8QX2V5T0000000000000012"
REWARDED: Final = "mbr_01J8QX2V5T0000000000000013"
_REFERRER: Final = "mbr_01J8QX2V5T0000000000000010"


def set_scene(rig: ConsoleRig) -> None:
    """Fills the table at 2026-03-15 12:00 UTC."""
    rig.people.add("staff-17", {"acme", "aurora"}, {"acme"}, suppliers=True)
    rig.people.add("staff-4", {"acme"}, set())
    rig.people.add("staff-9", set(), set())
    _open_runs(rig)
    _ended_runs(rig)
    _cases(rig)
    _referrals(rig)
    rig.reports.add(a_report("2026-03-14"))
    rig.reports.add(
        a_report("2026-03-13", missing_there=1, amount=1, duplicate=1),
        a_difference(DifferenceKind.MISSING_THERE, 11, program="acme", redemption_id=redemption(11), ours=Money.of("25.00", "USD")),
        a_difference(DifferenceKind.AMOUNT, 12, ours=Money.of("1250.00", "USD"), theirs=Money.of("1205.00", "USD")),
        a_difference(DifferenceKind.DUPLICATE, 13, program="aurora", theirs=Money.of("10.00", "USD"), note="Refunded by them.",
                     resolved_by="person:staff-4", resolved_at=rig.clock()),
    )  # fmt: skip


def _open_runs(rig: ConsoleRig) -> None:
    asked = [
        step(1, "2026-03-12T08:30:00Z", "screen", "done"),
        step(2, "2026-03-12T08:30:01Z", "approval_requested", "done"),
        step(3, "2026-03-13T08:30:01Z", "reminder", "done"),
    ]
    waiting = {
        "status": RunStatus.AWAITING_APPROVAL,
        "reason": "over_threshold",
        "approve_until": "2026-03-16T08:30:00Z",
    }
    write(rig.table, a_run(1, "2026-03-12T08:30:00Z", value="1250.00 USD", points=125_000, **waiting), asked)
    write(
        rig.table,
        a_run(2, "2026-03-14T17:05:00Z", value="500.00 EUR", requested_by="person:staff-17", **waiting),
        asked[:2],
    )
    rejected = {**waiting, "reason": "rejected", "ends_as": RunStatus.REJECTED, "decided_by": "person:staff-4"}
    said = step(3, "2026-03-15T11:59:59Z", "reject", "done", by="person:staff-4", note="A stolen account.")
    write(rig.table, a_run(7, "2026-03-15T11:00:00Z", **rejected), [*asked[:2], said])
    timed_out = [
        step(1, "2026-03-15T06:00:00Z", "screen", "done"),
        step(2, "2026-03-15T06:00:00Z", "approval_requested", "done"),
        step(3, "2026-03-15T07:40:00Z", "approve", "done", by="person:staff-4", note="Birthday campaign, checked with marketing."),
        step(4, "2026-03-15T07:40:01Z", "order", "asked", supplier="tremendous", external_id=redemption(3)),
        step(5, "2026-03-15T07:40:11Z", "order", "ambiguous", supplier="tremendous", error="SupplierTimeout: no answer in 10 s."),
        step(6, "2026-03-15T07:45:12Z", "query", "pending", supplier="tremendous", request_id="req_7HQ2KX"),
        step(7, "2026-03-15T09:45:12Z", "query", "refused", supplier="tremendous", request_id="req_7HQ9ZZ", error="OrderRefused: the order was cancelled."),
    ]  # fmt: skip
    attention = {"status": RunStatus.ATTENTION, "reason": "supplier_timeout", "supplier": "tremendous", "orders": 1}
    write(
        rig.table,
        a_run(3, "2026-03-15T06:00:00Z", value="75.50 USD", external_id=redemption(3), **attention),
        timed_out,
    )
    funds = {"status": RunStatus.AWAITING_FUNDS, "reason": "insufficient_funds", "supplier": "tango"}
    write(rig.table, a_run(4, "2026-03-15T10:15:00Z", value="1500000 IDR", **funds))
    write(rig.table, a_run(5, "2026-03-15T11:58:30Z", status=RunStatus.PENDING, supplier="xoxoday", value="40.00 AED"))


def _cases(rig: ConsoleRig) -> None:
    """A member of whom there are many accruals, one on hold, one whose release is asked for, one whose abuse is confirmed."""
    ProgramStore(rig.table, rig.clock).publish(document(), expected_version=0, actor="test")
    many = Evidence(
        Signal.ACCRUALS, Then.FLAG, 104, 100, at("2026-03-13T20:12:00Z"), at("2026-03-14T20:12:00Z"),
        tuple(str(number) for number in range(95, 105)),
    )  # fmt: skip
    taken = Evidence(
        Signal.REDEMPTIONS_AFTER_CHANGE, Then.HOLD, 3, 3, at("2026-03-15T06:00:00Z"), at("2026-03-15T07:30:00Z"),
        (redemption(21), redemption(22), redemption(23)),
    )  # fmt: skip
    by_hand = Evidence(Signal.BY_HAND, Then.HOLD, 1, 1, at("2026-03-12T09:00:00Z"), at("2026-03-12T09:00:00Z"))
    ann = Decided(Person("person:staff-4", "client:desk"), "complaint", at("2026-03-12T09:00:00Z"))
    asks = Decided(Person("person:staff-4"), "called_back", at("2026-03-14T10:30:00Z"))
    ends = Decided(Person("person:staff-17"), "sold_codes", at("2026-03-11T16:45:00Z"))
    for case in (
        Case("acme", FLAGGED, State.OPEN, False, [many], many.until, many.until),
        Case("acme", HELD, State.OPEN, True, [many, taken], taken.until, taken.until),
        Case("acme", ASKED, State.OPEN, True, [by_hand], ann.at, asks.at, held=ann, proposed=asks),
        Case("acme", CONFIRMED, State.CONFIRMED, True, [taken], ends.at, ends.at, decided=ends),
    ):
        rig.table.write([case_put(None, case)])


def _referrals(rig: ConsoleRig) -> None:
    """One that waits, one that was rejected and appealed, one that was rewarded and whose revocation is asked for."""
    came, bought = at("2026-03-10T18:02:00Z"), at("2026-03-11T09:30:00Z")
    of = Qualified("accrual:pos:R-1001", Money.of("24.90", "EUR"), bought, bought, bought + timedelta(days=3))
    shared = {"same_device": 1, "same_network": 1}
    ring = shared | {"same_payment": 1, "ring": 4, "alike_emails": 6}
    found = [screened(features, Screening(), version=1, at=of.pays_at) for features in (shared, ring, {})]
    found[1] = replace(found[1], evidence=[replace(one, members=(FLAGGED, HELD, ASKED)) for one in found[1].evidence])
    rejects = Said(False, "person:staff-17", "looks_made_up", at("2026-03-14T11:00:00Z"))
    asks = Said(False, "person:staff-4", "sold_codes", at("2026-03-15T10:30:00Z"), "client:desk")
    waits = Referral(
        "acme", BROUGHT, _REFERRER, "K7WQ4M2X2", came, came + timedelta(days=30), ReferralStatus.QUALIFIED,
        Source("spring", "whatsapp"), counted=True, screened=found[0], qualified=of, due_at=of.pays_at,
    )  # fmt: skip
    paid = Rewarded(_REFERRER, REWARDED, 7, 500, 250, of.pays_at)
    for one in (
        waits,
        replace(
            waits, member_id=APPEALED, status=ReferralStatus.REJECTED, screened=found[1], decisions=[rejects],
            ended_at=rejects.at, ended_because="decision", appealed_at=at("2026-03-15T08:00:00Z"),
            appealed_because="is_my_sister", appealed_through="client:app",
        ),
        replace(waits, member_id=REWARDED, status=ReferralStatus.REWARDED, screened=found[2], rewarded=paid, proposed=asks),
    ):  # fmt: skip
        rig.table.write([referral_put(None, one)])


def _ended_runs(rig: ConsoleRig) -> None:
    issued = [
        step(1, "2026-03-15T08:00:00Z", "screen", "done"),
        step(2, "2026-03-15T08:00:01Z", "order", "asked", supplier="tango"),
        step(3, "2026-03-15T08:00:02Z", "order", "issued", supplier="tango", request_id="RA-1", cost=Money.of("24.10", "USD")),
        step(4, "2026-03-15T08:00:03Z", "capture", "done"),
    ]  # fmt: skip
    done = {"status": RunStatus.FULFILLED, "supplier": "tango", "cost": "24.10 USD", "orders": 1}
    write(rig.table, a_run(6, "2026-03-15T08:00:00Z", ended_at="2026-03-15T08:00:03Z", **done), issued)
    number = 100
    for back in range(14):
        day = rig.clock() - timedelta(days=back)
        for place in range(3 + back * 5 % 11):
            number += 1
            refused = place % 4 == 3
            status = RunStatus.REFUSED if refused else RunStatus.FULFILLED
            supplier, currency = [("tremendous", "USD"), ("tango", "EUR"), ("xoxoday", "IDR")][place % 3]
            worth = f"{(number % 7 + 1) * (25_000 if currency == 'IDR' else 25)} {currency}"
            moment = to_text(day - timedelta(minutes=place * 7 + 1))
            cost = None if refused else worth
            write(
                rig.table,
                a_run(number, moment, status=status, supplier=supplier, value=worth, cost=cost, ended_at=moment),
            )
