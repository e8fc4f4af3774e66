"""Reads and writes of consents and preferences: the items are in :mod:`loyalty.privacy.consent_items`."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from loyalty.core.clock import to_text
from loyalty.core.table import Operation, Put, Table
from loyalty.ledger.items import book_of
from loyalty.ledger.keys import BOOK_SK, partition
from loyalty.ledger.model import Book
from loyalty.members.presence import present
from loyalty.privacy.consent_items import (
    CONSENTS_SK,
    KEY_PREFIX,
    PREFERENCES_SK,
    ConsentItem,
    ConsentKeyItem,
    consent_of,
    consents_of,
    consents_put,
    preferences_of,
    preferences_put,
)
from loyalty.privacy.consents import Consent, Consents, Preferences
from loyalty_contract import CONSENT_PREFIX


@dataclass(frozen=True, slots=True)
class Standing:
    """What is kept of a member, of one read. ``line``: the keys of what the request wrote before."""

    book: Book
    consents: Consents
    preferences: Preferences
    line: tuple[str, str] | None = None


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
            None if written is None else (pk, written["line"]["S"]),
        )

    def line_of_absorbed(self, book: Book, consent_id: str) -> tuple[str, str] | None:
        """The keys of what a request wrote for a member whom this one has absorbed since: one read for each of them."""
        sk = f"{KEY_PREFIX}{consent_id}"
        found = self._table.get_many([(partition(book.program, one), sk) for one in book.absorbed])
        return next(((pk, written["line"]["S"]) for (pk, _), written in found.items()), None)

    def line(self, pk: str, sk: str) -> Consent:
        """A line of the log by its keys.

        Raises:
            LookupError: there is none; a key leads to a line that was written with it.
        """
        item = self._table.get(ConsentItem, pk, sk)
        if item is None:
            raise LookupError(sk)
        return consent_of(item)

    def log(self, program: str, member_id: str) -> Iterator[Consent]:
        """Every line of a member's own partition, purpose by purpose, the earliest first."""
        found = self._table.query_all(
            partition(program, member_id), where=ConsentItem.sk.startswith(f"{CONSENT_PREFIX}")
        )
        for raw in found:
            yield consent_of(ConsentItem.from_raw_data(raw))

    def append(
        self, program: str, before: Consents, after: Consents, consent: Consent, absorbed: Collection[str]
    ) -> None:
        """Writes a line and what is in force by it, if ``before`` still is and the member is one who absorbed these others.

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
        key = ConsentKeyItem(pk, f"{KEY_PREFIX}{consent.consent_id}", line=sk)
        self._table.write(
            [
                consents_put(program, before, after),
                Put(line, ConsentItem.pk.does_not_exist()),
                Put(key, ConsentKeyItem.pk.does_not_exist()),
                present(program, before.member_id, absorbed),
            ]
        )

    def replace(self, program: str, before: Preferences, after: Preferences) -> None:
        """Writes the next version of preferences, if ``before`` is what is stored and the member is one.

        Raises:
            TransactionRefused: see :meth:`append`.
        """
        operations: list[Operation] = [preferences_put(program, before, after), present(program, after.member_id)]
        self._table.write(operations)
