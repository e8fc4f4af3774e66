"""What users of loyalty systems complain about, each complaint a test: it must never happen here.

All of them run on both DynamoDB engines, through the services that the functions use.
"""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from loyalty.accruals.errors import AccrualFullyReversed
from loyalty.core.errors import InsufficientPoints
from loyalty.core.table import Table
from loyalty.explaining.service import ExplainService
from loyalty.explaining.words import Unit, sentence
from loyalty.ledger.model import EntryKind
from loyalty.members.errors import AlreadyEnrolled
from loyalty.members.model import Profile
from loyalty.rewards.model import RedemptionStatus
from tests.apikit.members import Members
from tests.ledgerkit.moves import ADA, Moves
from tests.ledgerkit.programs import program
from tests.ledgerkit.world import MEMBER, World
from tests.unit.fulfillment.rig import Rig

pytestmark = pytest.mark.integration


def test_points_again_on_each_order_completed_event_or_retried_webhook(world: World) -> None:
    with ThreadPoolExecutor(8) as pool:
        posted = list(pool.map(lambda _: world.accrue("order-1", "100"), range(24)))
    world.clock.advance(days=40)
    posted.append(world.accrue("order-1", "100"))  # the shop completes the old order once more
    assert [one.replayed for one in posted].count(False) == 1
    assert world.proven().available == 100


def test_buy_refund_keep_the_points(world: World) -> None:
    world.accrue("order-1", "100")
    world.capture(world.hold("gone", "ten", 10)[0].redemption_id)
    world.refund("refund-1", "order-1", "100")
    assert world.proven().available == -100
    with pytest.raises(InsufficientPoints):
        world.hold("more", "ten")
    world.accrue("order-2", "130")  # the next points make up for the spent ones first
    assert world.proven().available == 30


def test_a_refund_that_takes_redeemed_points_twice(world: World) -> None:
    world.accrue("order-1", "100")
    world.accrue("order-2", "50")
    world.capture(world.hold("gone", "ten", 10)[0].redemption_id)
    world.refund("refund-1", "order-1", "60")
    world.refund("refund-1", "order-1", "60")
    world.refund("refund-2", "order-1", "40")
    assert world.proven().available == -50  # 150 earned, 100 spent, 100 taken back: nothing more
    with pytest.raises(AccrualFullyReversed):
        world.refund("refund-3", "order-1", "0.01")
    assert world.proven().available == -50


def test_points_that_expired_are_not_taken_back_a_second_time(world: World) -> None:
    world.accrue("order-1", "100")
    world.clock.set("2027-05-01T00:00:00Z")
    world.accrue("order-2", "70")
    world.refund("refund-1", "order-1", "100")
    assert world.proven().available == 70


def test_reversal_by_todays_rule_instead_of_the_rule_that_awarded(world: World) -> None:
    world.accrue("order-1", "100")
    rules = [{"id": "double", "activity": "purchase", "rates": [{"points": 2, "per": "1", "currency": "EUR"}]}]
    world.program = program(version=2, earn_rules=rules)
    world.accrue("order-2", "100")
    posted = world.refund("refund-1", "order-1", "50")
    assert posted.entry.points == -50
    assert posted.entry.facts.rules == {"points": "shop"}
    assert posted.entry.facts.program_version == 1
    assert world.proven().available == 250


def test_points_restored_twice_after_a_cancellation(world: World) -> None:
    world.accrue("order-1", "100")
    redemption = world.hold("one", "ten", 5)[0].redemption_id
    world.capture(redemption)
    with ThreadPoolExecutor(8) as pool:
        ended = list(pool.map(lambda _: world.cancel(redemption), range(16)))
    assert {one.status for one in ended} == {RedemptionStatus.CANCELLED}
    assert [entry.key.kind for entry in world.entries()].count(EntryKind.CANCELLATION) == 1
    assert world.proven().available == 100


def test_double_spend_by_two_tabs(world: World) -> None:
    world.accrue("order-1", "100")

    def tab(number: int) -> bool:
        try:
            world.hold(f"tab-{number}", "ten", 10)
        except InsufficientPoints:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(tab, range(16))) == 1
    assert (world.proven().available, world.wallet().held) == (0, 100)


def test_double_spend_by_a_double_click(world: World) -> None:
    world.accrue("order-1", "100")
    with ThreadPoolExecutor(8) as pool:
        held = list(pool.map(lambda _: world.hold("click", "ten"), range(16)))
    assert len({redemption.redemption_id for redemption, _ in held}) == 1
    assert world.proven().held == 10


def test_a_tier_driven_by_the_balance_instead_of_earnings(world: World) -> None:
    world.accrue("order-1", "500")
    world.recalculate("order-1")
    world.capture(world.hold("gone", "ten", 10)[0].redemption_id)
    world.accrue("order-2", "10")
    world.recalculate("order-2")
    assert world.book().tier == "silver"  # 500 were earned, whatever is left of them
    assert world.proven().available == 412


