"""Books and entries in the table. The only place that speaks DynamoDB for the ledger."""

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from pynamodb.attributes import UnicodeAttribute

from loyalty.core.clock import from_text, to_text
from loyalty.core.ids import is_household
from loyalty.core.money import Money
from loyalty.core.table import (
    DocumentAttribute,
    IntegerAttribute,
    IntegerMapAttribute,
    Item,
    Put,
    RawItem,
    Table,
    TextSetAttribute,
)
from loyalty.ledger.model import (
    POINTS,
    Account,
    Balances,
    Book,
    Change,
    Entry,
    EntryKey,
    EntryKind,
    Facts,
    Hold,
    Line,
    Movement,
    ReversalPolicy,
    Scope,
    Wallet,
)
from loyalty.ledger.settlement import next_due
from loyalty.ledger.standings import standing_document, standing_of, standings_of
from loyalty_contract import (
    DUE_AT,
    DUE_INDEX_KEY,
    DUE_SHARDS,
    ENTRY_INDEX,
    ENTRY_PREFIX,
    MEMBER_INDEX_KEY,
    MEMBER_SHARDS,
    PARTITION_KEY,
    SORT_KEY,
)

BOOK_SK: Final = "WALLET"
REVERSED_PREFIX: Final = "REVERSED#"
"""What reversals took back of one accrual, by its source and source id."""
LAPSED_PREFIX: Final = "LAPSED#"
"""What reversals took back of points that had expired, by wallet and lot."""
WAITING_PREFIX: Final = "WAITING#"
"""A reversal that came before its accrual, by its own source and source id."""
AWAITED_PREFIX: Final = "AWAITED#"
"""Which reversals wait for an accrual, by its source and source id."""
CAPS_PREFIX: Final = "CAPS#"
"""What caps count of a member in one day, week, month, year, or ever."""
LIMITS_SK: Final = "LIMITS"
"""What the limits of redemptions count of a member."""
BUDGET_PREFIX: Final = "B#"
"""Of a partition: one shard of what a campaign's budget has spent."""
ADJUSTMENT_PREFIX: Final = "ADJUSTMENT#"
"""An adjustment that somebody asked for, by its id."""
HOUSEHOLD_SK: Final = "HOUSEHOLD"
"""In a household's partition who is in it; in a member's the one that they are in."""
_BALANCES: Final = ("available", "pending", "held", "debt")


class BookItem(Item):
    """A member's book.

    ``last_seq`` and not ``seq``: an item with ``seq`` would be in the entry index, at one write unit a posting.
    ``due_*`` put it into the due index, as long as anything is to fall due by itself; ``member_shard`` into the index of
    members, as long as it is one's.
    """

    last_seq = IntegerAttribute()
    tier = UnicodeAttribute()
    wallets = DocumentAttribute()
    qualifying = IntegerMapAttribute()
    standings = DocumentAttribute(null=True)
    holds = DocumentAttribute(null=True)
    opened_at = UnicodeAttribute(null=True)
    settled_to = UnicodeAttribute(null=True)
    merged_into = UnicodeAttribute(null=True)
    absorbed = TextSetAttribute(null=True)
    awaiting = IntegerAttribute(null=True)
    due_shard = UnicodeAttribute(attr_name=DUE_INDEX_KEY, null=True)
    due_at = UnicodeAttribute(attr_name=DUE_AT, null=True)
    member_shard = UnicodeAttribute(attr_name=MEMBER_INDEX_KEY, null=True)


