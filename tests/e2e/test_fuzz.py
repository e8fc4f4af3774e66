"""Generated requests to every route: no answer is a 5xx, undocumented, or other than its schema says."""

from pathlib import Path
from typing import Final

import pytest

from infra.local.cloud import LocalCloud
from infra.routes import ROUTES
from tests.e2e.victims import Tenant
from tests.fuzz.run import Target, run

pytestmark = pytest.mark.e2e

SEED: Final = 6
EXAMPLES: Final = 3
SECONDS: Final = 45
"""Few and short here; ``make fuzz N=2000`` sends more."""


def test_generated_requests_are_answered_as_documented(cloud: LocalCloud, tmp_path: Path) -> None:
    tenant = Tenant(cloud, tmp_path, "fuzz")
    target = Target(cloud.api_url, tenant.token(), tenant.ids | {"program": tenant.program})
    outcome = run(target, tmp_path / "fuzz", seed=SEED, examples=EXAMPLES, seconds=SECONDS)
    assert not outcome.failed, outcome.told[-4000:]
    assert not [status for answers in outcome.answers.values() for status in answers if status >= 500]
    missed = {f"{route.method} {route.path}" for route in ROUTES} - set(outcome.answers)
    assert len(missed) < len(ROUTES) / 10, "a slow machine may not come to all of them in time, but to most"
    assert sum(answers[200] + answers[201] for answers in outcome.answers.values()) > outcome.cases / 20
