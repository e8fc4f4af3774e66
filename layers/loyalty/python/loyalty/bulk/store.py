"""Campaigns and their batches in the table.

::

    L#{program}#{campaign}   CAMPAIGN      where it stands; in the due index under its program, by when it was created
                             BATCH#{nnnn}  a batch that was worked off
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from pynamodb.attributes import BooleanAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition

from loyalty.bulk.errors import CampaignNotFound
from loyalty.bulk.model import BatchDone, Campaign, CampaignStatus, Totals
from loyalty.core.attributes import MomentAttribute, MoneyAttribute
from loyalty.core.clock import to_text
from loyalty.core.errors import RecordChanged
from loyalty.core.listing import Listed, listed
from loyalty.core.table import IntegerAttribute, Item, Put, RawItem, Table, TextMapAttribute, TransactionRefused
from loyalty.rewards.model import Payer
from loyalty_contract import DUE_AT, DUE_INDEX_KEY

CAMPAIGN_SK: Final = "CAMPAIGN"
BATCH_PREFIX: Final = "BATCH#"
_BETWEEN: Final = " "
"""Neither a reference nor an error's name has one."""


class CampaignItem(Item):
    """``L#{program}#{campaign}`` / ``CAMPAIGN``."""

    reward_id = UnicodeAttribute()
    paid_by = UnicodeAttribute()
    sha256 = UnicodeAttribute()
    started_by = UnicodeAttribute()
    started_through = UnicodeAttribute(null=True)
    created_at = MomentAttribute()
    status = UnicodeAttribute()
    lines = IntegerAttribute(null=True)
    units = IntegerAttribute(null=True)
    points = IntegerAttribute(null=True)
    value = MoneyAttribute(null=True)
    terms = UnicodeAttribute(null=True)
    columns = UnicodeAttribute(null=True)
    etag = UnicodeAttribute(null=True)
    size = IntegerAttribute(null=True)
    problem = UnicodeAttribute(null=True)
    approved = BooleanAttribute()
    decided_by = UnicodeAttribute(null=True)
    decided_through = UnicodeAttribute(null=True)
    decided_at = MomentAttribute(null=True)
    note = UnicodeAttribute(null=True)
    running_since = MomentAttribute(null=True)
    revision = IntegerAttribute()
    due_shard = UnicodeAttribute(attr_name=DUE_INDEX_KEY)
    due_at = UnicodeAttribute(attr_name=DUE_AT)


class BatchItem(Item):
    """``L#{program}#{campaign}`` / ``BATCH#{nnnn}``. ``failures``: line number → reference and error's name."""

    lines = IntegerAttribute()
    held = IntegerAttribute()
    failures = TextMapAttribute(null=True)


