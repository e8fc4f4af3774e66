"""What the audit trail keeps of decisions about fulfilment runs."""

from datetime import datetime
from typing import Final

from loyalty.audit.model import Line
from loyalty.audit.store import line_put
from loyalty.core.table import Put
from loyalty.fulfillment.run import Run

_DONE: Final = {
    "approve": "approved",
    "reject": "rejected",
    "retry": "retried",
    "cancel": "cancelled",
    "resolve": "resolved",
    "reissue": "reissued",
}


def decision_line(run: Run, changed: Run, name: str, *, actor: str, at: datetime) -> Put:
    """What the audit trail keeps of a decision; its note stays with the run."""
    line = Line(
        run.program,
        f"fulfillment.{_DONE[name]}",
        f"members/{run.member_id}/redemptions/{run.redemption_id}",
        at,
        actor=actor,
        before={"status": run.status.value, "revision": run.revision},
        after={"status": changed.status.value, "ends_as": changed.ends_as.value if changed.ends_as else None},
    )
    return line_put(line)