class EntryItem(Item):
    """An entry; attributes without a value are left out, so that an entry stays under one kilobyte."""

    seq = IntegerAttribute()
    changes = DocumentAttribute()
    after = DocumentAttribute()
    qualifying = IntegerMapAttribute(null=True)
    program_version = IntegerAttribute()
    occurred_at = UnicodeAttribute()
    posted_at = UnicodeAttribute()
    request_hash = UnicodeAttribute()
    rules = DocumentAttribute(null=True)
    rule_points = DocumentAttribute(null=True)
    used = IntegerMapAttribute(null=True)
    activity = UnicodeAttribute(null=True)
    channel = UnicodeAttribute(null=True)
    amount = UnicodeAttribute(null=True)
    refund_basis = UnicodeAttribute(null=True)
    lines = DocumentAttribute(null=True)
    policy = UnicodeAttribute(null=True)
    renewed = TextSetAttribute(null=True)
    reverses = UnicodeAttribute(null=True)
    reason = UnicodeAttribute(null=True)
    actor = UnicodeAttribute(null=True)
    approved_by = UnicodeAttribute(null=True)
    other_member = UnicodeAttribute(null=True)
    absorbed = TextSetAttribute(null=True)
    redemption_id = UnicodeAttribute(null=True)
    reward_id = UnicodeAttribute(null=True)
    stock = IntegerMapAttribute(null=True)
    hold_expires_at = UnicodeAttribute(null=True)
    lot = UnicodeAttribute(null=True)
    lot_points = IntegerAttribute(null=True)
    tier_from = UnicodeAttribute(null=True)
    tier_to = UnicodeAttribute(null=True)
    ladder = UnicodeAttribute(null=True)
    standings = DocumentAttribute(null=True)
    standing_from = DocumentAttribute(null=True)
    falls_to = UnicodeAttribute(null=True)
    told = UnicodeAttribute(null=True)


def partition(program: str, member_id: str) -> str:
    """The partition of a member: profile, book, entries, redemptions."""
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


def parse_entry_id(entry_id: str) -> EntryKey:
    """The identity of an entry's one text: ``accrual:pos:R-1``.

    Raises:
        ValueError: it is none.
    """
    kind, source, source_id = entry_id.split(":", 2)
    return EntryKey(EntryKind(kind), source, source_id)


def due_shard(member_id: str) -> str:
    """The shard of the due index in which a member's book is."""
    return shard_name(zlib.crc32(member_id.encode()) % DUE_SHARDS)


def shard_name(number: int) -> str:
    """The key of a shard of the due index, from 0."""
    return f"DUE#book#{number:02}"


def member_shard(program: str, member_id: str) -> str:
    """The shard of the index of members in which a member's book is."""
    return member_shard_name(program, zlib.crc32(member_id.encode()) % MEMBER_SHARDS)


def member_shard_name(program: str, number: int) -> str:
    """The key of a shard of the index of members, from 0."""
    return f"{program}#{number:02}"


def new_book_put(program: str, member_id: str, tier: str, now: datetime) -> Put:
    """Opens an empty book, once; part of the transaction that enrolls the member."""
    return Put(_book_item(Book(program, member_id, tier, opened_at=now), None), BookItem.pk.does_not_exist())


def book_put(after: Book, scope: Scope, *, read_at_seq: int, read_awaiting: int = 0) -> Put:
    """Replaces the book, if it still stands where it was read, and as many reversals wait."""
    as_many = BookItem.awaiting == read_awaiting if read_awaiting else BookItem.awaiting.does_not_exist()
    return Put(_book_item(after, next_due(after, scope)), (BookItem.last_seq == read_at_seq) & as_many)


def entry_put(entry: Entry) -> Put:
    """Appends the entry, unless one with its identity was ever posted."""
    return Put(_entry_item(entry), EntryItem.pk.does_not_exist())


def book_of(raw: RawItem) -> Book:
    """The book that a stored item holds."""
    item = BookItem.from_raw_data(raw)
    program, member_id = parse_partition(item.pk)
    return Book(
        program=program,
        member_id=member_id,
        tier=item.tier,
        seq=item.last_seq,
        opened_at=from_text(item.opened_at) if item.opened_at else None,
        settled_to=from_text(item.settled_to) if item.settled_to else None,
        wallets={key: Wallet(**numbers) for key, numbers in item.wallets.items()},
        holds={
            key: Hold(hold["wallet"], hold["lots"], from_text(hold["expires_at"]), hold.get("stock", {}))
            for key, hold in (item.holds or {}).items()
        },
        qualifying=item.qualifying,
        standings=standings_of(item.standings),
        merged_into=item.merged_into,
        absorbed=tuple(sorted(item.absorbed or ())),
        awaiting=item.awaiting or 0,
    )


