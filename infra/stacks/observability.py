"""What an operator looks at: one dashboard for the stage, and alarms on what no single stack owns."""

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

import loyalty_contract as contract
from infra.constructs.alarms import FIVE_MINUTES, alarm, function_metric
from infra.functions import FUNCTIONS
from infra.names import resource
from infra.recalculation import FUNCTION as RECALCULATION
from infra.settings import StageSettings
from infra.stacks.auditing import NOT_STARTED as AUDIT_NOT_STARTED
from infra.stacks.delivering import NOT_STARTED as SETTLEMENT_NOT_STARTED
from infra.stacks.referring import CLOCK as REFERRAL_CLOCK
from infra.stacks.referring import NOT_STARTED as REFERRALS_NOT_STARTED
from infra.stacks.referring import QUEUE as REFERRALS
from infra.stacks.referring import UNDELIVERED as REFERRALS_UNDELIVERED
from infra.stacks.referring import WOKEN as REFERRAL_EVENTS
from infra.stacks.stateful import BUS_DEAD_LETTERS, StatefulStack
from infra.stacks.sweeping import FUNCTION as SWEEPER
from infra.stacks.sweeping import NOT_STARTED
from infra.stacks.watching import FUNCTION as WATCHER
from infra.stacks.watching import QUEUE as WATCH
from infra.stacks.watching import UNDELIVERED as WATCH_UNDELIVERED

QUEUES = ("inbound", "tier-recalculation", "fulfillment-start", "reward-delivery", WATCH, REFERRALS)
DEAD_LETTER_QUEUES = (
    *(f"{queue}-dlq" for queue in QUEUES),
    "undelivered",
    "unpublished",
    "fulfillment-undelivered",
    "delivery-undelivered",
    WATCH_UNDELIVERED,
    REFERRALS_UNDELIVERED,
    REFERRALS_NOT_STARTED,
    NOT_STARTED,
    SETTLEMENT_NOT_STARTED,
    contract.UNLINKED_QUEUE,
    AUDIT_NOT_STARTED,
    BUS_DEAD_LETTERS,
)

UNMATCHED_PURCHASE = "UnmatchedPurchase"
_REFERRALS = (
    contract.REFERRALS_QUALIFIED,
    contract.REFERRALS_REWARDED,
    contract.REFERRALS_REVERSED,
    contract.REFERRALS_ENDED,
    contract.REFERRALS_WAITING,
)


