"""Consents and preferences as items of the table.

::

    M#{program}#{member}   CONSENT#{purpose}#{at}#{consent_id}   one yes or no: never changed, never deleted
                           CONSENTS                              what is in force of each purpose; version
                           CONSENTKEY#{consent_id}               that this request was written down
                           PREFERENCES                           channels by purpose; version

A line of the log tells of nobody by itself. After an erasure it stays, as the proof of what had been agreed to.
"""

from typing import Final

from pynamodb.attributes import BooleanAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition

from loyalty.core.clock import from_text, to_text
from loyalty.core.table import DocumentAttribute, IntegerAttribute, Item, Put, RawItem
from loyalty.ledger.keys import partition
from loyalty.privacy.consents import Consent, Consents, Decided, Preferences
from loyalty.programs.privacy import Channel

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


def consents_put(program: str, before: Consents, after: Consents) -> Put:
    """Writes what is in force, if ``before`` is what is stored of the same member."""
    decided = {
        name: {"given": int(one.given), "wording": one.wording, "at": to_text(one.at)}
        for name, one in after.decided.items()
    }
    item = ConsentsItem(partition(program, after.member_id), CONSENTS_SK, decided=decided, version=after.version)
    return Put(item, unchanged(ConsentsItem, before.version))


def preferences_put(program: str, before: Preferences, after: Preferences) -> Put:
    """Writes preferences, if ``before`` is what is stored of the same member. They say when they were changed."""
    if after.said_at is None:
        raise ValueError("preferences that nobody said are not written")
    item = PreferencesItem(
        partition(program, after.member_id),
        PREFERENCES_SK,
        channels={purpose: ",".join(channels) for purpose, channels in after.channels.items()},
        version=after.version,
        updated_at=to_text(after.said_at),
    )
    return Put(item, unchanged(PreferencesItem, before.version))


def unchanged(model: type[ConsentsItem] | type[PreferencesItem], version: int) -> Condition:
    """Holds while this version is stored; 0: none."""
    same: Condition = model.version == version
    return same if version else model.pk.does_not_exist()


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
    return Preferences(member_id, item.version, channels, from_text(item.updated_at))


def consent_of(item: ConsentItem) -> Consent:
    """The line of the log that an item holds."""
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
