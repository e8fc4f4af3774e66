"""Sessions end; forms come from a page of theirs; people see their own programs alone."""

import re
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from loyalty.core.origin import Origin
from loyalty.core.table import Table
from loyalty.fulfillment.run import RunStatus
from loyalty.fulfillment.runs import RunStore
from loyalty.reconciliation.model import DifferenceKind
from tests.financekit.console import ConsoleRig, Shown, a_difference, a_report
from tests.financekit.runs import MEMBER, a_run, redemption, step, write

RUN = f"/console/acme/runs/{redemption(1)}"


@pytest.fixture
def rig(table: Table) -> ConsoleRig:
    rig = ConsoleRig(table)
    rig.people.add("approver", {"acme"}, {"acme"})
    rig.people.add("reader", {"acme", "aurora"}, {"aurora"})
    waiting = a_run(1, "2026-03-15T08:00:00Z", status=RunStatus.AWAITING_APPROVAL, reason="over_threshold")
    write(table, waiting, [step(1, "2026-03-15T08:00:00Z", "screen", "done")])
    return rig


def decide(rig: ConsoleRig, person: str, decision: str, *, path: str = RUN, **changes: str) -> Shown:
    session, cookie = rig.session(person)
    form = {"csrf": session.csrf, "decision": decision, "standing": "awaiting_approval.0", "note": "Checked."} | changes
    return rig.post(path, cookie, form)


def status_of(rig: ConsoleRig) -> RunStatus:
    return RunStore(rig.table).get("acme", redemption(1)).status


def test_idle_and_absolute_end(rig: ConsoleRig) -> None:
    _, cookie = rig.session("approver")
    rig.clock.advance(minutes=29, seconds=59)
    used = rig.get(RUN, cookie)
    assert used.status == 200
    rig.clock.advance(seconds=1)
    assert rig.get(RUN, cookie).status == 401
    shown, kept = used, used.cookie()
    for _ in range(29):
        rig.clock.advance(minutes=15)
        shown = rig.get(RUN, kept)
        assert shown.status == 200
        kept = shown.cookie() or kept
    assert "Max-Age=900;" in shown.cookies[0]
    rig.clock.advance(minutes=15)
    assert rig.get(RUN, kept).status == 401


def test_a_cookie_that_was_changed_or_is_for_something_else_opens_nothing(rig: ConsoleRig) -> None:
    _, cookie = rig.session("approver")
    name, _, value = cookie.partition("=")
    flipped = value[:40] + ("A" if value[40] != "A" else "B") + value[41:]
    flow = rig.get("/console/sign-in").cookie().partition("=")[2]
    for wrong in (flipped, value[:-4], "", "x" * 5000, flow):
        assert rig.get(RUN, f"{name}={wrong}").status == 401
    assert rig.get(RUN, f"{cookie}; {cookie}").status == 401


def test_who_is_disabled_or_signed_out_elsewhere_is_out_at_once(rig: ConsoleRig) -> None:
    first, second = rig.session("approver"), rig.session("approver")
    rig.people.disable("approver")
    assert rig.get(RUN, first[1]).status == 401
    rig.people.add("approver", {"acme"}, {"acme"})
    assert rig.get(RUN, first[1]).status == 401, "what was open when they were shut out stays shut"
    rig.clock.advance(seconds=1)
    first, second = rig.session("approver"), rig.session("approver")
    assert rig.get(RUN, first[1]).status == 200
    rig.clock.advance(seconds=2)
    out = rig.post("/console/sign-out", first[1], {"csrf": first[0].csrf})
    assert out.headers["Location"].startswith(
        "https://sign-in.test/logout?client_id=console-client&logout_uri=https%3A"
    )
    assert "Max-Age=0" in out.cookies[0]
    assert rig.get(RUN, second[1]).status == 401
    rig.clock.advance(seconds=1)
    assert rig.get(RUN, rig.session("approver")[1]).status == 200


@pytest.mark.parametrize("changes", [{"csrf": ""}, {"csrf": "guess"}])
def test_a_form_without_the_sessions_token_does_nothing(rig: ConsoleRig, changes: dict[str, str]) -> None:
    assert decide(rig, "approver", "approve", **changes).status == 422
    assert (rig.decisions.asked, status_of(rig)) == ([], RunStatus.AWAITING_APPROVAL)


