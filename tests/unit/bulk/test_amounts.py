"""Lists of a reward whose amounts are chosen: each line its own, their sum decides who approves, in one currency."""

from typing import Any, Final

import pytest

from loyalty.bulk.errors import RewardChanged
from loyalty.bulk.model import CampaignStatus
from loyalty.bulk.steps import BatchRequest, CampaignRequest
from loyalty.core.money import Money
from loyalty.core.table import Table
from loyalty.rewards.model import Payer, Redemption
from tests.ledgerkit.programs import program
from tests.reconkit.campaigns import ACME, SPRING, THRESHOLD, Desk, listing, member

DOLLARS: Final[dict[str, Any]] = {
    "currency": "USD",
    "least": "5",
    "most": "50",
    "step": "2.50",
    "points": 9,
    "per": "1",
}
YEN: Final[dict[str, Any]] = {
    "currency": "JPY",
    "least": "500",
    "most": "5000",
    "step": "500",
    "points": 1,
    "per": "17",
}


def card(*denominations: dict[str, Any], **more: Any) -> dict[str, Any]:
    kind = {"id": "card", "name": "Gift card", "type": "gift_card", "gift_card": {"product": "P1"}}
    return kind | {"denominations": list(denominations)} | more


def desk_of(table: Table, members: int, *denominations: dict[str, Any], **more: Any) -> Desk:
    return Desk(table, members, rewards=[card(*denominations, **more)])


def held(desk: Desk, number: int) -> Redemption:
    (hold,) = [entry for entry in desk.world.entries(member(number)) if entry.key.kind == "hold"]
    found = desk.world.redemptions.get(ACME, member(number), hold.key.source_id)
    assert found is not None
    return found


def test_each_line_is_held_with_its_amount_and_they_are_summed(table: Table) -> None:
    """12.50 USD are 112.5 points, so 113 each, 226 for two; 7.50 are 67.5, so 68. 25.00 and 7.50 are 32.50 USD."""
    desk = desk_of(table, 2, DOLLARS)
    for number in range(2):
        desk.world.accrue(f"R-{number}", "300", member=member(number))
    lines = [f"{member(0)},A,12.50,2", f"{member(1)},B,7.5,1"]
    desk.create(listing(lines, "member_id,reference,amount,quantity"), paid_by=Payer.MEMBER)
    assert desk.run()["status"] == "done"
    totals = desk.get().totals
    assert totals is not None
    assert (totals.points, totals.value) == (294, Money.of("32.50", "USD"))
    assert [(held(desk, at).points, str(held(desk, at).value)) for at in range(2)] == [
        (226, "25.00 USD"), (68, "7.50 USD"),
    ]  # fmt: skip
    assert desk.world.audit() == []


@pytest.mark.parametrize("last", ["45", "50"])  # the threshold is 100 USD
def test_up_to_the_threshold_nobody_is_asked(table: Table, last: str) -> None:
    desk = desk_of(table, 2, DOLLARS)
    desk.create(listing([f"{member(0)},A,50", f"{member(1)},B,{last}"], "member_id,reference,amount"))
    assert desk.run()["status"] == "done"


def test_above_it_by_the_sum_a_second_person_decides(table: Table) -> None:
    """50.00, 45.00 and 7.50 are 102.50 USD, above 100; nobody's points pay."""
    desk = desk_of(table, 3, DOLLARS)
    amounts = ["50", "45", "7.50"]
    lines = [f"{member(at)},R-{at},{one},USD" for at, one in enumerate(amounts)]
    desk.create(listing(lines, "member_id,reference,amount,currency"))
    assert desk.run() == {"status": "awaiting_approval"}
    totals = desk.get().totals
    assert totals is not None
    assert (totals.points, totals.value) == (0, Money.of("102.50", "USD"))
    desk.campaigns.decide(desk.world.program, SPRING, actor="bob", approve=True)
    assert desk.run()["status"] == "done"
    assert [held(desk, at).points for at in range(3)] == [0, 0, 0]
    assert desk.world.audit() == []


