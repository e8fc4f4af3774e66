"""Accruals, what is given back of them, and what was given back before they came."""

from datetime import date, timedelta

from tests.simulation.oracle.commands import Accrue, Refused, TakeBack
from tests.simulation.oracle.counting import count, counted, give_back, told_of, uncount, use, worth_of
from tests.simulation.oracle.days import ONE_DAY, end_of_month
from tests.simulation.oracle.earning import Earning
from tests.simulation.oracle.giving_back import Part, net_lines, part_of
from tests.simulation.oracle.member import Earned, PlainMember, Waiting
from tests.simulation.oracle.world import PlainWorld, Step, Steps, When

AHEAD = timedelta(minutes=5)
MOST_AWAITED = 20


def accrual_identity(source: str, source_id: str) -> str:
    return f"accrual:{source}:{source_id}"


def reversal_identity(refund: TakeBack) -> str:
    return f"reversal:{refund.source}:{refund.source_id}"


def accrue(world: PlainWorld, command: Accrue, when: When) -> Steps:
    """The accrual, the renewals that follow it, and the reversals that waited."""
    root = world.root(command.member)
    identity = accrual_identity(command.source, command.source_id)
    world.require_new(command.member, identity, command.content)
    if command.occurred_at > when.at + AHEAD:
        raise Refused("occurred_in_future")
    backdating = timedelta(days=when.rules.limit("backdating_days", 30))
    if command.occurred_at < root.opened_at - backdating:
        raise Refused("occurred_before_enrollment")
    worth = worth_of(world, command, root, when)
    earnings = worth.earnings
    lines = net_lines(command.lines, command.amount)
    earned = Earned(
        home=root.member_id,
        at=when.at,
        version=when.rules.version,
        policy=when.rules.policy,
        points={earning.wallet: earning.points for earning in earnings if earning.points},
        put={},
        matures={},
        counted=counted(root, command, worth, when),
        used={bound: (number, wallet) for (bound, wallet), number in worth.used.items()},
        paid=command.basis or command.amount,
        amount=command.amount,
        lines=lines,
    )
    for earning in earnings:
        _credit(root, earned, earning, when)
    count(root, earned, when)
    root.earned[identity] = earned
    root.posted[identity] = command.content
    use(world, root, {bound: number for bound, (number, _) in earned.used.items()})
    rules = {earning.wallet: earning.rule for earning in earnings}
    by_rule = {earning.wallet: {rule: part for rule, part in earning.by_rule.items() if part} for earning in earnings}
    facts: dict[str, object] = {
        "policy": earned.policy, "rules": rules, "amount": command.amount, "occurred_at": command.occurred_at,
        "rule_points": {wallet: parts for wallet, parts in by_rule.items() if parts}, "used": told_of(worth),
        "renewed": tuple(sorted(name for name in rules if when.rules.expiry(name).by_inactivity)),
    }  # fmt: skip
    yield Step(root.member_id, identity, facts)
    for earning in earnings:
        yield from renew(root, earning.wallet, identity, when)
    yield from _what_waited(world, command, root, earned, when)


def take_back(world: PlainWorld, command: TakeBack, when: When, *, clamp: bool = False) -> Steps:
    """A reversal.

    Raises:
        Refused: ``entry_not_found`` where its accrual has not come; then it can be kept.
    """
    root = world.root(command.member)
    world.require_new(command.member, reversal_identity(command), command.content)
    if command.occurred_at > when.at + AHEAD:
        raise Refused("occurred_in_future")
    earliest = root.opened_at - timedelta(days=when.rules.limit("backdating_days", 30))
    if command.occurred_at < earliest and not command.by_event:
        raise Refused("occurred_before_enrollment")
    earned = find(world, command)
    if earned is None:
        raise Refused("entry_not_found")
    part = part_of(earned, command, clamp=clamp)
    key, named = (command.source, command.source_id), {command.member, earned.home}
    waiting = {name: world.members[name].waiting.get(key) for name in [*named, *world.relatives(command.member)]}
    if any(one and one.code is None and one.refund.content != command.content for one in waiting.values()):
        raise Refused("entry_exists_with_different_request")
    step = _taken(world, root, command, earned, part=part, when=when)
    for name, one in waiting.items():
        if one and (name in named or one.code is None):
            del world.members[name].waiting[key]
    yield step


