"""Events of suspected abuse, from the items that are written of it."""

import loyalty_contract as contract
from loyalty.core.table import RawItem
from loyalty.ledger.keys import parse_partition
from loyalty.publishing.events import ClientSuspected, Event, RiskEvent

_LIVE = frozenset({"open", "confirmed"})


def risk_event(new: RawItem, old: RawItem | None) -> tuple[str, Event] | None:
    """New signs, or a hold, flag a member; a release is told as such. Of what else people decide, nobody is told.

    Neither counts nor reasons nor who decided leave the platform.
    """
    live, was_live = new["state"]["S"] in _LIVE, old is not None and old["state"]["S"] in _LIVE
    signals, before = set(new["evidence"]["M"]), set(old["evidence"]["M"]) if old and was_live else set()
    on_hold, was_on_hold = "on_hold" in new, old is not None and "on_hold" in old
    released = was_live and new["state"]["S"] == "released"
    flagged = live and (not signals <= before or (on_hold and not was_on_hold))
    if not (flagged or released):
        return None
    program, member_id = parse_partition(new["pk"]["S"])
    return contract.MEMBER_FLAGGED if flagged else contract.MEMBER_RELEASED, RiskEvent(
        id=f"{program}/{member_id}/risk:{new['revision']['N']}",
        program=program,
        member_id=member_id,
        signals=sorted(signals),
        on_hold=on_hold,
        updated_at=new["updated_at"]["S"],
    )


def suspicion_event(new: RawItem, old: RawItem | None) -> tuple[str, Event] | None:
    """A client is suspected once in a window."""
    if old is not None:
        return None
    program, client_id, signal, since = (new[name]["S"] for name in ("program", "client_id", "signal", "since"))
    return contract.CLIENT_SUSPECTED, ClientSuspected(
        id=f"{program}/client:{client_id}/{signal}:{since}",
        program=program,
        client_id=client_id,
        signal=signal,
        counted=int(new["counted"]["N"]),
        bound=int(new["bound"]["N"]),
        since=since,
        minutes=int(new["minutes"]["N"]),
        suspected_at=new["at"]["S"],
    )
