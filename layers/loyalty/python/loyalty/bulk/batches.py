"""A batch of a list: each of its lines held once, several side by side, and what became of them written down.

::

    read the campaign and what is written of the batch      two items
    read the batch's part of the list                       one range of the file
        hold the reward for each line that is not held      several members side by side
    write down what became of the lines                     one item

A batch may be cut off anywhere and done again, and two may do the same one: a line's redemption has its id from the
campaign and the line's reference, so that it is held once.
"""

import csv
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from loyalty.bulk.errors import BulkStopped, CampaignNotRunning, ListInvalid, RewardChanged
from loyalty.bulk.lists import read_batch
from loyalty.bulk.model import WORKED, Batch, BatchDone, Campaign, Line
from loyalty.bulk.service import only_currency, reward_for_lists, terms_of
from loyalty.bulk.store import CampaignStore
from loyalty.core.errors import LoyaltyError, RecordChanged, Unavailable, WalletBusy
from loyalty.core.files import Files, Stored
from loyalty.core.spreadsheets import cell
from loyalty.programs.model import Program, Reward
from loyalty.rewards.service import RedemptionService

WORKERS: Final = 8
"""Lines held side by side; each waits for DynamoDB most of the time."""
TOLERATED: Final = 10
"""Percent of a batch: if more fail for reasons that are not the member's, something is wrong with more than them."""


class Batches:
    """Works batches off. Any number of them may run at once.

    Args:
        store: keeps campaigns.
        files: the bucket with their lists.
        redemptions: holds.
        workers: lines held side by side.
    """

    def __init__(
        self, store: CampaignStore, files: Files, redemptions: RedemptionService, *, workers: int = WORKERS
    ) -> None:
        self._store = store
        self._files = files
        self._redemptions = redemptions
        self._workers = workers

    def work(self, program: Program, campaign: str, batch: Batch) -> BatchDone:
        """Holds the lines of a batch that are not held; what became of all of them, so far.

        Raises:
            CampaignNotRunning: the execution that asks is an earlier one, and a person has to decide, or said no, since.
            BulkStopped: too many lines failed for reasons that pass. Nothing is written down; do it again.
            RewardChanged: the reward costs, or is worth, something else than when the list was checked.
            CampaignNotFound, FileNotStored, FileChanged, ListInvalid: it is not the campaign that was begun.
        """
        found = self._store.get(program.document.id, campaign)
        before = self._store.batch(found, batch.number)
        if before is not None and not before.failures:
            return before
        if found.status not in WORKED:
            raise CampaignNotRunning(f"The campaign '{campaign}' is {found.status}: nothing more of it is held.")
        reward = _same_reward(program, found)
        lines = list(self._lines(found, batch, only_currency(reward)))
        due = [line for line in lines if before is None or line.number in before.failures]
        with ThreadPoolExecutor(self._workers) as pool:
            outcomes = list(pool.map(lambda line: self._held(program, found, line), due))
        _require_tolerable(outcomes, len(lines))
        failures = {
            line.number: (line.reference, outcome.name)
            for line, outcome in zip(due, outcomes, strict=True)
            if outcome is not None
        }
        done = BatchDone(batch.number, len(lines), len(lines) - len(failures), failures)
        self._store.save_batch(found, done)
        return done

    def report(self, campaign: Campaign) -> None:
        """Writes the lines that are not held to the bucket: the line's number, its reference, the error's name."""
        with TemporaryDirectory() as folder:
            path = Path(folder) / "failures.csv"
            with path.open("w", encoding="utf-8", newline="") as file:
                table = csv.writer(file, lineterminator="\n")
                table.writerow(("line", "reference", "error"))
                for batch in self._store.batches(campaign):
                    table.writerows((line, *map(cell, failure)) for line, failure in batch.failures.items())
            self._files.put(campaign.failures_key, path, "text/csv; charset=utf-8")

    def _lines(self, campaign: Campaign, batch: Batch, currency: str | None) -> Iterator[Line]:
        if campaign.etag is None:
            raise ListInvalid("The list was not checked: start the campaign.")
        stored = Stored(campaign.list_key, campaign.size, campaign.etag)
        part = self._files.read(stored, batch.start, batch.end)
        return read_batch(part, campaign.columns, batch.first_line, currency=currency)

    def _held(self, program: Program, campaign: Campaign, line: Line) -> "_Failed | None":
        try:
            self._redemptions.hold(
                program,
                line.member_id,
                reward_id=campaign.reward_id,
                quantity=line.quantity,
                client_id=f"campaign:{campaign.campaign}",
                idempotency_key=line.reference,
                amount=line.amount,
                requested_by=campaign.started_by,
                requested_through=campaign.started_through,
                campaign=campaign.campaign,
                paid_by=campaign.paid_by,
            )
        except LoyaltyError as error:
            return _Failed(error.code, passing=isinstance(error, Unavailable | WalletBusy | RecordChanged))
        except Exception as error:  # noqa: BLE001 - one line's failure is not the batch's; it is named in the report
            return _Failed(type(error).__name__, passing=True)
        return None


class _Failed:
    """Why a line is not held: the error's name, and whether it may pass by itself."""

    def __init__(self, name: str, *, passing: bool) -> None:
        self.name = name
        self.passing = passing


def _same_reward(program: Program, campaign: Campaign) -> Reward:
    reward = reward_for_lists(program, campaign.reward_id)
    if campaign.totals is None or campaign.totals.terms != terms_of(reward, campaign.paid_by):
        raise RewardChanged(
            "The reward is not what the list was checked and approved with: start the campaign again, and it is checked anew."
        )
    return reward


def _require_tolerable(outcomes: "list[_Failed | None]", lines: int) -> None:
    passing = [outcome.name for outcome in outcomes if outcome is not None and outcome.passing]
    if len(passing) * 100 > TOLERATED * lines:
        names = ", ".join(sorted(set(passing)))
        raise BulkStopped(f"{len(passing)} of {lines} lines failed: {names}. Mend the cause; the batch is done again.")
