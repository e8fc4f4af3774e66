"""Everything that a program keeps of a member, as a ZIP of JSON files with a README and a schema.

Each part is read page by page and written as it comes, so that a million entries take no more memory than a page does.
What is of other people (staff, other members, clients) is not in it, but for ids of the ledger that name nobody.
"""

import json
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from loyalty.abuse.store import RiskItem
from loyalty.adjustments.store import AdjustmentItem
from loyalty.attribution.store import ReferralStore
from loyalty.core.clock import Clock, to_text
from loyalty.core.errors import MemberNotFound
from loyalty.core.table import Item, Table
from loyalty.households.store import MembershipItem
from loyalty.ledger.items import EntryItem, book_of, entry_of
from loyalty.ledger.keys import ADJUSTMENT_PREFIX, BOOK_SK, HOUSEHOLD_SK, partition
from loyalty.ledger.settlement import as_of
from loyalty.ledger.views import EntryView, WalletView
from loyalty.members.items import MemberItem
from loyalty.members.model import Profile
from loyalty.members.presence import require_present
from loyalty.privacy.consent_items import PREFERENCES_SK, ConsentItem, PreferencesItem
from loyalty.privacy.parts import (
    FILES,
    README,
    adjustment_part,
    consent_part,
    redemption_part,
    referral_part,
    review_part,
    schema,
    share_part,
)
from loyalty.programs.model import Program
from loyalty.referrals.link_store import ShareItem
from loyalty.rewards.store import RedemptionItem, redemption_of
from loyalty.segments.items import SEGMENTS_SK, SegmentsItem
from loyalty.vault.store import CARD_SK, AccessItem, CardItem, card_pk
from loyalty_contract import (
    ACCESS_PREFIX,
    CONSENT_PREFIX,
    ENTRY_INDEX,
    MEMBER_SK,
    REDEMPTION_PREFIX,
    RISK_SK,
    SHARE_PREFIX,
)

Json = Mapping[str, Any]
ReadProfile = Callable[[str, str], Profile]
"""The profile of one very member, whoever they were merged into."""
_PAGE: Final = 200
_STAFF: Final = frozenset({"actor", "approved_by"})
"""Of an entry: who it was on the business's side."""
_SINGLE: Final[Mapping[str, type[Any]]] = {
    PREFERENCES_SK: PreferencesItem,
    SEGMENTS_SK: SegmentsItem,
    HOUSEHOLD_SK: MembershipItem,
}