@pytest.mark.parametrize(
    ("lines", "heading", "said"),
    [
        (["{0},A,6"], "member_id,reference,amount", "line 2: 'card' is given for 5.00 to 50.00 USD"),
        (["{0},A,52.50"], "member_id,reference,amount", "line 2: 'card' is given for"),
        (["{0},A,10,EUR"], "member_id,reference,amount,currency", "line 2: 'card' is given for"),
        (["{0},A"], "member_id,reference", "line 2: Choose an amount of 'card'"),
    ],
)
def test_an_amount_that_there_is_not_is_refused_with_its_line(
    table: Table, lines: list[str], heading: str, said: str
) -> None:
    desk = desk_of(table, 1, DOLLARS)
    desk.create(listing([one.format(member(0)) for one in lines], heading))
    assert desk.run() == {"status": "refused"}
    assert said in (desk.get().problem or "")
    assert desk.holds(0) == 0


def test_of_several_currencies_a_column_says_which_and_a_list_is_in_one(table: Table) -> None:
    desk = desk_of(table, 2, DOLLARS, YEN)
    desk.create(listing([f"{member(0)},A,500"], "member_id,reference,amount"))
    assert desk.run() == {"status": "refused"}
    assert "name a column currency" in (desk.get().problem or "")
    heading = "member_id,reference,amount,currency"
    desk.create(listing([f"{member(0)},A,500,JPY", f"{member(1)},B,5,USD"], heading), campaign="both")
    assert desk.run("both") == {"status": "refused"}
    assert "line 3: it is in USD, and the lines before it are in JPY" in (desk.get("both").problem or "")
    desk.create(listing([f"{member(0)},A,500,JPY"], heading), campaign="yen")
    assert desk.run("yen")["status"] == "done"
    assert str(held(desk, 0).value) == "500 JPY"


def test_a_fixed_reward_takes_no_amount(table: Table) -> None:
    desk = Desk(table, 1)
    desk.create(listing([f"{member(0)},A,10,USD"], "member_id,reference,amount,currency"))
    assert desk.run() == {"status": "refused"}
    assert "line 2: 'card' has a fixed price" in (desk.get().problem or "")


def test_amounts_that_cost_more_by_now_stop_a_batch_unless_the_program_pays(table: Table) -> None:
    desk = desk_of(table, 1, DOLLARS)
    desk.world.accrue("R", "300", member=member(0))
    content = listing([f"{member(0)},A,10"], "member_id,reference,amount")
    requests = []
    for name, payer in (("theirs", Payer.MEMBER), ("ours", Payer.PROGRAM)):
        desk.create(content, campaign=name, paid_by=payer)
        request = CampaignRequest(program=ACME, campaign=name)
        requests.append((request, BatchRequest.model_validate(desk.steps.begin(request)[0]["batch"])))
    dearer = card(DOLLARS | {"points": 10})
    desk.world.program = program(2, rewards=[dearer], fulfillment=THRESHOLD)
    with pytest.raises(RewardChanged):
        desk.steps.batch(*requests[0])
    assert desk.steps.batch(*requests[1])["held"] == 1
    desk.world.program = program(3, rewards=[card(DOLLARS | {"most": "40"})], fulfillment=THRESHOLD)
    with pytest.raises(RewardChanged):
        desk.steps.batch(*requests[0])


def test_limits_are_for_what_members_choose_and_not_for_what_the_program_pays(table: Table) -> None:
    """One a month for each member: two lines of one member are both held where the program pays, one where they pay."""
    desk = desk_of(table, 1, DOLLARS, per_member=[{"per": "month", "count": 1}])
    desk.world.accrue("R", "1000", member=member(0))
    content = listing([f"{member(0)},A,10", f"{member(0)},B,10"], "member_id,reference,amount")
    desk.create(content)
    assert desk.run() == {"status": "done", "complete": True, "held": 2, "refused": 0}
    desk.create(content, campaign="paid", paid_by=Payer.MEMBER)
    assert desk.run("paid") == {"status": "unfinished", "complete": True, "held": 1, "refused": 1}
    assert desk.failures("paid") == ["3,B,reward_limit_reached"]
    assert (desk.get().status, desk.world.audit()) == (CampaignStatus.DONE, [])
