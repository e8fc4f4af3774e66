"""The assembly of all stages, synthesized once for the session, and a view of it that tests can ask."""

from pathlib import Path

import pytest

from infra.app import synthesize
from infra.settings import STAGES, StageSettings
from tests.infra.templates import Templates, read_templates


@pytest.fixture(scope="session")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the synthesized assembly. That there is one says that cdk-nag found nothing in any stage."""
    outdir = tmp_path_factory.mktemp("assembly")
    synthesize(outdir, stages=STAGES)
    return outdir


@pytest.fixture(params=STAGES, ids=lambda settings: settings.name)
def settings(request: pytest.FixtureRequest) -> StageSettings:
    chosen: StageSettings = request.param
    return chosen


@pytest.fixture
def stage(assembly: Path, settings: StageSettings) -> Templates:
    """The templates of one stage after another."""
    return read_templates(assembly, settings.name)
