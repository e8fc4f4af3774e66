"""Programs and the clients bound to them, in the table."""

from collections.abc import Callable
from time import monotonic
from typing import Final, Generic, TypeVar

from pynamodb.attributes import UnicodeAttribute

from loyalty.core.clock import Clock, to_text
from loyalty.core.errors import ProgramChanged, ProgramNotFound, TimeZoneFixed, WalletFixed
from loyalty.core.table import Delete, IntegerAttribute, Item, Put, Table, TextSetAttribute, TransactionRefused
from loyalty.ledger.model import Scope
from loyalty.programs.model import Program, ProgramDocument

CACHE_SECONDS: Final = 60.0
"""How long a function may go on with a program version, or a client's binding, after it was replaced."""

_CURRENT: Final = "CONFIG"
_CLIENT: Final = "CLIENT"

T = TypeVar("T")


class ProgramItem(Item):
    """``P#{program}`` / ``CONFIG`` is the current version, ``CONFIG#{n}`` each version for ever."""

    version = IntegerAttribute()
    document = UnicodeAttribute()
    published_at = UnicodeAttribute()
    published_by = UnicodeAttribute()


class ShopItem(Item):
    """``S#shopify#{domain}`` / ``SHOP``: the program that a shop's events belong to."""

    program = UnicodeAttribute()


class ClientItem(Item):
    """``C#{client_id}`` / ``CLIENT``: the programs that an OAuth2 client may speak for."""

    programs = TextSetAttribute()
    bound_at = UnicodeAttribute()


class _Cache(Generic[T]):
    """Values with an age. Misses are not kept: what was just published or bound is seen at once."""

    def __init__(self, load: Callable[[str], T | None]) -> None:
        self._load = load
        self._kept: dict[str, tuple[float, T]] = {}

    def get(self, key: str) -> T | None:
        kept = self._kept.get(key)
        if kept is not None and monotonic() - kept[0] < CACHE_SECONDS:
            return kept[1]
        value = self._load(key)
        if value is None:
            self._kept.pop(key, None)
        else:
            self._kept[key] = (monotonic(), value)
        return value


