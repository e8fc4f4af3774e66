"""Reports over a table: which days and members count, what is read, and that points are those of the ledger's entries."""

import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from functions.referral_report.routes import routes as report_routes
from loyalty.attribution.links import Click, Share
from loyalty.attribution.model import Referral, Source
from loyalty.attribution.store import claim_puts
from loyalty.core.errors import PeriodRefused
from loyalty.core.http import api
from loyalty.core.ids import first_member_id, new_member_id
from loyalty.core.table import Table
from loyalty.ledger.items import new_book_put
from loyalty.ledger.model import EntryKind
from loyalty.programs.store import ProgramStore
from loyalty.referrals.errors import ReportTooLarge
from loyalty.referrals.leaders import Leader
from loyalty.referrals.link_store import LinkStore
from loyalty.referrals.report import Report
from loyalty.referrals.reporting import AT_ONCE, UNHURRIED, Bounds, ReferralReports
from tests.apikit.gateway import Gateway, Reply, proxy_event
from tests.ledgerkit.brought import EARNS, Brought, rewarding
from tests.ledgerkit.calls import recorded
from tests.ledgerkit.clock import SettableClock, at
from tests.ledgerkit.moves import ADA, BOB, CLEO, DAN
from tests.ledgerkit.programs import document
from tests.unit.referrals.spring import claimed, spring

FIRST = at("2026-02-28T23:00:00Z")
"""When the first of March begins in Rome."""
MARCH = date(2026, 3, 1), date(2026, 3, 15)
PARTS: dict[str, Any] = {"time_zone": "Europe/Rome", "point_cost": {"amount": "0.0125", "currency": "EUR"}}
PROGRAM = rewarding(**PARTS)
REPORT = "/v1/programs/acme/reports/referrals"


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock(at("2026-03-15T12:00:00Z"))


@pytest.fixture
def reports(table: Table, clock: SettableClock) -> ReferralReports:
    return ReferralReports.over(table, clock)


def write(table: Table, *referrals: Referral) -> None:
    """Whatever each write would have to find: there is nothing yet."""
    for referral in referrals:
        for put in claim_puts(referral).values():
            table.client.put_item(TableName=table.name, Item=put.item.to_dynamodb_dict())


def enroll(table: Table, *moments: str, program: str = "acme") -> list[str]:
    members = [new_member_id(at(moment)) for moment in moments]
    for member in members:
        table.write([new_book_put(program, member, "bronze", at("2026-03-01"))])
    return members


def of_march(reports: ReferralReports, bounds: Bounds = AT_ONCE) -> Report:
    return reports.report(PROGRAM, *MARCH, bounds)


def test_a_report_is_of_the_programs_days_and_of_that_program(table: Table, reports: ReferralReports) -> None:
    before, after = FIRST - timedelta(milliseconds=1), at("2026-03-15T23:00:00Z")
    write(
        table, *spring(FIRST), claimed(21, before), claimed(22, after), claimed(23, after - timedelta(milliseconds=1))
    )
    write(table, replace(claimed(24, FIRST), program="other"))
    found = of_march(reports)
    assert (found.days.start, found.days.end) == (FIRST, after)
    assert (found.total.enrolled, found.total.customers, found.total.kept) == (10, 3, 470)
    assert reports.report(PROGRAM, date(2026, 2, 28), date(2026, 2, 28)).total.enrolled == 1
    assert reports.report(PROGRAM, date(2026, 3, 1), date(2026, 3, 1)).total.enrolled == 2
    assert reports.report(PROGRAM, date(2026, 3, 2), date(2026, 3, 3)).total.enrolled == 7


def test_links_are_counted_on_the_programs_days(table: Table, reports: ReferralReports) -> None:
    drawn = iter([0, 3, 1, 0, 2])
    links = LinkStore(table, draw=lambda _: next(drawn))
    here = Source("spring", "email")
    click = Click("acme", "clk_1", "K7WQ4M2X", ADA, here, FIRST)
    for day in (date(2026, 2, 28), MARCH[0], MARCH[0], MARCH[1], date(2026, 3, 16)):
        links.count_click(click, day)
    brought = Brought(table, of=PROGRAM)
    brought.moves.enroll(ADA)
    LinkStore(table, draw=lambda _: 1).share(Share("acme", ADA, Source(None, "email"), FIRST), MARCH[0])
    found = of_march(reports)
    assert (found.total.shared, found.total.clicked, found.links_known) == (1, 3, True)
    assert [(name, one.shared, one.clicked) for name, one in found.campaigns] == [(None, 1, 0), ("spring", 0, 3)]


