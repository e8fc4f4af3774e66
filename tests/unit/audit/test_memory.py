"""What a long day takes of a function's memory: exports and catching up no more than a short one, verify a kilobyte a line."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from loyalty.audit.exporting import Exporter
from loyalty.audit.links import ChainStore
from loyalty.audit.verify import Verifier
from loyalty.core.table import Page, RawItem
from tests.ledgerkit.endless import DAY, NOON, EndlessDay, peak
from tests.ledgerkit.trails import ACME, MemoryArchive


def after() -> Any:
    return NOON + timedelta(days=1)


class Sink(MemoryArchive):
    """Keeps what files weigh, and not the files."""

    def __init__(self) -> None:
        super().__init__(after)
        self.bytes = 0

    def put(self, key: str, path: Path, content_type: str) -> None:
        assert (key, content_type) != ("", "")
        self.bytes += path.stat().st_size


class Unlinked(EndlessDay):
    """The same day, of which nothing is linked; takes whatever is written."""

    def get_many(self, *_: Any) -> dict[tuple[str, str], RawItem]:
        return {}

    def read(self, *_: Any) -> None:
        return None

    def query(self, *_: Any, **__: Any) -> Page:
        return Page([], None)

    def write(self, operations: Sequence[object]) -> None:
        assert operations


def export(length: int) -> Callable[[], object]:
    day = EndlessDay(length)

    def work() -> None:
        sink = Sink()
        assert Exporter(day, sink, after).run().days == 1
        assert sink.bytes > 100 * length, "hashes cannot be packed"

    return work


def catch_up(length: int) -> Callable[[], object]:
    def work() -> None:
        assert ChainStore(Unlinked(length)).catch_up(ACME, DAY) == length

    return work


@pytest.mark.parametrize(("work", "some", "more"), [(export, 500, 2_000), (catch_up, 2_000, 4_000)])
def test_more_lines_take_no_more(work: Callable[[int], Callable[[], object]], some: int, more: int) -> None:
    assert peak(work(more)) < 1.2 * peak(work(some))


def test_verify_keeps_of_a_line_its_key_and_its_hashes() -> None:
    length = 2_000
    day = EndlessDay(length)

    def work() -> None:
        assert Verifier(day, after).verify(scan=False).lines == length

    assert peak(work) < 1_500 * length