class ProgramStore:
    """Reads are cached for :data:`CACHE_SECONDS` per process."""

    def __init__(self, table: Table, clock: Clock) -> None:
        self._table = table
        self._clock = clock
        self._programs = _Cache(self._load_program)
        self._clients = _Cache(self._load_client)
        self._shops = _Cache(self._load_shop)

    def current(self, program: str) -> Program:
        """The current version.

        Raises:
            ProgramNotFound: nothing was ever published under that id.
        """
        found = self._programs.get(program)
        if found is None:
            raise ProgramNotFound(f"There is no program '{program}' that this client may see.")
        return found

    def for_client(self, program: str, client_id: str) -> Program:
        """The current version, for a client bound to the program.

        Raises:
            ProgramNotFound: no such program, or the client is not bound to it; the two look alike on purpose.
        """
        if program not in (self._clients.get(client_id) or frozenset()):
            raise ProgramNotFound(f"There is no program '{program}' that this client may see.")
        return self.current(program)

    def for_shop(self, domain: str) -> str | None:
        """The id of the program that a Shopify shop's events belong to, or None."""
        return self._shops.get(domain)

    def scopes(self, program: str) -> dict[int, Scope]:
        """What the ledger was told of each version, current and past, by its number; for audits."""
        items = self._table.query_all(f"P#{program}", where=ProgramItem.sk.startswith(f"{_CURRENT}#"))
        versions = [_program_of(ProgramItem.from_raw_data(raw)) for raw in items]
        return {version.version: version.scope for version in versions}

    def version(self, program: str) -> int:
        """The number of the current version, uncached; 0 where there is none."""
        item = self._table.get(ProgramItem, f"P#{program}", _CURRENT)
        return 0 if item is None else item.version

    def publish(self, document: ProgramDocument, *, expected_version: int, actor: str) -> Program:
        """Makes ``document`` the next version, from now on the current one.

        Raises:
            ProgramChanged: the current version is not ``expected_version``, or a shop belongs to another program.
            TimeZoneFixed: it has another time zone than the current version.
            WalletFixed: it drops one of the current version's wallets, or gives it another currency.
        """
        before = self._load_program(document.id)
        if (before.version if before else 0) != expected_version:
            raise _not_current(document.id, expected_version)
        if before is not None:
            _require_kept(before.document, document)
        pk, version = f"P#{document.id}", expected_version + 1
        now, text = to_text(self._clock()), document.model_dump_json()
        items = [
            ProgramItem(pk, sk, version=version, document=text, published_at=now, published_by=actor)
            for sk in (_CURRENT, _version_sk(version))
        ]
        current = ProgramItem.version == expected_version if expected_version else ProgramItem.pk.does_not_exist()
        free = ShopItem.pk.does_not_exist() | (ShopItem.program == document.id)
        shops = [Put(ShopItem(*_shop_key(shop), program=document.id), free) for shop in document.shopify_shops]
        gone = set(before.document.shopify_shops if before else ()) - set(document.shopify_shops)
        unbound = [Delete(ShopItem, *_shop_key(shop), ShopItem.program == document.id) for shop in sorted(gone)]
        try:
            self._table.write(
                [Put(items[0], current), Put(items[1], ProgramItem.pk.does_not_exist()), *shops, *unbound]
            )
        except TransactionRefused as refusal:
            taken = [shop for place, shop in enumerate(document.shopify_shops, start=2) if place in refusal.failed]
            if taken:
                raise ProgramChanged(f"Another program already receives the events of {', '.join(taken)}.") from refusal
            raise _not_current(document.id, expected_version) from refusal
        return Program(version=version, document=document)

    def bind_client(self, client_id: str, programs: set[str]) -> None:
        """Says which programs a client may speak for, in place of what was said before."""
        item = ClientItem(f"C#{client_id}", _CLIENT, programs=programs, bound_at=to_text(self._clock()))
        self._table.write([Put(item)])

    def _load_program(self, program: str) -> Program | None:
        item = self._table.get(ProgramItem, f"P#{program}", _CURRENT)
        return None if item is None else _program_of(item)

    def _load_client(self, client_id: str) -> frozenset[str] | None:
        item = self._table.get(ClientItem, f"C#{client_id}", _CLIENT)
        return None if item is None else frozenset(item.programs)

    def _load_shop(self, domain: str) -> str | None:
        item = self._table.get(ShopItem, *_shop_key(domain))
        return None if item is None else item.program


def _require_kept(before: ProgramDocument, after: ProgramDocument) -> None:
    """Refuses to change what points were posted by: the days of their lots, and the unit that they are counted in."""
    if after.time_zone != before.time_zone:
        raise TimeZoneFixed(
            f"Program '{after.id}' keeps the days of its points in {before.time_zone}; leave time_zone as it is. "
            "A program with another time zone needs another id.",
            pointer="/time_zone",
        )
    for wallet in before.wallets:
        kept = after.wallet(wallet.id)
        if kept is None:
            raise WalletFixed(
                f"Members of '{after.id}' have the wallet '{wallet.id}'; leave it in wallets. To end it, drop its earn "
                "rules.",
                pointer="/wallets",
            )
        if kept.currency != wallet.currency:
            raise WalletFixed(
                f"The wallet '{wallet.id}' of '{after.id}' is counted in {_unit(wallet.currency)} and cannot be counted "
                f"in {_unit(kept.currency)}; leave its currency as it is, and add another wallet.",
                pointer=f"/wallets/{after.wallets.index(kept)}/currency",
            )


def _unit(currency: str | None) -> str:
    return f"minor units of {currency}" if currency else "points"


def _not_current(program: str, expected_version: int) -> ProgramChanged:
    return ProgramChanged(f"The current version of '{program}' is not {expected_version}; read it and publish again.")


def _program_of(item: ProgramItem) -> Program:
    return Program(version=item.version, document=ProgramDocument.model_validate_json(item.document))


def _version_sk(version: int) -> str:
    return f"{_CURRENT}#{version:06d}"


def _shop_key(domain: str) -> tuple[str, str]:
    return f"S#shopify#{domain}", "SHOP"
