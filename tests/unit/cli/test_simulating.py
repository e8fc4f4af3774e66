"""``loyalty program simulate``: tables for people, JSON for scripts, a chart, and an exit code that can be trusted."""

import json
import re
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from typer.testing import CliRunner, Result

from loyalty.cli.app import app, main
from loyalty.cli.charts import Bars, svg, terminal_lines
from loyalty.core.clock import system_clock
from loyalty.core.table import Table
from loyalty.programs.drafts import DraftStore
from loyalty.programs.lifecycle import ProgramLifecycle
from loyalty.programs.store import ProgramStore
from loyalty.programs.versions import VersionStore
from loyalty.simulating.model import Both
from tests.ledgerkit.programs import BASE, document
from tests.unit.cli.test_cli import table
from tests.unit.simulating.spring import DRAFT, NOW, spring

__all__ = ["table"]

RUNNER = CliRunner()


@pytest.fixture
def published(table: Table) -> Table:
    """A spring of activities, the version that they were posted under in force, and the draft saved."""
    spring(table)
    ProgramStore(table, system_clock).publish(document(**NOW), expected_version=0, actor="test")
    lifecycle = ProgramLifecycle(DraftStore(table), VersionStore(table, system_clock), system_clock)
    lifecycle.begin("acme", json.dumps({**BASE, **DRAFT}), "test")
    return table


@pytest.fixture
def refused(
    published: Table, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., str]:
    """What the command says where it ends with a named error."""

    def said(*words: str) -> str:
        monkeypatch.setattr(sys, "argv", ["loyalty", "program", "simulate", "--program", "acme", *words])
        with pytest.raises(SystemExit) as end:
            main()
        assert end.value.code == 1
        return " ".join(capsys.readouterr().err.split())

    return said


def run(*words: str) -> Result:
    return RUNNER.invoke(app, ["program", "simulate", "--program", "acme", *words])


def test_the_draft_is_told_in_tables_of_100_columns(published: Table, tmp_path: Path) -> None:
    chart = tmp_path / "chart.svg"
    result = run("--draft", "--chart", str(chart))
    assert result.exit_code == 0, result.output
    lines = [line.rstrip() for line in result.stdout.splitlines()]
    assert all(len(line) <= 100 for line in lines[2:])
    told = [" ".join(line.split()) for line in lines]
    for row in (
        "bronze points 4 3 250 250 350 +100 +40.0",
        "cost, EUR 1.25 1.75 +0.50",
        "all points 6 3 360 360 480 +120 +33.3",
        "status bronze 2 0 -2 -100.0",
        "2 higher 0 lower",
        "points double 150 75 -75 -50.0",
        "sale 100 100 50 50",
        "points 360 480 +120 +33.3",
    ):
        assert row in told
    assert any(line.startswith("silver") and "now" in line and line.endswith("110") for line in told)
    assert {"360", "480"} <= {node.text for node in ET.fromstring(chart.read_text()).iter() if node.text}  # noqa: S314


