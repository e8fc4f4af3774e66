"""Books and entries as items of the table: what is stored of them, and the operations that write them."""

from datetime import datetime

from pynamodb.attributes import BooleanAttribute, UnicodeAttribute

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
    TextSetAttribute,
    Update,
)
from loyalty.ledger.documents import balances_document, change_document, change_of, filled, line_document, line_of
from loyalty.ledger.keys import BOOK_SK, due_shard, entry_sk, member_shard, parse_entry_sk, parse_partition, partition
from loyalty.ledger.model import (
    POINTS,
    Balances,
    Book,
    Entry,
    EntryKind,
    Facts,
    Hold,
    Movement,
    ReversalPolicy,
    Scope,
    Wallet,
)
from loyalty.ledger.settlement import next_due
from loyalty.ledger.standings import standing_document, standing_of, standings_of
from loyalty_contract import DUE_AT, DUE_INDEX_KEY, MEMBER_INDEX_KEY


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
    on_hold = BooleanAttribute(null=True)
    erased_at = UnicodeAttribute(null=True)
    restricted_at = UnicodeAttribute(null=True)
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


def new_book_put(program: str, member_id: str, tier: str, now: datetime) -> Put:
    """Opens an empty book, once; part of the transaction that enrolls the member."""
    return Put(_book_item(Book(program, member_id, tier, opened_at=now), None), BookItem.pk.does_not_exist())


def book_put(after: Book, scope: Scope, *, read_at_seq: int, read_awaiting: int = 0, read_on_hold: bool = False) -> Put:
    """Replaces the book, if it still stands where it was read, as many reversals wait, and it is on hold and restricted as then."""
    as_many = BookItem.awaiting == read_awaiting if read_awaiting else BookItem.awaiting.does_not_exist()
    as_free = BookItem.on_hold == True if read_on_hold else BookItem.on_hold.does_not_exist()  # noqa: E712 - a condition
    since = to_text(after.restricted_at) if after.restricted_at else None  # no posting changes it
    as_restricted = BookItem.restricted_at == since if since else BookItem.restricted_at.does_not_exist()
    as_read = (BookItem.last_seq == read_at_seq) & as_many & as_free & as_restricted
    return Put(_book_item(after, next_due(after, scope)), as_read)


def hold_put_on(program: str, member_id: str) -> Update:
    """Puts the member on hold: whoever read the book before that reads it again. Not one who was merged or erased."""
    own = BookItem.pk.exists() & BookItem.merged_into.does_not_exist() & BookItem.erased_at.does_not_exist()
    return Update(BookItem, partition(program, member_id), BOOK_SK, [BookItem.on_hold.set(True)], own)


def hold_lifted(program: str, member_id: str) -> Update:
    """Lets the member redeem again. Not one who was merged into another: the hold is that member's now; nor one erased."""
    own = BookItem.pk.exists() & BookItem.merged_into.does_not_exist() & BookItem.erased_at.does_not_exist()
    return Update(BookItem, partition(program, member_id), BOOK_SK, [BookItem.on_hold.remove()], own)


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
        on_hold=bool(item.on_hold),
        erased_at=from_text(item.erased_at) if item.erased_at else None,
        restricted_at=from_text(item.restricted_at) if item.restricted_at else None,
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
            changes={wallet: change_of(numbers) for wallet, numbers in item.changes.items()},
            qualifying=item.qualifying or {},
            tier=item.tier_to,
            standings=standings_of(item.standings),
            merged_into=item.other_member if key.kind is EntryKind.MERGE_OUT else None,
            absorbed=tuple(sorted(item.absorbed or ())),
            erased=key.erases(member_id),
        ),
        after={wallet: Balances(**numbers) for wallet, numbers in item.after.items()},
        facts=_facts_of(item),
        posted_at=from_text(item.posted_at),
        request_hash=item.request_hash,
    )


def _is_listed(book: Book) -> bool:
    return book.merged_into is None and book.erased_at is None and not is_household(book.member_id)


def _book_item(book: Book, due: datetime | None) -> BookItem:
    return BookItem(
        partition(book.program, book.member_id),
        BOOK_SK,
        last_seq=book.seq,
        tier=book.tier,
        wallets={
            key: balances_document(wallet) | filled(lots=wallet.lots, maturing=wallet.maturing)
            for key, wallet in {POINTS: Wallet(), **book.wallets}.items()
        },
        qualifying=dict(book.qualifying),
        standings={key: standing_document(standing) for key, standing in book.standings.items()} or None,
        holds={
            key: {"wallet": hold.wallet, "lots": hold.lots, "expires_at": to_text(hold.expires_at)}
            | filled(stock=hold.stock)
            for key, hold in book.holds.items()
        }
        or None,
        opened_at=to_text(book.opened_at) if book.opened_at else None,
        settled_to=to_text(book.settled_to) if book.settled_to else None,
        merged_into=book.merged_into,
        absorbed=set(book.absorbed) or None,
        awaiting=book.awaiting or None,
        on_hold=book.on_hold or None,
        erased_at=to_text(book.erased_at) if book.erased_at else None,
        restricted_at=to_text(book.restricted_at) if book.restricted_at else None,
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
        changes={key: change_document(change) for key, change in movement.changes.items()},
        after={key: balances_document(balances) for key, balances in entry.after.items()},
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
        lines={key: line_document(line) for key, line in facts.lines.items()} or None,
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
        lines={key: line_of(line) for key, line in (item.lines or {}).items()},
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
