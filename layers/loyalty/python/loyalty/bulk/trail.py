"""What the audit trail keeps of campaigns."""

from datetime import datetime

from loyalty.audit.model import Line
from loyalty.audit.store import line_put
from loyalty.bulk.model import Campaign
from loyalty.core.table import Put


def campaign_line(what: str, campaign: Campaign, *, before: Campaign | None = None, at: datetime | None = None) -> Put:
    """What the audit trail keeps of a person's act on a campaign; ``at``: unless it is written in the campaign."""
    line = Line(
        campaign.program,
        f"campaign.{what}",
        f"campaigns/{campaign.campaign}",
        at or campaign.decided_at or campaign.created_at,
        actor=None if at is not None else campaign.decided_by or campaign.started_by,
        before={"status": before.status.value} if before else {},
        after={"status": campaign.status.value, "reward_id": campaign.reward_id, "sha256": campaign.sha256},
    )
    return line_put(line)
