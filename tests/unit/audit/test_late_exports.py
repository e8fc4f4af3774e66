"""A line that comes into the chain after its day's file, however late, is in the archive too."""

from datetime import timedelta

from loyalty.audit.exporting import Exporter
from loyalty.core.table import Table
from tests.ledgerkit.clock import at
from tests.ledgerkit.trails import ACME, Trails

NOON = at("2026-03-16T12:00:00Z")
LATER = 6


def a_week(table: Table) -> Trails:
    """A line a day, linked and exported; but one more of the first day, of which the stream lost the news."""
    trails = Trails(table, NOON)
    trails.grow("a")
    trails.write("lost")
    for day in range(1, LATER + 1):
        trails.clock.now = NOON + timedelta(days=day)
        trails.grow("b")
        trails.export()
    return trails


def cut(trails: Trails) -> None:
    """Somebody takes the line away, and says that the chain ends before it."""
    chain = f"AL#{ACME}#2026-03-16"
    head, first, second = (item for item in trails.items(chain) if not item["sk"]["S"].startswith("LINKED#"))
    trails.remove(f"A#{ACME}#2026-03-16", second["line"]["S"])
    trails.remove(chain, second["sk"]["S"])
    trails.remove(chain, second["line"]["S"].replace("LINE#", "LINKED#"))
    trails.put(head | {"number": {"N": "1"}, "hash": first["hash"]})


def test_a_day_that_was_caught_up_is_exported_again(table: Table) -> None:
    trails = a_week(table)
    assert trails.found() == {"line_unlinked"}
    assert trails.chains.catch_up(ACME, NOON.date()) == 1
    assert trails.export().days == 0, "so far back it does not look by itself"
    assert Exporter(table, trails.archive, trails.clock).again(ACME, NOON.date()).days == 1
    assert trails.found() == set()
    cut(trails)
    assert trails.found() == {"chain_rewritten", "file_differs"}


def test_a_day_that_is_not_over_or_never_was_has_its_head_alone_or_nothing(table: Table) -> None:
    trails = a_week(table)
    exporter = Exporter(table, trails.archive, trails.clock)
    today = exporter.again(ACME, trails.clock().date())
    assert (today.heads, today.days) == (1, 0)
    never = exporter.again(ACME, NOON.date() - timedelta(days=9))
    assert (never.heads, never.days) == (0, 0)
