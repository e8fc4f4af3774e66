"""Consents and preferences in the table.

::

    M#{program}#{member}   CONSENT#{purpose}#{at}#{consent_id}   one yes or no: never changed, never deleted
                           CONSENTS                              what is in force of each purpose; version
                           CONSENTKEY#{consent_id}               that this request was written down
                           PREFERENCES                           channels by purpose; version

A line of the log tells of nobody by itself. After an erasure it stays, as the proof of what had been agreed to.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from pynamodb.attributes import BooleanAttribute, UnicodeAttribute

from loyalty.core.clock import from_text, to_text
from loyalty.core.errors import MemberErased, MemberMerged
from loyalty.core.table import (
    Check,
    DocumentAttribute,
    IntegerAttribute,
    Item,
    Operation,
    Put,
    RawItem,
    Table,
)
from loyalty.ledger.items import BookItem, book_of
from loyalty.ledger.keys import BOOK_SK, partition
from loyalty.ledger.model import Book
from loyalty.privacy.consents import Consent, Consents, Decided, Preferences
from loyalty.programs.privacy import Channel
from loyalty_contract import CONSENT_PREFIX

CONSENTS_SK: Final = "CONSENTS"
PREFERENCES_SK: Final = "PREFERENCES"
KEY_PREFIX: Final = "CONSENTKEY#"


class ConsentItem(Item):
    """A line of the log."""

    consent_id = UnicodeAttribute()
    purpose = UnicodeAttribute()
    given = BooleanAttribute()
    wording = UnicodeAttribute()
    language = UnicodeAttribute()
    channel = UnicodeAttribute()
    client_id = UnicodeAttribute()
    at = UnicodeAttribute()
    request_hash = UnicodeAttribute()


class ConsentsItem(Item):
    """``decided`` maps a purpose to ``given`` (1 or 0), ``wording`` and ``at``."""

    decided = DocumentAttribute()
    version = IntegerAttribute()


class ConsentKeyItem(Item):
    """Leads from a request to its line."""

    line = UnicodeAttribute()


class PreferencesItem(Item):
    """``channels`` maps a purpose to the channels that the member wants, as a text with commas."""

    channels = DocumentAttribute()
    version = IntegerAttribute()
    updated_at = UnicodeAttribute()


@dataclass(frozen=True, slots=True)
class Standing:
    """What is kept of a member, of one read. ``line``: the sort key of what the request wrote before."""

    book: Book
    consents: Consents
    preferences: Preferences
    line: str | None = None


class ConsentStore:
    """Reads and writes consents and preferences."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def standing(self, program: str, member_id: str, consent_id: str | None = None) -> Standing | None:
        """What is in force, in one round trip; None where there is no such member."""
        pk = partition(program, member_id)
        sks = [BOOK_SK, CONSENTS_SK, PREFERENCES_SK, *([f"{KEY_PREFIX}{consent_id}"] if consent_id else [])]
        found = self._table.get_many([(pk, sk) for sk in sks])
        if (pk, BOOK_SK) not in found:
            return None
        written = found.get((pk, f"{KEY_PREFIX}{consent_id}"))
        return Standing(
            book_of(found[pk, BOOK_SK]),
            consents_of(member_id, found.get((pk, CONSENTS_SK))),
            preferences_of(member_id, found.get((pk, PREFERENCES_SK))),
            None if written is None else written["line"]["S"],
        )

    def line(self, program: str, member_id: str, sk: str) -> Consent:
        """A line of the log by its sort key.

        Raises:
            LookupError: there is none; a key leads to a line that was written with it.
        """
        item = self._table.get(ConsentItem, partition(program, member_id), sk)
        if item is None:
            raise LookupError(sk)
        return _consent_of(item)

    def log(self, program: str, member_id: str) -> Iterator[Consent]:
        """Every line of a member's own partition, purpose by purpose, the earliest first."""
        found = self._table.query_all(
            partition(program, member_id), where=ConsentItem.sk.startswith(f"{CONSENT_PREFIX}")
        )
        for raw in found:
            yield _consent_of(ConsentItem.from_raw_data(raw))

    def append(self, program: str, before: Consents, after: Consents, consent: Consent) -> None:
        """Writes a line and what is in force by it, if ``before`` still is and the member is one.

        Raises:
            TransactionRefused: not so, or another transaction is at work on the member.
        """
        pk = partition(program, before.member_id)
        sk = f"{CONSENT_PREFIX}{consent.purpose}#{to_text(consent.at)}#{consent.consent_id}"
        line = ConsentItem(
            pk,
            sk,
            consent_id=consent.consent_id,
            purpose=consent.purpose,
            given=consent.given,
            wording=consent.wording,
            language=consent.language,
            channel=consent.channel,
            client_id=consent.client_id,
            at=to_text(consent.at),
            request_hash=consent.request_hash,
        )
        decided = {
            name: {"given": int(one.given), "wording": one.wording, "at": to_text(one.at)}
            for name, one in after.decided.items()
        }
        state = ConsentsItem(pk, CONSENTS_SK, decided=decided, version=after.version)
        unchanged = ConsentsItem.version == before.version if before.version else ConsentsItem.pk.does_not_exist()
        key = ConsentKeyItem(pk, f"{KEY_PREFIX}{consent.consent_id}", line=sk)
        self._table.write(
            [
                Put(state, unchanged),
                Put(line, ConsentItem.pk.does_not_exist()),
                Put(key, ConsentKeyItem.pk.does_not_exist()),
                present(program, before.member_id),
            ]
        )

    def replace(self, program: str, before: Preferences, after: Preferences, now: datetime) -> None:
        """Writes the next version of preferences, if ``before`` is what is stored and the member is one.

        Raises:
            TransactionRefused: see :meth:`append`.
        """
        item = PreferencesItem(
            partition(program, after.member_id),
            PREFERENCES_SK,
            channels={purpose: ",".join(channels) for purpose, channels in after.channels.items()},
            version=after.version,
            updated_at=to_text(now),
        )
        unchanged = PreferencesItem.version == before.version if before.version else PreferencesItem.pk.does_not_exist()
        operations: list[Operation] = [Put(item, unchanged), present(program, after.member_id)]
        self._table.write(operations)


