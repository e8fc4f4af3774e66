"""What a bulk fulfilment costs for each line of its list, and that its time and memory are those of a batch."""

import gc
import hashlib
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

from loyalty.bulk.batches import Batches
from loyalty.bulk.model import BATCH
from loyalty.bulk.service import Asked, Campaigns
from loyalty.bulk.steps import BatchRequest, CampaignRequest, Steps
from loyalty.bulk.store import CampaignStore
from loyalty.core.files import Stored
from loyalty.ledger.items import new_book_put
from loyalty.rewards.model import Payer
from tests.bench.engine import Running
from tests.bench.figures import Figure
from tests.bench.operations import bench_program
from tests.bench.progress import bar
from tests.ledgerkit.bulk import load
from tests.ledgerkit.world import World

SHORT, LONG = 500, 5_000
REWARD = "card"
CAMPAIGN = "spring"
WRITES = 10
"""Write units of a line that the program pays: the book, the entry, the redemption and its place in the history twice each, the
entry's copy once, and what the batch itself takes."""


class _Folder:
    """A bucket on disk, so that the list is in nobody's memory."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def _at(self, key: str) -> Path:
        path = self.folder / key.replace("/", "_")
        path.parent.mkdir(exist_ok=True)
        return path

    def put(self, key: str, path: Path, content_type: str) -> None:
        self._at(key).write_bytes(path.read_bytes() if content_type else b"")

    def look(self, key: str) -> Stored:
        return Stored(key, self._at(key).stat().st_size, "etag")

    def read(self, file: Stored, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        with self._at(file.key).open("rb") as content:
            content.seek(start)
            left = (file.size if end is None else end) - start
            while left > 0:
                part = content.read(min(left, 65_536))
                left -= len(part)
                yield part

    def link(self, key: str, *, seconds: int) -> str:
        return f"{key}?{seconds}"

    upload_link = link


class _Campaign:
    """A list of so many lines, a member for each."""

    def __init__(self, running: Running, folder: Path, lines: int, *, workers: int) -> None:
        self.table = running.table(f"bulk-{lines}-{workers}")
        self.world = World(self.table, of=bench_program())
        program = self.world.program
        first = program.document.tiers[0].id
        members = [f"mbr_{number:026}" for number in range(lines)]
        with bar(f"{lines:,} members", lines) as told:
            books = (
                new_book_put(program.document.id, one, first, self.world.clock()).item.serialize() for one in members
            )
            load(running.client, self.table.name, books, told=told)
        files, store = _Folder(folder), CampaignStore(self.table)
        content = "member_id,reference\n" + "".join(f"{one},R-{at}\n" for at, one in enumerate(members))
        campaigns = Campaigns(store, files, self.world.clock)
        digest = hashlib.sha256(content.encode()).hexdigest()
        created = campaigns.create(program, Asked(CAMPAIGN, REWARD, Payer.PROGRAM, digest, "ada"))
        files.put(created.list_key, _written(folder / "list.csv", content), "text/csv")
        self.steps = Steps(campaigns, Batches(store, files, self.world.redemptions, workers=workers), lambda _: program)
        self.request = CampaignRequest(program=program.document.id, campaign=CAMPAIGN)

    def run(self, before_each: Callable[[], object] = bool) -> int:
        """Everything that the state machine does; lines that are held."""
        for one in self.steps.begin(self.request):
            before_each()
            self.steps.batch(self.request, BatchRequest.model_validate(one["batch"]))
        told, progress = self.steps.sum(self.request)
        if told["status"] != "done":
            raise AssertionError(f"the campaign did something else than what is measured: {told}")
        return progress.held


def _written(path: Path, content: str) -> Path:
    path.write_text(content)
    return path


def figures(running: Running) -> Iterator[Figure]:
    """Units of a line, and of doing all of it again; time and memory of a short and of a long list."""
    with TemporaryDirectory() as folder:
        campaign = _Campaign(running, Path(folder), SHORT, workers=1)
        cost = running.cost(campaign.table, campaign.run)
        yield Figure("bulk.write_units_per_line", cost.write_units / SHORT, "units", WRITES)
        yield Figure("bulk.round_trips_per_line", cost.round_trips / SHORT, "round trips", 2.1)
        running.drop(campaign.table)
    measured = {lines: _measured(running, lines) for lines in (SHORT, LONG)}
    for lines, (seconds, peak) in measured.items():
        yield Figure(f"bulk.{lines}_lines.ms_per_line", 1000 * seconds / lines, "ms")
        yield Figure(f"bulk.{lines}_lines.peak_memory", peak / 1024, "KiB")
    (short_seconds, short_peak), (long_seconds, long_peak) = measured[SHORT], measured[LONG]
    growth = (long_seconds / LONG) / (short_seconds / SHORT)
    yield Figure("bulk.time_per_line_of_the_long_list", growth, "of short", 1.5)
    # What a part of the file takes, of which the short list fills less than one, and 45 more ranges.
    yield Figure("bulk.memory_that_the_long_list_adds", (long_peak - short_peak) / 1024, "KiB", 256)
    yield Figure("bulk.batches_of_the_long_list", LONG // BATCH, "batches")


def _measured(running: Running, lines: int) -> tuple[float, int]:
    """Seconds of a run as a function does it, and the most memory of another, where each allocation is counted."""
    with TemporaryDirectory() as folder:
        campaign = _Campaign(running, Path(folder), lines, workers=8)
        start = monotonic()
        held = campaign.run()
        seconds = monotonic() - start
        running.drop(campaign.table)
    with TemporaryDirectory() as folder:
        campaign = _Campaign(running, Path(folder), lines, workers=7)
        # What waits for the collector grows by chance, and would be counted as the list's.
        peak = _peak(lambda: campaign.run(gc.collect))
        running.drop(campaign.table)
    if held != lines:
        raise AssertionError(f"{held} of {lines} lines are held")
    return seconds, peak


def _peak(run: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        run()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