def test_a_form_from_another_site_or_of_another_session_does_nothing(rig: ConsoleRig) -> None:
    session, cookie = rig.session("approver")
    other, _ = rig.session("approver")
    form = {"csrf": session.csrf, "decision": "approve", "standing": "awaiting_approval.0"}
    assert rig.post(RUN, cookie, form, sec_fetch_site="cross-site").status == 422
    assert rig.post(RUN, cookie, form | {"csrf": other.csrf}).status == 422
    assert rig.post(RUN, cookie, form, **{"content-type": "application/json"}).status == 422
    assert rig.post(RUN, "", form).status == 401
    assert rig.decisions.asked == []


def test_an_approval_names_the_person_and_is_shown(rig: ConsoleRig) -> None:
    answer = decide(rig, "approver", "approve")
    assert (answer.status, answer.headers["Location"]) == (303, f"/live{RUN}?done=approve")
    assert rig.decisions.asked == [("approve", redemption(1), "person:approver", "Checked.")]
    assert rig.decisions.origins == [Origin("person:approver", None, "req-1")]
    page = rig.get(f"{RUN}?done=approve", rig.session("approver")[1]).text
    assert "Approved; being carried out…" in page
    assert 'name="decision"' not in page


UNDER_WAY: list[tuple[dict[str, Any], str]] = [
    ({"status": RunStatus.AWAITING_APPROVAL, "ends_as": RunStatus.REJECTED, "reason": "rejected"}, "Rejected; being"),
    ({"status": RunStatus.PENDING, "orders": 1, "ends_as": RunStatus.CANCELLED}, "Cancellation asked for; being"),
    ({"status": RunStatus.AWAITING_APPROVAL, "ends_as": RunStatus.EXPIRED}, "Points are going back…"),
    ({"status": RunStatus.FULFILLED, "orders": 1, "replaces": 1, "reason": "reissue"}, "New card requested; being"),
    ({"status": RunStatus.ORDERING, "approved_by": "client:f", "reason": "over_threshold"}, "Approved; being"),
    ({"status": RunStatus.SCREENING, "executions": 2}, "Tried again; being"),
]


@pytest.mark.parametrize(("changes", "said"), UNDER_WAY)
def test_what_is_decided_and_not_carried_out_says_so_and_offers_nothing_unless_it_takes_long(
    rig: ConsoleRig, changes: dict[str, Any], said: str
) -> None:
    ended = {"ended_at": "2026-03-15T11:59:30Z"} if changes["status"] is RunStatus.FULFILLED else {}
    write(rig.table, replace(a_run(1, "2026-03-15T11:59:00Z", **changes, **ended), updated_at=rig.clock()))
    cookie = rig.session("approver")[1]
    page = rig.get(RUN, cookie).text
    assert said in page
    assert "The platform is at work on it." in page
    assert 'name="decision"' not in page
    for other in ("Awaits approval", "Rejected by finance", "A new card was asked for", "Over the approval threshold"):
        assert other not in page
    if not ended:
        listed = rig.get("/console/acme/runs?show=open", cookie).text.partition("<tbody")[2]
        assert said in listed
        assert "Rejected by finance" not in listed
    rig.clock.advance(minutes=1)
    assert 'name="decision"' not in rig.get(RUN, cookie).text
    rig.clock.advance(seconds=1)
    late = rig.get(RUN, cookie).text
    assert "takes longer than it should" in late
    assert re.findall(r'name="decision" value="(\w+)"', late) == ["retry"]


def test_an_approved_run_that_waits_or_orders_is_what_it_is(rig: ConsoleRig) -> None:
    cookie = rig.session("approver")[1]
    turn = {"turn_at": rig.clock() + timedelta(hours=1)}
    for more in ({"orders": 1}, turn, {"waiting_since": rig.clock(), "reason": "breaker_open"}):
        run = a_run(1, "2026-03-15T11:59:00Z", status=RunStatus.ORDERING, approved_by="client:f", **more)
        write(rig.table, run)
        assert '<span class="badge ordering">Ordering</span>' in rig.get(RUN, cookie).text


