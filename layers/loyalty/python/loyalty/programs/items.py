"""What a program is in the table, and where."""

from typing import Final

from pynamodb.attributes import UnicodeAttribute

from loyalty.core.table import IntegerAttribute, Item, TextSetAttribute
from loyalty_contract import PROGRAM_VERSION_PREFIX

CURRENT_SK: Final = "CONFIG"
DRAFT_SK: Final = "DRAFT"
CLIENT_SK: Final = "CLIENT"


class ProgramItem(Item):
    """``P#{program}`` / ``CONFIG`` is the version in force, ``CONFIG#{n}`` each version for ever.

    Of ``CONFIG`` alone: ``latest``, the highest number given so far; ``revision``, which counts its changes; and the
    version that comes into force by itself, with when. From that moment on ``CONFIG`` itself is behind, and the version
    that it names is the one in force. What was written before there were these attributes has none of them.
    """

    version = IntegerAttribute()
    document = UnicodeAttribute()
    digest = UnicodeAttribute(null=True)
    published_at = UnicodeAttribute()
    published_by = UnicodeAttribute()
    effective_at = UnicodeAttribute(null=True)
    comment = UnicodeAttribute(null=True)
    changes = UnicodeAttribute(null=True)
    rolled_back_to = IntegerAttribute(null=True)
    cancelled_at = UnicodeAttribute(null=True)
    cancelled_by = UnicodeAttribute(null=True)
    latest = IntegerAttribute(null=True)
    revision = IntegerAttribute(null=True)
    scheduled_version = IntegerAttribute(null=True)
    scheduled_at = UnicodeAttribute(null=True)


class DraftItem(Item):
    """``P#{program}`` / ``DRAFT``: what may become the next version.

    It stays when it was published or discarded, without its document: ``revision`` never begins again, so that an ETag
    of an earlier draft is never one of a later.
    """

    revision = IntegerAttribute()
    document = UnicodeAttribute(null=True)
    based_on = IntegerAttribute()
    saved_at = UnicodeAttribute()
    saved_by = UnicodeAttribute()
    saved_through = UnicodeAttribute(null=True)
    published_as = IntegerAttribute(null=True)


class ShopItem(Item):
    """``S#shopify#{domain}`` / ``SHOP``: the program that a shop's events belong to."""

    program = UnicodeAttribute()


class ClientItem(Item):
    """``C#{client_id}`` / ``CLIENT``: the programs that an OAuth2 client may speak for."""

    programs = TextSetAttribute()
    bound_at = UnicodeAttribute()


def program_pk(program: str) -> str:
    """The partition of a program."""
    return f"P#{program}"


def version_sk(version: int) -> str:
    """The sort key of a version; in the order of the numbers."""
    return f"{PROGRAM_VERSION_PREFIX}{version:06d}"


def shop_key(domain: str) -> tuple[str, str]:
    """The key of a Shopify shop."""
    return f"S#shopify#{domain}", "SHOP"
