"""Parts of a referral as they lie in its item: what screening found, what people decided, what both were rewarded with."""

from collections.abc import Mapping, Sequence
from typing import Any

from loyalty.attribution.model import Decided, Evidence, Rewarded, Screened, Signal, Verdict
from loyalty.core.clock import from_text, to_text


def screened_document(screened: Screened | None) -> dict[str, Any] | None:
    """What screening found, as it is stored."""
    if screened is None:
        return None
    return {
        "verdict": screened.verdict.value,
        "score": screened.score,
        "evidence": {one.signal.value: _evidence_document(one) for one in screened.evidence},
        "features": dict(screened.features),
        "version": screened.program_version,
        "at": to_text(screened.at),
    }


def screened_of(parts: Mapping[str, Any] | None) -> Screened | None:
    """What :func:`screened_document` wrote."""
    if parts is None:
        return None
    return Screened(
        verdict=Verdict(parts["verdict"]),
        score=parts["score"],
        evidence=tuple(_evidence_of(name, parts["evidence"][name]) for name in Signal if name in parts["evidence"]),
        features=parts["features"],
        program_version=parts["version"],
        at=from_text(parts["at"]),
    )


def _evidence_document(one: Evidence) -> dict[str, Any]:
    return {
        "weight": one.weight,
        "counted": one.counted,
        "bound": one.bound,
        "members": ",".join(one.members),
    }


def _evidence_of(signal: str, parts: Mapping[str, Any]) -> Evidence:
    members: Sequence[str] = tuple(one for one in parts["members"].split(",") if one)
    return Evidence(Signal(signal), parts["weight"], parts["counted"], parts["bound"], members)


def decided_document(decided: Decided) -> dict[str, Any]:
    """What a person decided, or asks for, as it is stored."""
    through = {} if decided.through is None else {"through": decided.through}
    return {
        "approved": int(decided.approved),
        "by": decided.actor,
        "reason": decided.reason,
        "at": to_text(decided.at),
    } | through


def decided_of(parts: Mapping[str, Any]) -> Decided:
    """What :func:`decided_document` wrote."""
    at = from_text(parts["at"])
    return Decided(bool(parts["approved"]), parts["by"], parts["reason"], at, parts.get("through"))


def rewarded_document(rewarded: Rewarded | None) -> dict[str, Any] | None:
    """What both sides were rewarded with, as it is stored."""
    if rewarded is None:
        return None
    return {
        "referrer": rewarded.referrer,
        "member_id": rewarded.member_id,
        "number": rewarded.number,
        "points": rewarded.points,
        "member_points": rewarded.member_points,
        "at": to_text(rewarded.at),
    }


def rewarded_of(parts: Mapping[str, Any] | None) -> Rewarded | None:
    """What :func:`rewarded_document` wrote."""
    return None if parts is None else Rewarded(**{**parts, "at": from_text(parts["at"])})
