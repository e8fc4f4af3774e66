"""Tables written behind the ledger's back.

A :class:`Forgery` writes whatever a test says, adds it up by itself, and puts a book beside it that agrees: what the
proof finds in it is then what the test has planted, and nothing that follows from it.
"""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from loyalty.core.table import Item, Put, RawItem, Table
from loyalty.ledger.items import book_put, entry_put
from loyalty.ledger.keys import BOOK_SK, WAITING_PREFIX, partition
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
    Movement,
    Scope,
    Terms,
    Wallet,
)
from loyalty.ledger.verify import Finding, audit_table
from tests.ledgerkit.clock import at

SCOPE = Scope(
    "acme",
    1,
    ZoneInfo("Asia/Jakarta"),
    {POINTS: Terms(10, (7,)), "stars": Terms(40, ())},
    reward_wallets={"pin": "stars"},
)
"""Days start at 17:00 UTC; a lot is warned of seven days before its last day, and what comes back late has ten days, of stars
forty. The reward 'pin' is paid from the stars."""

START = at("2026-01-10T03:00:00Z")
SOON, LATER, NEVER = "2026-03-31", "2026-06-30", "9999-12-31"
Items = dict[tuple[str, str], RawItem]

OF_NO_ITEM = {
    "wallet_missing": "WALLET",
    "awaited_without_waiting": "WAITING#",
    "lapsed_record_wrong": "LAPSED#",
    "caps_wrong": "CAPS#",
}
"""Codes of what is found where an item is missing, and how its sort key would start."""


class StoredTable(Table):
    """Items that can be read as the proof reads them."""

    def __init__(self, items: Mapping[tuple[str, str], RawItem]) -> None:
        self.items = dict(items)
        self.reads = 0

    def read(self, pk: str, sk: str) -> RawItem | None:
        self.reads += 1
        return self.items.get((pk, sk))

    def query_all(self, pk: str, *, where: object = None) -> Iterator[RawItem]:  # noqa: ARG002
        yield from [raw for key, raw in sorted(self.items.items()) if key[0] == pk]

    def scan(self) -> Iterator[RawItem]:
        yield from [raw for _, raw in sorted(self.items.items())]


def audited(items: Mapping[tuple[str, str], RawItem], scope: Scope | None = SCOPE) -> list[Finding]:
    """What the proof finds; each names a member whom there is, an entry or an item of theirs, and what is off."""
    scopes = {} if scope is None else {scope.version: scope}
    findings = audit_table(StoredTable(items), scopes_of=lambda _: scopes, sleep=lambda _: None).findings
    for finding in findings:
        own = {sk for pk, sk in items if pk == partition(finding.program, finding.member_id)}
        assert own, finding
        places = own | {sk.removeprefix("ENTRY#").replace("#", ":", 2) for sk in own}
        assert finding.where in places or finding.where.startswith(OF_NO_ITEM.get(finding.code, "?")), finding
        assert finding.detail, finding
    return findings


def codes(items: Mapping[tuple[str, str], RawItem], scope: Scope | None = SCOPE) -> list[str]:
    return sorted(finding.code for finding in audited(items, scope))


