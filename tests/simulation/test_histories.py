"""Histories of the whole ledger: every promise kept, everything occurs, the same again from its seed, no bug goes by."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.simulation.bugs import BUGS
from tests.simulation.coverage import Counts, missing, summary
from tests.simulation.history import drawn, only
from tests.simulation.runs import Run, cores, run, run_all, run_seed, shrunk

HISTORIES = range(500)
BUGS_FOUND_EARLY = {
    "entry_without_condition": 5,
    "book_without_condition": 5,
    "fresh_key_for_each_retry": 5,
    "held_points_stay_available": 5,
    "days_begin_in_utc": 5,
    "each_part_rounded_by_itself": 10,
    "captured_after_its_time_out": 5,
    "rest_of_a_capture_is_lost": 10,
    "waiting_reversal_is_lost": 5,
    "transfer_in_two_transactions": 25,
    "grace_ignored_at_a_review": 5,
    "granted_for_ever": 5,
    "caps_of_the_day_in_utc": 10,
    "cap_not_given_back": 5,
    "shards_mixed_up": 5,
    "redeemed_from_points": 5,
    "given_back_to_points": 5,
}
"""Bugs that are put in on purpose, and within how many histories each is found. All of them: ``make simulate-bugs``."""


@pytest.fixture(scope="module")
def runs() -> list[Run]:
    with cores() as pool:
        return list(run_all(pool, HISTORIES))


def test_every_promise_is_kept_in_every_history(runs: list[Run]) -> None:
    assert [f"make simulate N=1 SEED={one.seed}    {one.text}" for one in runs if one.what is not None] == []


def test_everything_occurs_that_may(runs: list[Run]) -> None:
    assert missing(_counts(runs)) == []


def test_what_occurred_fits_into_a_terminal(runs: list[Run]) -> None:
    lines = list(summary(_counts(runs), 120))
    assert max(map(len, lines)) <= 120
    assert len(lines) < 120


def test_a_seed_is_one_history_bit_for_bit(runs: list[Run]) -> None:
    for seed in (1, 2):
        assert run_seed(seed).digest == runs[seed].digest
    assert len({one.digest for one in runs}) == len(runs)


@pytest.mark.parametrize("bug", BUGS_FOUND_EARLY)
def test_a_bug_put_in_on_purpose_is_found(bug: str) -> None:
    assert any(run_seed(seed, bug).what for seed in range(BUGS_FOUND_EARLY[bug]))


def test_a_history_that_fails_is_shrunk_to_one_that_fails_in_the_same_way() -> None:
    whole = drawn(0)
    history = only(whole, whole.commands[:16])
    with BUGS["held_points_stay_available"]():
        found = run(history)
        assert found.what is not None
        smallest = shrunk(history, found.what)
        assert run(smallest).what == found.what
    assert len(smallest.commands) < len(history.commands)
    assert only(history, smallest.commands) == smallest


def test_the_oracle_shares_no_code_with_the_library() -> None:
    files = list((Path(__file__).parent / "oracle").glob("*.py"))
    assert files
    roots = {name.split(".")[0] for file in files for name in _imported(file)}
    assert roots <= {
        "collections",
        "dataclasses",
        "datetime",
        "fractions",
        "functools",
        "math",
        "typing",
        "zoneinfo",
        "tests",
    }
    own = {name for file in files for name in _imported(file) if name.startswith("tests")}
    assert {name for name in own if not name.startswith("tests.simulation.oracle")} == set()


def _imported(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            yield node.module or ""


def _counts(runs: list[Run]) -> Counts:
    counts = Counts()
    for one in runs:
        counts += one.counts
    return counts