def test_a_tier_set_by_hand_that_becomes_a_floor_for_ever(table: Table) -> None:
    """No tier can be set by hand, and no correction by hand counts towards one."""
    moves = Moves(table).enroll(ADA)
    moves.adjust(900, key="a gift of the house")
    moves.world.accrue("order-1", "10", member=ADA)
    moves.world.recalculate("order-1", member=ADA)
    assert moves.world.book(ADA).tier == "bronze"
    assert moves.world.proven(ADA).available == 910


@pytest.mark.parametrize(
    ("zone", "last_moment"),
    [
        ("Pacific/Auckland", "2027-03-31T10:59:59.999Z"),
        ("Asia/Jakarta", "2027-03-31T16:59:59.999Z"),
        ("Europe/Rome", "2027-03-31T21:59:59.999Z"),
        ("America/Los_Angeles", "2027-04-01T06:59:59.999Z"),
    ],
)
def test_expiry_a_day_early_through_time_zones(world: World, zone: str, last_moment: str) -> None:
    world.program = program(time_zone=zone)
    world.accrue("order-1", "100")
    world.clock.set(last_moment)
    assert world.now().wallet().available == 100
    redemption = world.hold("last-minute", "ten")[0].redemption_id
    world.release(redemption)
    world.clock.advance(milliseconds=1)
    assert world.now().wallet().available == 0
    with pytest.raises(InsufficientPoints):
        world.hold("too-late", "ten")


def test_the_whole_balance_expires_because_there_are_no_lots(world: World) -> None:
    world.accrue("order-1", "100")
    world.clock.set("2026-06-15T12:00:00Z")
    world.accrue("order-2", "30")
    world.clock.set("2027-04-01T00:00:00Z")
    world.settle()
    assert world.proven().available == 30


def test_float_points(world: World) -> None:
    for number in range(1, 11):
        world.accrue(f"cents-{number}", "0.10")  # ten times a tenth of a point: ten roundings, each down
    world.accrue("odd", "268.28")
    world.accrue("one", "1")
    assert world.proven().available == 269
    for part in range(1, 4):
        world.refund(f"third-{part}", "one", "0.33")  # parts of one point: it goes with the last cent, not before
    assert world.proven().available == 269
    world.refund("rest", "one", "0.01")
    assert world.proven().available == 268
    assert all(type(points) is int for entry in world.entries() for points in (entry.points, entry.balances.available))


def test_two_gift_codes_for_one_order(rig: Rig) -> None:
    rig.faults({"fault": "duplicate"})
    for _ in range(3):
        rig.machine().run(rig.request())
    rig.fulfilled()


def test_no_way_to_read_a_gift_code_again(rig: Rig) -> None:
    rig.machine().run(rig.request())
    assert {rig.reveal() for _ in range(3)} == {rig.reveal()}
    rig.fulfilled()


def test_a_retry_after_a_time_out_with_a_fresh_key_charged_twice(rig: Rig) -> None:
    rig.faults({"fault": "late_after_success", "delay": 3})
    for _ in range(3):
        rig.machine().run(rig.request())
    rig.fulfilled()  # one order, under the redemption's own key: what became of it was asked, not assumed


def test_self_referral(members: Members) -> None:
    ada = members.enroll()
    current = members.programs.current("acme")
    with pytest.raises(AlreadyEnrolled):
        members.service.enroll(current, Profile(ada["email"]), referral_code=ada["referral_code"])
    with pytest.raises(AlreadyEnrolled):
        members.service.enroll(current, Profile(ada["email"].upper()), referral_code=ada["referral_code"])


def test_holds_ignored_in_the_balance_check(world: World) -> None:
    world.accrue("order-1", "100")
    world.hold("first", "ten", 6)
    with pytest.raises(InsufficientPoints):
        world.hold("second", "ten", 5)
    world.hold("third", "ten", 4)
    assert (world.proven().available, world.wallet().held) == (0, 100)


def test_no_way_to_see_why_a_balance_is_what_it_is(world: World) -> None:
    world.accrue("order-1", "100")
    world.clock.advance(days=1)
    before_the_hold = world.clock()
    world.clock.advance(days=1)
    redemption = world.hold("one")[0]
    world.capture(redemption.redemption_id)
    world.refund("refund-1", "order-1", "30")
    explaining, scope = ExplainService(world.store), world.program.scope
    then = explaining.explain(scope, MEMBER, before_the_hold, limit=10)
    assert then.book.wallet().available == 100
    assert [entry.entry_id for entry in then.entries] == ["accrual:pos:order-1"]
    now = explaining.explain(scope, MEMBER, world.clock() + timedelta(seconds=1), limit=10)
    assert now.book.wallet().available == 20
    texts = [sentence(entry, "points", Unit(), scope.zone) for entry in now.entries]
    assert texts[0] == "30 points earned by pos order-1 were taken back after a refund of 30.00 EUR."
    assert texts[1] == "50 points were spent on 'coffee'."
    assert texts[3].startswith("100 points for 'purchase' of 100.00 EUR (pos order-1), by rule 'shop'")