def present(program: str, member_id: str) -> Check:
    """Holds while the member exists, and was neither merged nor erased."""
    there = BookItem.pk.exists() & BookItem.merged_into.does_not_exist() & BookItem.erased_at.does_not_exist()
    return Check(BookItem, partition(program, member_id), BOOK_SK, there)


def require_present(book: Book) -> None:
    """Whether the book is that of a member who is one.

    Raises:
        MemberMerged, MemberErased: not any more.
    """
    if book.merged_into is not None:
        raise MemberMerged(
            f"'{book.member_id}' was merged into '{book.merged_into}'; use that member.",
            member_id=book.member_id,
            into=book.merged_into,
        )
    if book.erased_at is not None:
        raise MemberErased.of(book.member_id)


def consents_of(member_id: str, raw: RawItem | None) -> Consents:
    """What an item says is in force; of none, that the member never said anything."""
    if raw is None:
        return Consents(member_id)
    item = ConsentsItem.from_raw_data(raw)
    decided = {
        name: Decided(bool(one["given"]), one["wording"], from_text(one["at"])) for name, one in item.decided.items()
    }
    return Consents(member_id, item.version, decided)


def preferences_of(member_id: str, raw: RawItem | None) -> Preferences:
    """What an item says the member wants; of none, that they never said."""
    if raw is None:
        return Preferences(member_id)
    item = PreferencesItem.from_raw_data(raw)
    channels = {
        purpose: tuple(Channel(one) for one in text.split(",") if one) for purpose, text in item.channels.items()
    }
    return Preferences(member_id, item.version, channels)


def _consent_of(item: ConsentItem) -> Consent:
    return Consent(
        item.consent_id,
        item.purpose,
        item.given,
        item.wording,
        item.language,
        item.channel,
        item.client_id,
        from_text(item.at),
        item.request_hash,
    )
