"""What docs/programs.md tells a newcomer to write, type and read is so."""

import json
import re
import shlex
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jsonschema
import pytest
import yaml
from typer.testing import CliRunner, Result

from infra.routes import ROUTES
from loyalty.cli.app import app
from loyalty.cli.documents import _Loader
from loyalty.core.errors import LoyaltyError
from loyalty.core.problems import status_of
from loyalty.core.table import Table
from loyalty.programs.publication import CACHE_SECONDS, FURTHEST, LEAD
from loyalty.programs.validation import MOST_FINDINGS
from loyalty.programs.versions import MOST_SHOPS
from tests.unit.cli.test_cli import table

__all__ = ["table"]

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "programs.md").read_text()
BLOCKS: list[tuple[str, str]] = re.findall(r"^```(\w*)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
DOCUMENT, PRESENTATION = [text for kind, text in BLOCKS if kind == "yaml"]
SHELL = [text for kind, text in BLOCKS if kind == "sh"]
OUTPUTS = [text for kind, text in BLOCKS if not kind]
COMMANDS = [line for block in SHELL for line in block.splitlines() if line.startswith("loyalty program")]


@pytest.fixture
def harbour(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The document, where the page says that it is saved."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    path = tmp_path / "harbour.yaml"
    path.write_text(DOCUMENT)
    return path


def run(command: str) -> Result:
    return CliRunner().invoke(app, shlex.split(command)[1:])


def test_the_document_is_valid_for_the_command_and_for_an_editor(harbour: Path) -> None:
    assert run(COMMANDS[0]).exit_code == 0
    schema = json.loads((ROOT / "docs" / "program.schema.json").read_text())
    content = yaml.load(DOCUMENT, _Loader)  # noqa: S506 - a SafeLoader
    jsonschema.validate(content, schema, cls=jsonschema.Draft202012Validator)
    assert (ROOT / re.search(r"\$schema=(\S+)", DOCUMENT)[1]).is_file()  # type: ignore[index]


def test_its_mistakes_are_told_as_printed(harbour: Path) -> None:
    broken = DOCUMENT.replace("{points: 2, per: 1.00,", "{points: 2, per: 1.00, pionts: 2,").replace("1000", "many")
    harbour.write_text(broken)
    result = run(COMMANDS[0])
    assert (result.exit_code, result.stderr) == (1, OUTPUTS[0])


def test_its_commands_work_as_printed(harbour: Path, table: Table) -> None:
    validate, publish, diff, schedule, versions = COMMANDS
    assert run(publish).exit_code == 0
    harbour.write_text(DOCUMENT.replace("points: 2,", "points: 4,"))
    assert run(diff).stdout == OUTPUTS[1]
    # The page's moment passes some day.
    moment = (datetime.now(UTC) + timedelta(days=1)).isoformat(timespec="seconds")
    scheduled = run(re.sub(r"(?<=--at )\S+", moment, schedule))
    assert scheduled.exit_code == 0, scheduled.output
    listed = run(versions).stdout
    assert "scheduled" in listed
    assert "Our first season" in listed
    assert run(validate).exit_code == 0


def test_languages_and_brand_are_part_of_a_valid_document(harbour: Path) -> None:
    harbour.write_text(DOCUMENT + PRESENTATION)
    result = run(COMMANDS[0])
    assert result.exit_code == 0, result.stderr
    assert "'Crew' has no translation into it, ar" in result.stderr


def test_every_option_and_command_that_is_named_is_there() -> None:
    helps = {name: CliRunner().invoke(app, ["program", name, "--help"]).output for name in (
        "validate", "diff", "publish", "draft", "rollback", "unschedule", "versions", "show", "simulate",
    )}  # fmt: skip
    (commands,) = re.findall(r"^\| command .*?\n\n", PAGE, re.DOTALL | re.MULTILINE)
    told = set(re.findall(r"^\| `(\w+)", commands, re.MULTILINE))
    assert told == set(helps) - {"validate"}
    for name in ("diff", "versions", "show", "simulate", "validate"):
        assert "--json" in helps[name]
    for option in ("--expected-version", "--at", "--comment"):
        assert option in helps["publish"]
        assert option in helps["rollback"]


def test_its_routes_are_those_of_the_api() -> None:
    routed = {(route.method, route.path.removeprefix("/v1").replace("{version}", "{n}")) for route in ROUTES}
    named = set(re.findall(r"^(GET|PUT|POST|DELETE) +…(/programs/\S+)", PAGE, re.MULTILINE))
    assert named <= routed
    assert len(named) == sum(route.function == "program" for route in ROUTES)


def _kinds(kind: type[LoyaltyError] = LoyaltyError) -> dict[str, type[LoyaltyError]]:
    found = {kind.code: kind}
    for one in kind.__subclasses__():
        found |= _kinds(one)
    return found


def test_its_codes_are_those_of_the_errors() -> None:
    kinds = _kinds()
    for status, code in re.findall(r"(4\d\d) `(\w+)`", PAGE):
        assert status_of(kinds[code]) == int(status)
    for code in re.findall(r"`(\w+_(?:fixed|taken|exceeded|schedulable))`", PAGE):
        assert code in kinds


def test_its_numbers_are_those_of_the_code() -> None:
    text = " ".join(PAGE.split())
    assert f"asked {CACHE_SECONDS:.0f} seconds later" in text
    assert (timedelta(minutes=2), timedelta(days=366)) == (LEAD, FURTHEST)
    assert f"the first {MOST_FINDINGS}" in text
    assert f"{MOST_SHOPS} shops come or go" in text


@pytest.mark.parametrize("page", ["programs.md", "decisions/0051-drafts-and-versions.md"])
def test_links_lead_somewhere(page: str) -> None:
    path = ROOT / "docs" / page
    headings = re.findall(r"^#+ (.*)$", path.read_text(), re.MULTILINE)
    slugs = {re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    for link in re.findall(r"\]\((?!https:)([^)]+)\)", path.read_text()):
        target, _, anchor = link.partition("#")
        assert (path.parent / target).exists(), link
        assert target or anchor in slugs, link
