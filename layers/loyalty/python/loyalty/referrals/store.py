"""Attributions in the table: ``M#{program}#{referrer}`` / ``REFERRAL#{referred}``."""

from datetime import datetime

from pynamodb.attributes import UnicodeAttribute

from loyalty.core.clock import to_text
from loyalty.core.table import Item, Put
from loyalty.ledger.keys import partition
from loyalty_contract import REFERRAL_PREFIX


class ReferralItem(Item):
    """Who was brought, with which code, when. It stands with the one who brought them."""

    code = UnicodeAttribute()
    referred_at = UnicodeAttribute()


def attribution_put(program: str, referrer: str, referred: str, code: str, now: datetime) -> Put:
    """Writes an attribution, once; part of the transaction that enrolls ``referred``."""
    item = ReferralItem(
        partition(program, referrer), f"{REFERRAL_PREFIX}{referred}", code=code, referred_at=to_text(now)
    )
    return Put(item, ReferralItem.pk.does_not_exist())