class ObservabilityStack(cdk.Stack):
    """Names its metrics by the resources' physical names, so that it depends on the stateful stack alone."""

    def __init__(self, scope: Construct, name: str, *, settings: StageSettings, stateful: StatefulStack) -> None:
        super().__init__(
            scope,
            name,
            stack_name=resource(settings.name, name),
            description=f"Loyalty {settings.name}: dashboard, alarms",
        )
        self._stage = settings.name
        self._stateful = stateful
        self._alarms(settings)
        board = cloudwatch.Dashboard(self, "Dashboard", dashboard_name=f"loyalty-{settings.name}")
        for row in self._rows():
            board.add_widgets(*row)

    def _alarms(self, settings: StageSettings) -> None:
        topic, table = self._stateful.alarms, self._stateful.table
        alarm(
            self, "UnmatchedPurchases", topic=topic, threshold=settings.unmatched_per_hour,
            metric=function_metric("accrual_events", UNMATCHED_PURCHASE, period=cdk.Duration.hours(1)),
            meaning="Many purchases are by nobody we know: has the shop's customer id or the enrolment changed?",
        )  # fmt: skip
        for operation in ("Read", "Write"):
            alarm(
                self, f"Table{operation}Throttles", topic=topic, threshold=1, periods=2,
                metric=self._metric("AWS/DynamoDB", f"{operation}ThrottleEvents", TableName=table.table_name),
                meaning=f"The table refuses {operation.lower()}s: one member or program is hot, or the account's limit is reached.",
            )  # fmt: skip

        for name, index in (("DueIndex", contract.DUE_INDEX), ("MemberIndex", contract.MEMBER_INDEX)):
            alarm(
                self, f"{name}Throttles", topic=topic, threshold=1, periods=2,
                metric=self._metric(
                    "AWS/DynamoDB", "WriteThrottleEvents",
                    TableName=table.table_name, GlobalSecondaryIndexName=index,
                ),
                meaning=f"The index {index} refuses writes, and with it the table: one of its shards is hot.",
            )  # fmt: skip

    def _rows(self) -> list[list[cloudwatch.IWidget]]:
        api = {"ApiName": resource(self._stage, "api")}
        table = {"TableName": self._stateful.table.table_name}
        functions = [resource(self._stage, name) for name in FUNCTIONS]
        return [
            [
                self._graph("API requests and errors", *(self._metric("AWS/ApiGateway", name, **api) for name in ("Count", "4XXError", "5XXError"))),
                self._graph("API latency, p99 (ms)", self._metric("AWS/ApiGateway", "Latency", "p99", **api)),
                self._graph("Unmatched purchases", function_metric("accrual_events", UNMATCHED_PURCHASE)),
            ],
            [
                self._graph(f"Function {title}", *(self._metric("AWS/Lambda", metric, statistic, FunctionName=name) for name in functions))
                for title, metric, statistic in (
                    ("errors", "Errors", "sum"), ("duration, p99 (ms)", "Duration", "p99"), ("throttles", "Throttles", "sum"),
                )
            ],
            [
                self._graph("Age of the oldest message (s)", *(self._queue("ApproximateAgeOfOldestMessage", name) for name in QUEUES)),
                self._graph("Dead letters", *(self._queue("ApproximateNumberOfMessagesVisible", name) for name in DEAD_LETTER_QUEUES)),
                self._graph(
                    "Publisher's delay (ms)",
                    self._metric("AWS/Lambda", "IteratorAge", "max", FunctionName=resource(self._stage, "publisher")),
                ),
            ],
            [
                self._graph("Oldest of what fell due (s)", function_metric(SWEEPER, contract.SETTLEMENT_LAG, statistic="max")),
                self._graph(
                    "Settled by the sweeper",
                    *(function_metric(SWEEPER, name) for name in (contract.MEMBERS_SETTLED, contract.ENTRIES_SETTLED)),
                ),
                self._graph("Not settled by the sweeper", function_metric(SWEEPER, contract.SETTLEMENTS_FAILED)),
            ],
            [
                self._graph("Capacity used (units)", *(self._metric("AWS/DynamoDB", f"Consumed{name}CapacityUnits", **table) for name in ("Read", "Write"))),
                self._graph("Table throttles", *(self._metric("AWS/DynamoDB", f"{name}ThrottleEvents", **table) for name in ("Read", "Write"))),
                self._graph("Gift-card fulfilments", *self._executions("fulfillment")),
            ],
            [
                self._graph("Oldest of due referrals (s)", function_metric(REFERRAL_CLOCK, contract.REFERRALS_LAG, statistic="max")),
                *(
                    self._graph(f"Referrals brought on by {name}", *(function_metric(name, metric) for metric in _REFERRALS))
                    for name in (REFERRAL_EVENTS, REFERRAL_CLOCK)
                ),
            ],
            [
                self._graph(
                    "Signs of abuse",
                    *(function_metric(WATCHER, name) for name in (contract.MEMBERS_FLAGGED, contract.MEMBERS_PUT_ON_HOLD, contract.CLIENTS_SUSPECTED)),
                ),
                self._graph("Recalculations of tiers, a child for each shard among them", *self._executions(contract.RECALCULATION)),
                self._graph(
                    "Members at the end of recalculations",
                    *(function_metric(RECALCULATION, name) for name in (contract.MEMBERS_RECALCULATED, contract.MEMBERS_NOT_RECALCULATED)),
                ),
            ],
        ]  # fmt: skip

    def _executions(self, workflow: str) -> list[cloudwatch.Metric]:
        name = resource(self._stage, workflow)
        arn = f"arn:{self.partition}:states:{self.region}:{self.account}:stateMachine:{name}"
        return [
            self._metric("AWS/States", f"Executions{outcome}", StateMachineArn=arn)
            for outcome in ("Started", "Succeeded", "Failed")
        ]

    def _queue(self, metric: str, name: str) -> cloudwatch.Metric:
        return self._metric("AWS/SQS", metric, "max", QueueName=resource(self._stage, name))

    def _metric(self, namespace: str, name: str, statistic: str = "sum", **dimensions: str) -> cloudwatch.Metric:
        return cloudwatch.Metric(
            namespace=namespace, metric_name=name, dimensions_map=dimensions, statistic=statistic, period=FIVE_MINUTES
        )

    def _graph(self, title: str, *metrics: cloudwatch.Metric) -> cloudwatch.GraphWidget:
        return cloudwatch.GraphWidget(title=title, left=list(metrics), width=8)
