"""What is wrong or doubtful in a program document beyond its shape."""

from dataclasses import dataclass
from datetime import datetime

from loyalty.programs.model import ProgramDocument


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to correct or to look at. ``path`` leads to it, as in ``earn_rules.3.activity``."""

    path: str
    message: str


@dataclass(frozen=True, slots=True)
class Findings:
    """Errors, which a version must not have, and warnings, which somebody should read."""

    errors: tuple[Finding, ...] = ()
    warnings: tuple[Finding, ...] = ()


def check(document: ProgramDocument, now: datetime) -> Findings:  # noqa: ARG001 - nothing depends on the moment yet
    """What there is to say about a document whose shape is right."""
    return Findings()
