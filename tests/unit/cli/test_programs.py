"""``loyalty program``: what an operator sees of a document, and of what becomes of it."""

import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from loyalty.cli.app import app, main
from loyalty.core.clock import system_clock
from loyalty.core.table import Table
from loyalty.programs.store import ProgramStore
from tests.unit.cli.test_cli import PROGRAM, partner, table

__all__ = ["partner", "table"]

RUNNER = CliRunner()
DOCUMENT = json.loads(PROGRAM.read_text())
Write = Callable[..., str]


def run(*words: str) -> Result:
    return RUNNER.invoke(app, ["program", *words])


def done(*words: str) -> str:
    result = run(*words)
    assert result.exit_code == 0, result.output
    text: str = result.stdout
    return text


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def written(**changes: Any) -> str:
        path = tmp_path / "program.yaml"
        path.write_text(yaml.safe_dump(DOCUMENT | changes, sort_keys=False, allow_unicode=True))
        return str(path)

    return written


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Runs a command that ends with a named error; what it said."""

    def said(*words: str) -> str:
        monkeypatch.setattr(sys, "argv", ["loyalty", "program", *words])
        with pytest.raises(SystemExit) as end:
            main()
        assert end.value.code == 1
        return " ".join(capsys.readouterr().err.split())

    return said


def later(**by: float) -> str:
    return (datetime.now(UTC) + timedelta(**by)).isoformat(timespec="seconds")


def test_every_error_is_named_with_its_line_and_what_to_do(write: Write) -> None:
    rules = [
        {"id": "Shop", "activity": "purchase", "rates": [{"points": 1, "per": "1", "currency": "EUR", "pionts": 3}]}
    ]
    path = write(time_zone="Mars", earn_rules=rules, locals=["it"])
    result = run("validate", path)
    assert result.exit_code == 1
    assert result.stderr.splitlines()[1:] == [
        "  line 3: time_zone: 'Mars' is not an IANA time zone; name one such as Europe/Rome",
        "  line 5: earn_rules.0.id: string should match pattern '^[a-z0-9][a-z0-9_-]{0,63}$', not 'Shop'",
        "  line 11: earn_rules.0.rates.0.pionts: unknown field 'pionts'; did you mean 'points'?",
        next(line for line in result.stderr.splitlines() if line.endswith("did you mean 'locales'?")),
    ]


def test_findings_are_one_json_document_and_errors_end_with_1(write: Write) -> None:
    broken = run("validate", write(nmae="x"), "--json")
    (error,) = json.loads(broken.stdout)["errors"]
    assert (broken.exit_code, json.loads(broken.stdout)["valid"]) == (1, False)
    assert (error["pointer"], error["message"]) == ("/nmae", "unknown field 'nmae'; did you mean 'name'?")
    doubtful = run("validate", write(locales=["en", "it"]), "--json")
    found = json.loads(doubtful.stdout)
    assert (doubtful.exit_code, found["valid"], found["program"], found["errors"]) == (0, True, "aurora", [])
    assert found["warnings"][0]["pointer"] == "/translations"


def test_warnings_are_said_and_do_not_fail(write: Write) -> None:
    result = run("validate", write(locales=["en", "it"]))
    assert result.exit_code == 0
    assert "translations: 'Aurora Rewards' has no translation into it" in result.stderr
    assert "is a valid document" in result.stdout


@pytest.mark.usefixtures("table")
def test_a_document_is_compared_with_what_is_in_force_and_versions_with_each_other(write: Write) -> None:
    done("publish", str(PROGRAM))
    changed = write(name="Aurora Circle", rounding="up")
    assert done("diff", changed).splitlines() == [
        "'aurora', compared with version 1:",
        "  name Aurora Rewards → Aurora Circle",
        "  rounding down → up",
    ]
    done("publish", changed)
    assert done("diff", changed).splitlines()[1:] == ["  no change"]
    assert done("diff", str(PROGRAM), "1").splitlines()[1:] == ["  no change"]
    told = json.loads(done("diff", "aurora", "2", "1", "--json"))
    assert told[0] == {
        "path": "name",
        "kind": "changed",
        "before": "Aurora Circle",
        "after": "Aurora Rewards",
        "text": "name Aurora Circle → Aurora Rewards",
    }
    assert run("diff", "aurora").exit_code == 1


@pytest.mark.usefixtures("table")
def test_what_a_publication_changes_is_shown_before_it_is_made(write: Write) -> None:
    done("publish", str(PROGRAM))
    result = run("publish", write(name="Aurora Circle", locales=["en", "it"]), "--comment", "A [better] name")
    assert result.stdout.splitlines()[:3] == [
        "  name Aurora Rewards → Aurora Circle",
        "  locales en → en, it",
        "✓ 'aurora' is at version 2.",
    ]
    assert "no translation into it" in result.stderr
    listed = done("versions", "aurora").splitlines()
    assert listed[0].startswith("    2  in force    from ")
    assert listed[0].endswith(": A [better] name")
    assert listed[1] == "       name Aurora Rewards → Aurora Circle; locales en → en, it"
    assert listed[2].startswith("    1  superseded  from ")


@pytest.mark.usefixtures("table")
def test_a_wrong_document_is_not_published(write: Write) -> None:
    assert run("publish", write(nmae="x")).exit_code == 1
    assert run("show", "aurora").exit_code == 1


def test_a_version_is_scheduled_once_and_taken_back(table: Table, write: Write, refused: Callable[..., str]) -> None:
    done("publish", str(PROGRAM))
    changed, moment = write(name="Aurora Circle"), later(days=1)
    assert "version 2 of 'aurora' is scheduled for " in done("publish", changed, "--at", moment)
    assert "scheduled for then already" in done("publish", changed, "--at", moment)
    assert "at version 1 already. Version 2 is scheduled for" in done("publish", str(PROGRAM)).replace("\n", " ")
    assert "version_scheduled" in refused("publish", changed)
    assert "version_scheduled" in refused("publish", changed, "--at", later(days=2))
    assert ProgramStore(table, system_clock).current("aurora").version == 1
    assert "version 3 of 'aurora'" in done("publish", changed, "--at", later(days=2), "--replace-scheduled")
    statuses = [one["status"] for one in json.loads(done("versions", "aurora", "--json"))]
    assert statuses == ["scheduled", "cancelled", "in_force"]
    assert "version 3 of 'aurora' does not come into force" in done("unschedule", "aurora")
    assert "nothing_scheduled" in refused("unschedule", "aurora")
    assert "version_not_schedulable" in refused("publish", changed, "--at", later(seconds=30))
    assert "write it with its offset" in refused("publish", changed, "--at", "tomorrow")
    assert "500 characters" in refused("publish", changed, "--comment", "x" * 501)


def test_an_older_version_is_published_again(table: Table, write: Write, refused: Callable[..., str]) -> None:
    done("publish", str(PROGRAM))
    done("publish", write(name="Aurora Circle"))
    assert "program_changed" in refused("rollback", "aurora", "1", "--expected-version", "1")
    told = done("rollback", "aurora", "1", "--expected-version", "2", "--comment", "Too soon").splitlines()
    assert told == ["  name Aurora Circle → Aurora Rewards", "✓ 'aurora' is at version 3."]
    assert "back to version 1; name Aurora Circle → Aurora Rewards" in done("versions", "aurora", "--limit", "1")
    assert "version_in_force" in refused("rollback", "aurora", "3")
    assert "version_not_found" in refused("rollback", "aurora", "9")
    assert ProgramStore(table, system_clock).current("aurora").document.name == "Aurora Rewards"


@pytest.mark.usefixtures("table")
def test_any_version_is_shown(write: Write) -> None:
    done("publish", str(PROGRAM))
    brand = {"display_name": "Aurora", "colours": {"primary": "#0b5fff"}}
    done("publish", write(name="Aurora Circle", locales=["en", "ar"], brand=brand))
    first, second = (done("show", "aurora", "--version", number).splitlines() for number in ("1", "2"))
    assert (first[0], second[0]) == (
        "Aurora Rewards ('aurora'), version 1, Europe/Rome",
        "Aurora Circle ('aurora'), version 2, Europe/Rome",
    )
    assert second[1:3] == ["  languages   en, ar", "  brand       Aurora, #0b5fff"]
    assert json.loads(done("show", "aurora", "--version", "1", "--json"))["document"]["name"] == "Aurora Rewards"


@pytest.mark.usefixtures("table")
def test_all_that_decides_is_shown(write: Write) -> None:
    """Conditions too, though they have brackets, which are markup elsewhere."""
    rules = [
        DOCUMENT["earn_rules"][0],
        {"id": "kids", "activity": "purchase", "multiplier": "2", "lines": "line.category == 'kids'", "campaign": "kids"},
        {"id": "size", "activity": "purchase", "fixed_points": 5, "when": "has(attributes.a) && attributes[store] == 'l'",
         "caps": [{"per": "day", "times": 1}], "group": "extra", "tier_multiplied": False},
        {"id": "visit", "activity": "visit", "fixed_points": 0},
    ]  # fmt: skip
    times = {"starts_at": "2026-11-01T00:00", "ends_at": "2027-01-01T00:00", "budget_points": 1000}
    visits = {"metric": "activities", "activities": ["visit"], "period": "rolling_months", "months": 6}
    guests = {"id": "guests", "name": "Guests", "tiers": DOCUMENT["tiers"][:1], "qualification": visits}
    campaign = {"id": "kids", "name": "Kids", **times}
    changes = {"campaigns": [campaign], "earn_rules": rules, "exclusions": ["tax"], "referrals": None}
    ends = {"by": "one_level", "grace_days": 30, "warn_days": [60, 14]}
    done("publish", write(**changes, ladders=[guests | {"downgrade": ends}]))
    shown = [" ".join(line.split()) for line in done("show", "aurora").splitlines()]
    where, most = "has(attributes.a) && attributes[store] == 'l'", "at most 1 time a day for each member"
    start = shown.index("earn kids: purchase, times 2; lines line.category == 'kids'; campaign 'kids'")
    assert shown[start + 1 : start + 6] == [
        f"earn size: purchase, 5 points; when {where}; group 'extra', priority 0; {most}; the same on every tier",
        "earn visit: visit, 0 points",
        "stacking sum",
        "excluded tax",
        "campaign kids: Kids, 2026-11-01 00:00 to 2027-01-01 00:00; 1000 points for all members together",
    ]
    assert "ladder status: points in a calendar year; no tier ends" in shown
    assert (
        "ladder guests: visit counted in the last 6 months; lost one level at a time; 30 days of grace; warned 60, 14 days "
        "before; after a refund keep until review"
    ) in shown


def test_a_client_may_be_bound_to_what_it_will_publish_first(table: Table, partner: str) -> None:
    assert RUNNER.invoke(app, ["client", "bind", partner, "--program", "fresh"]).exit_code == 1
    assert RUNNER.invoke(app, ["client", "bind", partner, "--program", "fresh", "--unpublished"]).exit_code == 0
    ProgramStore(table, system_clock).require_client("fresh", partner)
