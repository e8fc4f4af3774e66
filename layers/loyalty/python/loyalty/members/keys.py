"""The data key of a member in the table. Whatever is personal of the member lies under it: without it nobody can read any of it.

::

    M#{program}#{member}   KEY    the key as KMS wrapped it, and by which key; written when the member enrolls
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from pynamodb.attributes import BinaryAttribute, UnicodeAttribute

from loyalty.core.clock import from_text, to_text
from loyalty.core.keys import WrappedKey
from loyalty.core.table import IntegerAttribute, Item, Put, RawItem
from loyalty.ledger.keys import partition

KEY_SK: Final = "KEY"


class KeyItem(Item):
    """``version`` grows each time the key is wrapped anew; the data key in it stays the same."""

    wrapped = BinaryAttribute(legacy_encoding=False)
    key_id = UnicodeAttribute()
    created_at = UnicodeAttribute()
    rewrapped_at = UnicodeAttribute(null=True)
    version = IntegerAttribute()


@dataclass(frozen=True, slots=True)
class MemberKey:
    """A member's data key, wrapped. Times are UTC."""

    stored: WrappedKey
    created_at: datetime
    rewrapped_at: datetime | None = None
    version: int = 1

    @property
    def wrapped_at(self) -> datetime:
        """When KMS wrapped it last."""
        return self.rewrapped_at or self.created_at


def new_key_put(program: str, member_id: str, key: MemberKey) -> Put:
    """Writes a member's first and only data key; fails where there is one."""
    return Put(_item_of(program, member_id, key), KeyItem.pk.does_not_exist())


def rewrapped_put(program: str, member_id: str, before: MemberKey, after: MemberKey) -> Put:
    """Writes the same data key as it is wrapped now; fails where ``before`` is not stored any more, or deleted."""
    return Put(_item_of(program, member_id, after), KeyItem.version == before.version)


def key_of(raw: RawItem | None) -> MemberKey | None:
    """The key that an item holds; None where there is no item."""
    if raw is None:
        return None
    item = KeyItem.from_raw_data(raw)
    return MemberKey(
        WrappedKey(item.wrapped, item.key_id),
        created_at=from_text(item.created_at),
        rewrapped_at=from_text(item.rewrapped_at) if item.rewrapped_at else None,
        version=item.version,
    )


def _item_of(program: str, member_id: str, key: MemberKey) -> KeyItem:
    return KeyItem(
        partition(program, member_id),
        KEY_SK,
        wrapped=key.stored.wrapped,
        key_id=key.stored.key_id,
        created_at=to_text(key.created_at),
        rewrapped_at=to_text(key.rewrapped_at) if key.rewrapped_at else None,
        version=key.version,
    )
