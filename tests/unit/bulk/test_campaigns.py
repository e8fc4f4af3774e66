"""A campaign from its list to its last line: started, approved, cut off, gone on with, and never held twice."""

from datetime import timedelta

import pytest

from loyalty.bulk.errors import (
    BulkStopped,
    CampaignDiffers,
    CampaignEnded,
    CampaignNotAwaitingApproval,
    CampaignNotFound,
    CampaignNotRunning,
    RewardChanged,
    RewardNotForLists,
)
from loyalty.bulk.model import BATCH, CampaignStatus
from loyalty.bulk.service import terms_of
from loyalty.bulk.steps import BatchRequest, CampaignRequest
from loyalty.core.errors import RewardNotFound, SecondPersonRequired
from loyalty.core.files import FileChanged, FileNotStored
from loyalty.core.ids import request_hash
from loyalty.core.money import Money
from loyalty.core.table import Table
from loyalty.ledger.model import EntryKind
from loyalty.merging.service import MergeService
from loyalty.rewards.model import Party, Payer, RedemptionStatus
from tests.ledgerkit.programs import BASE, document, program
from tests.ledgerkit.trails import lines
from tests.reconkit.campaigns import ACME, SPRING, THRESHOLD, Desk, listing, member, one_each

PAID = Payer.MEMBER
DEARER = {**BASE["rewards"][2], "gift_card": {"product": "P1", "denomination": "50.00", "currency": "USD"}}


def test_every_line_is_held_once_however_often_the_list_is_run(table: Table) -> None:
    desk = Desk(table, 5)
    desk.create(one_each(range(5)))
    assert desk.campaigns.start(ACME, SPRING).status is CampaignStatus.CREATED
    assert desk.started == [SPRING]
    told = {"status": "done", "complete": True, "held": 5, "refused": 0}
    assert desk.run() == told
    before = desk.world.dump()
    assert desk.run() == {"status": "done"}
    assert desk.world.dump() == before
    assert [desk.holds(number) for number in range(5)] == [1] * 5
    held = desk.held(0)
    assert (held.points, held.campaign, held.paid_by, held.requested_by) == (0, SPRING, Payer.PROGRAM, "person:ada")
    assert desk.world.audit() == []
    with pytest.raises(CampaignEnded):
        desk.campaigns.start(ACME, SPRING)


def test_lines_that_are_refused_are_named_and_tried_again(table: Table) -> None:
    desk = Desk(table, 3)
    desk.world.accrue("R", "400", member=member(0))
    nobody = member(77)
    quantities = [f"{member(0)},A,2", f"{member(1)},B,1", f"{nobody},C,1"]
    desk.create(listing(quantities, "member_id,reference,quantity"), paid_by=PAID)
    assert desk.run() == {"status": "unfinished", "complete": True, "held": 1, "refused": 2}
    assert desk.failures() == ["3,B,insufficient_points", "4,C,member_not_found"]
    totals = desk.get().totals
    assert totals is not None
    assert (totals.points, totals.value) == (800, Money.of("40.00", "USD"))

    desk.world.accrue("R", "200", member=member(1))
    assert desk.run() == {"status": "unfinished", "complete": True, "held": 2, "refused": 1}
    assert desk.failures() == ["4,C,member_not_found"]
    assert [desk.world.wallet(member(number)).held for number in range(2)] == [400, 200]
    assert [desk.holds(number) for number in range(2)] == [1, 1]
    assert desk.world.audit() == []


def test_batches_that_failed_are_missing_until_they_are_done(table: Table) -> None:
    desk = Desk(table, 1, fulfillment={})
    desk.world.enroll(*map(member, range(1, 2 * BATCH + 1)))
    desk.create(one_each(range(2 * BATCH + 1)))
    assert desk.run(batch=lambda number: number != 1) == {
        "status": "unfinished", "complete": False, "held": BATCH + 1, "refused": 0,
    }  # fmt: skip
    assert desk.run() == {"status": "done", "complete": True, "held": 2 * BATCH + 1, "refused": 0}
    assert {desk.holds(number) for number in range(2 * BATCH + 1)} == {1}


