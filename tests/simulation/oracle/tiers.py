"""What changes tiers between two reviews: what was earned or given back, what staff grant, who turns out to be one."""

from datetime import date, timedelta

from tests.simulation.oracle.commands import EndGrant, Grant, Recalculate, Refused
from tests.simulation.oracle.ladders import STATUS, Ladder, Reached, Stand, last_day, ungranted
from tests.simulation.oracle.member import PlainMember
from tests.simulation.oracle.standings import joined, year_of
from tests.simulation.oracle.world import PlainWorld, Step, Steps, When

LONGEST_GRANT = timedelta(days=5 * 366)


def recalculate(world: PlainWorld, command: Recalculate, when: When) -> Steps:
    """What the period earns in which the cause was posted, and what is left of a tier after a refund."""
    root = world.root(command.member)
    identity = f"tier:tier_recalculation:{command.cause}"
    world.require_new(command.member, identity, None)
    if command.posted_at is None:
        raise AssertionError
    earned_on = when.rules.calendar.date_of(command.posted_at)
    changed = []
    for ladder in when.rules.ladders:
        before = root.standings.stand(ladder)
        after = _recalculated(root, ladder, earned_on, when, refunded=command.cause.startswith("reversal:"))
        if after != before:
            changed.append((ladder, after))
    for place, (ladder, after) in enumerate(changed):
        own = identity if place == 0 else f"tier:tier_recalculation.{ladder.id}:{command.cause}"
        root.posted[own] = None
        yield stand_at(root, ladder, after, own)


def grant(world: PlainWorld, command: Grant, when: When) -> Steps:
    """A floor through its last day; an earlier grant on the ladder ends."""
    root = world.root(command.member)
    identity = f"tier:tier_grant:{world.names.tier_grant(command.member, command.key)}"
    ladder = _new_and_right(world, command, identity, when)
    if ladder.rank(command.tier) == 0:
        raise Refused("tier_unknown")
    if not when.today <= command.until <= when.today + LONGEST_GRANT:
        raise Refused("tier_grant_date_refused")
    after = ladder.granted(root.standings.stand(ladder), command.tier, command.until)
    root.posted[identity] = command.content
    yield stand_at(root, ladder, after, identity, reason=command.reason, actor=command.actor)


def end_grant(world: PlainWorld, command: EndGrant, when: When) -> Steps:
    """What is earned is what counts from now on."""
    root = world.root(command.member)
    identity = f"tier:tier_grant_end:{world.names.tier_grant(command.member, command.key)}"
    ladder = _new_and_right(world, command, identity, when)
    stand = root.standings.stand(ladder)
    if stand.granted is None:
        raise Refused("tier_not_granted")
    root.posted[identity] = command.content
    yield stand_at(root, ladder, ungranted(stand), identity, reason=command.reason, actor=command.actor)


def _new_and_right(world: PlainWorld, command: Grant | EndGrant, identity: str, when: When) -> Ladder:
    try:
        world.require_new(command.member, identity, command.content)
    except Refused:
        raise Refused("idempotency_key_reused") from None
    ladder = next((one for one in when.rules.ladders if one.id == command.ladder), None)
    if ladder is None:
        raise Refused("ladder_not_found")
    if command.reason not in when.rules.reasons:
        raise Refused("adjustment_reason_unknown")
    return ladder


def merged(into: PlainMember, gone: PlainMember, when: When) -> list[tuple[Ladder, Stand]]:
    """Where the survivor stands on ladders where that changes. The tallies are those of both, and added already."""
    found = []
    for ladder in when.rules.ladders:
        before = into.standings.stand(ladder)
        after = joined(ladder, before, gone.standings.stand(ladder))
        reached = ladder.reached(into.standings.tallies, when.today, into.enrolled(when.rules))
        if ladder.rank(reached.tier) > ladder.rank(after.earned):
            after = ladder.with_earned(after, reached if ladder.ends else Reached(reached.tier, None))
        if after != before:
            found.append((ladder, after))
    return found


def add_tallies(world: PlainWorld, into: PlainMember, gone: PlainMember, when: When) -> None:
    """Tallies of both, by the years of whoever enrolled first; what is given back of them is found there."""
    enrolled = min(into.enrolled(when.rules), gone.enrolled(when.rules))
    for member in (into, gone):
        before = dict(member.standings.tallies)
        member.standings.tallies.clear()
        for key, number in before.items():
            into_key = year_of(key, enrolled)
            into.standings.tallies[into_key] += number
    for name in {*world.relatives(into.member_id), *world.relatives(gone.member_id)}:
        for earned in world.members[name].earned.values():
            earned.counted = [(year_of(key, enrolled), number, wallet) for key, number, wallet in earned.counted]


def stand_at(root: PlainMember, ladder: Ladder, after: Stand, identity: str, **told: object) -> Step:
    """The member stands there from now on."""
    before = root.standings.stand(ladder)
    root.standings.stands[ladder.id] = after
    return Step(root.member_id, identity, {**stand_facts(ladder, before, after), **told})


def stand_facts(ladder: Ladder, before: Stand, after: Stand) -> dict[str, object]:
    """What an entry of a change has to tell."""
    moved = ladder.id == STATUS and after.tier != before.tier
    return {
        "ladder": ladder.id, "tier_from": before.tier, "tier": after.tier if moved else None, "stand": after,
    }  # fmt: skip


def _recalculated(root: PlainMember, ladder: Ladder, earned_on: date, when: When, *, refunded: bool) -> Stand:
    tallies, enrolled = root.standings.tallies, root.enrolled(when.rules)
    stand = root.standings.stand(ladder)
    reached = ladder.reached(tallies, earned_on, enrolled)
    if ladder.rank(reached.tier) > ladder.rank(stand.earned) and not ladder.is_over(reached.until, when.today):
        return ladder.with_earned(stand, reached if ladder.ends else Reached(reached.tier, None))
    if not ladder.ends or not ladder.rank(stand.earned):
        return stand
    still = ladder.still_earned(tallies, when.today, enrolled)
    if stand.until is None and ladder.period != "lifetime":
        # From before the program ended tiers.
        if ladder.rank(still.tier) >= ladder.rank(stand.earned):
            return ladder.with_earned(stand, still)
        end = last_day(ladder.period, when.today, enrolled)
        return ladder.with_earned(stand, Reached(stand.earned, end), left=True)
    if not refunded or stand.left or ladder.is_over(stand.until, when.today):
        return stand
    return _after_refunds(ladder, stand, still, last_day("rolling_months", when.today, enrolled))


def _after_refunds(ladder: Ladder, stand: Stand, still: Reached, end_of_month: date) -> Stand:
    """What is left of an earned tier: nothing else where all of it still is earned."""
    lost = ladder.rank(still.tier) < ladder.rank(stand.earned)
    if lost and ladder.at_once:
        return ladder.with_earned(stand, still)
    if ladder.period != "rolling_months" or stand.until is None:
        return stand
    # Reviewed after the last month whose window earns it, and after this one at the earliest.
    until = max(end_of_month, end_of_month if lost else still.until or end_of_month)
    return ladder.with_earned(stand, Reached(stand.earned, min(stand.until, until)))
