"""The sample day on the deployed platform, with IAM enforcement: it ends where its script says, and once is as twice."""

import io
from typing import Any

import pytest
from rich.console import Console

from infra.local.cloud import LocalCloud
from infra.local.sample_day import play
from infra.local.sample_player import Day

pytestmark = pytest.mark.e2e


def standings(day: Day) -> dict[str, Any]:
    return {one.key: (one.wallet, [entry["entry_id"] for entry in one.statement]) for one in day.standings}


def test_the_day_played_twice_ends_as_if_played_once(cloud: LocalCloud) -> None:
    printed = io.StringIO()
    console = Console(file=printed, width=120)
    first = play(cloud, lambda _line: None, console)
    again = play(cloud, lambda _line: None, console)
    assert standings(first) == standings(again)
    for one in first.standings:
        assert one.wallet["available"] == first.script.expected[one.key].available
        assert one.name in printed.getvalue()
    assert first.deliveries == again.deliveries
    assert first.deliveries[0].link in printed.getvalue()
