"""Links the lines of the audit trail, as the table's stream tells them. No other function may write the chains."""

from datetime import date
from typing import Any, Final

from loyalty.audit.linking import Linked, link_records
from loyalty.audit.links import ChainStore
from loyalty.core.settings import Settings
from loyalty.core.table import Table
from loyalty.core.telemetry import count, logger, metrics
from loyalty_contract import AUDIT_LINES_LINKED, AUDIT_LINES_TOUCHED, AUDIT_LINES_UNREADABLE

CHAINS: Final = ChainStore(Table(Settings.load().table))


@metrics.log_metrics
@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Links a batch; Lambda repeats a stream's batch from the first failed record on, so one is enough to name.

    An operator calls it with ``{"scope": …, "day": …}`` for a day of which the stream lost lines.
    """
    if "Records" not in event:
        linked = CHAINS.catch_up(event["scope"], date.fromisoformat(event["day"]))
        count(AUDIT_LINES_LINKED, linked)
        return {"linked": linked}
    done = link_records(CHAINS, event["Records"])
    _tell(done)
    return {"batchItemFailures": [{"itemIdentifier": done.again_from}] if done.again_from else []}


def _tell(done: Linked) -> None:
    count(AUDIT_LINES_LINKED, done.links)
    for key in done.touched:
        count(AUDIT_LINES_TOUCHED)
        logger.error("what is for ever in the audit trail was changed or removed", extra={"item": key})
    for key in done.unreadable:
        count(AUDIT_LINES_UNREADABLE)
        logger.error("no link can be made of an item that looks like a line", extra={"item": key})
    if done.again_from:
        logger.error("lines not linked", extra={"from": done.again_from, "error": done.error})
