"""Caps and budgets over many activities: what is used, what is given back, and that nobody passes them."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from loyalty.accruals.awaited import Kept
from loyalty.accruals.limits import SHARDS, share_of
from loyalty.accruals.model import Activity, Refund
from loyalty.core.table import RawItem, Table
from loyalty.ledger.draft import Posted
from loyalty.programs.model import Program
from tests.ledgerkit.calls import recorded
from tests.ledgerkit.clock import at
from tests.ledgerkit.deeds import BASE_RULE, eur, rule
from tests.ledgerkit.interleaving import interrupted
from tests.ledgerkit.programs import program
from tests.ledgerkit.world import MEMBER, NOON, World
from tests.unit.accruals.rules import merge

CAMPAIGN = {"id": "sale", "name": "Sale", "starts_at": "2026-03-01T00:00", "ends_at": "2026-04-01T00:00"}
REVIEW = {"id": "review", "activity": "review", "fixed_points": 10}


def capped(*caps: dict[str, Any], **more: Any) -> Program:
    return program(earn_rules=[{**REVIEW, **more, "caps": list(caps)}])


def budgeted(points: int, *, fixed: int = 30, caps: Sequence[dict[str, Any]] = (), when: str = "partial") -> Program:
    campaign = {**CAMPAIGN, "budget_points": points, "caps": list(caps), "when_exhausted": when}
    return program(earn_rules=[{**REVIEW, "fixed_points": fixed, "campaign": "sale"}], campaigns=[campaign])


def review(world: World, source_id: str, member: str = MEMBER, on: str | None = None) -> int:
    occurred_at = at(on) if on else None
    entry = world.accrue(source_id, None, activity="review", member=member, occurred_at=occurred_at).entry
    return entry.points


def counts(world: World, member: str = MEMBER) -> dict[str, dict[str, int]]:
    """By window, what is counted of a member."""
    return {
        sk.removeprefix("CAPS#"): {name: int(number["N"]) for name, number in raw["used"]["M"].items()}
        for (pk, sk), raw in world.dump().items()
        if sk.startswith("CAPS#") and pk.endswith(member)
    }


def spent(world: World) -> dict[str, int]:
    """By shard, what is spent of the budget."""
    return {pk[-2:]: int(raw["spent"]["N"]) for (pk, _), raw in world.dump().items() if pk.startswith("B#acme#sale#")}


def test_a_cap_of_points_is_shared_by_the_activities_of_its_window(table: Table) -> None:
    world = World(table, of=capped({"per": "day", "points": 25})).enroll()
    assert [review(world, f"V-{number}") for number in range(4)] == [10, 10, 5, 0]
    assert counts(world) == {"2026-03-15": {"rule:review|points": 25}}
    assert review(world, "V-9", on="2026-03-14T12:00:00Z") == 10  # another day, whenever it is told
    assert review(world, "V-0") == 10  # a repeat
    assert world.proven().available == 35


def test_a_cap_of_times_counts_activities(table: Table) -> None:
    world = World(table, of=capped({"per": "week", "times": 2}, {"per": "ever", "points": 35})).enroll()
    given = [review(world, f"V-{number}", on=f"2026-03-{day:02}T12:00:00Z") for number, day in enumerate([9, 10, 11])]
    assert given == [10, 10, 0]
    world.clock.set("2026-03-17T12:00:00Z")
    assert [review(world, f"W-{number}", on="2026-03-16T12:00:00Z") for number in range(2)] == [10, 5]
    assert counts(world) == {
        "2026-W11": {"rule:review|times": 2},
        "2026-W12": {"rule:review|times": 2},
        "ever": {"rule:review|points": 35},
    }
    assert world.audit() == []


def test_caps_are_each_member_s_own(table: Table) -> None:
    world = World(table, of=capped({"per": "day", "times": 1})).enroll("mbr_a", "mbr_b")
    assert [review(world, name, member=f"mbr_{name[0]}") for name in ("a-1", "b-1", "a-2")] == [10, 10, 0]


def test_what_is_taken_back_may_be_earned_again(table: Table) -> None:
    caps = [{"per": "day", "points": 100}, {"per": "day", "times": 1}]
    world = World(table, of=program(earn_rules=[{**BASE_RULE, "caps": caps}])).enroll()
    assert world.accrue("R-1", "80").entry.points == 80
    world.refund("F-1", "R-1", "40")
    assert counts(world) == {"2026-03-15": {"rule:base|points": 40, "rule:base|times": 1}}
    assert world.audit() == []
    assert world.accrue("R-2", "80").entry.points == 0  # once a day, and it was once
    world.refund("F-2", "R-1", everything=True)
    assert counts(world) == {"2026-03-15": {}}
    assert world.accrue("R-3", "80").entry.points == 80
    assert world.proven().available == 80


def test_a_refund_that_waited_gives_room_back_in_the_accrual_s_own_transaction(table: Table) -> None:
    world = World(table, of=program(earn_rules=[{**BASE_RULE, "caps": [{"per": "day", "points": 100}]}])).enroll()
    early = Refund("pos", "F-1", "R-1", NOON, eur("30"))
    assert isinstance(world.reversals.reverse(world.program, MEMBER, early), Kept)
    world.accrue("R-1", "80")
    assert counts(world) == {"2026-03-15": {"rule:base|points": 50}}
    assert world.accrue("R-2", "80").entry.points == 50
    whole = Refund("pos", "F-2", "R-3", NOON, everything=True)
    world.reversals.reverse(world.program, MEMBER, whole)
    world.accrue("R-3", "80", occurred_at=at("2026-03-14T12:00:00Z"))
    assert counts(world).get("2026-03-14", {}) == {}
    assert world.audit() == []


def test_who_was_merged_brings_what_they_used(table: Table) -> None:
    world = World(table, of=capped({"per": "day", "points": 25})).enroll("mbr_a", "mbr_b")
    assert review(world, "V-1", member="mbr_a") == 10
    assert review(world, "V-2", member="mbr_b") == 10
    merge(world, "mbr_a", "mbr_b")
    assert [review(world, "V-3", member="mbr_b"), review(world, "V-4", member="mbr_a")] == [5, 0]
    world.refund("F-1", "V-1", everything=True, member="mbr_b")
    assert (counts(world, "mbr_a"), counts(world, "mbr_b")) == (
        {"2026-03-15": {}},
        {"2026-03-15": {"rule:review|points": 15}},
    )
    assert review(world, "V-5", member="mbr_a") == 10
    assert world.audit() == []


def test_a_program_without_caps_reads_and_writes_what_it_did(table: Table) -> None:
    world = World(table).enroll()
    with recorded(table.client) as calls:
        world.accrue("R-1", "100")
    assert calls.names == ["GetItem", "TransactWriteItems"]


def test_caps_and_a_budget_with_enough_left_cost_no_round_trip(table: Table) -> None:
    world = World(table, of=budgeted(16_000, caps=[{"per": "day", "times": 3}])).enroll()
    with recorded(table.client) as calls:
        assert review(world, "V-1") == 30
    assert calls.names == ["BatchGetItem", "TransactWriteItems"]


def test_many_of_one_batch_pass_no_cap(table: Table) -> None:
    world = World(table, of=capped({"per": "day", "points": 25})).enroll()
    postings = [
        world.accruals.posting(world.program, Activity("review", "pos", f"V-{number}", NOON)) for number in range(5)
    ]
    posted = world.accruals.post_all(world.program, MEMBER, postings)
    assert [one.entry.points for one in posted if isinstance(one, Posted)] == [10, 10, 5, 0, 0]
    assert world.audit() == []


@pytest.mark.parametrize("budget", [100, 16 * 30, 7])
@pytest.mark.parametrize("when", ["partial", "nothing"])
def test_all_of_a_budget_is_given_and_no_more(table: Table, budget: int, when: str) -> None:
    members = [f"mbr_{number:02}" for number in range(8)]
    world = World(table, of=budgeted(budget, when=when)).enroll(*members)
    given = [review(world, f"V-{number}", member=members[number % 8]) for number in range(20)]
    expected = [min(30, max(0, budget - 30 * number)) for number in range(20)]
    assert given == (expected if when == "partial" else [30 if points == 30 else 0 for points in expected])
    assert sum(spent(world).values()) == sum(given)
    assert all(spent(world)[shard] <= share_of(budget, int(shard)) for shard in spent(world))
    assert world.audit() == []


def test_a_budget_gets_back_what_is_taken_back_where_it_came_from(table: Table) -> None:
    world = World(table, of=budgeted(100)).enroll()
    given = [review(world, f"V-{number}") for number in range(4)]
    assert given == [30, 30, 30, 10]
    world.refund("F-1", "V-1", everything=True)
    assert sum(spent(world).values()) == 70
    assert review(world, "V-9") == 30
    assert sum(spent(world).values()) == 100
    for number in (0, 2, 3, 9):
        world.refund(f"F-{number}9", f"V-{number}", everything=True)
    assert set(spent(world).values()) == {0}
    assert world.proven().available == 0


def test_a_rule_that_loses_to_another_by_a_budget_s_shard_alone_wins(table: Table) -> None:
    """One shard has 6 of the 100 left, and all together enough."""
    rules = [
        {**REVIEW, "fixed_points": 30, "campaign": "sale", "group": "g"},
        {**REVIEW, "id": "less", "fixed_points": 10, "group": "g"},
    ]
    of = program(earn_rules=rules, campaigns=[{**CAMPAIGN, "budget_points": 100}])
    assert review(World(table, of=of).enroll(), "V-1") == 30


def test_two_who_post_at_once_share_what_is_left(table: Table) -> None:
    """The other's posting comes between this one's read and its write, on the same shard."""
    world = World(table, of=budgeted(40)).enroll("mbr_a", "mbr_b")
    with interrupted(table.client, lambda: review(world, "V-1", member="mbr_b")):
        first = review(world, "V-2", member="mbr_a")
    assert (first, world.wallet("mbr_b").available) == (10, 30)
    assert sum(spent(world).values()) == 40
    assert world.audit() == []


def test_two_who_post_for_one_member_at_once_pass_no_cap(table: Table) -> None:
    world = World(table, of=capped({"per": "day", "points": 15})).enroll()
    with interrupted(table.client, lambda: review(world, "V-1")):
        assert review(world, "V-2") == 5
    assert world.proven().available == 15


def test_a_cap_that_was_read_before_another_posting_is_read_again(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One read of several items is not of one moment: the book is newer here than what the cap counts."""
    world = World(table, of=capped({"per": "day", "points": 15})).enroll()
    review(world, "V-1")
    whole, torn = table.get_many, [True]

    def get_many(keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], RawItem]:
        found = whole(keys)
        return {key: raw for key, raw in found.items() if "CAPS" not in key[1]} if torn and torn.pop() else found

    monkeypatch.setattr(table, "get_many", get_many)
    assert review(world, "V-2") == 5
    assert not torn
    assert world.proven().available == 15


