"""Whom screening stops, and what a person, the clock, or nobody makes of it."""

from typing import Any

import pytest

from infra.local.supplier.server import SandboxSupplier
from loyalty.core.errors import LoyaltyError
from loyalty.core.table import Table
from loyalty.fulfillment.errors import NotAwaitingApproval, NoteRequired, RunEnded, SelfApproval
from loyalty.fulfillment.model import NothingAwaited, Progress
from loyalty.fulfillment.run import RunStatus
from tests.ledgerkit.programs import program
from tests.unit.fulfillment.lives import Throttled
from tests.unit.fulfillment.rig import COFFEE, PROGRAM, Rig, gift_card

FIFTY = {"value": "50.00", "currency": "USD"}
RED = {"approve_above": [{"value": "9.99", "currency": "USD"}]}
FINANCE = "client:finance"


def of(**fulfillment: Any) -> Any:
    return program(rewards=[gift_card(), COFFEE], fulfillment=fulfillment)


@pytest.fixture
def waiting(table: Table, sandbox: SandboxSupplier) -> Rig:
    """A run that awaits its approval."""
    rig = Rig(table, sandbox, of=of(**RED))
    assert rig.step("screen") is Progress.APPROVAL
    return rig


@pytest.mark.parametrize(
    ("fulfillment", "flags"),
    [
        ({"approve_above": [{"value": "10.00", "currency": "USD"}]}, ()),
        ({"approve_above": [{"value": "9.99", "currency": "USD"}]}, ("over_threshold",)),
        ({"approve_above": [{"value": "1.00", "currency": "EUR"}]}, ()),
        ({"monthly_budget": [{"value": "10.00", "currency": "USD"}]}, ()),
        ({"monthly_budget": [{"value": "9.99", "currency": "USD"}]}, ("over_budget",)),
        ({"velocity": [{"days": 1, "cards": 1}]}, ()),
        ({"velocity": [{"days": 1, "value": {"value": "9.99", "currency": "USD"}}]}, ("velocity",)),
        ({"new_member_days": 1}, ("new_member",)),
        ({**RED, "new_member_days": 30}, ("over_threshold", "new_member")),
    ],
)
def test_screening_stops_what_is_large_sudden_or_new(
    table: Table, sandbox: SandboxSupplier, fulfillment: dict[str, Any], flags: tuple[str, ...]
) -> None:
    rig = Rig(table, sandbox, of=of(**fulfillment))
    assert rig.step("screen") is (Progress.APPROVAL if flags else Progress.CLEAR)
    assert (rig.run.flags, rig.run.reason) == (flags, flags[0] if flags else None)
    assert rig.run.requested_by == "client:app"
    assert rig.orders == []


def test_cards_that_come_too_fast_are_stopped_until_the_days_have_passed(
    table: Table, sandbox: SandboxSupplier
) -> None:
    rig = Rig(table, sandbox, of=of(velocity=[{"days": 2, "cards": 2}]))
    answers = []
    for number, hours in enumerate((0, 20, 20, 30)):
        rig.world.clock.advance(hours=hours)
        answers.append(rig.take("screen", rig.hold(f"k-v{number}")).status)
    # At hour 70 the cards of hours 0 and 20 are older than two days.
    assert answers == [Progress.CLEAR, Progress.CLEAR, Progress.APPROVAL, Progress.CLEAR]


def test_a_card_that_came_to_nothing_does_not_count_as_fast(table: Table, sandbox: SandboxSupplier) -> None:
    rig = Rig(table, sandbox, of=of(velocity=[{"days": 2, "cards": 1}]))
    rig.faults({"fault": "refuse", "times": 1})
    assert rig.execute().error == "OrderRefused"
    assert rig.take("screen", rig.hold("k-2")).status is Progress.CLEAR


