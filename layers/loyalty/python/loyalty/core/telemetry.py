"""Logs and metrics. Neither ever carries personal data: log ids and codes, never bodies."""

from collections.abc import Iterator
from contextlib import contextmanager

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from loyalty_contract import METRICS_NAMESPACE

logger = Logger()
metrics = Metrics(namespace=METRICS_NAMESPACE)


def count(name: str, value: int = 1) -> None:
    """Adds to a named metric of this invocation."""
    metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)


def seconds(name: str, value: float) -> None:
    """Gives a named duration of this invocation."""
    metrics.add_metric(name=name, unit=MetricUnit.Seconds, value=value)


@contextmanager
def failures_told(metric: str, message_id: str) -> Iterator[None]:
    """Of a message of a queue: counts and logs what handling it raises, which goes on, so that it is delivered again."""
    try:
        yield
    except Exception as error:
        # By its type alone: what it says may quote the message.
        count(metric)
        label = {"sqs_message": message_id, "error": type(error).__name__}
        logger.error("event failed, to be delivered again", extra=label)  # noqa: TRY400 - its traceback ends with what it says
        raise


__all__ = ["count", "failures_told", "logger", "metrics", "seconds"]
