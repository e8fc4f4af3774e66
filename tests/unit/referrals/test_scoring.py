"""The score of features: at a bound and just below it, by weights, and the same again from what was stored."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from loyalty.attribution.model import Signal, Verdict
from loyalty.programs.referrals import MAX_SEEN, Bounds, Screening, Weights
from loyalty.referrals.features import _COUNTED
from loyalty.referrals.scoring import bound_of, reproduced, screened, weight_of

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
RULES = Screening()
INNOCENT = (
    Signal.SAME_PAYMENT,
    Signal.SAME_ADDRESS,
    Signal.SAME_NETWORK,
    Signal.SHARED_ADDRESS,
    Signal.ONE_NETWORK,
    Signal.NETWORK_VELOCITY,
)
"""What a family in a house of students shares."""


def test_each_signal_is_counted_and_each_bound_is_of_a_signal() -> None:
    assert set(_COUNTED) == set(Signal)
    assert set(Bounds.model_fields) < {signal.value for signal in Signal}


@pytest.mark.parametrize("signal", Signal)
def test_a_signal_is_found_from_its_bound_on(signal: Signal) -> None:
    bound, weight = bound_of(signal, RULES), weight_of(signal, RULES)
    below = screened({signal.value: bound - 1}, RULES, version=3, at=NOW)
    assert (below.score, below.evidence, below.verdict) == (0, (), Verdict.ACCEPT)
    at = screened({signal.value: bound}, RULES, version=3, at=NOW, members={signal: ["mbr_1"]})
    assert at.score == weight
    assert [(one.signal, one.weight, one.counted, one.bound, one.members) for one in at.evidence] == [
        (signal, weight, bound, bound, ("mbr_1",))
    ]


@pytest.mark.parametrize(
    ("features", "score", "verdict"),
    [
        ({}, 0, Verdict.ACCEPT),
        ({"least_purchase": 100}, 24, Verdict.ACCEPT),
        (
            {"least_purchase": 100, "network_velocity": 15, "referrer_velocity": 20, "same_network": 1},
            39,
            Verdict.ACCEPT,
        ),
        ({"least_purchase": 75, "quick_purchase": 75}, 40, Verdict.REVIEW),
        ({"same_device": 1, "same_payment": 1}, 75, Verdict.REVIEW),
        ({"same_device": 1, "disposable_email": 1}, 80, Verdict.REJECT),
        ({"same_email": 1, "same_device": 1}, 100, Verdict.REJECT),
    ],
)
def test_weights_add_up_to_a_verdict(features: dict[str, int], score: int, verdict: Verdict) -> None:
    found = screened(features, RULES, version=3, at=NOW)
    assert (found.score, found.verdict) == (score, verdict)


def test_what_honest_people_share_is_never_enough_for_a_review() -> None:
    everything = {signal.value: bound_of(signal, RULES) for signal in INNOCENT}
    assert screened(everything, RULES, version=3, at=NOW).score < RULES.review_from


def test_a_signal_without_weight_is_not_looked_at() -> None:
    rules = Screening(weights=Weights(same_email=0))
    assert screened({"same_email": 1}, rules, version=3, at=NOW).evidence == ()


def test_five_members_are_named_at_most() -> None:
    found = screened({"ring": 9}, RULES, version=3, at=NOW, members={Signal.RING: [f"mbr_{n}" for n in range(9)]})
    assert found.evidence[0].members == ("mbr_0", "mbr_1", "mbr_2", "mbr_3", "mbr_4")


def test_a_decision_is_computed_again_from_its_features() -> None:
    stored = screened({"ring": 3, "same_network": 1}, RULES, version=3, at=NOW, members={Signal.RING: ["mbr_1"]})
    assert reproduced(stored, RULES)
    assert not reproduced(replace(stored, score=stored.score + 1), RULES)
    assert not reproduced(stored, Screening(weights=Weights(ring=59)))
    assert not reproduced(stored, Screening(bounds=Bounds(ring=4)))


@pytest.mark.parametrize(
    "wrong",
    [
        {"review_from": 81},
        {"weights": {"same_email": 101}},
        {"weights": {"same_mail": 10}},
        {"bounds": {"ring": MAX_SEEN + 1}},
        {"bounds": {"even_timing": 0}},
        {"bounds": {"least_purchase": 101}},
    ],
)
def test_rules_that_cannot_be_kept_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Screening.model_validate(wrong)
