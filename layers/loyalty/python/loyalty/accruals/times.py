"""When something may have happened."""

from datetime import datetime, timedelta

from loyalty.accruals.errors import OccurredBeforeEnrollment, OccurredInFuture
from loyalty.accruals.model import CLOCK_SKEW
from loyalty.core.clock import Clock, to_text


def require_past(occurred_at: datetime, clock: Clock) -> None:
    """Allows a source's clock to be ahead by :data:`CLOCK_SKEW`.

    Raises:
        OccurredInFuture: it is further ahead.
    """
    if occurred_at > clock() + CLOCK_SKEW:
        raise OccurredInFuture(
            f"occurred_at lies in the future ({to_text(occurred_at)}); send when it happened, in UTC.",
            pointer="/occurred_at",
        )


def require_enrolled(occurred_at: datetime, opened_at: datetime | None, backdating_days: int) -> None:
    """Allows what happened up to so many days before a member enrolled; None: nobody knows when that was.

    Raises:
        OccurredBeforeEnrollment: it happened earlier.
    """
    if opened_at is not None and occurred_at < opened_at - timedelta(days=backdating_days):
        raise OccurredBeforeEnrollment(
            f"This happened more than {backdating_days} days before the member enrolled ({to_text(opened_at)}).",
            pointer="/occurred_at",
        )
