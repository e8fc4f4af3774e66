"""A new referral: somebody came by a code."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from loyalty.attribution.model import Referral, Source
from loyalty.programs.model import Program


def new_referral(
    program: Program,
    *,
    referrer: str,
    code: str,
    member_id: str,
    now: datetime,
    source: Source | None = None,
    likenesses: Mapping[str, str] | None = None,
    flags: Mapping[str, int] | None = None,
) -> Referral:
    """The referral of ``member_id``, who named a code at ``now`` (UTC). A program without referrals has no deadline."""
    rules = program.document.referrals
    deadline = None if rules is None else now + timedelta(days=rules.qualifying.within_days)
    reminders = () if rules is None or deadline is None else rules.reminder_days
    due = min([deadline - timedelta(days=days) for days in reminders], default=deadline) if deadline else None
    return Referral(
        program=program.document.id,
        member_id=member_id,
        referrer=referrer,
        code=code,
        claimed_at=now,
        deadline=deadline,
        source=source or Source(),
        likenesses=likenesses or {},
        flags=flags or {},
        due_at=due,
        updated_at=now,
    )