def due_at(raw: RawItem) -> datetime | None:
    """The moment under which the stored book is in the due index (UTC), or None."""
    text = raw.get(DUE_AT, {}).get("S")
    return from_text(text) if text else None


def entry_of(raw: RawItem) -> Entry:
    """The entry that a stored item holds."""
    item = EntryItem.from_raw_data(raw)
    program, member_id = parse_partition(item.pk)
    key = parse_entry_sk(item.sk)
    return Entry(
        program=program,
        member_id=member_id,
        key=key,
        seq=item.seq,
        movement=Movement(
            changes={wallet: _change_of(numbers) for wallet, numbers in item.changes.items()},
            qualifying=item.qualifying or {},
            tier=item.tier_to,
            standings=standings_of(item.standings),
            merged_into=item.other_member if key.kind is EntryKind.MERGE_OUT else None,
            absorbed=tuple(sorted(item.absorbed or ())),
        ),
        after={wallet: Balances(**numbers) for wallet, numbers in item.after.items()},
        facts=_facts_of(item),
        posted_at=from_text(item.posted_at),
        request_hash=item.request_hash,
    )


@dataclass(frozen=True, slots=True)
class EntryPage:
    """Entries, newest first, and the ``seq`` below which the next page starts (None after the last)."""

    entries: list[Entry]
    next_before: int | None


@dataclass(frozen=True, slots=True)
class DueBook:
    """What the due index has of a book: its partition, and when something in it falls due, as they are stored."""

    pk: str
    due_at: str


@dataclass(frozen=True, slots=True)
class DuePage:
    """Books in which something fell due, the longest due first, and where the next page starts (None: nowhere)."""

    books: list[DueBook]
    next: RawItem | None


@dataclass(frozen=True, slots=True)
class ListedMember:
    """What the index of members has of one: the tiers of all ladders, as they were last written."""

    member_id: str
    tiers: frozenset[str]


@dataclass(frozen=True, slots=True)
class MemberPage:
    """Members in the order of their ids, and behind whom the next page starts (None: nobody comes after them)."""

    members: list[ListedMember]
    next_after: str | None