class Archive:
    """Writes archives.

    Args:
        table: the table.
        profile: opens profiles.
        clock: gives the present moment.
        folder: where files are written before they are stored.
    """

    def __init__(self, table: Table, profile: ReadProfile, clock: Clock, folder: Path | None = None) -> None:
        self._table = table
        self._profile = profile
        self._clock = clock
        self._folder = folder

    @contextmanager
    def written(self, program: Program, member_id: str) -> Iterator[Path]:
        """The file, which is deleted afterwards.

        Raises:
            MemberErased, MemberMerged: there is no such member any more.
        """
        with tempfile.TemporaryDirectory(dir=self._folder) as folder:
            path = Path(folder) / "export.zip"
            with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as file:
                self._write(file, program, member_id)
            yield path

    def _write(self, file: zipfile.ZipFile, program: Program, member_id: str) -> None:
        name = program.document.id
        raw = self._table.read(partition(name, member_id), BOOK_SK)
        if raw is None:
            raise MemberNotFound.of(name, member_id)
        book = book_of(raw)
        require_present(book)
        family = (member_id, *book.absorbed)
        wallet = WalletView.of(as_of(book, program.scope, self._clock()), program.scope, member_id)
        file.writestr("README.txt", README.format(member_id=member_id, made_at=to_text(self._clock())))
        file.writestr("schema.json", json.dumps(schema(), indent=2))
        file.writestr("wallet.json", wallet.model_dump_json(indent=2))
        parts: dict[str, Iterable[Json]] = {
            "profile": ({"member_id": one, **self._profile(name, one).as_json()} for one in family),
            "consents": self._each(name, family, CONSENT_PREFIX, ConsentItem, consent_part),
            "preferences": self._single(name, family, PREFERENCES_SK, ("channels",)),
            "segments": self._single(name, family, SEGMENTS_SK, ("segments",)),
            "statement": (line for one in family for line in self._statement(name, one)),
            "redemptions": self._each(name, family, REDEMPTION_PREFIX, RedemptionItem, self._redemption),
            "cards": (card for one in family for card in self._cards(name, one)),
            "household": self._single(name, family, HOUSEHOLD_SK, ("household_id", "joined_at")),
            "referrals": (line for one in family for line in self._referrals(name, one)),
            "referral_codes": (line for one in family for line in self._codes(name, one)),
            "referral_links": self._each(name, family, SHARE_PREFIX, ShareItem, share_part),
            "adjustments": self._each(name, family, ADJUSTMENT_PREFIX, AdjustmentItem, adjustment_part),
            "reviews": self._each(name, family, RISK_SK, RiskItem, review_part),
        }
        for part in FILES:
            _stream(file, f"{part}.json", parts[part])

    def _each(
        self, program: str, family: Iterable[str], prefix: str, model: type[Any], shown: Callable[[Any], Json]
    ) -> Iterator[Json]:
        for one in family:
            where = Item.sk.startswith(prefix)
            for raw in self._table.query_all(partition(program, one), where=where):
                yield {"member_id": one, **shown(model.from_raw_data(raw))}

    def _single(self, program: str, family: Iterable[str], sk: str, names: Iterable[str]) -> Iterator[Json]:
        for one in family:
            item = self._table.get(_SINGLE[sk], partition(program, one), sk)
            if item is not None:
                yield {"member_id": one, **{each: getattr(item, each) for each in names}}

    def _referrals(self, program: str, member_id: str) -> Iterator[Json]:
        """By whom they came, and whom they brought. Not what speaks against it: who knew that would know what to avoid."""
        store = ReferralStore(self._table)
        if (own := store.get(program, member_id)) is not None:
            yield {"member_id": member_id, **referral_part(own, self._clock())}
        for friend in store.friends(program, member_id):
            yield {"member_id": member_id, "referred": friend}

    def _codes(self, program: str, member_id: str) -> Iterator[Json]:
        """The code that they show, and those that they showed before."""
        item = self._table.get(MemberItem, partition(program, member_id), MEMBER_SK)
        if item is not None:
            for code in (item.referral_code, *sorted(item.earlier_codes or ())):
                yield {"member_id": member_id, "code": code}

    def _statement(self, program: str, member_id: str) -> Iterator[Json]:
        """Every entry in the order of its number, a page of the index at a time."""
        start = None
        while True:
            page = self._table.query(
                partition(program, member_id), where=EntryItem.seq > 0, index=ENTRY_INDEX, limit=_PAGE, start=start
            )
            for raw in page.items:
                shown = EntryView.of(entry_of(raw)).model_dump(mode="json", exclude_none=True)
                yield {"member_id": member_id, **{name: value for name, value in shown.items() if name not in _STAFF}}
            if page.last_key is None:
                return
            start = page.last_key

    def _redemption(self, item: RedemptionItem) -> Json:
        return redemption_part(redemption_of(item, self._clock()))

    def _cards(self, program: str, member_id: str) -> Iterator[Json]:
        """That a card was given, and when it was shown; never its code: whoever has the archive could spend it."""
        where = Item.sk.startswith(REDEMPTION_PREFIX)
        for raw in self._table.query_all(partition(program, member_id), where=where):
            redemption_id = raw["sk"]["S"].removeprefix(REDEMPTION_PREFIX)
            pk = card_pk(program, redemption_id)
            card = self._table.get(CardItem, pk, CARD_SK)
            if card is not None:
                seen = [
                    {"at": line["at"]["S"], "kind": line["kind"]["S"]}
                    for line in self._table.query_all(pk, where=AccessItem.sk.startswith(ACCESS_PREFIX))
                ]
                yield {"redemption_id": redemption_id, "stored_at": card.stored_at, "shown": seen}


def _stream(file: zipfile.ZipFile, name: str, lines: Iterable[Json]) -> None:
    """A JSON list, line by line."""
    with file.open(name, "w", force_zip64=True) as out:
        out.write(b"[")
        for place, line in enumerate(lines):
            text = json.dumps(line, ensure_ascii=False, default=str)
            out.write(f"{',' if place else ''}\n{text}".encode())
        out.write(b"\n]\n")
