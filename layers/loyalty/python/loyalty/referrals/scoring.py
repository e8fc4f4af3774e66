"""What screening makes of what it counted: evidence, a score, a verdict. Pure and in whole numbers.

A feature is a number under the name of its signal, greater where it is worse. A signal is found where its feature reaches
its bound; the score is the sum of the weights of what was found, 100 at most. So features and the program's version say all.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from loyalty.attribution.model import Evidence, Screened, Signal, Verdict
from loyalty.programs.referrals import MAX_SCORE, Bounds, Screening

_BOUNDED: Final = frozenset(Bounds.model_fields)
_NAMED: Final = 5
"""Ids of so many members stand in the evidence."""
_NOBODY: Final[Mapping[Signal, Sequence[str]]] = {}


def bound_of(signal: Signal, screening: Screening) -> int:
    """From which number on the signal counts."""
    bound: int = getattr(screening.bounds, signal.value) if signal.value in _BOUNDED else 1
    return bound


def weight_of(signal: Signal, screening: Screening) -> int:
    """What the signal adds to the score."""
    weight: int = getattr(screening.weights, signal.value)
    return weight


def evidence_of(
    features: Mapping[str, int], screening: Screening, members: Mapping[Signal, Sequence[str]] = _NOBODY
) -> tuple[Evidence, ...]:
    """The signals that were found, in their order; ``members``: ids of whom each is about."""
    found = []
    for signal in Signal:
        counted, bound, weight = features.get(signal, 0), bound_of(signal, screening), weight_of(signal, screening)
        if weight and counted >= bound:
            found.append(Evidence(signal, weight, counted, bound, tuple(members.get(signal, ())[:_NAMED])))
    return tuple(found)


def verdict_of(score: int, screening: Screening) -> Verdict:
    """What the program has done with such a score."""
    if score >= screening.reject_from:
        return Verdict.REJECT
    return Verdict.REVIEW if score >= screening.review_from else Verdict.ACCEPT


def screened(
    features: Mapping[str, int],
    screening: Screening,
    *,
    version: int,
    at: datetime,
    members: Mapping[Signal, Sequence[str]] = _NOBODY,
) -> Screened:
    """The score of these features by a version's rules, with its evidence."""
    evidence = evidence_of(features, screening, members)
    score = min(MAX_SCORE, sum(one.weight for one in evidence))
    return Screened(verdict_of(score, screening), score, evidence, dict(features), version, at)


def reproduced(stored: Screened, screening: Screening) -> bool:
    """Whether a decision is what its features give by ``screening``, the rules of the version that it names."""
    about = {one.signal: one.members for one in stored.evidence}
    again = screened(stored.features, screening, version=stored.program_version, at=stored.at, members=about)
    return again == stored