def test_a_list_that_could_not_be_begun_leaves_no_campaign_running(table: Table) -> None:
    """Its file is gone after the second person's yes: the machine's first step fails, and the campaign says so."""
    desk = Desk(table, 11)
    content = one_each(range(11))
    created = desk.create(content)
    request = CampaignRequest(program=ACME, campaign=SPRING)
    assert desk.steps.stop(request) == {"status": "unfinished"}, "also before it was ever begun"
    assert desk.run() == {"status": "awaiting_approval"}
    assert desk.steps.stop(request) == {"status": "awaiting_approval"}, "somebody is asked: nothing is wrong with that"
    desk.campaigns.decide(desk.world.program, SPRING, actor="bob", approve=True)
    del desk.files.stored[created.list_key]
    with pytest.raises(FileNotStored):
        desk.steps.begin(request)
    assert desk.get().status is CampaignStatus.RUNNING
    assert desk.steps.stop(request) == {"status": "unfinished"}
    assert "start the campaign again" in (desk.get().problem or "")

    desk.files.stored[created.list_key] = content
    assert desk.run() == {"status": "done", "complete": True, "held": 11, "refused": 0}
    assert desk.get().problem is None
    assert desk.steps.stop(request) == {"status": "done"}


def test_above_the_threshold_a_second_person_decides(table: Table) -> None:
    desk = Desk(table, 11)
    desk.create(one_each(range(11)))
    assert desk.run() == {"status": "awaiting_approval"}
    assert desk.holds(0) == 0
    with pytest.raises(SecondPersonRequired):
        desk.campaigns.decide(desk.world.program, SPRING, actor="ada", approve=True)
    decided = desk.campaigns.decide(desk.world.program, SPRING, actor="bob", approve=True, note="budget 7")
    assert (decided.status, decided.decided_by, decided.note) == (CampaignStatus.RUNNING, "person:bob", "budget 7")
    assert desk.campaigns.decide(desk.world.program, SPRING, actor="bob", approve=True) == decided
    assert desk.started == [SPRING, SPRING], "who was cut off after deciding says it again"
    kept = {(line["action"], line["actor"]) for line in lines(desk.world.table)}
    assert kept == {("campaign.created", "person:ada"), ("campaign.approved", "person:bob")}
    for actor, approve in (("cleo", True), ("bob", False)):
        with pytest.raises(CampaignNotAwaitingApproval):
            desk.campaigns.decide(desk.world.program, SPRING, actor=actor, approve=approve)
    assert desk.run()["status"] == "done"


def test_what_is_rejected_never_runs(table: Table) -> None:
    desk = Desk(table, 11)
    desk.create(one_each(range(11)))
    desk.run()
    rejected = desk.campaigns.decide(desk.world.program, SPRING, actor="bob", approve=False, note="no budget")
    assert desk.campaigns.decide(desk.world.program, SPRING, actor="bob", approve=False) == rejected
    assert (desk.run(), desk.started) == ({"status": "rejected"}, [])
    with pytest.raises(CampaignEnded):
        desk.campaigns.start(ACME, SPRING)
    with pytest.raises(CampaignNotAwaitingApproval):
        desk.campaigns.decide(desk.world.program, SPRING, actor="bob", approve=True)


def test_ten_cards_need_nobody_and_what_has_no_price_needs_somebody_where_the_program_pays(table: Table) -> None:
    discount = {"id": "code", "name": "A code", "type": "discount", "points": 5, "codes": {"source": "generated"}}
    desk = Desk(table, 10, rewards=[*BASE["rewards"], discount])
    desk.create(one_each(range(10)))
    assert desk.run()["status"] == "done"
    desk.create(one_each(range(2)), campaign="codes", reward="code")
    assert desk.run("codes") == {"status": "awaiting_approval"}
    desk.create(one_each(range(2)), campaign="paid", reward="code", paid_by=PAID)
    assert desk.run("paid")["status"] == "unfinished", "each pays with points that nobody has"


def test_what_was_approved_is_what_is_given(table: Table) -> None:
    """The price changes between the approval and the run: a batch stops, and the list is approved anew."""
    desk = Desk(table, 11)
    desk.create(one_each(range(11)))
    desk.run()
    desk.campaigns.decide(desk.world.program, SPRING, actor="bob", approve=True)
    (given,) = desk.steps.begin(request := CampaignRequest(program=ACME, campaign=SPRING))
    desk.world.program = program(2, rewards=[DEARER], fulfillment=THRESHOLD)
    with pytest.raises(RewardChanged):
        desk.steps.batch(request, BatchRequest.model_validate(given["batch"]))
    assert (desk.holds(0), desk.run()) == (0, {"status": "awaiting_approval"})
    desk.campaigns.decide(desk.world.program, SPRING, actor="bob", approve=True)
    assert desk.run()["status"] == "done"


def test_what_was_approved_is_paid_from_the_wallet_that_was_approved() -> None:
    """Of the main wallet the terms are what they were before there were others."""
    wallets = [{"id": "cups", "name": "Cups", "expiry": BASE["expiry"]}]
    card = BASE["rewards"][2]
    found = [document(wallets=wallets, rewards=[one]).rewards[0] for one in (card, card | {"wallet": "cups"})]
    points, cups = (terms_of(one, Payer.MEMBER) for one in found)
    assert points != cups
    assert points == request_hash({"points": 200, "worth": "10.00 USD", "denominations": []})
    assert len({terms_of(one, Payer.PROGRAM) for one in found}) == 1, "nobody's wallet pays"