@dataclass
class Forgery:
    """One member's history, in which anything may stand."""

    member_id: str = "mbr_x"
    now: datetime = START
    entries: list[Entry] = field(default_factory=list)
    holds: dict[str, Hold] = field(default_factory=dict)
    records: dict[str, RawItem] = field(default_factory=dict)
    book_says: dict[str, Any] = field(default_factory=dict)
    item_says: dict[str, dict[str, Any] | None] = field(default_factory=dict)
    tier: str = "bronze"

    def post(
        self,
        kind: EntryKind,
        name: str,
        *,
        source: str = "pos",
        wallet: str = POINTS,
        lots: Mapping[str, int] | None = None,
        maturing: Mapping[str, int] | None = None,
        on: str | None = None,
        due: str | None = None,
        seq: int | None = None,
        says: Mapping[str, Any] | None = None,
        movement: Mapping[str, Any] | None = None,
        **moves: int,
    ) -> "Forgery":
        """An entry; ``moves`` are postings by the last word of their account, ``on`` is when it is posted, ``due`` when
        it fell due, ``says`` are facts, ``movement`` is what else it does."""
        self.now = at(on) if on else self.now
        postings = {account: moves.pop(account.value.split(":")[1], 0) for account in Account}
        assert not moves, moves
        change = Change({key: points for key, points in postings.items() if points}, lots or {}, maturing or {})
        moved = Movement(**{"changes": {wallet: change}, **(movement or {})})
        facts = Facts(at(due) if due else self.now, 1)
        entry = Entry(
            program="acme",
            member_id=self.member_id,
            key=EntryKey(kind, source, name),
            seq=seq or len(self.entries) + 1,
            movement=moved,
            after={},
            facts=replace(facts, **(says or {})),
            posted_at=self.now,
            request_hash="-",
        )
        self.entries.append(entry)
        self.tier = moved.tier or self.tier
        names = {POINTS, *moved.changes}
        self.entries[-1] = replace(entry, after={key: self.wallet(key).balances for key in names})
        return self

    def wallet(self, wallet_id: str = POINTS) -> Wallet:
        """What the entries add up to."""
        changes = [entry.movement.change(wallet_id) for entry in self.entries]
        sums = {account: sum(change.postings.get(account, 0) for change in changes) for account in Account}
        lots, maturing = (
            {
                key: total
                for key in sorted({key for change in changes for key in getattr(change, name)})
                if (total := sum(getattr(change, name).get(key, 0) for change in changes))
            }
            for name in ("lots", "maturing")
        )
        balances = Balances(sums[Account.AVAILABLE], sums[Account.PENDING], sums[Account.HELD], -sums[Account.DEBT])
        return Wallet(balances.available, balances.pending, balances.held, balances.debt, lots, maturing)

    def earned(self, name: str, points: int, lot: str = SOON, **more: Any) -> "Forgery":
        """Points that may be spent at once, and count."""
        counts = {"qualifying": {"2026": points}} if more.get("wallet", POINTS) == POINTS else {}
        return self.post(
            EntryKind.ACCRUAL,
            name,
            **{"available": points, "issued": -points, "lots": {lot: points}, "movement": counts, **more},
        )

    def adjusted(self, points: int, **more: Any) -> "Forgery":
        """Points given or taken by hand, with the record of it."""
        name = f"adj_{len(self.entries)}"
        told = {"reason": "goodwill", "actor": "staff-1"}
        self.record(
            f"ADJUSTMENT#{name}", status="posted", points=points, wallet=POINTS, posted_to=self.member_id, **told
        )
        moves = {"available": points, "adjusted": -points, "lots": {SOON: points}, "says": told, **more}
        return self.post(EntryKind.ADJUSTMENT, name, source="adjustment", **moves)

    def reversed(self, points: int, of: str = "R-1", **more: Any) -> "Forgery":
        """All of an accrual taken back, from the lot that it was earned into, with the record of it."""
        self.record(f"REVERSED#pos#{of}", points={POINTS: points}, reversals=1, whole=1)
        counts = {"qualifying": {"2026": -points}}
        moves = {"available": -points, "issued": points, "lots": {SOON: -points}, "movement": counts, **more}
        return self.post(EntryKind.REVERSAL, f"F-{of}", says={"reverses": f"accrual:pos:{of}"}, **moves)

    def held(
        self,
        points: int,
        lots: Mapping[str, int],
        *,
        until: str | None = None,
        of: str = POINTS,
        reward: str | None = None,
        **says: Any,
    ) -> "Forgery":
        """A hold of redemption ``rdm_1`` in the wallet ``of``, with its redemption, which says ``says`` too."""
        taken = {lot: -part for lot, part in lots.items()}
        expires_at = at(until) if until else None
        self.holds |= {"rdm_1": Hold(of, lots, expires_at)} if expires_at else {}
        told = {"status": "held", "points": points, "lots": lots, "expires_at": until}
        self.record("REDEMPTION#rdm_1", **{**told, "wallet": None if of == POINTS else of, **says})
        facts = {"redemption_id": "rdm_1", "reward_id": reward, "hold_expires_at": expires_at}
        moves: dict[str, Any] = {"available": -points, "held": points}
        return self.post(EntryKind.HOLD, "rdm_1", source="redemption", wallet=of, lots=taken, says=facts, **moves)

    def held_of(self, name: str, lots: Mapping[str, int]) -> "Forgery":
        """Another hold, with its redemption."""
        points = sum(lots.values())
        self.record(f"REDEMPTION#{name}", status="held", points=points, lots=lots)
        taken = {lot: -part for lot, part in lots.items()}
        return self.post(EntryKind.HOLD, name, source="redemption", available=-points, held=points, lots=taken)

    def without(self, sk: str) -> "Forgery":
        """Without an item beside the entries."""
        del self.records[sk]
        return self

    def ended(self, kind: EntryKind, back: Mapping[str, int], **more: Any) -> "Forgery":
        """An end of ``rdm_1`` that brings points back to lots; by itself it ends all of it."""
        self.holds.pop("rdm_1", None)
        returned = sum(back.values())
        moves = {"available": returned, "held": -returned, "lots": back, "says": {"redemption_id": "rdm_1"}, **more}
        return self.post(kind, "rdm_1", source="redemption", **moves)

    def record(self, sk: str, **says: Any) -> "Forgery":
        """An item beside the entries."""
        self.records[sk] = {name: typed(value) for name, value in says.items() if value is not None}
        return self

    def book(self, **says: Any) -> "Forgery":
        """What the book says, whatever the entries do."""
        self.book_says |= says
        return self

    def item(self, **says: dict[str, Any] | None) -> "Forgery":
        """Attributes of the book's item; None removes one."""
        self.item_says |= says
        return self

    @property
    def pk(self) -> str:
        return partition("acme", self.member_id)

    def items(self, scope: Scope = SCOPE) -> Items:
        wallets = {name: self.wallet(name) for entry in self.entries for name in entry.movement.changes}
        years = {year for entry in self.entries for year in entry.movement.qualifying}
        book = Book(
            "acme",
            self.member_id,
            self.tier,
            seq=self.entries[-1].seq if self.entries else 0,
            opened_at=START,
            settled_to=max((entry.posted_at for entry in self.entries), default=None),
            wallets=wallets,
            holds=self.holds,
            standings={
                ladder: standing for entry in self.entries for ladder, standing in entry.movement.standings.items()
            },
            qualifying={y: sum(entry.movement.qualifying.get(y, 0) for entry in self.entries) for y in years},
            merged_into=next(
                (entry.movement.merged_into for entry in self.entries[::-1] if entry.movement.merged_into), None
            ),
            absorbed=sorted({one for entry in self.entries for one in entry.movement.absorbed}),
            awaiting=sum(sk.startswith(WAITING_PREFIX) and "code" not in raw for sk, raw in self.records.items()),
        )
        put = book_put(replace(book, **self.book_says), scope, read_at_seq=0)
        stored = {raw_key(raw): raw for raw in (raw_of(put), *(raw_of(entry_put(entry)) for entry in self.entries))}
        for name, value in self.item_says.items():
            stored[self.pk, BOOK_SK].pop(name, None)
            stored[self.pk, BOOK_SK] |= {name: value} if value is not None else {}
        for sk, attributes in self.records.items():
            stored[self.pk, sk] = {"pk": {"S": self.pk}, "sk": {"S": sk}, **attributes}
        return stored


