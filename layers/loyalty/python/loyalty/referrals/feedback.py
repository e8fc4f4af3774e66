"""How well screening does, by what people decided: a fold over referrals, in whole numbers. Pure.

::

                     people say fraud   people say honest   nobody decided
    review, reject         a                   b            c: not looked at yet, or never appealed
    accept                 d                   -            the rest

    precision  a / (a + b)    of those that were stopped and that people decided on, how many were right to stop
    recall     a / (a + d)    of those that people call fraud, how many were stopped

What people said last counts: an appeal that was granted makes a stopped one honest, a revocation makes a paid one fraud. Of
those that nobody decided on nothing is assumed. A fraud that nobody ever noticed is in neither number: recall is an upper
bound.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from typing import Final

from loyalty.attribution.model import Referral, Signal, Verdict


class Truth(StrEnum):
    """What people say a referral is."""

    FRAUD = "fraud"
    HONEST = "honest"


@dataclass(frozen=True, slots=True)
class Share:
    """``part`` of ``of``, exactly."""

    part: int
    of: int

    @property
    def exact(self) -> Fraction | None:
        """None of nothing."""
        return Fraction(self.part, self.of) if self.of else None

    @property
    def percent(self) -> str | None:
        """With one decimal, half up; None of nothing."""
        if not self.of:
            return None
        thousandths = (2_000 * self.part + self.of) // (2 * self.of)
        return f"{thousandths // 10}.{thousandths % 10}"


@dataclass(frozen=True, slots=True)
class Known:
    """Referrals that people decided on."""

    fraud: int = 0
    honest: int = 0

    @property
    def right(self) -> Share:
        """Of these, how many are frauds."""
        return Share(self.fraud, self.fraud + self.honest)


@dataclass(frozen=True, slots=True)
class Row:
    """Referrals with one verdict of screening."""

    known: Known = Known()
    waiting: int = 0
    """For a person, first or again."""
    undecided: int = 0
    """On which nobody decided, nor has to."""


@dataclass(frozen=True, slots=True)
class Appeals:
    """Of those that were rejected."""

    made: int = 0
    granted: int = 0
    refused: int = 0


@dataclass(frozen=True, slots=True)
class Feedback:
    """What screening said and what people said, of all referrals of a period."""

    referrals: int
    screened: int
    rows: Mapping[Verdict, Row]
    appeals: Appeals
    revoked: int
    signs: Mapping[Signal, Known] = field(default_factory=dict)
    """Of those on which each sign was found, and people decided."""

    @property
    def precision(self) -> Share:
        """Of what was stopped and decided on, the frauds."""
        stopped = self._stopped
        return Share(stopped.fraud, stopped.fraud + stopped.honest)

    @property
    def recall(self) -> Share:
        """Of the frauds that people found, what was stopped."""
        fraud = self._stopped.fraud
        return Share(fraud, fraud + self.rows[Verdict.ACCEPT].known.fraud)

    @property
    def _stopped(self) -> Known:
        rows = [self.rows[verdict].known for verdict in _STOPS]
        return Known(sum(one.fraud for one in rows), sum(one.honest for one in rows))


_STOPS: Final = (Verdict.REVIEW, Verdict.REJECT)


def truth_of(referral: Referral) -> Truth | None:
    """What people said last; None where nobody decided, or it was appealed and waits."""
    if not referral.decisions or referral.verdict is Verdict.REVIEW:
        return None
    return Truth.HONEST if referral.decisions[-1].approved else Truth.FRAUD


def _of_appeal(referral: Referral) -> list[str]:
    appealed = referral.appealed_at
    if appealed is None:
        return []
    answer = next((one for one in referral.decisions if one.at >= appealed), None)
    return ["appealed"] if answer is None else ["appealed", "granted" if answer.approved else "refused"]


def feedback_of(referrals: Iterable[Referral]) -> Feedback:
    """The sum over referrals; each is looked at once, and none is kept."""
    count: Counter[str] = Counter()
    known: Counter[tuple[Verdict, Truth]] = Counter()
    waiting: Counter[Verdict] = Counter()
    undecided: Counter[Verdict] = Counter()
    signs: Counter[tuple[Signal, Truth]] = Counter()
    for one in referrals:
        truth = truth_of(one)
        count["referrals"] += 1
        count["revoked"] += one.revoked
        count.update(_of_appeal(one))
        if one.screened is None:
            continue
        count["screened"] += 1
        if truth is not None:
            known[one.screened.verdict, truth] += 1
            signs.update((sign.signal, truth) for sign in one.screened.evidence)
        elif one.waits:
            waiting[one.screened.verdict] += 1
        else:
            undecided[one.screened.verdict] += 1
    return Feedback(
        referrals=count["referrals"],
        screened=count["screened"],
        rows={
            verdict: Row(
                Known(known[verdict, Truth.FRAUD], known[verdict, Truth.HONEST]), waiting[verdict], undecided[verdict]
            )
            for verdict in Verdict
        },
        appeals=Appeals(count["appealed"], count["granted"], count["refused"]),
        revoked=count["revoked"],
        signs={
            signal: Known(signs[signal, Truth.FRAUD], signs[signal, Truth.HONEST])
            for signal in Signal
            if signs[signal, Truth.FRAUD] + signs[signal, Truth.HONEST]
        },
    )
