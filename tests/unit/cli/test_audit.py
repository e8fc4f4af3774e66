"""``loyalty audit``: what it prints, and when it ends with 1."""

import json
from datetime import timedelta
from typing import Any

import pytest
from typer.testing import CliRunner

from loyalty.cli import audit
from loyalty.cli.app import app
from loyalty.core.clock import system_clock
from loyalty.core.table import Table
from tests.ledgerkit.trails import ACME, Trails


@pytest.fixture
def trails(table: Table, monkeypatch: pytest.MonkeyPatch) -> Trails:
    """Three lines of today, linked and exported."""
    trails = Trails(table, system_clock())
    for number in range(3):
        trails.clock.now += timedelta(milliseconds=1)
        trails.grow(f"members/mbr_{number}")
    trails.export()
    monkeypatch.setattr(audit, "open_table", lambda _: table)
    monkeypatch.setattr(audit, "BucketArchive", lambda _name, _s3: trails.archive)
    return trails


def run(*words: str) -> Any:
    return CliRunner().invoke(app, ["audit", *words, "--table", "t"])


def test_a_trail_in_order_is_0_and_says_what_was_looked_at(trails: Trails) -> None:
    result = run("verify", "--bucket", "b")
    assert result.exit_code == 0
    assert "in order: 3 lines on 1 days of 1 scopes, held against 1 exported heads and 0 files" in result.stdout
    alone = run("verify", "--no-bucket")
    assert alone.exit_code == 0
    assert "The bucket was not asked" in alone.stdout


def test_a_difference_is_1_and_named(trails: Trails) -> None:
    line = trails.lines()[1]
    trails.put(line | {"actor": {"S": "eve"}})
    result = run("verify", "--bucket", "b")
    assert result.exit_code == 1
    assert f"line_changed  {ACME} {trails.clock().date()}  {line['sk']['S']}: it is not what link 2 was made of" in (
        result.stdout
    )
    told = json.loads(run("verify", "--bucket", "b", "--json").stdout)
    assert [(one["kind"], one["what"]) for one in told["findings"]] == [("line_changed", line["sk"]["S"])]


def test_a_scope_of_which_nothing_is_there_is_not_in_order(trails: Trails) -> None:
    assert trails.chains.scopes()
    result = run("verify", "--bucket", "b", "--scope", "acmee")
    assert result.exit_code == 1


def test_without_a_bucket_one_has_to_say_so(trails: Trails) -> None:
    assert trails.chains.scopes()
    result = run("verify")
    assert result.exit_code == 2
    assert "--no-bucket" in result.stderr


def test_lines_are_shown_page_by_page_by_whom_and_on_what(trails: Trails) -> None:
    day = str(trails.clock().date())
    first = json.loads(run("show", "--scope", ACME, "--day", day, "--limit", "2", "--json").stdout)
    assert [one["target"] for one in first["lines"]] == ["members/mbr_0", "members/mbr_1"]
    rest = run("show", "--scope", ACME, "--day", day, "--limit", "2", "--json", "--after", first["next_after"])
    told = json.loads(rest.stdout)
    assert ([one["target"] for one in told["lines"]], told["next_after"]) == (["members/mbr_2"], None)
    one = run("show", "--scope", ACME, "--day", day, "--target", "members/mbr_1", "--actor", "client:desk")
    (head, *rest) = one.stdout.splitlines()
    assert head.endswith("Z  member.greeted  members/mbr_1")
    assert rest == ["    ann by client:desk from 192.0.2.7", "    before: was 1", "    after: is 2"]
    assert run("show", "--scope", ACME, "--day", day, "--actor", "bob").stdout == "No such line.\n"
    assert run("show", "--scope", "acmee").stdout == "No such line: of 'acmee' nothing was ever linked.\n"


def test_a_person_is_found_by_their_id_however_the_act_names_them(trails: Trails) -> None:
    """Decisions about runs and cases of abuse name ``person:ann``, adjustments and erasures ``ann``."""
    second = trails.lines()[1]
    trails.put(second | {"actor": {"S": "person:Ann"}})
    trails.put(trails.lines()[2] | {"actor": {"S": "anna"}, "by": {"S": "person:ann"}})
    for said in ("ann", "person:ann"):
        told = json.loads(run("show", "--scope", ACME, "--actor", said, "--json").stdout)
        assert [one["target"] for one in told["lines"]] == [f"members/mbr_{number}" for number in range(3)]
    told = json.loads(run("show", "--scope", ACME, "--actor", "anna", "--json").stdout)
    assert [one["target"] for one in told["lines"]] == ["members/mbr_2"]


def test_lines_of_several_days_are_shown_in_one_order(trails: Trails) -> None:
    today = trails.clock().date()
    before, first = today - timedelta(days=1), today - timedelta(days=3)
    early = trails.lines()[0]
    for day in (before, first):
        sk = early["sk"]["S"].replace(str(today), str(day))
        trails.put(early | {"pk": {"S": f"A#{ACME}#{day}"}, "sk": {"S": sk}, "target": {"S": f"of {day}"}})
    words = ["show", "--scope", ACME, "--from", str(first), "--json", "--limit", "2"]
    page = json.loads(run(*words).stdout)
    assert [one["target"] for one in page["lines"]] == [f"of {first}", f"of {before}"]
    rest = json.loads(run(*words, "--after", page["next_after"]).stdout)
    assert [one["target"] for one in rest["lines"]] == ["members/mbr_0", "members/mbr_1"]
    assert not json.loads(run("show", "--scope", ACME, "--from", str(first), "--to", str(before), "--json").stdout)[
        "next_after"
    ]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--day", "2026-03-01", "--from", "2026-03-01"], "Name one day, or --from and --to."),
        (["--to", "2026-03-01"], "Name the first day, too."),
        (["--from", "2026-03-02", "--to", "2026-03-01"], "The last day is before the first."),
        (["--after", "LINE#tomorrow"], "Give it as the page before says it."),
        (["--after", "2026-03-01"], "Give it as the page before says it."),
    ],
)
def test_days_and_pages_that_cannot_be_meant_are_refused(trails: Trails, words: list[str], told: str) -> None:
    assert trails.lines()
    result = run("show", "--scope", ACME, *words)
    assert result.exit_code == 2
    assert told in result.stderr


def test_days_are_listed_with_their_heads(trails: Trails) -> None:
    (day,) = json.loads(run("days", "--json").stdout)
    head = trails.chains.head(ACME, trails.clock().date())
    assert head is not None
    assert day == {"scope": ACME, "day": str(head.day), "lines": 3, "hash": head.hash}
