"""What is kept beside the entries in a member's partition, as far as the ledger is concerned."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from loyalty.core.clock import from_text
from loyalty.core.money import Money
from loyalty.core.table import RawItem
from loyalty.ledger.keys import (
    ADJUSTMENT_PREFIX,
    AWAITED_PREFIX,
    CAPS_PREFIX,
    HOUSEHOLD_SK,
    LAPSED_PREFIX,
    LIMITS_SK,
    REVERSED_PREFIX,
    WAITING_PREFIX,
)
from loyalty.ledger.model import POINTS
from loyalty_contract import DUE_INDEX_KEY, REDEMPTION_PREFIX, REFERRAL_SK, REFERRALS_SK, RISK_SK


@dataclass(frozen=True, slots=True)
class Redeemed:
    """``REDEMPTION#``: the hold, and what became of it."""

    status: str
    points: int
    lots: Mapping[str, int]
    expires_at: datetime | None
    captured: int | None
    stock: Mapping[str, int] = field(default_factory=dict)
    held_at: str = field(default="", compare=False)
    counted: Mapping[str, int] = field(default_factory=dict, compare=False)
    """What it counts under limits: no entry says that."""
    wallet: str = POINTS


@dataclass(frozen=True, slots=True)
class Reversed:
    """``REVERSED#``: what reversals took back of one accrual."""

    points: Mapping[str, int]
    lapsed: Mapping[str, int]
    money: Decimal | None
    lines: Mapping[str, int]
    whole: bool
    reversals: int


@dataclass(frozen=True, slots=True)
class Lapsed:
    """``LAPSED#``: what reversals took of a lot that had expired."""

    points: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """``WAITING#``: a reversal that came before its accrual; ``refused`` by it since."""

    accrual_source_id: str
    refused: bool


@dataclass(frozen=True, slots=True)
class Awaited:
    """``AWAITED#``: the source ids of the reversals that wait for an accrual."""

    refunds: frozenset[str]


@dataclass(frozen=True, slots=True)
class Adjusted:
    """``ADJUSTMENT#``: points to be given or taken by hand."""

    status: str
    wallet: str
    points: int
    reason: str
    actor: str
    client_id: str | None
    decided_by: str | None
    decided_through: str | None
    posted_to: str | None


@dataclass(frozen=True, slots=True)
class Household:
    """``HOUSEHOLD`` of a household: who is in it."""

    members: frozenset[str]
    closed: bool


@dataclass(frozen=True, slots=True)
class Membership:
    """``HOUSEHOLD`` of a member: the one that they are in."""

    household_id: str


@dataclass(frozen=True, slots=True)
class Capped:
    """``CAPS#``: what caps count in one window."""

    used: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Case:
    """``RISK``: whether the member is on hold for suspected abuse."""

    on_hold: bool


@dataclass(frozen=True, slots=True)
class Limited:
    """``LIMITS``: what redemptions count for good, and what of open holds, by redemption."""

    used: Mapping[str, int]
    holds: Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class Brought:
    """``REFERRAL``: who was rewarded for it with how many points, whether both gave them back, and whether it goes on."""

    rewarded: bool
    back: bool = False
    referrer: str = ""
    points: int = 0
    friend: str = ""
    """Who was brought, or whom they were merged into before."""
    friend_points: int = 0
    at: datetime | None = None
    qualified_by: str = ""
    """The entry for which it was."""
    asleep: bool = False
    """Something is to be done of it, and nothing leads to it."""


@dataclass(frozen=True, slots=True)
class Counted:
    """``REFERRALS``: how many referrals of a member were rewarded, and how many of those were taken back."""

    rewarded: int
    reversed: int


Record = (
    Brought
    | Counted
    | Case
    | Limited
    | Capped
    | Redeemed
    | Reversed
    | Lapsed
    | Waiting
    | Awaited
    | Adjusted
    | Household
    | Membership
)


def record_of(sk: str, raw: RawItem) -> Record | None:
    """What a record says; None for what is not of the ledger.

    Raises:
        LookupError, ValueError, TypeError, LoyaltyError: it cannot be read.
    """
    return next((read(raw) for prefix, read in _READERS.items() if sk.startswith(prefix)), None)