def tear(
    table: Table, monkeypatch: pytest.MonkeyPatch, counts_then: Mapping[tuple[str, str], RawItem], times: int
) -> None:
    """The next reads of a cap find what was counted then, beside a book of now."""
    whole, left = table.get_many, [True] * times

    def get_many(keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], RawItem]:
        found = whole(keys)
        if not (left and any("CAPS" in sk for _, sk in keys)):
            return found
        left.pop()
        kept = {key: raw for key, raw in found.items() if "CAPS" not in key[1]}
        return kept | {key: raw for key, raw in counts_then.items() if key in keys}

    monkeypatch.setattr(table, "get_many", get_many)


def test_what_was_given_back_before_is_there_though_the_count_was_read_before(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing of the cap would be used, so that no write of it says that it has changed."""
    world = World(table, of=capped({"per": "day", "points": 10})).enroll()
    assert review(world, "V-1") == 10
    full = {key: raw for key, raw in world.dump().items() if "CAPS" in key[1]}
    assert full
    world.refund("F-1", "V-1", everything=True)
    tear(table, monkeypatch, full, 1)
    assert review(world, "V-2") == 10


def test_what_is_set_off_by_a_refund_that_waited_passes_no_cap_either(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(table, of=capped({"per": "day", "points": 10})).enroll()
    world.reversals.reverse(world.program, MEMBER, Refund("pos", "F-2", "V-2", NOON, everything=True))
    assert review(world, "V-1") == 10
    tear(table, monkeypatch, {}, 3)
    entry = world.accrue("V-2", None, activity="review").entry
    assert (entry.points, entry.facts.used) == (0, {})
    assert world.audit() == []


def test_a_rule_that_a_budget_leaves_less_than_a_point_drops_out(table: Table) -> None:
    """A fifth of a point would be rounded down and use nothing; the next of its group gives ten."""
    rules = [
        {**REVIEW, "fixed_points": 30, "campaign": "sale"},
        {
            **BASE_RULE,
            "rates": [{"points": 1, "per": "100", "currency": "EUR"}],
            "campaign": "sale",
            "group": "g",
            "priority": 1,
        },
        {**BASE_RULE, "id": "gift", "rates": [], "fixed_points": 10, "group": "g"},
    ]
    world = World(table, of=program(earn_rules=rules, campaigns=[{**CAMPAIGN, "budget_points": 30}])).enroll()
    assert review(world, "V-1") == 30
    assert world.accrue("R-1", "20").entry.points == 10


def test_a_rule_of_a_used_up_budget_keeps_none_of_its_group_from_counting_though_it_loses_to_a_third(
    table: Table,
) -> None:
    """Nothing is left for the first of the group, so that the gift of 30 counts and is more than 20 for the purchase."""
    rules = [
        {**REVIEW, "fixed_points": 30, "campaign": "sale"},
        BASE_RULE,
        {
            **BASE_RULE,
            "id": "rush",
            "rates": [{"points": 7, "per": "10", "currency": "EUR"}],
            "campaign": "sale",
            "group": "g",
            "priority": 1,
        },
        {**BASE_RULE, "id": "gift", "rates": [], "fixed_points": 30, "group": "g"},
    ]
    of = program(earn_rules=rules, stacking="best", campaigns=[{**CAMPAIGN, "budget_points": 30}])
    world = World(table, of=of).enroll()
    assert review(world, "V-1") == 30
    assert world.accrue("R-1", "20").entry.points == 30


def test_where_a_cap_leaves_nothing_a_foreign_currency_is_no_reason_to_refuse(table: Table) -> None:
    gift = {**BASE_RULE, "id": "gift", "rates": [], "fixed_points": 5, "caps": [{"per": "day", "times": 1}]}
    world = World(table, of=program(earn_rules=[BASE_RULE, gift])).enroll()
    assert [world.accrue(name, "10", currency="GBP").entry.points for name in ("R-1", "R-2")] == [5, 0]


def test_a_budget_that_others_write_all_the_time_is_read_again(table: Table) -> None:
    """Five of them are quicker, one after the other."""
    world = World(table, of=budgeted(40)).enroll("mbr_a", "mbr_b")
    left = [f"Q-{number}" for number in range(5)]

    def quicker(**_: Any) -> None:
        if left and not busy:
            busy.append(left[-1])
            review(world, left.pop(), member="mbr_b")
            busy.clear()

    busy: list[str] = []
    table.client.meta.events.register("provide-client-params.dynamodb.TransactWriteItems", quicker)
    try:
        assert review(world, "V-1", member="mbr_a") == 0
    finally:
        table.client.meta.events.unregister("provide-client-params.dynamodb.TransactWriteItems", quicker)
    assert (sum(spent(world).values()), world.wallet("mbr_b").available) == (40, 40)
    assert world.audit() == []


def test_a_preview_sees_what_is_left_and_uses_nothing(table: Table) -> None:
    world = World(table, of=budgeted(40, caps=[{"per": "day", "points": 35}])).enroll("mbr_a", "mbr_b")
    activity = Activity("review", "pos", "V-2", NOON)
    assert world.accruals.preview(world.program, "mbr_a", activity).earned[0].points == 30
    review(world, "V-1", member="mbr_a")
    before = world.dump()
    again = world.accruals.preview(world.program, "mbr_a", activity)
    other = world.accruals.preview(world.program, "mbr_b", activity)
    assert (again.earned[0].points, again.rules[0].reason) == (5, "capped")
    assert (other.earned[0].points, other.rules[0].reason) == (10, "budget_exhausted")
    assert world.dump() == before


def test_a_budget_that_is_lowered_gives_nothing_more(table: Table) -> None:
    world = World(table, of=budgeted(100)).enroll()
    assert review(world, "V-1") == 30
    lower = World(table, of=Program(version=2, document=budgeted(20).document), clock=world.clock)
    assert review(lower, "V-2") == 0


def test_shares_add_up() -> None:
    assert all(sum(share_of(budget, shard) for shard in range(SHARDS)) == budget for budget in (1, 15, 16, 17, 1000))


def test_rules_by_amount_use_what_they_give(table: Table) -> None:
    double = rule("double", multiplier="2", campaign="sale")
    of = program(earn_rules=[BASE_RULE, double], campaigns=[{**CAMPAIGN, "budget_points": 50}])
    world = World(table, of=of).enroll()
    assert world.accrue("R-1", "80").entry.points == 130
    world.refund("F-1", "R-1", "40")  # half of the 130, and of the 50
    assert (sum(spent(world).values()), world.proven().available) == (25, 65)


@pytest.mark.parametrize("off", [1, -1])
def test_a_budget_that_is_off_is_found(table: Table, off: int) -> None:
    world = World(table, of=budgeted(1600)).enroll()
    review(world, "V-1")
    ((key, raw),) = [(key, raw) for key, raw in world.dump().items() if key[0].startswith("B#")]
    wrong = {**raw, "spent": {"N": str(int(raw["spent"]["N"]) + off)}}
    table.client.put_item(TableName=table.name, Item=wrong)
    (finding,) = world.audit()
    assert (finding.code, finding.program, finding.where) == ("budget_wrong", "acme", key[0])


def test_a_budget_of_which_nothing_is_said_is_found(table: Table) -> None:
    world = World(table, of=budgeted(1600)).enroll()
    review(world, "V-1")
    ((pk, sk),) = [key for key in world.dump() if key[0].startswith("B#")]
    table.client.delete_item(TableName=table.name, Key={"pk": {"S": pk}, "sk": {"S": sk}})
    assert [finding.code for finding in world.audit()] == ["budget_wrong"]