def keep(world: PlainWorld, command: TakeBack, when: When) -> None:
    """A reversal begins to wait for its accrual.

    Raises:
        Refused: its accrual is there, or too many wait for it.
        Replayed: it waits already, or was posted.
    """
    home = world.member(command.member)
    world.require_new(command.member, reversal_identity(command), command.content)
    if find(world, command) is not None:
        raise Refused("entry_found")
    standing = home.waiting.get((command.source, command.source_id))
    if standing is not None and standing.code is None:
        raise Refused("waits" if standing.refund.content == command.content else "entry_exists_with_different_request")
    if len(waiting_for(home, command.source, command.accrual_id)) >= MOST_AWAITED:
        raise Refused("too_many_awaited_reversals")
    home.waiting[command.source, command.source_id] = Waiting(command)


def keep_event(world: PlainWorld, command: TakeBack, when: When) -> str | None:
    """What was given back of a purchase that has not come by event is kept; why it is not, if it is not."""
    kept = world.kept.setdefault((command.source, command.accrual_id), {})
    if kept.setdefault(command.source_id, command.content) != command.content:
        return "entry_exists_with_different_request"
    return "occurred_in_future" if command.occurred_at > when.at + AHEAD else None


def waiting_for(home: PlainMember, source: str, accrual_id: str) -> list[Waiting]:
    """What waits for an accrual, in the order in which it was given back."""
    found = [
        one
        for one in home.waiting.values()
        if one.code is None and (one.refund.source, one.refund.accrual_id) == (source, accrual_id)
    ]
    return sorted(found, key=lambda one: (one.refund.occurred_at, one.refund.source_id))


def find(world: PlainWorld, command: TakeBack) -> Earned | None:
    """The accrual: of the member that is named, of who that is by now, of whoever is the same."""
    identity = accrual_identity(command.source, command.accrual_id)
    for home in dict.fromkeys([command.member, *world.relatives(command.member)]):
        if identity in world.members[home].earned:
            return world.members[home].earned[identity]
    return None


def renew(root: PlainMember, wallet: str, cause: str, when: When) -> Steps:
    """What follows from an activity, where inactivity is what makes points expire."""
    expiry = when.rules.expiry(wallet)
    if expiry.by_inactivity and root.wallet(wallet).renew(expiry.last_day(when.today)):
        yield Step(root.member_id, f"renewal:{wallet}:{cause}")


def _credit(root: PlainMember, earned: Earned, earning: Earning, when: When) -> None:
    wallet, expiry = root.wallet(earning.wallet), when.rules.expiry(earning.wallet)
    if not earning.return_days:
        lot, before = expiry.last_day(when.today), len(wallet.free)
        wallet.come_in([lot] * earning.points, "issued")
        earned.put[earning.wallet] = lot, len(wallet.free) - before
    elif earning.points:
        first = when.today + earning.return_days * ONE_DAY
        lot = expiry.last_day(first)
        wallet.pending += [(first.isoformat(), lot)] * earning.points
        wallet.outside["issued"] -= earning.points
        earned.put[earning.wallet] = lot, earning.points
        earned.matures[earning.wallet] = first.isoformat()


