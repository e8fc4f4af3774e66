"""Alarms that tell the stage's topic, and the metrics of functions that they look at."""

from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from constructs import Construct

import loyalty_contract as contract

FIVE_MINUTES: Final = Duration.minutes(5)


def function_metric(
    function: str, name: str, *, statistic: str = "sum", period: Duration = FIVE_MINUTES
) -> cloudwatch.Metric:
    """What a function counts in its log.

    Args:
        function: its name in ``infra.functions``.
        name: of the metric.
        statistic: of the period's values.
        period: that a value stands for.
    """
    return cloudwatch.Metric(
        namespace=contract.METRICS_NAMESPACE,
        metric_name=name,
        dimensions_map={"service": function},
        statistic=statistic,
        period=period,
    )


def alarm(
    scope: Construct,
    name: str,
    *,
    topic: sns.ITopic,
    metric: cloudwatch.IMetric,
    threshold: float,
    meaning: str,
    periods: int = 1,
    below: bool = False,
) -> cloudwatch.Alarm:
    """Alarm when ``metric`` reaches ``threshold`` in each of ``periods`` periods; silence is no alarm.

    With ``below``, alarm when it stays below the threshold, as it does in silence.

    Args:
        scope: where the alarm is defined.
        name: construct id.
        topic: is told of the alarm and of its end.
        metric: with its own period and statistic.
        threshold: in the metric's unit.
        meaning: what happened and what to look at, for the person who is woken.
        periods: how many periods in a row.
        below: of something that has to happen.
    """
    comparison, missing = (
        (cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD, cloudwatch.TreatMissingData.BREACHING)
        if below
        else (
            cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            cloudwatch.TreatMissingData.NOT_BREACHING,
        )
    )
    made = cloudwatch.Alarm(
        scope,
        name,
        metric=metric,
        threshold=threshold,
        evaluation_periods=periods,
        comparison_operator=comparison,
        treat_missing_data=missing,
        alarm_description=meaning,
    )
    action = actions.SnsAction(topic)
    made.add_alarm_action(action)
    made.add_ok_action(action)
    return made
