"""Logs and metrics. Neither ever carries personal data: log ids and codes, never bodies."""

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


__all__ = ["count", "logger", "metrics", "seconds"]