@pytest.mark.parametrize("approve", [None, False])
def test_batches_of_an_earlier_execution_hold_nothing_once_a_person_decides_anew(
    table: Table, approve: bool | None
) -> None:
    """The first batch is held at the price that was approved. Then the price rises, and the list is checked again."""
    desk = Desk(table, 0)
    desk.world.enroll(member(0), member(BATCH))
    desk.create(one_each(range(BATCH + 1)))
    desk.run()
    desk.campaigns.decide(desk.world.program, SPRING, actor="bob", approve=True)
    request = CampaignRequest(program=ACME, campaign=SPRING)
    first, late = (BatchRequest.model_validate(one["batch"]) for one in desk.steps.begin(request))
    assert desk.steps.batch(request, first)["held"] == 1
    desk.world.program = program(2, rewards=[DEARER], fulfillment=THRESHOLD)
    assert desk.run() == {"status": "awaiting_approval"}
    if approve is not None:
        desk.campaigns.decide(desk.world.program, SPRING, actor="bob", approve=approve)
    for batch in (first, late):
        with pytest.raises(CampaignNotRunning, match=desk.get().status):
            desk.steps.batch(request, batch)
    assert [desk.holds(number) for number in (0, BATCH)] == [1, 0]
    assert desk.world.audit() == []


def test_a_batch_that_is_written_down_whole_may_be_told_again_at_any_time(table: Table) -> None:
    desk = Desk(table, 2)
    desk.create(one_each(range(2)))
    (given,) = desk.steps.begin(request := CampaignRequest(program=ACME, campaign=SPRING))
    batch = BatchRequest.model_validate(given["batch"])
    told = desk.steps.batch(request, batch)
    assert desk.run()["status"] == "done"
    assert desk.steps.batch(request, batch) == told == {"number": 0, "lines": 2, "held": 2, "refused": 0}


def test_a_campaign_that_is_half_held_goes_on_under_its_name_whatever_was_sent_in_between(table: Table) -> None:
    """Refused for ever, it would be sent under a new name, and who has a card would get another one."""
    desk = Desk(table, BATCH + 1, fulfillment={})
    campaign = desk.create(good := one_each(range(BATCH + 1)))
    assert desk.run(batch=lambda number: number == 0)["held"] == BATCH
    desk.files.stored[campaign.list_key] = good[:-10]
    assert desk.run() == {"status": "unfinished"}
    assert "line 102" in (desk.get().problem or "")
    desk.files.stored[campaign.list_key] = good
    listed, desk.world.program = desk.world.program, program(2, rewards=BASE["rewards"][:1])
    assert desk.run() == {"status": "unfinished"}
    assert "no reward 'card'" in (desk.get().problem or "")
    desk.world.program = listed
    assert desk.campaigns.start(ACME, SPRING).status is CampaignStatus.UNFINISHED
    assert desk.run() == {"status": "done", "complete": True, "held": BATCH + 1, "refused": 0}
    assert ({desk.holds(number) for number in range(BATCH + 1)}, desk.get().problem) == ({1}, None)
    assert desk.world.audit() == []


def test_who_is_asked_for_an_approval_stays_asked_where_the_list_is_not_right(table: Table) -> None:
    """Or the batches of an earlier execution could hold at the price that nobody has approved."""
    desk = Desk(table, 11)
    campaign = desk.create(good := one_each(range(11)))
    desk.run()
    desk.campaigns.decide(desk.world.program, SPRING, actor="bob", approve=True)
    (given,) = desk.steps.begin(request := CampaignRequest(program=ACME, campaign=SPRING))
    desk.world.program = program(2, rewards=[DEARER], fulfillment=THRESHOLD)
    desk.run()
    desk.files.stored[campaign.list_key] = b"member_id,reference\n"
    assert desk.run() == {"status": "awaiting_approval"}
    assert desk.get().problem
    desk.files.stored[campaign.list_key] = good
    with pytest.raises(CampaignNotRunning):
        desk.steps.batch(request, BatchRequest.model_validate(given["batch"]))
    desk.campaigns.decide(desk.world.program, SPRING, actor="bob", approve=True)
    assert (desk.run()["status"], desk.get().problem) == ("done", None)