def _redeemed(raw: RawItem) -> Redeemed:
    until, captured = _text(raw, "expires_at"), raw.get("captured_points")
    return Redeemed(
        raw["status"]["S"],
        int(raw["points"]["N"]),
        _numbers(raw["lots"]),
        from_text(until) if until else None,
        int(captured["N"]) if captured else None,
        _numbers(raw.get("stock", {"M": {}})),
        _text(raw, "held_at") or "",
        _numbers(raw.get("counted", {"M": {}})),
        _text(raw, "wallet") or POINTS,
    )


def _reversed(raw: RawItem) -> Reversed:
    money = _text(raw, "amount")
    return Reversed(
        _numbers(raw["points"]),
        _numbers(raw.get("lapsed", {"M": {}})),
        Money.parse(money).amount if money else None,
        _numbers(raw.get("lines", {"M": {}})),
        "whole" in raw,
        int(raw["reversals"]["N"]),
    )


def _lapsed(raw: RawItem) -> Lapsed:
    return Lapsed(int(raw["points"]["N"]))


def _waiting(raw: RawItem) -> Waiting:
    return Waiting(raw["accrual_source_id"]["S"], refused="code" in raw)


def _awaited(raw: RawItem) -> Awaited:
    return Awaited(frozenset(raw["refunds"]["SS"]))


def _adjusted(raw: RawItem) -> Adjusted:
    return Adjusted(
        raw["status"]["S"],
        raw["wallet"]["S"],
        int(raw["points"]["N"]),
        raw["reason"]["S"],
        raw["actor"]["S"],
        _text(raw, "client_id"),
        _text(raw, "decided_by"),
        _text(raw, "decided_through"),
        _text(raw, "posted_to"),
    )


def _capped(raw: RawItem) -> Capped:
    return Capped(_numbers(raw["used"]))


def _limited(raw: RawItem) -> Limited:
    holds = raw.get("holds", {"M": {}})["M"]
    return Limited(_numbers(raw["used"]), {key: _numbers(hold["M"]["used"]) for key, hold in holds.items()})


def _case(raw: RawItem) -> Case:
    return Case("on_hold" in raw)


def _brought(raw: RawItem) -> Brought:
    asleep = _is_open(raw) and DUE_INDEX_KEY not in raw
    if "rewarded" not in raw:
        return Brought(rewarded=False, asleep=asleep)
    said = raw["rewarded"]["M"]
    return Brought(
        rewarded=True,
        back=raw["status"]["S"] == "reversed",
        referrer=said["referrer"]["S"],
        points=int(said["points"]["N"]),
        friend=said["member_id"]["S"],
        friend_points=int(said["member_points"]["N"]),
        at=from_text(said["at"]["S"]),
        qualified_by=_text(raw, "qualified_by") or "",
        asleep=asleep,
    )


def _is_open(raw: RawItem) -> bool:
    """Whether it is on its way, or rewarded and revoked. Of a program without referrals nothing comes of one."""
    decisions = raw.get("decisions", {"M": {}})["M"]
    revoked = bool(decisions) and decisions[max(decisions)]["M"]["approved"]["N"] == "0"
    status = raw["status"]["S"]
    return (status in {"enrolled", "qualified"} and "deadline" in raw) or (status == "rewarded" and revoked)


def _counted(raw: RawItem) -> Counted:
    return Counted(int(raw["rewarded"]["N"]), int(raw["reversed"]["N"]))


def _household(raw: RawItem) -> Household | Membership:
    if "household_id" in raw:
        return Membership(raw["household_id"]["S"])
    return Household(frozenset(raw["members"]["M"]), closed="closed_at" in raw)


_READERS: Final[Mapping[str, Callable[[RawItem], Record]]] = {
    REDEMPTION_PREFIX: _redeemed,
    REVERSED_PREFIX: _reversed,
    LAPSED_PREFIX: _lapsed,
    WAITING_PREFIX: _waiting,
    AWAITED_PREFIX: _awaited,
    ADJUSTMENT_PREFIX: _adjusted,
    HOUSEHOLD_SK: _household,
    CAPS_PREFIX: _capped,
    LIMITS_SK: _limited,
    RISK_SK: _case,
    REFERRALS_SK: _counted,  # before the other, which begins as it does
    REFERRAL_SK: _brought,
}


def _text(raw: RawItem, name: str) -> str | None:
    return raw[name]["S"] if name in raw else None


def _numbers(attribute: Mapping[str, Any]) -> dict[str, int]:
    return {name: int(number["N"]) for name, number in attribute["M"].items()}
