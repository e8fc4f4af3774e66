"""The sample day: a day of real commerce, played into a running cloud through its public interfaces alone.

Playing it again changes nothing: members are enrolled once, events and accruals have an identity, redemptions an
idempotency key, and a redemption ends once.

``python -m infra.local.sample_day`` plays it into the cloud that the environment names (``source .local/env``).
"""

import os
import sys
from collections.abc import Callable, Mapping
from typing import Protocol

from rich.console import Console

from infra.local.sample_access import Access, SampleDayFailed
from infra.local.sample_player import Day, Player
from infra.local.sample_report import show
from infra.local.sample_script import Script


class Cloud(Protocol):
    """A running cloud, by the variables that a shell would have."""

    @property
    def variables(self) -> Mapping[str, str]:
        """What ``.local/env`` holds."""


def play(cloud: Cloud, report: Callable[[str], None], console: Console | None = None) -> Day:
    """Plays the day and prints what it left behind.

    Raises:
        SampleDayFailed: a step, or where a member stands in the end, is not what the script says.
    """
    script = Script.load()
    report(f"playing {script.title.lower()}")
    day = Player(Access.from_env(cloud.variables)).play(script, report)
    show(day, console or Console())
    return day


class _Environment:
    variables: Mapping[str, str] = os.environ


def main() -> int:
    """Plays the day into the cloud of this environment. Returns the exit code."""
    console = Console()
    try:
        play(_Environment(), lambda line: console.print(line, markup=False, highlight=False, soft_wrap=True), console)
    except KeyError as error:
        console.print(f"{error.args[0]} is not set: source .local/env first", markup=False)
        return 1
    except SampleDayFailed as error:
        console.print(str(error), markup=False)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