def test_the_guide_shows_what_it_prints(published: Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (Path(__file__).parents[3] / "docs" / "programs.md").read_text()
    (command,) = re.findall(r"^loyalty program simulate (.*)$", page, re.MULTILINE)
    (shown,) = re.findall(r"^```text\n(.*?)\n```$", page, re.MULTILINE | re.DOTALL)
    monkeypatch.chdir(tmp_path)
    Path("new.json").write_text(json.dumps({**BASE, **DRAFT}))
    result = RUNNER.invoke(app, ["program", "simulate", *command.split()])
    assert result.exit_code == 0, result.output
    *lines, took = [line.rstrip() for line in result.stdout.splitlines()]
    assert "\n".join(lines) == shown
    assert "activities a second" in took
    assert Path("march.svg").is_file()


def test_json_has_everything(published: Table, tmp_path: Path) -> None:
    path = tmp_path / "new.json"
    path.write_text(json.dumps({**BASE, **DRAFT}))
    result = run(
        "--file", str(path), "--json", "--from", "2026-03-04", "--until", "2026-03-08", "--point-cost", "0.01EUR"
    )
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    assert (found["from"], found["until"]) == ("2026-03-04T00:00:00.000Z", "2026-03-08T00:00:00.000Z")
    assert found["total"] == {
        "tier": None,
        "activities": 2,
        "members": 2,
        "points": {"points": {"posted": 50, "now": 50, "draft": 100, "difference": 50, "percent": "+100.0"}},
        "costs": {"EUR": {"now": "0.50", "draft": "1.00", "difference": "0.50"}},
    }
    assert (found["complete"], found["draft"], found["now"]) == (True, str(path), 1)
    assert found["ladders"][0]["tiers"]["silver"] == {"now": 1, "draft": 1, "difference": 0}


def test_the_version_in_force_beside_itself(published: Table) -> None:
    found = json.loads(run("--version", "1", "--json").stdout)
    assert found["total"]["points"]["points"] == {
        "posted": 360,
        "now": 360,
        "draft": 360,
        "difference": 0,
        "percent": "+0.0",
    }


def test_without_a_cost_it_says_how_to_give_one(table: Table) -> None:
    spring(table)
    plain = {name: part for name, part in NOW.items() if name != "point_cost"}
    ProgramStore(table, system_clock).publish(document(**plain), expected_version=0, actor="test")
    result = run("--version", "1")
    assert result.exit_code == 0
    assert "say --point-cost 0.005EUR" in result.stdout


def test_what_is_not_complete_fails(published: Table) -> None:
    raw = next(raw for raw in published.scan() if raw["sk"]["S"] == "ENTRY#accrual#pos#R-1")
    published.client.put_item(TableName=published.name, Item={**raw, "told": {"S": "{"}})
    result = run("--draft")
    assert result.exit_code == 1
    assert "1 items could not be read" in result.stdout


def test_what_is_wrong_is_named(refused: Callable[..., str], published: Table, tmp_path: Path) -> None:
    broken, other = tmp_path / "broken.yaml", tmp_path / "other.json"
    broken.write_text("id: acme\nname: Acme\ntime_zone: Mars\n")
    other.write_text(json.dumps({**BASE, "id": "other"}))
    tomorrow = (system_clock() + timedelta(days=1)).date().isoformat()
    assert "version_not_found" in refused("--version", "7")
    assert "line 3: time_zone: 'Mars' is not an IANA time zone" in refused("--file", str(broken))
    assert "is of program 'other', not of 'acme'" in refused("--file", str(other))
    assert "Nobody earned anything" in refused("--draft", "--until", "2026-02-20")
    assert "no time between" in refused("--draft", "--from", tomorrow)
    assert "is not a day" in refused("--draft", "--from", "yesterday")
    assert "write an amount" in refused("--draft", "--point-cost", "cheap")
    assert "write an amount" in refused("--draft", "--point-cost", "0.005XXX")
    assert "program_not_found" in refused("--draft", "--program", "nobody")
    lifecycle = ProgramLifecycle(DraftStore(published), VersionStore(published, system_clock), system_clock)
    lifecycle.discard("acme", "test", revision=None)
    assert "draft_not_found" in refused("--draft")


def test_a_draft_with_errors_is_told_as_validate_tells_it(table: Table, refused: Callable[..., str]) -> None:
    lifecycle = ProgramLifecycle(DraftStore(table), VersionStore(table, system_clock), system_clock)
    lifecycle.change("acme", json.dumps({**BASE, "earn_rules": []}), "test", revision=None)
    assert "the draft is not a valid program: earn_rules: list at least 1" in refused("--draft")


def test_exactly_one_thing_to_compare_with(published: Table) -> None:
    assert run().exit_code == run("--draft", "--version", "1").exit_code == 2


def test_bars_are_in_proportion() -> None:
    bars = [Bars("bronze", Both(100, 50)), Bars("a <very> long name & more", Both(0, -5))]
    lines = list(terminal_lines(bars))
    assert [line.count("█") for line in lines] == [56, 28, 0, 0]
    assert lines[0] == f"bronze            now    {'█' * 56} 100"
    picture = svg(bars, "Points & tiers")
    widths = [node.get("width") for node in ET.fromstring(picture).iter("{http://www.w3.org/2000/svg}rect")]  # noqa: S314
    assert widths == ["100%", "12", "12", "520", "260", "1", "1"]
    assert "<very>" not in picture
    assert max(map(len, lines)) <= 100