class LedgerStore:
    """Reads of the ledger; it is written by :class:`loyalty.ledger.service.Ledger` alone."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def book(self, program: str, member_id: str) -> Book | None:
        """One consistent read of one item, whatever the history. As it was last written: see ``settlement.as_of``."""
        raw = self._table.read(partition(program, member_id), BOOK_SK)
        return None if raw is None else book_of(raw)

    def current(self, program: str, member_id: str) -> Book | None:
        """The member's book, or that of whom they were merged into: one more read for each merge."""
        book = self.book(program, member_id)
        while book is not None and book.merged_into is not None:
            book = self.book(program, book.merged_into)
        return book

    def record(self, program: str, member_id: str, sk: str) -> RawItem | None:
        """What is kept under a sort key for the member, for whom they were merged into, or for whom that one absorbed.

        One read, two more where the member's own partition does not have it.
        """
        own = self._table.read(partition(program, member_id), sk)
        if own is not None:
            return own
        book = self.current(program, member_id)
        others = [] if book is None else [one for one in (book.member_id, *book.absorbed) if one != member_id]
        found = self._table.get_many([(partition(program, one), sk) for one in others])
        return next(iter(found.values()), None)

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

    def due(self, shard: int, now: datetime, *, limit: int, start: RawItem | None = None) -> DuePage:
        """A page of the books in which something fell due by ``now``.

        Eventually consistent: a book may be named that was settled a moment ago, or be missing for a moment.
        """
        page = self._table.due_page(shard_name(shard), to_text(now), limit=limit, start=start)
        return DuePage([DueBook(raw[PARTITION_KEY]["S"], raw[DUE_AT]["S"]) for raw in page.items], page.last_key)

    def members(self, program: str, shard: int, *, limit: int, after: str | None = None) -> MemberPage:
        """A page of the members in a shard of the index, those behind the id ``after``. Households are none.

        Eventually consistent: who enrolled a moment ago may be missing, who was merged a moment ago be named. Books
        from before there was this index are in it from their next posting on, or by :meth:`list_member`.
        """
        start = partition(program, after or "")
        page = self._table.member_page(member_shard_name(program, shard), after=start, limit=limit)
        members = [_listed(raw) for raw in page.items]
        return MemberPage(members, members[-1].member_id if page.last_key and members else None)

    def partitions(self, program: str) -> Iterator[str]:
        """Those of all members and households of a program; reads the whole table."""
        for raw in self._raw_books(program):
            yield raw[PARTITION_KEY]["S"]

    def unlisted(self, program: str) -> Iterator[str]:
        """Ids of members whose books are from before there was an index of members; reads the whole table."""
        for raw in self._raw_books(program):
            _, member_id = parse_partition(raw[PARTITION_KEY]["S"])
            if not is_household(member_id) and not raw.keys() & {MEMBER_INDEX_KEY, "merged_into"}:
                yield member_id

    def _raw_books(self, program: str) -> Iterator[RawItem]:
        mine = partition(program, "")
        for raw in self._table.scan():
            if raw[SORT_KEY]["S"] == BOOK_SK and raw[PARTITION_KEY]["S"].startswith(mine):
                yield raw

    def list_member(self, program: str, member_id: str) -> bool:
        """Puts a book from before there was an index of members into it; False where it is there or is no member's."""
        if is_household(member_id):
            return False
        shard, unless = member_shard(program, member_id), (MEMBER_INDEX_KEY, "merged_into")
        return self._table.mark(partition(program, member_id), BOOK_SK, MEMBER_INDEX_KEY, shard, unless=unless)


def _listed(raw: RawItem) -> ListedMember:
    standings = raw.get("standings", {}).get("M", {}).values()
    tiers = [raw.get("tier"), *(standing["M"].get("tier") for standing in standings)]
    return ListedMember(parse_partition(raw[PARTITION_KEY]["S"])[1], frozenset(tier["S"] for tier in tiers if tier))


def _is_listed(book: Book) -> bool:
    return book.merged_into is None and not is_household(book.member_id)


def _book_item(book: Book, due: datetime | None) -> BookItem:
    return BookItem(
        partition(book.program, book.member_id),
        BOOK_SK,
        last_seq=book.seq,
        tier=book.tier,
        wallets={
            key: _balances(wallet) | _filled(lots=wallet.lots, maturing=wallet.maturing)
            for key, wallet in {POINTS: Wallet(), **book.wallets}.items()
        },
        qualifying=dict(book.qualifying),
        standings={key: standing_document(standing) for key, standing in book.standings.items()} or None,
        holds={
            key: {"wallet": hold.wallet, "lots": hold.lots, "expires_at": to_text(hold.expires_at)}
            | _filled(stock=hold.stock)
            for key, hold in book.holds.items()
        }
        or None,
        opened_at=to_text(book.opened_at) if book.opened_at else None,
        settled_to=to_text(book.settled_to) if book.settled_to else None,
        merged_into=book.merged_into,
        absorbed=set(book.absorbed) or None,
        awaiting=book.awaiting or None,
        due_shard=due_shard(book.member_id) if due else None,
        due_at=to_text(due) if due else None,
        member_shard=member_shard(book.program, book.member_id) if _is_listed(book) else None,
    )


