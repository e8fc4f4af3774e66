"""A queue with its dead-letter queue, encrypted, over TLS only, watched."""

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.constructs.alarms import FIVE_MINUTES, alarm
from infra.constructs.nag import acknowledge
from infra.names import resource
from loyalty_contract import dead_letter_queue


class DeadLetterQueue(sqs.Queue):
    """Where what cannot be processed waits for a person: 14 days, and an alarm for the first message.

    Args:
        scope: where it is defined.
        name: construct id and part of the physical name.
        stage: name of the stage.
        key: encrypts the messages.
        topic: is told of the first message.
        removal: what becomes of it, and of the messages in it, when its stack goes.
    """

    def __init__(
        self, scope: Construct, name: str, *, stage: str, key: kms.IKey, topic: sns.ITopic, removal: RemovalPolicy
    ) -> None:
        super().__init__(
            scope,
            name,
            queue_name=resource(stage, name),
            encryption=sqs.QueueEncryption.KMS,
            encryption_master_key=key,
            enforce_ssl=True,
            retention_period=Duration.days(14),
            removal_policy=removal,
        )
        acknowledge(
            self, "It is a dead-letter queue: of a queue, of rules or of a stream's consumer.", "AwsSolutions-SQS3"
        )
        alarm(
            self,
            "Depth",
            topic=topic,
            metric=self.metric_approximate_number_of_messages_visible(period=FIVE_MINUTES, statistic="max"),
            threshold=1,
            meaning=f"Messages wait in {resource(stage, name)}: read their cause, mend it, redrive them.",
        )


class WorkQueue(sqs.Queue):
    """A queue that a function of ours works off.

    Args:
        scope: where it is defined.
        name: construct id and part of the physical name.
        stage: name of the stage.
        key: encrypts the messages.
        topic: is told of alarms.
        worker_timeout_seconds: the function's timeout; a message stays hidden six times as long, since Lambda may
            retry within one receive, and for the time that a batch is gathered.
        batch_size: messages that the function gets at once, at most.
        window_seconds: how long a batch is gathered for; more than ten messages need a second at least.
        removal: of its dead-letter queue. The queue itself goes with its stack, which is deleted when it is empty.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        stage: str,
        key: kms.IKey,
        topic: sns.ITopic,
        worker_timeout_seconds: int,
        removal: RemovalPolicy,
        batch_size: int = 10,
        window_seconds: int = 0,
    ) -> None:
        self.batch_size = batch_size
        self.window = Duration.seconds(window_seconds) if window_seconds else None
        self.dlq = DeadLetterQueue(scope, dead_letter_queue(name), stage=stage, key=key, topic=topic, removal=removal)
        super().__init__(
            scope,
            name,
            queue_name=resource(stage, name),
            encryption=sqs.QueueEncryption.KMS,
            encryption_master_key=key,
            enforce_ssl=True,
            retention_period=Duration.days(14),
            visibility_timeout=Duration.seconds(6 * worker_timeout_seconds + window_seconds),
            dead_letter_queue=sqs.DeadLetterQueue(max_receive_count=5, queue=self.dlq),
        )
        alarm(
            self,
            "Age",
            topic=topic,
            metric=self.metric_approximate_age_of_oldest_message(period=FIVE_MINUTES, statistic="max"),
            threshold=900,
            meaning=f"The oldest message of {resource(stage, name)} waits for 15 minutes: its function fails or cannot keep up.",
        )
