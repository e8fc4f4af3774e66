"""What screening remembers, in the table. The only place that speaks DynamoDB for it.

::

    U#{program}#{digest}          SEEN          who had this likeness, 24 at most; that somebody was erased who had it
    N#{program}#{referrer}#{nn}   COUNTS        a sixteenth of whom a member brought: how many, by day, and the last 8
    N#{program}#-#{nn}            HOUR#{hour}   a sixteenth of a program's referrals of an hour, for 3 days

A likeness that many share is written until 24 had it within a week, and then no more before the week is over: what is behind
a carrier's network does not wait for one item.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from pynamodb.expressions.condition import Condition

from loyalty.attribution.store import SHARDS, friends_partition, shard_of
from loyalty.core.attributes import MomentAttribute
from loyalty.core.clock import from_text, to_text
from loyalty.core.table import (
    Delete,
    IntegerAttribute,
    IntegerMapAttribute,
    Item,
    Put,
    RawItem,
    TextMapAttribute,
    Update,
)
from loyalty.members.items import lookup_partition
from loyalty.referrals.sightings import Claim, Counts, Seen, Sighting
from loyalty_contract import TTL_ATTRIBUTE

SEEN_SK: Final = "SEEN"
COUNTS_SK: Final = "COUNTS"
_NOBODY: Final = "-"
"""In the place of a referrer: the whole program."""
_HOURS_KEPT: Final = timedelta(days=3)
_BETWEEN: Final = "|"

Key = tuple[str, str]


class SeenItem(Item):
    """``SEEN``: member → moment and referrer."""

    members = TextMapAttribute(null=True)
    erased_at = MomentAttribute(null=True)
    erased_until = MomentAttribute(null=True)
    revision = IntegerAttribute()
    expires_at = IntegerAttribute(attr_name=TTL_ATTRIBUTE, null=True)


class CountsItem(Item):
    """``COUNTS``: member → moment, stem of the e-mail address, whether it is a disposable one. Kept as long as the referrer."""

    total = IntegerAttribute()
    days = IntegerMapAttribute()
    claims = TextMapAttribute()
    revision = IntegerAttribute()


class HourItem(Item):
    """``HOUR#{hour}``."""

    counted = IntegerAttribute()
    expires_at = IntegerAttribute(attr_name=TTL_ATTRIBUTE)


def seen_key(program: str, digest: str) -> Key:
    """Who had a likeness."""
    return lookup_partition(program, digest), SEEN_SK


def counts_key(program: str, referrer: str, shard: int) -> Key:
    """A shard of whom a member brought."""
    return friends_partition(program, referrer, shard), COUNTS_SK


def counts_keys(program: str, referrer: str) -> list[Key]:
    """All shards."""
    return [counts_key(program, referrer, shard) for shard in range(SHARDS)]


def hour_key(program: str, member_id: str, moment: datetime) -> Key:
    """The count of an hour, in the shard of who was brought."""
    hour = to_text(moment.astimezone(UTC))[:13]
    return friends_partition(program, _NOBODY, shard_of(member_id)), f"HOUR#{hour}"


def seen_write(key: Key, after: Seen, remember: timedelta | None) -> Put | Delete:
    """Writes who had a likeness in place of what was read; what says nothing of anybody any more is deleted.

    ``remember``: it expires so long after the last of them; None: as long as one of them is a member, it does not.
    """
    same: Condition = SeenItem.revision == after.revision if after.revision else SeenItem.pk.does_not_exist()
    if not after.sightings and after.erased_until is None:
        return Delete(SeenItem, *key, same)
    lasting = bool(after.sightings) and remember is None
    until = [one.at + remember for one in after.sightings[-1:] if remember]
    until += [after.erased_until] if after.erased_until else []
    item = SeenItem(
        *key,
        members={one.member_id: f"{to_text(one.at)}{_BETWEEN}{one.referrer or ''}" for one in after.sightings} or None,
        erased_at=after.erased_at,
        erased_until=after.erased_until,
        revision=after.revision + 1,
        expires_at=None if lasting else int(max(until).timestamp()),
    )
    return Put(item, same, shared=True)


def seen_of(raw: RawItem | None) -> Seen:
    """What :func:`seen_write` wrote; nothing where there is none, or it has expired and was deleted."""
    if raw is None:
        return Seen()
    item = SeenItem.from_raw_data(raw)
    members: Mapping[str, str] = item.members or {}
    sightings = [Sighting(one, *_sighting(text)) for one, text in members.items()]
    ordered = tuple(sorted(sightings, key=lambda one: (one.at, one.member_id)))
    return Seen(ordered, item.erased_at, item.erased_until, item.revision)


def counts_put(key: Key, after: Counts) -> Put:
    """Writes a shard of a referrer's counts in place of what was read."""
    item = CountsItem(
        *key,
        total=after.total,
        days=dict(after.days),
        claims={
            one.member_id: _BETWEEN.join([to_text(one.at), one.stem, str(int(one.disposable))]) for one in after.claims
        },
        revision=after.revision + 1,
    )
    same: Condition = CountsItem.revision == after.revision if after.revision else CountsItem.pk.does_not_exist()
    return Put(item, same, shared=True)


def counts_of(raw: RawItem | None) -> Counts:
    """What :func:`counts_put` wrote."""
    if raw is None:
        return Counts()
    item = CountsItem.from_raw_data(raw)
    claims = sorted((_claim(one, text) for one, text in item.claims.items()), key=lambda one: (one.at, one.member_id))
    return Counts(item.total, item.days, tuple(claims), item.revision)


def one_more_in_hour(key: Key, now: datetime) -> Update:
    """Counts a referral of the program."""
    expires = int((now + _HOURS_KEPT).timestamp())
    return Update(HourItem, *key, [HourItem.counted.add(1), HourItem.expires_at.set(expires)], shared=True)


def in_hour(raw: RawItem | None) -> int:
    """How many referrals a program has in an hour, estimated from one of its shards."""
    return 0 if raw is None else int(HourItem.from_raw_data(raw).counted) * SHARDS


def _sighting(text: str) -> tuple[datetime, str | None]:
    at, _, referrer = text.partition(_BETWEEN)
    return from_text(at), referrer or None


def _claim(member_id: str, text: str) -> Claim:
    at, stem, disposable = text.split(_BETWEEN)
    return Claim(member_id, from_text(at), stem, disposable == "1")
