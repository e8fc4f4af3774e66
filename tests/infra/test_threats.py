"""Each threat names what would notice; and what is named is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODEL = ROOT / "docs" / "security" / "threat-model.md"
STRIDE = (
    "Spoofing",
    "Tampering",
    "Repudiation",
    "Information disclosure",
    "Denial of service",
    "Elevation of privilege",
)
_NAMED = re.compile(r"`((?:[a-z0-9_]+/)+test_[a-z0-9_]+\.py)::(test_[a-z0-9_]+)`")


def threats(section: str) -> list[list[str]]:
    """The rows of a section's table: threat, what stands against it, tests."""
    text = MODEL.read_text().split(f"## {section}\n")[1].split("\n## ")[0]
    rows = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in rows[2:]]


@pytest.mark.parametrize("section", STRIDE)
def test_every_threat_has_an_answer_and_a_test(section: str) -> None:
    rows = threats(section)
    assert len(rows) >= 3
    for threat, answer, tests in rows:
        assert threat, section
        assert answer, section
        assert _NAMED.findall(tests), f"{threat}: no test is named"


@pytest.mark.parametrize("page", sorted(MODEL.parent.glob("*.md")), ids=lambda page: page.name)
def test_every_test_that_is_named_exists(page: Path) -> None:
    for file, name in _NAMED.findall(page.read_text()):
        path = ROOT / "tests" / file
        assert path.is_file(), file
        assert f"def {name}(" in path.read_text(), f"{file}::{name}"


@pytest.mark.parametrize("page", sorted(MODEL.parent.glob("*.md")), ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\((?!https:)([^)#]+)", page.read_text()):
        assert (page.parent / link).exists(), link
