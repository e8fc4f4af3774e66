"""What is counted and logged of a batch of events: never anything that an event itself said."""

from collections.abc import Sequence

from loyalty.commerce.batch import Result
from loyalty.commerce.outcomes import Outcome, Unfinished
from loyalty.core.telemetry import count, logger


def observe(results: Sequence[Result]) -> None:
    """One metric for each outcome; a warning for each refusal, an error for each failure."""
    count("EventsReceived", len(results))
    for result in results:
        label = {"sqs_message": result.message_id}
        for outcome in result.outcomes:
            count(outcome.value)
            if outcome is Outcome.ANONYMOUS:
                count(Outcome.KEPT.value)  # counted among all purchases by nobody we know
                logger.info("a purchase that nobody can claim: it names neither customer nor e-mail", extra=label)
            elif outcome is Outcome.SIGNUP_REFUSED:
                logger.warning("a signup that the program's rules for it refuse", extra=label)
            elif outcome is Outcome.REFUND_ANONYMOUS:
                count(Outcome.REFUND_KEPT.value)
        if result.rejected is not None:
            count("EventsRejected")
            logger.warning("event refused", extra=label | {"reason": result.rejected.reason})
        if isinstance(result.error, Unfinished):
            count("ClaimsUnfinished")
            logger.info("more was kept than one delivery claims, to be delivered again", extra=label)
        elif result.error is not None:
            count("EventsFailed")
            logger.error("event failed, to be delivered again", extra=label | {"error": type(result.error).__name__})
