"""Wallets and entries in the table. The only place that speaks DynamoDB for the ledger."""

from dataclasses import dataclass
from datetime import datetime

from pynamodb.attributes import UnicodeAttribute

from loyalty.core.clock import from_text, to_text
from loyalty.core.money import Money
from loyalty.core.table import IntegerAttribute, IntegerMapAttribute, Item, Put, RawItem, Table
from loyalty.ledger.model import Account, Entry, EntryKey, EntryKind, Facts, Movement, Wallet
from loyalty_contract import ENTRY_INDEX, ENTRY_PREFIX

WALLET_SK = "WALLET"
REVERSED_PREFIX = "REVERSED#"
"""What refunds took back of one accrual, by its source and source id."""


class WalletItem(Item):
    """``last_seq`` and not ``seq``: an item with ``seq`` would be in the entry index, at one write unit a posting."""

    last_seq = IntegerAttribute()
    available = IntegerAttribute()
    pending = IntegerAttribute()
    held = IntegerAttribute()
    debt = IntegerAttribute()
    lots = IntegerMapAttribute()
    qualifying = IntegerMapAttribute()
    tier = UnicodeAttribute()
    posted_at = UnicodeAttribute()


class EntryItem(Item):
    """An entry; attributes without a value are left out, so that an entry stays under one kilobyte."""

    seq = IntegerAttribute()
    postings = IntegerMapAttribute()
    lots = IntegerMapAttribute()
    debt = IntegerAttribute()
    qualifying = IntegerMapAttribute()
    available = IntegerAttribute()
    pending = IntegerAttribute()
    held = IntegerAttribute()
    program_version = IntegerAttribute()
    occurred_at = UnicodeAttribute()
    posted_at = UnicodeAttribute()
    request_hash = UnicodeAttribute()
    rule = UnicodeAttribute(null=True)
    activity = UnicodeAttribute(null=True)
    channel = UnicodeAttribute(null=True)
    amount = UnicodeAttribute(null=True)
    refund_basis = UnicodeAttribute(null=True)
    reverses = UnicodeAttribute(null=True)
    redemption_id = UnicodeAttribute(null=True)
    reward_id = UnicodeAttribute(null=True)
    tier_from = UnicodeAttribute(null=True)
    tier_to = UnicodeAttribute(null=True)


def partition(program: str, member_id: str) -> str:
    """The partition of a member: profile, wallet, entries, redemptions."""
    return f"M#{program}#{member_id}"


def parse_partition(pk: str) -> tuple[str, str]:
    """Program and member of :func:`partition`."""
    _, program, member_id = pk.split("#")
    return program, member_id


def entry_sk(key: EntryKey) -> str:
    """The sort key that makes an entry's identity unique within the member."""
    return f"{ENTRY_PREFIX}{key.kind}#{key.source}#{key.source_id}"


def parse_entry_sk(sk: str) -> EntryKey:
    """The identity of :func:`entry_sk`."""
    _, kind, source, source_id = sk.split("#", 3)
    return EntryKey(EntryKind(kind), source, source_id)


def new_wallet_put(program: str, member_id: str, tier: str, now: datetime) -> Put:
    """Opens an empty wallet, once; part of the transaction that enrolls the member."""
    return Put(_wallet_item(Wallet(program, member_id, tier), now), WalletItem.pk.does_not_exist())


def wallet_put(after: Wallet, now: datetime, *, entries: int) -> Put:
    """Replaces the wallet, if it still stands where it was read: ``entries`` postings before ``after``."""
    return Put(_wallet_item(after, now), WalletItem.last_seq == after.seq - entries)


def entry_put(entry: Entry) -> Put:
    """Appends the entry, unless one with its identity was ever posted."""
    return Put(_entry_item(entry), EntryItem.pk.does_not_exist())


def wallet_of(raw: RawItem) -> Wallet:
    """The wallet that a stored item holds."""
    item = WalletItem.from_raw_data(raw)
    program, member_id = parse_partition(item.pk)
    return Wallet(
        program=program,
        member_id=member_id,
        tier=item.tier,
        seq=item.last_seq,
        available=item.available,
        pending=item.pending,
        held=item.held,
        debt=item.debt,
        lots=item.lots,
        qualifying=item.qualifying,
    )


