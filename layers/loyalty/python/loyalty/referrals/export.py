"""Referrals as CSV: a row for each, with nothing of screening and nothing personal but ids."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from loyalty.attribution.model import Referral
from loyalty.core.clock import to_text
from loyalty.core.spreadsheets import cell

COLUMNS: Final = (
    "program", "member_id", "referrer", "code", "campaign", "channel", "linked", "claimed_at", "deadline", "status",
    "ended_at", "ended_because", "qualified_at", "amount", "currency", "pays_at", "rewarded_at", "rewarded_referrer",
    "rewarded_member_id", "number", "points", "member_points",
)  # fmt: skip


def row_of(referral: Referral) -> Iterator[str]:
    """A referral as the cells of :data:`COLUMNS`."""
    source, qualified, rewarded = referral.source, referral.qualified, referral.rewarded
    yield from (referral.program, referral.member_id, referral.referrer, cell(referral.code))
    yield from (cell(source.campaign), cell(source.channel), "yes" if source.click else "no")
    yield from (to_text(referral.claimed_at), _moment(referral.deadline), referral.status.value)
    yield from (_moment(referral.ended_at), cell(referral.ended_because))
    amount = None if qualified is None else qualified.amount
    yield _moment(None if qualified is None else qualified.qualified_at)
    yield from ("", "") if amount is None else (str(amount.amount), amount.currency)
    yield _moment(None if qualified is None else qualified.pays_at)
    if rewarded is None:
        yield from [""] * 6
        return
    yield from (to_text(rewarded.at), rewarded.referrer, rewarded.member_id)
    yield from (str(rewarded.number), str(rewarded.points), str(rewarded.member_points))


def _moment(moment: datetime | None) -> str:
    return "" if moment is None else to_text(moment)
