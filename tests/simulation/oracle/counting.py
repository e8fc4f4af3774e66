"""What an accrual is worth within what caps and budgets leave, what it counts, and what reversals give back of both."""

from collections.abc import Mapping
from fractions import Fraction
from math import floor

from tests.simulation.oracle.commands import Accrue
from tests.simulation.oracle.earning import Bound, Worth
from tests.simulation.oracle.giving_back import Part, share
from tests.simulation.oracle.member import Earned, PlainMember
from tests.simulation.oracle.world import PlainWorld, When


def counted(root: PlainMember, command: Accrue, worth: Worth, when: When) -> list[tuple[str, int, str | None]]:
    """What it counts towards tiers; each metric and period once, however many ladders count it."""
    found = {}
    for ladder in when.rules.ladders if worth.rewarded else ():
        number = when.rules.counted(ladder, command.activity, command.amount, worth.earnings)
        key = ladder.key(when.today, root.enrolled(when.rules))
        found[key] = key, number, ladder.wallet if ladder.counts == "points" else None
    return [one for one in found.values() if one[1]]


def count(root: PlainMember, earned: Earned, when: When) -> None:
    """Adds what it counts to the tallies, and takes those away that are over."""
    ladders, enrolled = when.rules.ladders, root.enrolled(when.rules)
    root.standings.drop_months(ladders, when.today, enrolled)
    for key in when.dropped:
        root.standings.drop(ladders, key, when.today, enrolled)
    for key, number, _ in earned.counted:
        root.standings.tallies[key] += number


def worth_of(world: PlainWorld, command: Accrue, root: PlainMember, when: When) -> Worth:
    """What it earns within what is left: to the member and all who are the same, or of a budget to everybody."""

    def left(bound: Bound) -> int:
        if bound.kind == "budget":
            return bound.limit - world.spent[bound.owner] - when.unseen.get(bound.owner, 0)
        return bound.limit - sum(world.members[name].capped[bound] for name in world.relatives(root.member_id))

    tier = root.standings.tier
    return when.rules.earn(command.activity, command.amount, command.occurred_at, tier, left)


def use(world: PlainWorld, home: PlainMember, uses: Mapping[Bound, int]) -> None:
    """So much more of caps, where the accrual was posted, and of budgets; less where that is below zero."""
    for bound, number in uses.items():
        if bound.kind == "budget":
            world.spent[bound.owner] += number
        else:
            home.capped[bound] += number


def give_back(world: PlainWorld, earned: Earned, part: Part) -> None:
    """What was used of caps and budgets: points in proportion, a time once nothing of the activity is left."""
    for bound, (number, wallet) in earned.used.items():
        share_of_points = Fraction(part.after.taken[wallet], earned.points[wallet])
        back = floor(number * share_of_points) if bound.unit == "points" else 0
        back = number if part.after.whole else back
        use(world, world.members[earned.home], {bound: earned.given_back[bound] - back})
        earned.given_back[bound] = back


def told_of(worth: Worth) -> dict[tuple[str, str, str, str], int]:
    """As an entry tells what was used; of a budget all of it together."""
    found: dict[tuple[str, str, str, str], int] = {}
    for (bound, _), number in worth.used.items():
        key = bound.kind, bound.owner, bound.unit, "" if bound.kind == "budget" else bound.window
        found[key] = found.get(key, 0) + number
    return found


def uncount(root: PlainMember, earned: Earned, part: Part) -> None:
    """Each tally loses the share that the points do: of points as many as are taken."""
    for key, number, wallet in earned.counted:
        until, before = (floor(number * min(share(one), Fraction(1))) for one in (part.after, earned))
        root.standings.uncount(key, until - before if wallet is None else part.points[wallet])