def test_a_decision_is_confirmed_to_who_took_it_for_a_minute(rig: ConsoleRig) -> None:
    write(rig.table, a_run(1, "2026-03-15T08:00:00Z", status=RunStatus.ATTENTION, orders=1))
    decide(rig, "approver", "resolve", standing="attention.1")
    rig.people.add("second", {"acme"}, {"acme"})
    seen = [rig.get(f"{RUN}?done=resolve", rig.session(person)[1]).text for person in ("approver", "second")]
    assert ["Marked resolved.</p>" in page for page in seen] == [True, False]
    rig.clock.advance(minutes=1, seconds=1)
    assert "Marked resolved.</p>" not in rig.get(f"{RUN}?done=resolve", rig.session("approver")[1]).text


def test_who_may_only_read_decides_nothing(rig: ConsoleRig) -> None:
    page = rig.get(RUN, rig.session("reader")[1])
    assert page.status == 200
    assert 'name="decision"' not in page.text
    assert decide(rig, "reader", "approve").status == 404
    assert decide(rig, "approver", "approve", path=RUN.replace("acme", "aurora")).status == 404
    assert rig.decisions.asked == []


def test_a_note_is_asked_for_and_what_was_written_stays(rig: ConsoleRig) -> None:
    answer = decide(rig, "approver", "reject", note="  ")
    assert answer.status == 422
    assert "Write a note that says why." in answer.text
    long = decide(rig, "approver", "reject", note="x" * 501)
    assert (long.status, "x" * 501 in long.text) == (422, True)
    assert "The note has 501 characters; it may have 500." in long.text
    assert rig.decisions.asked == []


def test_a_decision_about_what_has_changed_since_is_not_taken(rig: ConsoleRig) -> None:
    answer = decide(rig, "approver", "approve", standing="attention.1")
    assert answer.status == 412
    assert "has changed since this page was shown" in answer.text
    assert rig.decisions.asked == []


def test_a_form_that_comes_twice_is_answered_twice_and_decides_once(rig: ConsoleRig) -> None:
    first = decide(rig, "approver", "approve")
    again = decide(rig, "approver", "approve")
    assert (again.status, again.headers["Location"]) == (303, first.headers["Location"])
    assert [one[0] for one in rig.decisions.asked] == ["approve"]
    for other in (decide(rig, "approver", "reject"), decide(rig, "approver", "approve", note="Another.")):
        assert other.status == 412
    assert [one[0] for one in rig.decisions.asked] == ["approve"]


def test_a_refusal_is_shown_where_it_was_asked(rig: ConsoleRig) -> None:
    write(
        rig.table, a_run(1, "2026-03-15T08:00:00Z", status=RunStatus.AWAITING_APPROVAL, requested_by="person:approver")
    )
    page = rig.get(RUN, rig.session("approver")[1])
    assert "somebody else has to approve it" in page.text
    assert 'value="approve"' not in page.text
    answer = decide(rig, "approver", "approve")
    assert answer.status == 409
    assert "Somebody else has to approve it." in answer.text


def test_what_people_write_is_text_and_never_markup(rig: ConsoleRig) -> None:
    evil = "<script>alert(1)</script>\"'><img src=x>"
    write(rig.table, a_run(1, "2026-03-15T08:00:00Z", note=evil, reason="<b>", decided_by=evil), [
        step(1, "2026-03-15T08:00:00Z", "<i>", "done", error=evil, note=evil, by=evil)
    ])  # fmt: skip
    page = rig.get(RUN, rig.session("approver")[1]).text
    assert not [bad for bad in ("<script", "<img", "<i>", "<b>") if bad in page]
    page = rig.get("/console/acme/runs?supplier=" + "%22%3E%3Cscript%3E", rig.session("approver")[1]).text
    assert "<script" not in page