def entry_of(raw: RawItem) -> Entry:
    """The entry that a stored item holds."""
    item = EntryItem.from_raw_data(raw)
    program, member_id = parse_partition(item.pk)
    return Entry(
        program=program,
        member_id=member_id,
        key=parse_entry_sk(item.sk),
        seq=item.seq,
        movement=Movement(
            postings={Account(name): points for name, points in item.postings.items()},
            lots=item.lots,
            debt=item.debt,
            qualifying=item.qualifying,
            tier=item.tier_to,
        ),
        available=item.available,
        pending=item.pending,
        held=item.held,
        facts=Facts(
            occurred_at=from_text(item.occurred_at),
            program_version=item.program_version,
            rule=item.rule,
            activity=item.activity,
            channel=item.channel,
            amount=Money.parse(item.amount) if item.amount else None,
            refund_basis=Money.parse(item.refund_basis) if item.refund_basis else None,
            reverses=item.reverses,
            redemption_id=item.redemption_id,
            reward_id=item.reward_id,
            tier_from=item.tier_from,
        ),
        posted_at=from_text(item.posted_at),
        request_hash=item.request_hash,
    )


@dataclass(frozen=True, slots=True)
class EntryPage:
    """Entries, newest first, and the ``seq`` below which the next page starts (None after the last)."""

    entries: list[Entry]
    next_before: int | None


class LedgerStore:
    """Reads of the ledger; it is written by :class:`loyalty.ledger.service.Ledger` alone."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def wallet(self, program: str, member_id: str) -> Wallet | None:
        """One consistent read of one item: at most one read unit, whatever the history."""
        raw = self._table.read(partition(program, member_id), WALLET_SK)
        return None if raw is None else wallet_of(raw)

    def entry(self, program: str, member_id: str, key: EntryKey) -> Entry | None:
        """The entry of that identity, or None."""
        raw = self._table.read(partition(program, member_id), entry_sk(key))
        return None if raw is None else entry_of(raw)

    def entries(self, program: str, member_id: str, *, limit: int, before: int | None = None) -> EntryPage:
        """The statement, newest first: at most ``limit`` entries with ``seq`` below ``before``."""
        page = self._table.query(
            partition(program, member_id),
            where=None if before is None else EntryItem.seq < before,
            index=ENTRY_INDEX,
            newest_first=True,
            limit=limit,
        )
        entries = [entry_of(raw) for raw in page.items]
        return EntryPage(entries, entries[-1].seq if page.last_key and entries and entries[-1].seq > 1 else None)


def _wallet_item(wallet: Wallet, now: datetime) -> WalletItem:
    return WalletItem(
        partition(wallet.program, wallet.member_id),
        WALLET_SK,
        last_seq=wallet.seq,
        available=wallet.available,
        pending=wallet.pending,
        held=wallet.held,
        debt=wallet.debt,
        lots=dict(wallet.lots),
        qualifying=dict(wallet.qualifying),
        tier=wallet.tier,
        posted_at=to_text(now),
    )


def _entry_item(entry: Entry) -> EntryItem:
    facts, movement = entry.facts, entry.movement
    return EntryItem(
        partition(entry.program, entry.member_id),
        entry_sk(entry.key),
        seq=entry.seq,
        postings={str(account): points for account, points in movement.postings.items()},
        lots=dict(movement.lots),
        debt=movement.debt,
        qualifying=dict(movement.qualifying),
        available=entry.available,
        pending=entry.pending,
        held=entry.held,
        program_version=facts.program_version,
        occurred_at=to_text(facts.occurred_at),
        posted_at=to_text(entry.posted_at),
        request_hash=entry.request_hash,
        rule=facts.rule,
        activity=facts.activity,
        channel=facts.channel,
        amount=str(facts.amount) if facts.amount else None,
        refund_basis=str(facts.refund_basis) if facts.refund_basis else None,
        reverses=facts.reverses,
        redemption_id=facts.redemption_id,
        reward_id=facts.reward_id,
        tier_from=facts.tier_from,
        tier_to=movement.tier,
    )
