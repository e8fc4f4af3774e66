"""``loyalty risk``: what is listed, and what people decide by it."""

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from loyalty.abuse.watch import Kind
from loyalty.cli import risk
from loyalty.cli.app import app
from loyalty.core.table import Table
from tests.ledgerkit.moves import ADA, BOB
from tests.unit.abuse.watched import Watched


@pytest.fixture
def watched(table: Table, monkeypatch: pytest.MonkeyPatch) -> Watched:
    """Ada is on hold for a spike, Bob is flagged for reveals."""
    watched = Watched(table)
    watched.spike()
    for number in range(3):
        watched.see(watched.note(Kind.REVEAL, f"red_1:{number}"), member=BOB)
    monkeypatch.setattr(risk, "open_table", lambda _: table)
    monkeypatch.setattr(risk, "system_clock", watched.world.clock)
    shell(monkeypatch, "ann")
    return watched


def shell(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(risk, "known_operator", lambda: f"operator:arn:aws:iam::1:user/{name}")


def run(*words: str) -> Any:
    return CliRunner().invoke(app, ["risk", *words, "--program", "acme", "--table", "t"])


def listed() -> list[str]:
    found: list[dict[str, Any]] = json.loads(run("list", "--json").stdout)["items"]
    return [one["member_id"] for one in found]


def test_a_confirmed_case_stays_on_hold_and_is_not_listed_any_more(watched: Watched) -> None:
    assert listed() == [ADA, BOB]
    for _ in range(2):  # again: it is as it is
        result = run("confirm", ADA, "--reason", "not_theirs")
        assert result.exit_code == 0, result.output
        assert f"{ADA}: confirmed, on hold" in result.stdout
        assert "confirmed by operator:arn:aws:iam::1:user/ann" in result.stdout
    assert listed() == [BOB]
    assert sorted(watched.lines()) == ["risk.confirmed", "risk.flagged", "risk.flagged"], "confirmed once"


def test_who_was_only_flagged_is_on_hold_once_it_is_abuse(watched: Watched) -> None:
    assert not watched.case(BOB).on_hold
    told = json.loads(run("confirm", BOB, "--reason", "sold_codes", "--json").stdout)
    assert (told["state"], told["on_hold"], told["decided"]["reason"]) == ("confirmed", True, "sold_codes")


def test_what_was_released_or_never_was_is_not_confirmed(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "Another person has to agree" in run("release", ADA, "--reason", "called_back").stdout
    shell(monkeypatch, "ben")
    assert f"{ADA}: released, not on hold" in run("release", ADA, "--reason", "called_back").stdout
    assert run("confirm", ADA, "--reason", "not_theirs").exit_code == 1
    assert run("confirm", "mbr_00000000000000000000000000", "--reason", "not_theirs").exit_code == 1
    assert run("confirm", BOB, "--reason", "No code").exit_code == 2
    assert watched.case().state == "released"