@pytest.mark.parametrize(
    "path",
    ["/console/aurora/runs", "/console/acme/nowhere", "/console/acme/runs/rdm_none", "/console/acme/reports/tango/x"],
)
def test_other_peoples_pages_and_none_look_alike(rig: ConsoleRig, path: str) -> None:
    answer = rig.get(path, rig.session("approver")[1])
    assert answer.status == 404
    assert "There is no such page, or it is not yours to see." in answer.text


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("?from=2026-03-01&until=2026-03-15", 200),
        ("?from=2026-03-15&until=2026-03-01", 422),
        ("?from=yesterday", 422),
        ("?from=2025-01-01&until=2026-03-15", 422),
    ],
)
def test_a_period_that_cannot_be_is_said_so(rig: ConsoleRig, query: str, status: int) -> None:
    assert rig.get(f"/console/acme/totals{query}", rig.session("approver")[1]).status == status


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("amount_from=x&currency=USD", "An amount is written with digits and a point"),
        ("amount_from=1.001&currency=USD", "no more decimals than its currency has"),
        ("amount_from=1", "An amount needs its currency"),
        ("amount_to=1&currency=XXQ", "There is no such currency."),
        ("amount_to=1&currency=dollars", "There is no such currency."),
        ("older_than=0", "in whole hours, from 1 to 8784"),
        ("older_than=a", "in whole hours, from 1 to 8784"),
        ("status=lost", "There is no such status."),
        ("show=ended&ended_on=22/11/2026", "Write a day as year-month-day"),
        ("currency=USD&amount_from=5&amount_to=1", "amount_from is above amount_to"),
    ],
)
def test_a_filter_that_cannot_be_is_said_so(rig: ConsoleRig, query: str, said: str) -> None:
    answer = rig.get(f"/console/acme/runs?{query}", rig.session("approver")[1])
    assert (answer.status, said in answer.text, "No run fits" in answer.text) == (422, True, False)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("show=waiting", "Nothing waits for a person."),
        ("show=open", "No run is open."),
        ("show=ended", "No run ended on this day."),
        ("show=waiting&reason=velocity", "No run fits. Change the filters"),
    ],
)
def test_an_empty_queue_says_why_it_is_empty(rig: ConsoleRig, query: str, said: str) -> None:
    write(rig.table, a_run(1, "2026-03-15T08:00:00Z", status=RunStatus.RESOLVED, ended_at="2026-03-14T09:00:00Z"))
    assert said in rig.get(f"/console/acme/runs?{query}", rig.session("approver")[1]).text


def test_rows_of_the_queue_are_told_apart(rig: ConsoleRig) -> None:
    write(rig.table, a_run(2, "2026-03-15T08:00:00Z", status=RunStatus.AWAITING_APPROVAL, reward_id="card-99"))
    page = rig.get("/console/acme/runs", rig.session("approver")[1]).text
    for number in (1, 2):
        assert f'title="{redemption(number)}"><span aria-hidden="true">rdm_…00000{number}</span>' in page
    assert "card-99" in page
    assert f'title="{MEMBER}"' in page
    assert '<option value="velocity">Unusually many cards</option>' in page


def test_codes_of_the_platform_are_shown_in_words(rig: ConsoleRig) -> None:
    write(rig.table, a_run(1, "2026-03-15T08:00:00Z", status=RunStatus.CANCELLED, reason="cancelling",
                           approve_until="2026-03-16T08:00:00Z", ended_at="2026-03-15T09:00:00Z"), [
        step(1, "2026-03-15T08:00:00Z", "screen", "done", note="over_threshold, velocity"),
        step(2, "2026-03-15T08:00:00Z", "cancel", "done", by="person:staff-4", note="over_threshold"),
        step(3, "2026-03-15T08:00:01Z", "cancel", "asked", supplier="tango"),
    ])  # fmt: skip
    page = rig.get(RUN, rig.session("approver")[1]).text
    for said in ("Over the approval threshold, Unusually many cards", "Finance asked to cancel it",
                 "Cancellation asked of the supplier", '<bdi class="note">over_threshold</bdi>'):  # fmt: skip
        assert said in page
    assert "Decide by" not in page