def test_a_list_that_is_malformed_is_refused_whole(table: Table) -> None:
    desk = Desk(table, 2)
    desk.create(listing([f"{member(0)},A", f"{member(1)},A"]))
    assert desk.run() == {"status": "refused"}
    assert "line 3: reference is that of line 2" in (desk.get().problem or "")
    assert desk.holds(0) == 0
    # Nothing was begun, so the name is free for a list that is right; which lines are held is the right one's.
    mended = desk.create(listing([f"{member(0)},A"]))
    assert (mended.status, mended.problem) == (CampaignStatus.CREATED, None)
    assert desk.run()["status"] == "done"
    assert desk.holds(0) == 1
    with pytest.raises(CampaignDiffers):
        desk.create(listing([f"{member(1)},A"]))
    desk.create(listing([f"{member(0)},A"]), campaign="other")
    desk.files.stored[desk.get("other").list_key] = listing([f"{member(1)},A"])
    assert desk.run("other") == {"status": "refused"}
    assert "SHA-256" in (desk.get("other").problem or "")


def test_a_list_that_was_exchanged_after_it_was_checked_is_not_read(table: Table) -> None:
    desk = Desk(table, 2)
    campaign = desk.create(one_each([0]))
    (given,) = desk.steps.begin(request := CampaignRequest(program=ACME, campaign=SPRING))
    desk.files.stored[campaign.list_key] = one_each([1])
    with pytest.raises(FileChanged):
        desk.steps.batch(request, BatchRequest.model_validate(given["batch"]))


def test_a_name_stands_for_one_list(table: Table) -> None:
    desk = Desk(table, 2)
    first = desk.create(one_each([0]))
    assert desk.create(one_each([0])) == first
    for content, payer in ((one_each([1]), Payer.PROGRAM), (one_each([0]), PAID)):
        with pytest.raises(CampaignDiffers):
            desk.create(content, paid_by=payer)
    with pytest.raises(RewardNotFound):
        desk.create(one_each([0]), campaign="x", reward="nothing")
    with pytest.raises(RewardNotForLists):
        desk.create(one_each([0]), campaign="x", reward="coffee")
    with pytest.raises(CampaignNotFound):
        desk.campaigns.start(ACME, "x")
    desk.files.stored.clear()
    with pytest.raises(FileNotStored):
        desk.campaigns.start(ACME, SPRING)


def test_a_member_who_is_merged_between_two_runs_gets_one(table: Table) -> None:
    desk = Desk(table, 2)
    desk.create(one_each([0]) + f"{member(77)},R-77\n".encode())
    assert desk.run()["held"] == 1
    ledger = desk.world.ledger
    MergeService(ledger, desk.world.reversals).merge(desk.world.program, member(1), absorbed=member(0), actor="staff-1")
    table.client.delete_item(TableName=table.name, Key={"pk": {"S": f"L#{ACME}#{SPRING}"}, "sk": {"S": "BATCH#0000"}})
    assert desk.run()["held"] == 1, "as if the first run had been cut off before it wrote its batch down"
    assert desk.holds(0) + desk.holds(1) == 1
    (hold,) = [entry for entry in desk.world.entries(member(0)) if entry.key.kind is EntryKind.HOLD]
    captured = desk.world.capture(hold.key.source_id, member=member(0), by=Party.FULFILLMENT)
    assert captured.status is RedemptionStatus.CAPTURED
    assert desk.world.audit() == []


def test_a_batch_in_which_too_much_fails_is_not_written_down(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk(table, 9)
    desk.create(one_each(range(9)))
    hold = desk.world.redemptions.hold

    def cut(*where: object, **more: object) -> object:
        if where[1] == member(4):
            raise TimeoutError
        return hold(*where, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(desk.world.redemptions, "hold", cut)
    with pytest.raises(BulkStopped, match="1 of 9 lines failed: TimeoutError"):
        desk.run()
    assert desk.store.batch(desk.get(), 0) is None
    monkeypatch.undo()
    assert desk.run()["held"] == 9
    assert {desk.holds(number) for number in range(9)} == {1}


def test_progress_is_counted_and_estimated(table: Table) -> None:
    desk = Desk(table, 0, fulfillment={})
    desk.create(one_each(range(3 * BATCH)))
    request = CampaignRequest(program=ACME, campaign=SPRING)
    assert desk.campaigns.ready_at(desk.get(), desk.campaigns.progress(desk.get())) is None
    given = desk.steps.begin(request)
    desk.world.clock.advance(minutes=2)
    desk.steps.batch(request, BatchRequest.model_validate(given[0]["batch"]))
    progress = desk.campaigns.progress(desk.get())
    assert (progress.batches, progress.batches_done, progress.refused) == (3, 1, BATCH)
    assert desk.campaigns.ready_at(desk.get(), progress) == desk.world.clock() + timedelta(minutes=4)
    page = desk.store.page(ACME, limit=10)
    assert ([one.campaign for one in page.items], page.next) == ([SPRING], None)
