"""After everything else: what the platform's roles did in this run is what they are granted, neither more nor less."""

import dataclasses
from collections import Counter

import pytest

from infra.local.cloud import LocalCloud
from infra.local.recorded_calls import Call
from tests.e2e.whole_run import WholeRun
from tests.privileges.compare import Grant, findings
from tests.privileges.deployed import called, granted, synthesized
from tests.privileges.excused import EXCUSED

pytestmark = [pytest.mark.e2e, pytest.mark.last]

NEVER_MADE = "s3:DeleteBucket"
"""An action that no function of ours needs."""


@pytest.fixture(scope="module")
def grants(cloud: LocalCloud) -> list[Grant]:
    return granted(cloud)


@pytest.fixture(scope="module")
def calls(cloud: LocalCloud, whole_run: WholeRun) -> list[Call]:
    """What the whole suite made the roles do; a part of it proves nothing about what is never used."""
    if whole_run.missing:
        pytest.skip(f"not the whole suite ran before: {', '.join(whole_run.missing)}")
    return called(cloud)


def test_the_deployed_grants_are_those_of_the_templates(cloud: LocalCloud, grants: list[Grant]) -> None:
    assert Counter(synthesized(cloud)) == Counter((grant.role, grant.action) for grant in grants)


def test_what_is_granted_is_what_was_used(grants: list[Grant], calls: list[Call]) -> None:
    assert findings(grants, calls, EXCUSED) == []


def test_each_permission_taken_away_or_added_would_be_noticed(grants: list[Grant], calls: list[Call]) -> None:
    before = set(findings(grants, calls, EXCUSED))
    for grant in grants:
        without = [one for one in grants if one is not grant]
        assert set(findings(without, calls, EXCUSED)) - before, f"nothing notices that this is gone: {grant}"
    for role in {grant.role for grant in grants}:
        more = Grant(role, NEVER_MADE, "arn:aws:s3:::of-nobody")
        assert f"granted and never used: {more}" in findings([*grants, more], calls, EXCUSED)


def test_no_role_was_refused_anything(calls: list[Call]) -> None:
    assert [dataclasses.asdict(call) for call in calls if not call.allowed] == []