def test_an_approved_card_is_ordered_and_its_timeline_says_by_whom(waiting: Rig) -> None:
    waiting.take("ask", token="t-1")
    run = waiting.decisions.approve("acme", waiting.held.redemption_id, actor=FINANCE, note="known customer")
    assert (run.status, run.approved_by, run.note) == (RunStatus.ORDERING, FINANCE, "known customer")
    assert waiting.executions.answers == {"t-1": {"status": "clear"}}
    assert waiting.execute().way == ["Screen", "Order", "Capture", "Fulfilled"]
    waiting.fulfilled()
    assert waiting.told()[:3] == ["screen done", "approval_requested done", "approve done"]
    assert waiting.timeline[2].by == FINANCE


@pytest.mark.parametrize("by_two", [True, False])
def test_who_asked_for_a_card_approves_it_where_the_program_does_not_want_two(
    table: Table, sandbox: SandboxSupplier, by_two: bool
) -> None:
    asks_two = {"four_eyes": {"approvals": by_two}}
    rig = Rig(table, sandbox, of=program(rewards=[gift_card(), COFFEE], fulfillment=RED, **asks_two))
    assert rig.step("screen") is Progress.APPROVAL
    asked = rig.held.requested_by
    assert asked is not None
    if by_two:
        with pytest.raises(SelfApproval):
            rig.decisions.approve("acme", rig.held.redemption_id, actor=asked)
    else:
        assert rig.decisions.approve("acme", rig.held.redemption_id, actor=asked).approved_by == asked


def test_the_same_approval_again_is_the_first_answer_and_wakes_once_more(waiting: Rig) -> None:
    waiting.take("ask", token="t-1")
    waiting.executions.alive.add(waiting.held.redemption_id)
    waiting.executions.waiting = set()  # the first answer finds nobody, as where its process died
    first = waiting.decisions.approve("acme", waiting.held.redemption_id, actor=FINANCE)
    waiting.executions.waiting = {"t-1"}
    assert waiting.decisions.approve("acme", waiting.held.redemption_id, actor=FINANCE) == first
    assert waiting.executions.answers == {"t-1": {"status": "clear"}}
    assert waiting.told().count("approve done") == 1
    assert waiting.executions.started == [waiting.held.redemption_id]


@pytest.mark.parametrize(
    ("what", "way"),
    [
        ("approve", ["Screen", "Order", "Capture", "Fulfilled"]),
        ("reject", ["Screen", "Release", "Closed"]),
    ],
)
@pytest.mark.parametrize("asked", [True, False], ids=["died waiting", "died before it asked"])
def test_a_decision_starts_another_execution_where_the_one_that_waited_has_died(
    waiting: Rig, what: str, way: list[str], asked: bool
) -> None:
    if asked:
        waiting.take("ask", token="t-1")
    waiting.executions.waiting = set()
    decide = getattr(waiting.decisions, what)
    whose = "acme", waiting.held.redemption_id
    run = decide(*whose, actor=FINANCE, note="known")
    assert run.executions == 2
    assert waiting.executions.started[-1] == f"{waiting.held.redemption_id}-2"
    assert decide(*whose, actor=FINANCE, note="known").executions == 2  # it goes on by itself
    assert waiting.execute().way == way
    waiting.executions.alive.clear()
    ended = decide(*whose, actor=FINANCE, note="known")
    assert (ended.ended, ended.executions) == (True, 2)
    assert waiting.told().count("restart done") == 1