def _what_waited(world: PlainWorld, command: Accrue, root: PlainMember, earned: Earned, when: When) -> Steps:
    """Whoever it was sent to; what was sent to two of them is posted once."""
    homes = [world.members[name] for name in dict.fromkeys([command.member, *world.relatives(command.member)])]
    found = [(home, one) for home in homes for one in waiting_for(home, command.source, command.source_id)]
    done: dict[str, object] = {}
    for home, waiting in sorted(found, key=lambda pair: (pair[1].refund.occurred_at, pair[1].refund.source_id)):
        refund = waiting.refund
        try:
            if done.get(refund.source_id) != refund.content:
                if any(reversal_identity(refund) in one.posted for one in homes):
                    raise Refused("entry_exists_with_different_request")  # noqa: TRY301 - as any other refusal
                step = _taken(world, root, refund, earned, part=part_of(earned, refund), when=when)
                done[refund.source_id] = refund.content
                yield step
            del home.waiting[refund.source, refund.source_id]
        except Refused as refusal:
            waiting.code = refusal.code


def _taken(world: PlainWorld, root: PlainMember, refund: TakeBack, earned: Earned, *, part: Part, when: When) -> Step:
    """Takes the part of every wallet, or of none."""
    before = {name: wallet.copy() for name, wallet in root.wallets.items()}
    expired = {
        name: _expired(world, root, earned, name, points=points, when=when) for name, points in part.points.items()
    }
    try:
        for name, points in part.points.items():
            _take(root, earned, name, points, _count_of(expired[name]))
    except Refused:
        root.wallets = before
        raise
    for name, found in expired.items():
        if found is not None:
            home, lot, count = found
            world.members[home].wallet(name).expired[lot] -= count
            earned.lapsed[name] += count
    uncount(root, earned, part)
    give_back(world, earned, part)
    earned.money_back, earned.lines_back, earned.whole = (
        part.after.money_back, part.after.lines_back, part.after.whole,
    )  # fmt: skip
    earned.taken, earned.reversals = part.after.taken, part.after.reversals
    identity = reversal_identity(refund)
    root.posted[identity] = refund.content
    facts = {"reason": refund.reason, "worth": part.worth, "lines": part.lines, "occurred_at": refund.occurred_at}
    return Step(root.member_id, identity, facts)


def _count_of(found: tuple[str, str, int] | None) -> int:
    return 0 if found is None else found[2]


def _take(root: PlainMember, earned: Earned, name: str, points: int, expired: int) -> None:
    wallet = root.wallet(name)
    lot, put = earned.put.get(name, ("", 0))
    bucket = earned.matures.get(name, ""), lot
    if bucket in wallet.pending:
        wallet.take_back_pending(points, bucket)
    else:
        wallet.take_back(points, expired, [lot] if put else [], earned.policy)


def _expired(
    world: PlainWorld, root: PlainMember, earned: Earned, name: str, *, points: int, when: When
) -> tuple[str, str, int] | None:
    """How many of the points are gone already by expiry: with whose lot, and which."""
    lot, put = earned.put.get(name, ("", 0))
    still_pending = (earned.matures.get(name, ""), lot) in root.wallet(name).pending
    if not (points and put) or still_pending or lot >= when.today.isoformat():
        return None
    if name in earned.matures:
        put = min(put, _not_paid_as_debt(world, earned, name))
    most = min(points, put - earned.lapsed[name])
    renewed = any(rules.expiry(name).by_inactivity for rules in (world.rules[earned.version], when.rules))
    for member in world.chain(earned.home):
        gone = member.wallet(name).expired
        lots = [other for other in sorted(gone) if other == lot or (renewed and other > lot and _ends_month(other))]
        if lots:
            return member.member_id, lots[0], max(0, min(most, gone[lots[0]]))
    return None


def _not_paid_as_debt(world: PlainWorld, earned: Earned, name: str) -> int:
    """What was left of the points that matured with these once everything that was owed had been paid."""
    bucket = earned.matures[name], earned.put[name][0]
    found = [member.wallet(name).matured.get(bucket) for member in world.chain(earned.home)]
    return next(count for count in found if count is not None)


def _ends_month(lot: str) -> bool:
    """Whether points can have been renewed until then."""
    return end_of_month(date.fromisoformat(lot)).isoformat() == lot