def raw_of(put: Put) -> RawItem:
    """The item as a table would give it back."""
    item: Item = put.item
    return item.to_dynamodb_dict()


def raw_key(raw: RawItem) -> tuple[str, str]:
    return raw["pk"]["S"], raw["sk"]["S"]


def typed(value: Any) -> dict[str, Any]:
    """A value as DynamoDB types it."""
    if isinstance(value, Mapping):
        return {"M": {key: typed(part) for key, part in value.items()}}
    if isinstance(value, set):
        return {"SS": sorted(value)}
    return {"N": str(value)} if isinstance(value, int) else {"S": str(value)}


class Forger:
    """Changes items of a table that was honest."""

    def __init__(self, items: Items, member_id: str) -> None:
        self.items = deepcopy(items)
        self.pk = partition("acme", member_id)

    def __getitem__(self, sk: str) -> RawItem:
        return self.items[self.pk, sk]

    def find(self, start: str, place: int = 0) -> str:
        """The sort key of one of the items that start so."""
        return sorted(sk for pk, sk in self.items if pk == self.pk and sk.startswith(start))[place]

    def last(self) -> str:
        """The newest entry."""
        entries = [raw for (pk, _), raw in self.items.items() if pk == self.pk and "seq" in raw]
        return str(max(entries, key=lambda raw: int(raw["seq"]["N"]))["sk"]["S"])

    def set(self, sk: str, path: str, value: Any) -> "Forger":
        """Replaces what is at ``path``, its parts divided by '/': '~' stands for '/' in a part."""
        *parts, last = (part.replace("~", "/") for part in path.split("/"))
        place: dict[str, Any] = self[sk]
        for part in parts:
            place = place.setdefault(part, {"M": {}})["M"]
        if value is None:
            del place[last]
        else:
            place[last] = typed(value)
        return self

    def add(self, sk: str, path: str, points: int) -> "Forger":
        """Adds to the number at ``path``; there is none where it was zero."""
        place: Any = {"M": self[sk]}
        for part in path.split("/"):
            place = place.get("M", {}).get(part.replace("~", "/"), {})
        return self.set(sk, path, int(place.get("N", "0")) + points)

    def delete(self, *sks: str) -> "Forger":
        for sk in sks:
            del self.items[self.pk, sk]
        return self

    def copy(self, sk: str, to: str, **says: Any) -> "Forger":
        raw = deepcopy(self[sk]) | {"sk": {"S": to}} | {name: typed(value) for name, value in says.items()}
        self.items[self.pk, to] = raw
        return self
