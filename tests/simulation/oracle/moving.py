"""What staff and members move by hand: adjustments, transfers, merges."""

from datetime import date

from tests.simulation.oracle.commands import Adjust, Decide, Give, Merge, Refused
from tests.simulation.oracle.earning import MOST_POINTS
from tests.simulation.oracle.ladders import STATUS
from tests.simulation.oracle.member import Adjusted, PlainMember
from tests.simulation.oracle.rules import Rules
from tests.simulation.oracle.tiers import add_tallies, merged, stand_at
from tests.simulation.oracle.world import PlainWorld, Replayed, Step, Steps, When

MOST_ABSORBED = 10


def adjust(world: PlainWorld, command: Adjust, when: When) -> Steps:
    """Points given or taken at once; what needs a second person is only written down."""
    home, root = world.member(command.member), world.root(command.member)
    name = world.names.adjustment(command.member, command.key)
    identity = f"adjustment:adjustment:{name}"
    if name in home.adjustments:
        if home.adjustments[name].adjust.content != command.content:
            raise Refused("idempotency_key_reused")
        raise Replayed(identity)
    _require_right(command, when.rules)
    if abs(command.points) > when.rules.limit("adjustment_points", 10_000):
        if -command.points > root.wallet(command.wallet).available:
            raise Refused("insufficient_points")
        home.adjustments[name] = Adjusted(command, "proposed")
        return
    _change(root, command, when)
    home.adjustments[name] = Adjusted(command, "posted")
    root.posted[identity] = command.content
    yield Step(root.member_id, identity, {"reason": command.reason, "actor": command.actor, "approved_by": None})


def propose(world: PlainWorld, command: Adjust, rules: Rules) -> None:
    """The record of an adjustment that waits for a second person. Whether there is enough is asked once more then.

    Raises:
        Refused: there is a record already, or it needs nobody else.
    """
    home, name = world.member(command.member), world.names.adjustment(command.member, command.key)
    _require_right(command, rules)
    if name in home.adjustments or abs(command.points) <= rules.limit("adjustment_points", 10_000):
        raise Refused("not_to_be_proposed")
    home.adjustments[name] = Adjusted(command, "proposed")


def decide(world: PlainWorld, command: Decide, when: When) -> Steps:
    """A second person approves, which posts, or rejects, which posts nothing."""
    if not command.approved and command.member not in world.members:
        raise Refused("adjustment_not_found")  # a record is looked for, and no member
    root = world.root(command.member)
    name = world.names.adjustment(command.adjust.member, command.adjust.key)
    # It lies with whom it was asked for: the member, or whoever is the same by now.
    homes = [world.members[one] for one in dict.fromkeys([command.member, *world.relatives(command.member)])]
    adjusted = next((home.adjustments[name] for home in homes if name in home.adjustments), None)
    if adjusted is None:
        raise Refused("adjustment_not_found")
    status = "posted" if command.approved else "rejected"
    identity = f"adjustment:adjustment:{name}"
    if adjusted.status == status and adjusted.decided_by == command.actor:
        raise Replayed(identity)
    if adjusted.status != "proposed":
        raise Refused(f"adjustment_already_{adjusted.status}")
    if adjusted.adjust.actor.lower() == command.actor.lower():
        raise Refused("second_person_required")
    if command.approved:
        _change(root, adjusted.adjust, when)
    adjusted.status, adjusted.decided_by = status, command.actor
    if command.approved:
        root.posted[identity] = command.actor
        facts = {"reason": adjusted.adjust.reason, "actor": adjusted.adjust.actor, "approved_by": command.actor}
        yield Step(root.member_id, identity, facts)