class CampaignStore:
    """Which campaigns a program has is eventually consistent; each is read consistently and written if it is as it was read."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def get(self, program: str, campaign: str) -> Campaign:
        """A campaign.

        Raises:
            CampaignNotFound: there is none of that name.
        """
        raw = self._table.read(_pk(program, campaign), CAMPAIGN_SK)
        if raw is None:
            raise CampaignNotFound(f"Program '{program}' has no campaign '{campaign}'.")
        return _campaign_of(raw)

    def page(self, program: str, *, limit: int, after: str | None = None) -> Listed[Campaign]:
        """Up to ``limit`` campaigns of a program, the oldest first; ``after`` is the cursor of the page before."""
        return listed(self._table, _shard(program), _campaign_of, limit=limit, after=after)

    def create(self, campaign: Campaign, line: Put) -> Campaign:
        """Writes a new campaign, with its line of the audit trail; the one that has its name, where there is one."""
        if self._put(campaign, CampaignItem.pk.does_not_exist(), line):
            return campaign
        return self.get(campaign.program, campaign.campaign)

    def save(self, changed: Campaign, *also: Put) -> Campaign:
        """Writes a campaign that was read and changed; ``also``: of a person's act, its line of the audit trail.

        Raises:
            RecordChanged: somebody else changed it meanwhile; read it again.
        """
        later = replace(changed, revision=changed.revision + 1)
        if not self._put(later, CampaignItem.revision == changed.revision, *also):
            raise RecordChanged(f"The campaign '{changed.campaign}' was changed meanwhile; read it again.")
        return later

    def batch(self, campaign: Campaign, number: int) -> BatchDone | None:
        """What became of a batch; None where it is not written down."""
        raw = self._table.read(_pk(campaign.program, campaign.campaign), _batch_sk(number))
        return None if raw is None else _batch_of(raw)

    def batches(self, campaign: Campaign) -> Iterator[BatchDone]:
        """Every batch that is written down, in their order, page after page."""
        pk = _pk(campaign.program, campaign.campaign)
        yield from map(_batch_of, self._table.query_all(pk, where=BatchItem.sk.startswith(BATCH_PREFIX)))

    def save_batch(self, campaign: Campaign, done: BatchDone) -> None:
        """Writes down a batch, in the place of an earlier attempt."""
        item = BatchItem(
            _pk(campaign.program, campaign.campaign),
            _batch_sk(done.number),
            lines=done.lines,
            held=done.held,
            failures={str(line): _BETWEEN.join(failure) for line, failure in done.failures.items()} or None,
        )
        self._table.write([Put(item)])

    def record(self, line: Put) -> None:
        """Writes a line of the audit trail, of what changes nothing in the table by itself."""
        self._table.write([line])

    def _put(self, campaign: Campaign, condition: Condition, *also: Put) -> bool:
        try:
            self._table.write([Put(_campaign_item(campaign), condition), *also])
        except TransactionRefused as refusal:
            if refusal.contended:
                raise RecordChanged(f"The campaign '{campaign.campaign}' is being changed; try again.") from refusal
            return False
        return True


def _pk(program: str, campaign: str) -> str:
    return f"L#{program}#{campaign}"


def _shard(program: str) -> str:
    return f"CAMPAIGNS#{program}"


def _batch_sk(number: int) -> str:
    return f"{BATCH_PREFIX}{number:04d}"


def _campaign_item(one: Campaign) -> CampaignItem:
    totals = one.totals
    return CampaignItem(
        _pk(one.program, one.campaign),
        CAMPAIGN_SK,
        reward_id=one.reward_id,
        paid_by=one.paid_by.value,
        sha256=one.sha256,
        started_by=one.started_by,
        started_through=one.started_through,
        created_at=one.created_at,
        status=one.status.value,
        lines=totals.lines if totals else None,
        units=totals.units if totals else None,
        points=totals.points if totals else None,
        value=totals.value if totals else None,
        terms=totals.terms if totals else None,
        columns=",".join(one.columns) or None,
        etag=one.etag,
        size=one.size or None,
        problem=one.problem,
        approved=one.approved,
        decided_by=one.decided_by,
        decided_through=one.decided_through,
        decided_at=one.decided_at,
        note=one.note,
        running_since=one.running_since,
        revision=one.revision,
        due_shard=_shard(one.program),
        due_at=f"{to_text(one.created_at)}#{one.campaign}",
    )


def _campaign_of(raw: RawItem) -> Campaign:
    item = CampaignItem.from_raw_data(raw)
    _, program, campaign = item.pk.split("#")
    return Campaign(
        program=program,
        campaign=campaign,
        reward_id=item.reward_id,
        paid_by=Payer(item.paid_by),
        sha256=item.sha256,
        started_by=item.started_by,
        started_through=item.started_through,
        created_at=item.created_at,
        status=CampaignStatus(item.status),
        totals=_totals_of(item),
        columns=tuple(item.columns.split(",")) if item.columns else (),
        etag=item.etag,
        size=item.size or 0,
        problem=item.problem,
        approved=item.approved,
        decided_by=item.decided_by,
        decided_through=item.decided_through,
        decided_at=item.decided_at,
        note=item.note,
        running_since=item.running_since,
        revision=item.revision,
    )


def _totals_of(item: CampaignItem) -> Totals | None:
    if item.lines is None:
        return None
    return Totals(item.lines, item.units, item.points, item.value, item.terms)


def _batch_of(raw: RawItem) -> BatchDone:
    item = BatchItem.from_raw_data(raw)
    failures = {int(line): tuple(text.split(_BETWEEN)) for line, text in (item.failures or {}).items()}
    return BatchDone(
        number=int(item.sk.removeprefix(BATCH_PREFIX)),
        lines=item.lines,
        held=item.held,
        failures={line: (reference, code) for line, (reference, code) in sorted(failures.items())},
    )