def test_new_members_are_those_who_enrolled_on_these_days(table: Table, reports: ReferralReports) -> None:
    enroll(table, "2026-02-28T22:59:59.999Z", "2026-03-15T23:00:00Z", "2025-03-10")
    enroll(table, "2026-02-28T23:00:00Z", "2026-03-10", "2026-03-15T22:59:59.999Z")
    enroll(table, "2026-03-10", program="other")
    write(table, claimed(1, at("2026-03-10")))
    growth = of_march(reports).growth
    assert (growth.members, growth.brought, growth.k.text(3)) == (3, 1, "0.333")


def test_ids_of_members_are_in_the_order_of_their_enrollment() -> None:
    moment = at("2026-03-10T12:00:00.123Z")
    before = new_member_id(moment - timedelta(milliseconds=1))
    assert before < first_member_id(moment) <= new_member_id(moment)


@pytest.mark.parametrize(
    ("first", "last", "says"),
    [
        (date(2026, 3, 15), date(2026, 3, 14), "ends before it begins"),
        (date(1, 1, 1), date(1, 1, 1), "begins before 1971-01-01"),
        (date(2026, 3, 15), date(2026, 3, 16), "beyond today, which is 2026-03-15 in Europe/Rome"),
        (date(2025, 12, 13), date(2026, 3, 15), "92 days at most; ask for fewer days, or take it from the terminal"),
    ],
)
def test_periods_are_bounded(reports: ReferralReports, first: date, last: date, says: str) -> None:
    with pytest.raises(PeriodRefused, match=says):
        reports.report(PROGRAM, first, last)


def test_today_is_that_of_the_program(reports: ReferralReports, clock: SettableClock) -> None:
    clock.set("2026-03-15T23:30:00Z")
    assert reports.report(PROGRAM, date(2026, 3, 16), date(2026, 3, 16)).total.enrolled == 0


def test_counts_of_links_that_are_gone_are_said_to_be(reports: ReferralReports) -> None:
    old = reports.report(PROGRAM, date(2025, 2, 10), date(2025, 2, 11), UNHURRIED)
    assert (old.links_since, old.links_known) == (date(2025, 2, 10), True)
    assert not reports.report(PROGRAM, date(2025, 2, 9), date(2025, 2, 11), UNHURRIED).links_known


def test_what_is_too_much_for_a_request_is_refused_by_name(table: Table, reports: ReferralReports) -> None:
    write(table, *spring(FIRST))
    enroll(table, *["2026-03-10"] * 3)
    assert of_march(reports, Bounds(days=15, referrals=9, members=3)).total.enrolled == 9
    with pytest.raises(ReportTooLarge, match="more than 8 referrals; ask for fewer days"):
        of_march(reports, Bounds(days=15, referrals=8, members=3))
    with pytest.raises(ReportTooLarge, match="more than 2 new members"):
        of_march(reports, Bounds(days=15, referrals=9, members=2))