def test_differences_are_closed_once_by_who_may(rig: ConsoleRig) -> None:
    kinds = (DifferenceKind.AMOUNT, DifferenceKind.MISSING_HERE, DifferenceKind.DUPLICATE)
    owners = ("acme", None, "secret")
    found = [a_difference(kind, n, program=owner) for n, (kind, owner) in enumerate(zip(kinds, owners, strict=True))]
    rig.reports.add(a_report("2026-03-13", amount=1), *found)
    path = "/console/acme/reports/tremendous/2026-03-13"
    session, cookie = rig.session("approver")
    # Of no program, and of another one: neither is theirs to see, nor what the supplier says of all together.
    shown = rig.get(path, cookie).text
    assert [one.external_id in shown for one in found] == [True, False, False]
    assert ("1,204" in shown, "30,125.00" in shown) == (False, False)
    listed = rig.get("/console/acme/reports", cookie).text
    assert ("2026-03-13" in listed, "1,204" in listed) == (True, False)
    form = {"csrf": session.csrf, "difference": found[0].id, "note": "Refunded."}
    assert rig.post(path, cookie, form).headers["Location"] == f"/live{path}?done=1"
    assert rig.post(path, cookie, form).status == 409
    for other in found[1:]:
        assert rig.post(path, cookie, form | {"difference": other.id}).status == 404
    rig.people.add("approver", {"acme"}, {"acme"}, suppliers=True)
    shown = rig.get(path, cookie).text
    assert [one.external_id in shown for one in found] == [True, True, False]
    assert ("1,204" in shown, "30,125.00" in shown, "1,204" in rig.get("/console/acme/reports", cookie).text) == (
        True,
    ) * 3
    assert rig.post(path, cookie, form | {"difference": found[1].id, "note": ""}).status == 422
    assert rig.post(path, cookie, form | {"difference": found[2].id}).status == 404
    reader = rig.session("reader")
    assert rig.post(path, reader[1], form | {"csrf": reader[0].csrf, "difference": found[1].id}).status == 404
    assert [one.resolved_by for one in rig.reports.differences("tremendous", found[0].day)] == [
        "person:approver",
        None,
        None,
    ]


def test_days_of_invoices_are_listed_and_every_open_difference_is_counted(rig: ConsoleRig) -> None:
    rig.people.add("approver", {"acme"}, {"acme"}, suppliers=True)
    rig.reports.add(a_report("2026-03-13"))
    charged = a_difference(DifferenceKind.INVOICED_AMOUNT, 1, program="acme", invoice="f" * 64)
    rig.reports.found["tremendous", charged.day] = [charged]
    of_future = replace(charged, day=date(2026, 3, 31))
    closed = replace(charged, external_id="rdm_done", resolved_at=rig.clock(), resolved_by="person:staff-4")
    rig.reports.found["tremendous", of_future.day] = [of_future, replace(of_future, external_id="rdm_2"), closed]
    _, cookie = rig.session("approver")
    listed = rig.get("/console/acme/reports", cookie).text
    figures = re.findall(r'reports/tremendous/([0-9-]+)"|badge (\w+)">(\d+)', listed)
    assert [one for row in figures for one in row if one] == [
        "2026-03-31", "attention", "2", "2026-03-13", "attention", "1",
    ]  # fmt: skip
    page = rig.get("/console/acme/reports/tremendous/2026-03-31", cookie)
    assert (page.status, "There is no daily report of this day." in page.text, "rdm_2" in page.text) == (
        200,
        True,
        True,
    )
    assert rig.get("/console/acme/reports/tremendous/2026-03-30", cookie).status == 404


def test_at_a_domain_of_ones_own_pages_are_found_behind_what_it_puts_before_them(table: Table) -> None:
    rig = ConsoleRig(table, url="https://finance.example.com/loyalty/console")
    rig.people.add("approver", {"acme"}, {"acme"})
    _, cookie = rig.session("approver")
    first = rig.get("/loyalty/console", cookie)
    assert (first.status, first.headers["Location"]) == (303, "/loyalty/console/acme/runs")
    page = rig.get(first.headers["Location"], cookie)
    assert page.status == 200
    assert 'href="/loyalty/console/acme/totals"' in page.text
    chosen = rig.get("/loyalty/console/acme/runs?lang=it", cookie)
    assert (chosen.status, chosen.headers["Location"]) == (303, "/loyalty/console/acme/runs")
    assert "; Path=/;" in chosen.cookies[0]


def test_export_is_a_file(rig: ConsoleRig) -> None:
    answer = rig.get("/console/acme/export?from=2026-03-01&until=2026-03-15", rig.session("approver")[1])
    assert answer.headers["Content-Disposition"] == 'attachment; filename="fulfillment-acme-2026-03-01-2026-03-15.csv"'
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_what_fails_inside_is_a_page_with_the_requests_number(rig: ConsoleRig, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr(rig.people, "find", fail)
    answer = rig.get(RUN, rig.session("approver")[1])
    assert answer.status == 500
    assert "req-1" in answer.text
    assert "secret detail" not in answer.text