def give(world: PlainWorld, command: Give, when: When) -> Steps:
    """Points of one member go to another, to the same last days."""
    if command.member == command.to:
        raise Refused("transfer_to_self")
    name = world.names.transfer(command.member, command.key)
    world.member(command.member), world.member(command.to)
    try:
        for member in world.chain(command.member):
            world.require_new(member.member_id, f"transfer_out:transfer:{name}", command.content)
    except Refused:
        raise Refused("idempotency_key_reused") from None
    giver, receiver = world.root(command.member), world.root(command.to)
    if giver is receiver:
        raise Refused("transfer_to_self")
    day = when.day or when.today
    _require_giveable(giver, command, when.rules, day)
    points = giver.wallet(command.wallet).go_out(command.points, "transferred")
    receiver.wallet(command.wallet).come_in(points, "transferred")
    giver.given[day, command.wallet] += command.points
    out, into = f"transfer_out:transfer:{name}", f"transfer_in:transfer:{name}"
    giver.posted[out] = receiver.posted[into] = command.content
    yield Step(giver.member_id, out, {"other_member": receiver.member_id})
    yield Step(receiver.member_id, into, {"other_member": giver.member_id})


def merge(world: PlainWorld, command: Merge, when: When) -> Steps:
    """One member takes over another."""
    if command.member == command.absorbed:
        raise Refused("merge_with_self")
    into, gone = world.member(command.member), world.member(command.absorbed)
    merge_in, merge_out = f"merge_in:merge:{gone.member_id}", f"merge_out:merge:{into.member_id}"
    if merge_in in into.posted:
        raise Replayed(merge_in)
    if into.merged_into is not None or gone.merged_into is not None:
        raise Refused("member_merged")
    if gone.open_holds:
        raise Refused("member_has_open_holds")
    if len({*into.absorbed, gone.member_id, *gone.absorbed}) > MOST_ABSORBED:
        raise Refused("merge_limit_exceeded")
    add_tallies(world, into, gone, when)
    for name in list(gone.wallets):
        into.wallet(name).take_over(gone.wallet(name))
    into.absorbed = [*into.absorbed, gone.member_id, *gone.absorbed]
    gone.merged_into = into.member_id
    into.opened_at = min(into.opened_at, gone.opened_at)
    into.posted[merge_in] = gone.posted[merge_out] = None
    yield Step(into.member_id, merge_in, {"other_member": gone.member_id, "actor": command.actor})
    for ladder, after in merged(into, gone, when):
        source = "merge" if ladder.id == STATUS else f"merge.{ladder.id}"
        yield stand_at(into, ladder, after, f"tier:{source}:{gone.member_id}")
    yield Step(gone.member_id, merge_out, {"other_member": into.member_id, "actor": command.actor})


def _require_giveable(giver: PlainMember, command: Give, rules: Rules, day: date) -> None:
    terms = rules.transfers
    if terms is None:
        raise Refused("transfers_not_offered")
    if command.wallet not in rules.wallets:
        raise Refused("wallet_not_found")
    if command.wallet not in terms.get("wallets", ("points",)):
        raise Refused("wallet_not_transferable")
    if command.points < terms.get("minimum_points", 1):
        raise Refused("transfer_below_minimum")
    if command.points > terms["maximum_points"]:
        raise Refused("transfer_above_maximum")
    if giver.given[day, command.wallet] + command.points > terms["daily_points"]:
        raise Refused("daily_transfer_limit_exceeded")


def _require_right(command: Adjust, rules: Rules) -> None:
    if command.points == 0:
        raise Refused("adjustment_is_zero")
    if abs(command.points) > MOST_POINTS:
        raise Refused("points_limit_exceeded")
    if command.reason not in rules.reasons:
        raise Refused("adjustment_reason_unknown")
    if command.wallet not in rules.wallets:
        raise Refused("wallet_not_found")


def _change(root: PlainMember, command: Adjust, when: When) -> None:
    wallet = root.wallet(command.wallet)
    if command.points < 0:
        wallet.go_out(-command.points, "adjusted")
    else:
        lot = when.rules.expiry(command.wallet).last_day(when.today)
        wallet.come_in([lot] * command.points, "adjusted")
