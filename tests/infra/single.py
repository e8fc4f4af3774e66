"""Synthesize one stage with settings of a test's own."""

import tempfile
from pathlib import Path

from infra.app import synthesize
from infra.settings import StageSettings
from tests.infra.templates import Templates, read_templates


def synthesize_one(settings: StageSettings) -> Templates:
    """The templates of a stage that is not among the committed ones."""
    with tempfile.TemporaryDirectory() as outdir:
        synthesize(Path(outdir), stages=[settings])
        return read_templates(Path(outdir), settings.name)
