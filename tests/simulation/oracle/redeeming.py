"""Holds, and how they end."""

from datetime import timedelta

from tests.simulation.oracle.accruals import renew
from tests.simulation.oracle.commands import EndHold, HoldPoints, Refused
from tests.simulation.oracle.earning import MOST_POINTS
from tests.simulation.oracle.member import PlainMember, Redeemed
from tests.simulation.oracle.rules import MAIN
from tests.simulation.oracle.world import PlainWorld, Replayed, Step, Steps, When

MOST_HOLDS = 20
_FOLLOWS = {"captured": "held", "released": "held", "cancelled": "captured"}
_KINDS = {"captured": "capture", "released": "release", "cancelled": "cancellation"}
_IN_THE_WAY = {
    "held": "redemption_not_captured",
    "captured": "redemption_already_captured",
    "released": "redemption_already_released",
    "timed_out": "redemption_timed_out",
    "cancelled": "redemption_already_cancelled",
}


def hold(world: PlainWorld, command: HoldPoints, when: When) -> Steps:
    """Points set aside, and the renewal that follows."""
    for member in world.chain(command.member):
        identity = f"hold:redemption:{world.names.redemption(member.member_id, command.key)}"
        try:
            world.require_new(member.member_id, identity, command.content)
        except Refused:
            raise Refused("idempotency_key_reused") from None
    root = world.root(command.member)
    name = world.names.redemption(root.member_id, command.key)
    reward = when.rules.reward(command.reward)
    if reward is None:
        raise Refused("reward_not_found")
    if not 1 <= command.quantity <= when.rules.limit("redemption_quantity", 10):
        raise Refused("quantity_limit_exceeded")
    points = reward["points"] * command.quantity
    if points > MOST_POINTS:
        raise Refused("points_limit_exceeded")
    minutes = _minutes(command, when, gift_card=reward["type"] == "gift_card")
    if minutes is not None and len(root.timed_holds) >= MOST_HOLDS:
        raise Refused("too_many_holds")
    wallet = str(reward.get("wallet", MAIN))
    lots = root.wallet(wallet).hold(points, name)
    deadline = None if minutes is None else when.at + timedelta(minutes=minutes)
    root.redemptions[name] = Redeemed(root.member_id, command, reward["type"], lots, deadline, wallet)
    identity = f"hold:redemption:{name}"
    root.posted[identity] = command.content
    yield Step(root.member_id, identity, {"hold_expires_at": deadline})
    yield from renew(root, wallet, identity, when)


def end(world: PlainWorld, command: EndHold, when: When) -> Steps:
    """A hold's end, or the cancellation of a captured one."""
    root = world.root(command.member)
    name, redeemed = _find(world, command)
    identity = f"{_KINDS[command.how]}:redemption:{name}"
    if not any(identity in world.members[one].posted for one in world.relatives(command.member)):
        _require_party(command, redeemed)  # whoever it is is told what became of it, once it has happened
    wanted = None
    if command.how == "captured":
        wanted = len(redeemed.points) if command.points is None else command.points
    if redeemed.status != _FOLLOWS[command.how]:
        if redeemed.status == command.how and wanted in {None, redeemed.captured}:
            raise Replayed(identity)
        raise Refused(_IN_THE_WAY[redeemed.status])
    if wanted is not None and not 1 <= wanted <= len(redeemed.points):
        raise Refused("capture_exceeds_hold")
    _move(root, name, redeemed, command.how, captured=wanted or 0, when=when)
    root.posted[identity] = command.how
    yield Step(root.member_id, identity, {})


def _move(root: PlainMember, name: str, redeemed: Redeemed, how: str, *, captured: int, when: When) -> None:
    wallet, grace = root.wallet(redeemed.wallet), when.rules.expiry(redeemed.wallet).grace_days
    if how == "cancelled":
        wallet.give_back(redeemed.spent, "redeemed", today=when.today, grace_days=grace)
    else:
        redeemed.captured = captured
        points = sorted(redeemed.points)
        wallet.outside["redeemed"] += captured
        del wallet.held[name]
        wallet.give_back(points[captured:], "held", today=when.today, grace_days=grace)
    redeemed.status = how


def _find(world: PlainWorld, command: EndHold) -> tuple[str, Redeemed]:
    for home in dict.fromkeys([command.member, *world.relatives(command.member)]):
        for name, redeemed in world.members[home].redemptions.items():
            asked = (redeemed.hold.member, redeemed.hold.key) == (command.hold.member, command.hold.key)
            if asked if command.name is None else name == command.name:
                return name, redeemed
    raise Refused("redemption_not_found")


def _require_party(command: EndHold, redeemed: Redeemed) -> None:
    party = "fulfillment" if redeemed.reward_type == "gift_card" else "partner"
    if command.how == "cancelled" and party not in {"partner", command.by}:
        raise Refused("redemption_not_cancellable")
    if command.by != party:
        raise Refused("fulfillment_in_progress")


def _minutes(command: HoldPoints, when: When, *, gift_card: bool) -> int | None:
    if gift_card:
        if command.minutes is not None:
            raise Refused("hold_minutes_not_allowed")
        return None
    most = when.rules.limit("hold_minutes", 10_080)
    minutes = most if command.minutes is None else command.minutes
    if not 1 <= minutes <= most:
        raise Refused("hold_minutes_limit_exceeded")
    return minutes
