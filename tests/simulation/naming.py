"""The ids that the platform derives from what clients send, and the identities of the entries that may come of it."""

from collections.abc import Iterable, Iterator, Mapping

from loyalty.core import ids
from tests.simulation.oracle.accruals import accrual_identity, reversal_identity
from tests.simulation.oracle.commands import (
    Accrue,
    Adjust,
    Command,
    Decide,
    EndGrant,
    EndHold,
    Give,
    Grant,
    HoldPoints,
    Merge,
    Recalculate,
    TakeBack,
)

PROGRAM = "acme"
CLIENT_ID = "app"
OFFICE_ID = "office"
"""Through which adjustments are decided on: no client decides on what it asked for."""
KINDS = {"captured": "capture", "released": "release", "cancelled": "cancellation"}


class Ids:
    """As the library derives them: they are opaque, and nothing is to be proved of them."""

    def redemption(self, member: str, key: str) -> str:
        return ids.redemption_id(PROGRAM, member, CLIENT_ID, key)

    def adjustment(self, member: str, key: str) -> str:
        return ids.adjustment_id(PROGRAM, member, CLIENT_ID, key)

    def tier_grant(self, member: str, key: str) -> str:
        return ids.tier_grant_id(PROGRAM, member, CLIENT_ID, key)

    def transfer(self, member: str, key: str) -> str:
        return ids.transfer_id(PROGRAM, member, CLIENT_ID, key)


def identities(command: Command, members: Iterable[str]) -> Iterator[str]:
    """Of all entries that the command may make, whoever of ``members`` it is posted to; those that follow them not."""
    yield from _of_tiers(command)
    match command:
        case Accrue():
            yield accrual_identity(command.source, command.source_id)
        case TakeBack():
            yield reversal_identity(command)
        case HoldPoints(key=key):
            yield from (f"hold:redemption:{Ids().redemption(member, key)}" for member in members)
        case EndHold(hold=hold, how=how):
            yield from (f"{KINDS[how]}:redemption:{Ids().redemption(member, hold.key)}" for member in members)
        case Adjust(member=member, key=key) | Decide(adjust=Adjust(member=member, key=key)):
            yield f"adjustment:adjustment:{Ids().adjustment(member, key)}"
        case Give(member=member, key=key):
            name = Ids().transfer(member, key)
            yield from (f"transfer_out:transfer:{name}", f"transfer_in:transfer:{name}")
        case Merge(member=member, absorbed=absorbed):
            yield from (f"merge_in:merge:{absorbed}", f"merge_out:merge:{member}")


def _of_tiers(command: Command) -> Iterator[str]:
    match command:
        case Grant(member=member, key=key):
            yield f"tier:tier_grant:{Ids().tier_grant(member, key)}"
        case EndGrant(member=member, key=key):
            yield f"tier:tier_grant_end:{Ids().tier_grant(member, key)}"
        case Recalculate(cause=cause):
            yield f"tier:tier_recalculation:{cause}"


def by_identity(commands: Iterable[Command], members: Iterable[str]) -> Mapping[str, list[Command]]:
    """The commands that an entry may come of."""
    found: dict[str, list[Command]] = {}
    everybody = list(members)
    for command in commands:
        for identity in identities(command, everybody):
            others = found.setdefault(identity, [])
            if command not in others:
                others.append(command)
    return found