def _entry_item(entry: Entry) -> EntryItem:
    facts, movement = entry.facts, entry.movement
    return EntryItem(
        partition(entry.program, entry.member_id),
        entry_sk(entry.key),
        seq=entry.seq,
        changes={key: _change_document(change) for key, change in movement.changes.items()},
        after={key: _balances(balances) for key, balances in entry.after.items()},
        qualifying=dict(movement.qualifying) or None,
        program_version=facts.program_version,
        occurred_at=to_text(facts.occurred_at),
        posted_at=to_text(entry.posted_at),
        request_hash=entry.request_hash,
        rules=dict(facts.rules) or None,
        rule_points={wallet: dict(points) for wallet, points in facts.rule_points.items()} or None,
        used=dict(facts.used) or None,
        activity=facts.activity,
        channel=facts.channel,
        amount=str(facts.amount) if facts.amount else None,
        refund_basis=str(facts.refund_basis) if facts.refund_basis else None,
        lines={key: _line_document(line) for key, line in facts.lines.items()} or None,
        policy=facts.policy,
        renewed=set(facts.renewed) or None,
        reverses=facts.reverses,
        reason=facts.reason,
        actor=facts.actor,
        approved_by=facts.approved_by,
        other_member=facts.other_member,
        absorbed=set(movement.absorbed) or None,
        redemption_id=facts.redemption_id,
        reward_id=facts.reward_id,
        stock=dict(facts.stock) or None,
        hold_expires_at=to_text(facts.hold_expires_at) if facts.hold_expires_at else None,
        lot=facts.lot,
        lot_points=facts.lot_points,
        tier_from=facts.tier_from,
        tier_to=movement.tier,
        ladder=facts.ladder,
        standings={key: standing_document(standing) for key, standing in movement.standings.items()} or None,
        standing_from=standing_document(facts.standing_from) if facts.standing_from else None,
        falls_to=facts.falls_to,
        told=facts.told,
    )


def _facts_of(item: EntryItem) -> Facts:
    return Facts(
        occurred_at=from_text(item.occurred_at),
        program_version=item.program_version,
        rules=item.rules or {},
        rule_points=item.rule_points or {},
        used=item.used or {},
        activity=item.activity,
        channel=item.channel,
        amount=Money.parse(item.amount) if item.amount else None,
        refund_basis=Money.parse(item.refund_basis) if item.refund_basis else None,
        lines={key: _line_of(line) for key, line in (item.lines or {}).items()},
        policy=ReversalPolicy(item.policy) if item.policy else None,
        renewed=tuple(sorted(item.renewed or ())),
        reverses=item.reverses,
        reason=item.reason,
        actor=item.actor,
        approved_by=item.approved_by,
        other_member=item.other_member,
        redemption_id=item.redemption_id,
        reward_id=item.reward_id,
        stock=item.stock or {},
        hold_expires_at=from_text(item.hold_expires_at) if item.hold_expires_at else None,
        lot=item.lot,
        lot_points=item.lot_points,
        tier_from=item.tier_from,
        ladder=item.ladder,
        standing_from=standing_of(item.standing_from) if item.standing_from else None,
        falls_to=item.falls_to,
        told=item.told,
    )


def _line_document(line: Line) -> dict[str, Any]:
    excluded = {"excluded": 1} if line.excluded else {}
    return {"quantity": line.quantity, "amount": str(line.amount), **_filled(points=line.points), **excluded}


def _line_of(line: Mapping[str, Any]) -> Line:
    return Line(line["quantity"], Money.parse(line["amount"]), line.get("points", {}), bool(line.get("excluded")))


def _balances(balances: Balances) -> dict[str, Any]:
    return {name: getattr(balances, name) for name in _BALANCES if getattr(balances, name)}


def _change_document(change: Change) -> dict[str, Any]:
    return _filled(postings=change.postings, lots=change.lots, maturing=change.maturing)


def _filled(**maps: Mapping[Any, int]) -> dict[str, Any]:
    return {name: numbers for name, numbers in maps.items() if numbers}


def _change_of(numbers: Mapping[str, Any]) -> Change:
    postings = {Account(name): points for name, points in numbers.get("postings", {}).items()}
    return Change(postings, numbers.get("lots", {}), numbers.get("maturing", {}))
