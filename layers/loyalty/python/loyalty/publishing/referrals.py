"""What items of referrals tell: by the stream's raw images, and as both sides may know it."""

from typing import Any, Final

import loyalty_contract as contract
from loyalty.core.table import RawItem
from loyalty.ledger.keys import parse_partition
from loyalty.publishing.events import Event, ReferralEvent

_NOBODY: Final = "-"
"""The code of a referrer who was erased."""
_ENDED: Final = frozenset({"expired", "unrewarded"})
_STILL_OPEN: Final = frozenset({"enrolled", "expired"})


def referral_event(new: RawItem, old: RawItem | None) -> tuple[str, Event] | None:
    """A step of a referral. Nobody is told of screening, nor that one was rejected before its time is over anyway."""
    kind = _kind(new, old)
    return None if kind is None else (kind, _event(new, old, kind))


def review_event(new: RawItem, old: RawItem | None) -> tuple[str, Event] | None:
    """A referral waits for a person now, or a person has decided: what, and why, nobody is told."""
    if old is None:
        return None
    waits, waited = _waits(new), _waits(old)
    decided = len(new.get("decisions", {}).get("M", {})) > len(old.get("decisions", {}).get("M", {}))
    return (contract.REFERRAL_REVIEWED, _event(new, old, "reviewed")) if decided or (waits and not waited) else None


def _kind(new: RawItem, old: RawItem | None) -> str | None:
    if old is None:
        return contract.REFERRAL_ENROLLED
    status, before = new["status"]["S"], old["status"]["S"]
    if _told(new) == "ended" and _told(old) != "ended":
        return contract.REFERRAL_ENDED
    if status == before:
        reminded = status == "enrolled" and int(new["reminded"]["N"]) > int(old["reminded"]["N"])
        return contract.REFERRAL_REMINDER if reminded else None
    return {
        "rewarded": contract.REFERRAL_REWARDED,
        "reversed": contract.REFERRAL_REVERSED,
        # From a rejection that a person took back it is nothing new: it had qualified.
        "qualified": contract.REFERRAL_QUALIFIED if before in _STILL_OPEN else None,
        "enrolled": contract.REFERRAL_RETURNED,
    }.get(status)


def _told(item: RawItem) -> str:
    """As :meth:`loyalty.attribution.model.Referral.told` has it, at the moment of the change."""
    status = item["status"]["S"]
    if status in {"rewarded", "reversed"}:
        return str(status)
    if status in _ENDED:
        return "ended"
    over = "deadline" in item and item["updated_at"]["S"] >= item["deadline"]["S"]
    return "ended" if status == "rejected" and over else "pending"


def _waits(item: RawItem) -> bool:
    shard = _text(item, contract.DUE_INDEX_KEY)
    return shard is not None and shard.startswith(contract.REFERRAL_REVIEWS_PREFIX)


def _event(new: RawItem, old: RawItem | None, kind: str) -> ReferralEvent:
    program, member_id = parse_partition(new["pk"]["S"])
    rewarded: dict[str, Any] = new.get("rewarded", {}).get("M", {})
    code = _text(new, "code")
    reminded = kind == contract.REFERRAL_REMINDER
    return ReferralEvent(
        id=f"{program}/{member_id}/referral:{new['revision']['N']}{':reviewed' if kind == 'reviewed' else ''}",
        program=program,
        member_id=member_id,
        referrer=new["referrer"]["S"],
        code=None if code == _NOBODY else code,
        campaign=_text(new, "campaign"),
        channel=_text(new, "channel"),
        status=_told(new),
        deadline=_text(new, "deadline"),
        pays_at=_text(new, "pays_at") if new["status"]["S"] == "qualified" else None,
        reminder=int(new["reminded"]["N"]) if reminded and old is not None else None,
        points=int(rewarded["points"]["N"]) if rewarded else None,
        member_points=int(rewarded["member_points"]["N"]) if rewarded else None,
        updated_at=new["updated_at"]["S"],
    )


def _text(item: RawItem, name: str) -> str | None:
    found: str | None = item.get(name, {}).get("S")
    return found