def test_a_large_walk_reads_each_referral_once_a_hundred_at_a_time(table: Table, reports: ReferralReports) -> None:
    number = 1_200
    many = [claimed(one, FIRST + timedelta(minutes=one)) for one in range(number)]
    write(table, *many)
    told: list[str] = []
    with recorded(table.client) as calls:
        found = reports.report(PROGRAM, *MARCH, told=lambda referral: told.append(referral.member_id))
    assert found.total.enrolled == number
    assert Counter(told) == Counter(one.member_id for one in many)
    shards = Counter(zlib.crc32(one.member_id.encode()) % 16 for one in many)
    pages = sum(-(-those // 100) for those in shards.values())
    read = Counter(calls.names)
    # 15 days of 4 shards, 16 shards of members, and pages of keys: one more where the last one was full.
    assert read == {"BatchGetItem": pages, "Query": read["Query"]}
    full = sum(those % 100 == 0 for those in shards.values())
    assert pages + 15 * 4 + 16 <= read["Query"] <= pages + full + 15 * 4 + 16


def test_a_report_that_is_too_large_stops_reading(table: Table, reports: ReferralReports) -> None:
    write(table, *(claimed(one, FIRST + timedelta(minutes=one)) for one in range(600)))
    with recorded(table.client) as calls, pytest.raises(ReportTooLarge):
        of_march(reports, Bounds(days=92, referrals=99, members=9))
    assert len(calls.names) <= 8


@pytest.fixture
def brought(table: Table, clock: SettableClock) -> Iterator[Brought]:
    """100 points for who brings somebody, at most 250 in a year, and 40 for who comes; the audit finds nothing afterwards."""
    first = EARNS[0] | {"caps": [{"per": "year", "points": 250}]}
    brought = Brought(table, of=rewarding(earns=[first, EARNS[1]], time_zone="Europe/Rome"), clock=clock)
    yield brought
    assert brought.world.audit() == []


def test_points_are_those_of_the_entries_also_capped_merged_and_taken_back(
    brought: Brought, reports: ReferralReports
) -> None:
    friends = [f"mbr_{letter * 26}" for letter in "efghj"]
    brought.moves.enroll(ADA, BOB, CLEO, DAN, *friends)
    for friend in friends[:4]:
        brought.bring(friend, ADA)
        brought.pay(friend)  # ADA gets 100, 100, 50 and 0: the cap leaves no more
    brought.bring(friends[4], BOB)
    brought.moves.merge(BOB, into=CLEO)
    brought.pay(friends[4])  # CLEO gets 100
    brought.bring(DAN, CLEO)  # not paid yet
    brought.reverse(friends[1])

    found = reports.report(brought.program, *MARCH)
    everybody = ADA, BOB, CLEO, DAN, *friends
    issued = [points for _, _, points in brought.given(*everybody)]
    total = found.total
    assert (total.points, total.member_points, total.taken_back) == (350, 200, 140)
    assert total.points + total.member_points == sum(points for points in issued if points > 0)
    assert total.taken_back == -sum(points for points in issued if points < 0)
    accruals = [entry for entry in brought.rewards(*everybody) if entry.key.kind is EntryKind.ACCRUAL]
    assert len(accruals) == 2 * total.rewarded == 10
    assert found.leaders == [Leader(ADA, 3, 150), Leader(CLEO, 1, 100)]


@pytest.fixture
def send(table: Table, clock: SettableClock, reports: ReferralReports) -> Callable[..., Reply]:
    """Asks for a report, as a client of the program or as another."""
    programs = ProgramStore(table, clock)
    programs.publish(document(id="acme", **PARTS), expected_version=0, actor="test")
    programs.clients.bind("app", {"acme"})
    programs.clients.bind("stranger", {"other"})
    app = api(report_routes(programs, reports))

    def sent(client: str = "app", **query: str) -> Reply:
        return Gateway(app).send(proxy_event("GET", REPORT, query=query, client_id=client))

    return sent


def test_a_report_over_http_has_every_figure(table: Table, send: Callable[..., Reply]) -> None:
    write(table, *spring(FIRST))
    enroll(table, *["2026-03-10"] * 12)
    links = LinkStore(table, draw=lambda _: 0)
    for _ in range(10):
        links.count_click(Click("acme", "clk_1", "K7WQ4M2X", ADA, Source("spring", "email"), FIRST), MARCH[0])
    reply = send(**{"from": "2026-03-01", "until": "2026-03-15"})
    assert reply.status == 200, reply.text
    body = reply.json
    assert [body[name] for name in ("program", "first_day", "last_day", "time_zone", "at", "links_since")] == [
        "acme", "2026-03-01", "2026-03-15", "Europe/Rome", "2026-03-15T12:00:00.000Z", "2025-02-10",
    ]  # fmt: skip
    assert body["total"] == {
        "shared": 0, "clicked": 10, "enrolled": 9, "linked": 5, "qualified": 7, "rewarded": 4, "customers": 3,
        "statuses": {
            "enrolled": 1, "qualified": 1, "rewarded": 3, "reversed": 1, "expired": 1, "rejected": 1, "unrewarded": 1,
        },
        "shares": {
            "clicked_of_shared": None, "linked_of_clicked": "50.0", "qualified_of_enrolled": "77.8",
            "rewarded_of_qualified": "57.1", "reversed_of_rewarded": "25.0",
        },
        "points": {"referrers": 450, "brought": 160, "taken_back": 140},
        "cost": {"value": "5.88", "currency": "EUR"},
        "cost_per_customer": {"value": "1.96", "currency": "EUR"},
        "revenue": [{"value": "50.50", "currency": "EUR"}, {"value": "99.99", "currency": "USD"}],
    }  # fmt: skip
    assert [(one["campaign"], one["counts"]["enrolled"]) for one in body["campaigns"]] == [(None, 5), ("spring", 4)]
    assert [(one["channel"], one["counts"]["enrolled"]) for one in body["channels"]] == [
        (None, 2), ("email", 5), ("whatsapp", 2),
    ]  # fmt: skip
    assert body["growth"] == {
        "members": 12, "links_per_member": "0.000", "brought_per_link": None, "k_factor": "0.750",
    }  # fmt: skip
    assert body["top_referrers"] == [
        {"member_id": ADA, "customers": 2, "points": 200},
        {"member_id": BOB, "customers": 1, "points": 150},
    ]
    assert (body["top_referrers_missed"], body["point_cost"]) == (0, {"amount": "0.0125", "currency": "EUR"})


def test_a_report_that_may_not_be_asked_for_is_refused(table: Table, send: Callable[..., Reply]) -> None:
    send(**{"from": "2025-12-13", "until": "2026-03-15"}).problem(422, "period_refused")
    send(**{"from": "2026-02-30"}).problem(422, "invalid")
    send().problem(422, "invalid")
    send("stranger", **{"from": "2026-03-01"}).problem(404, "program_not_found")
    assert send(**{"from": "2026-03-01"}).json["last_day"] == "2026-03-01"
