"""How far runs are, in the table.

::

    P#{program}   {kind}#{run}#{nn}   one shard of a run, for thirty days after its last page
"""

from datetime import timedelta
from typing import Final

from pynamodb.attributes import UnicodeAttribute

from loyalty.core.clock import Clock, to_text
from loyalty.core.table import IntegerAttribute, Item, Put, RawItem, Table, TextMapAttribute, TransactionRefused
from loyalty.programs.items import program_pk
from loyalty.walking.errors import RunDiffers
from loyalty.walking.runs import SHARDS, Checkpoint, Run
from loyalty_contract import TTL_ATTRIBUTE

KEPT: Final = timedelta(days=30)
"""How long a run can be gone on with, and be looked at."""


class CheckpointItem(Item):
    """``whom`` is ``everybody``, or what else the run is of; ``ended_at`` is there once nobody is left in the shard."""

    whom = UnicodeAttribute()
    pages = IntegerAttribute()
    after = UnicodeAttribute(null=True)
    members = IntegerAttribute()
    changed = IntegerAttribute()
    failed = IntegerAttribute()
    failures = TextMapAttribute(null=True)
    saved_at = UnicodeAttribute()
    ended_at = UnicodeAttribute(null=True)
    expires_at = IntegerAttribute(attr_name=TTL_ATTRIBUTE)


class RunStore:
    """The checkpoints of runs. Each is written if it is still as it was read: of two at once, one goes on."""

    def __init__(self, table: Table, clock: Clock) -> None:
        self._table = table
        self._clock = clock

    def checkpoint(self, run: Run, shard: int) -> Checkpoint:
        """How far the run is in a shard; at its beginning where nothing is written down.

        Raises:
            RunDiffers: under this name the run is of something else.
        """
        return _checkpoint_of(run, shard, self._table.read(*_key(run, shard)))

    def checkpoints(self, run: Run) -> list[Checkpoint]:
        """Those of all shards: one round trip.

        Raises:
            RunDiffers: under this name the run is of something else.
        """
        found = self._table.get_many([_key(run, shard) for shard in SHARDS])
        return [_checkpoint_of(run, shard, found.get(_key(run, shard))) for shard in SHARDS]

    def save(self, one: Checkpoint) -> bool:
        """Writes down a page; False where another execution of the run has written down this one, or is about to."""
        first, read = CheckpointItem.pk.does_not_exist(), CheckpointItem.pages == one.pages - 1
        try:
            self._table.write([Put(self._item_of(one), first if one.pages == 1 else read)])
        except TransactionRefused:
            return False
        return True

    def _item_of(self, one: Checkpoint) -> CheckpointItem:
        now = self._clock()
        return CheckpointItem(
            *_key(one.run, one.shard),
            whom=one.run.whom,
            pages=one.pages,
            after=one.after,
            members=one.members,
            changed=one.changed,
            failed=one.failed,
            failures=dict(one.failures) or None,
            saved_at=to_text(now),
            ended_at=to_text(now) if one.done else None,
            expires_at=int((now + KEPT).timestamp()),
        )


def _key(run: Run, shard: int) -> tuple[str, str]:
    return program_pk(run.program), f"{run.kind}#{run.name}#{shard:02}"


def _checkpoint_of(run: Run, shard: int, raw: RawItem | None) -> Checkpoint:
    if raw is None:
        return Checkpoint(run, shard)
    item = CheckpointItem.from_raw_data(raw)
    if item.whom != run.whom:
        raise RunDiffers(
            f"The run '{run.name}' is of {item.whom}, and this one would be of {run.whom}. Go on with the one, or give "
            "the other another name."
        )
    return Checkpoint(
        run,
        shard,
        pages=item.pages,
        after=item.after,
        done=item.ended_at is not None,
        members=item.members,
        changed=item.changed,
        failed=item.failed,
        failures=item.failures or {},
    )