def test_an_approval_whose_wake_failed_wakes_when_it_comes_again(waiting: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """The decision is written down, then Step Functions does not answer."""
    waiting.take("ask", token="t-1")
    with monkeypatch.context() as patch:
        patch.setattr(waiting.executions, "wake", _unavailable)
        with pytest.raises(ConnectionError):
            waiting.decisions.approve("acme", waiting.held.redemption_id, actor=FINANCE)
    assert (waiting.run.status, waiting.executions.answers) == (RunStatus.ORDERING, {})
    waiting.decisions.approve("acme", waiting.held.redemption_id, actor=FINANCE)
    assert waiting.executions.answers == {"t-1": {"status": "clear"}}
    assert waiting.told().count("approve done") == 1


def test_an_approved_run_that_needs_a_person_is_not_started_by_approving_again(waiting: Rig) -> None:
    waiting.decisions.approve("acme", waiting.held.redemption_id, actor=FINANCE)
    waiting.take("attention", error="Lambda.ServiceException")
    waiting.executions.alive.clear()
    started = list(waiting.executions.started)
    again = waiting.decisions.approve("acme", waiting.held.redemption_id, actor=FINANCE)
    assert (again.status, waiting.executions.started) == (RunStatus.ATTENTION, started)


def test_who_asked_does_not_approve(waiting: Rig) -> None:
    with pytest.raises(SelfApproval):
        waiting.decisions.approve("acme", waiting.held.redemption_id, actor="client:app")
    assert waiting.run.status is RunStatus.AWAITING_APPROVAL


def test_of_a_list_neither_the_person_nor_the_client_that_named_them_approves(
    table: Table, sandbox: SandboxSupplier
) -> None:
    rig = Rig(table, sandbox, of=of(**RED))
    line: dict[str, Any] = {"campaign": "spring", "requested_by": "person:carla", "requested_through": "client:office"}
    rig.held = rig.hold("k-2", **line)
    rig.take("screen")
    for actor in ("person:carla", "person:Carla", "client:office"):
        with pytest.raises(SelfApproval):
            rig.decisions.approve("acme", rig.held.redemption_id, actor=actor)
    assert rig.run.status is RunStatus.AWAITING_APPROVAL
    assert rig.decisions.approve("acme", rig.held.redemption_id, actor="client:desk").approved_by == "client:desk"


def test_a_rejected_card_gives_the_points_back(waiting: Rig) -> None:
    with pytest.raises(NoteRequired):
        waiting.decisions.reject("acme", waiting.held.redemption_id, actor=FINANCE, note=" ")

    def reject(token: str) -> dict[str, Any] | None:
        waiting.decisions.reject("acme", waiting.held.redemption_id, actor=FINANCE, note="a stolen account")
        return dict(waiting.executions.answers[token])

    run = waiting.machine(woken=reject).run(waiting.request())
    assert (run.succeeded, run.way) == (True, ["Screen", "Approve", "Release", "Closed"])
    assert (waiting.run.status, waiting.run.reason) == (RunStatus.REJECTED, "rejected")
    assert (waiting.orders, waiting.ends()) == ([], ["release"])
    again = waiting.decisions.reject("acme", waiting.held.redemption_id, actor=FINANCE, note="a stolen account")
    assert again.status is RunStatus.REJECTED


@pytest.mark.parametrize(
    ("decide", "refusal"),
    [("approve", RunEnded), ("reject", RunEnded)],
)
def test_a_run_that_is_over_is_not_decided(waiting: Rig, decide: str, refusal: type[LoyaltyError]) -> None:
    assert waiting.execute().succeeded  # nobody came
    with pytest.raises(refusal, match=r"The run is expired; .* Its points went back: the member can redeem again"):
        getattr(waiting.decisions, decide)("acme", waiting.held.redemption_id, actor=FINANCE, note="late")


def test_the_second_of_two_who_disagree_is_told_so(waiting: Rig) -> None:
    waiting.decisions.approve("acme", waiting.held.redemption_id, actor=FINANCE)
    with pytest.raises(NotAwaitingApproval):
        waiting.decisions.reject("acme", waiting.held.redemption_id, actor="person:anna", note="no")
    with pytest.raises(NotAwaitingApproval):
        waiting.decisions.approve("acme", waiting.held.redemption_id, actor="person:anna")


def test_nobody_in_time_is_a_no_after_one_reminder(waiting: Rig) -> None:
    run = waiting.execute()
    assert run.way == ["Screen", "Approve", "Remind", "Approve", "Remind", "Release", "Closed"]
    assert (waiting.run.status, waiting.run.reason) == (RunStatus.EXPIRED, "approval_expired")
    assert waiting.told() == [
        "screen done", "approval_requested done", "reminder done", "expire done", "release done",
    ]  # fmt: skip
    assert (waiting.run.reminded_at, waiting.world.proven().available) == (waiting.timeline[2].at, 1000)
    hours = [(step.at - waiting.run.opened_at).total_seconds() // 3600 for step in waiting.timeline]
    assert hours == [0, 0, 24, 72, 72]


def test_past_the_deadline_nobody_approves_any_more(waiting: Rig) -> None:
    waiting.world.clock.advance(hours=72)
    with pytest.raises(NotAwaitingApproval, match="deadline"):
        waiting.decisions.approve("acme", waiting.held.redemption_id, actor=FINANCE)


def test_an_approval_that_came_before_the_question_is_found(waiting: Rig) -> None:
    waiting.decisions.approve("acme", waiting.held.redemption_id, actor=FINANCE)
    with pytest.raises(NothingAwaited):
        waiting.take("ask", token="t-1")
    assert waiting.take("remind").status is Progress.CLEAR


def test_an_approval_whose_wake_was_lost_is_found_once_the_wait_is_over(waiting: Rig) -> None:
    def approve_unheard(_token: str) -> None:
        waiting.decisions.approve("acme", waiting.held.redemption_id, actor=FINANCE)

    run = waiting.machine(woken=approve_unheard).run(waiting.request())
    assert run.way == ["Screen", "Approve", "Remind", "Order", "Capture", "Fulfilled"]
    waiting.fulfilled()


def test_a_run_that_fell_out_of_its_approval_is_approved_after_a_retry(waiting: Rig) -> None:
    """The steps that wait for a person could not be called; somebody has the machine go on, somebody approves."""
    run = waiting.execute([Throttled()] * 7, at="ask")
    assert (run.error, waiting.run.status, waiting.run.reason) == ("Unresolved", RunStatus.ATTENTION, "throttled")
    with pytest.raises(NotAwaitingApproval):
        waiting.decisions.approve("acme", waiting.held.redemption_id, actor=FINANCE)
    retried = waiting.decisions.retry("acme", waiting.held.redemption_id, actor=FINANCE)
    assert (retried.status, retried.reason) == (RunStatus.AWAITING_APPROVAL, "over_threshold")

    def approve(token: str) -> dict[str, Any] | None:
        waiting.decisions.approve("acme", waiting.held.redemption_id, actor=FINANCE)
        return dict(waiting.executions.answers[token])

    run = waiting.machine(woken=approve).run(waiting.request())
    assert run.way == ["Screen", "Approve", "Order", "Capture", "Fulfilled"]
    waiting.fulfilled()


def test_a_retry_does_not_prolong_the_time_for_an_approval(waiting: Rig) -> None:
    waiting.take("attention", error="Lambda.Unknown")
    waiting.world.clock.advance(hours=73)
    waiting.decisions.retry("acme", waiting.held.redemption_id, actor=FINANCE)
    assert waiting.execute().way == ["Screen", "Approve", "Remind", "Release", "Closed"]
    assert waiting.run.status is RunStatus.EXPIRED


def test_once_approved_a_retry_needs_nobody_again(waiting: Rig) -> None:
    waiting.decisions.approve("acme", waiting.held.redemption_id, actor=FINANCE)
    waiting.take("attention", error="Lambda.Unknown")
    assert waiting.decisions.retry("acme", waiting.held.redemption_id, actor=FINANCE).status is RunStatus.SCREENING
    assert waiting.execute().succeeded


def test_nothing_is_ordered_past_a_flag_whatever_the_machine_says(waiting: Rig) -> None:
    assert [waiting.step(step) for step in ("order", "query", "release")] == [Progress.APPROVAL] * 3
    assert waiting.orders == []
    waiting.still_held()


def test_a_plain_card_needs_nobody(table: Table, sandbox: SandboxSupplier) -> None:
    rig = Rig(table, sandbox, of=PROGRAM)
    rig.take("screen")
    with pytest.raises(NotAwaitingApproval):
        rig.decisions.approve("acme", rig.held.redemption_id, actor=FINANCE)


def _unavailable(*_: object) -> bool:
    raise ConnectionError("Step Functions does not answer")
