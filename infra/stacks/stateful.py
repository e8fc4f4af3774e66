"""What must outlive every deployment: keys, the table, files, buses and their archive, logs, identities, secrets."""

from aws_cdk import CfnOutput, Duration, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sns as sns
from constructs import Construct

import loyalty_contract as contract
from infra.constructs.audit_trail import AuditTrail
from infra.constructs.bucket import AccessLogBucket, PrivateBucket
from infra.constructs.identity import Identity, People
from infra.constructs.keys import Keys
from infra.constructs.nag import acknowledge
from infra.constructs.removal import removal_policy
from infra.constructs.work_queue import DeadLetterQueue
from infra.functions import FUNCTIONS
from infra.names import access_log_group, firewall_log_group, function_log_group, resource, workflow_log_group
from infra.settings import StageSettings, WafOn

BUS_DEAD_LETTERS = "bus-dlq"
PICTURES = "Pictures"
REPORTS = "Reports"

RETENTION = {
    1: logs.RetentionDays.ONE_DAY,
    7: logs.RetentionDays.ONE_WEEK,
    14: logs.RetentionDays.TWO_WEEKS,
    30: logs.RetentionDays.ONE_MONTH,
    90: logs.RetentionDays.THREE_MONTHS,
    180: logs.RetentionDays.SIX_MONTHS,
    365: logs.RetentionDays.ONE_YEAR,
}


class StatefulStack(Stack):
    """Holds all data of a stage; protected against deletion where the settings say so."""

    def __init__(self, scope: Construct, name: str, *, settings: StageSettings) -> None:
        super().__init__(
            scope,
            name,
            stack_name=resource(settings.name, name),
            description=f"Loyalty {settings.name}: data, keys, identities",
            termination_protection=settings.retain,
        )
        self._settings = settings
        self._removal = removal_policy(settings)
        self.keys = Keys(self, "Keys", settings=settings, removal=self._removal)
        self.table = self._table()
        access_logs = AccessLogBucket(self, "AccessLogs", removal=self._removal, days=max(90, settings.log_retention))
        self.pictures = PrivateBucket(
            self, PICTURES, stage=settings.name, key=self.keys.data, logs=access_logs, removal=self._removal
        )
        self.reports = PrivateBucket(
            self, REPORTS, stage=settings.name, key=self.keys.data, logs=access_logs, removal=self._removal
        )
        self.trail = AuditTrail(self, "Trail", settings=settings, logs=access_logs, removal=self._removal)
        self.reports.forget(contract.EXPORTS_FOLDER, days=settings.export_days)
        self.alarms = self._topic()
        self._unprocessed = self._bus_dead_letters()
        # By ARN: the construct would write each bus into the key's policy, and so a circle.
        self._bus_key = kms.Key.from_key_arn(self, "MessagesKey", self.keys.messages.key_arn)
        self.bus = self._bus()
        self.partner_buses = {source: self._partner_bus(source) for source in settings.partner_event_sources}
        self.identity = Identity(self, "Identity", settings=settings, removal=self._removal)
        self.supplier_secrets = {name: self._supplier_secret(name) for name in settings.suppliers.all()}
        self.people = People(self, "People", settings=settings, removal=self._removal)
        self._log_groups()
        CfnOutput(self, "TableName", value=self.table.table_name)
        CfnOutput(self, "PicturesBucketName", value=self.pictures.bucket_name)
        CfnOutput(self, "ReportsBucketName", value=self.reports.bucket_name)
        CfnOutput(self, "AuditTrailBucketName", value=self.trail.bucket.bucket_name)
        CfnOutput(self, "BusName", value=self.bus.event_bus_name)
        for supplier, secret in self.supplier_secrets.items():
            CfnOutput(self, f"{supplier.title()}SecretArn", value=secret.secret_arn)
        CfnOutput(self, "AlarmTopicArn", value=self.alarms.topic_arn)
        CfnOutput(self, "PiiKeyArn", value=self.keys.pii.key_arn)
        CfnOutput(self, "VaultKeyArn", value=self.keys.vault.key_arn)
        CfnOutput(self, "LookupKeyArn", value=self.keys.lookup.key_arn)

    def _table(self) -> dynamodb.TableV2:
        return dynamodb.TableV2(
            self,
            "Table",
            partition_key=dynamodb.Attribute(name=contract.PARTITION_KEY, type=dynamodb.AttributeType.STRING),
            sort_key=dynamodb.Attribute(name=contract.SORT_KEY, type=dynamodb.AttributeType.STRING),
            local_secondary_indexes=[
                dynamodb.LocalSecondaryIndexProps(
                    index_name=contract.ENTRY_INDEX,
                    sort_key=dynamodb.Attribute(name=contract.ENTRY_INDEX_KEY, type=dynamodb.AttributeType.NUMBER),
                    projection_type=dynamodb.ProjectionType.ALL,
                )
            ],
            global_secondary_indexes=[
                dynamodb.GlobalSecondaryIndexPropsV2(
                    index_name=contract.DUE_INDEX,
                    partition_key=dynamodb.Attribute(name=contract.DUE_INDEX_KEY, type=dynamodb.AttributeType.STRING),
                    sort_key=dynamodb.Attribute(name=contract.DUE_AT, type=dynamodb.AttributeType.STRING),
                    projection_type=dynamodb.ProjectionType.KEYS_ONLY,
                ),
                dynamodb.GlobalSecondaryIndexPropsV2(
                    index_name=contract.MEMBER_INDEX,
                    partition_key=dynamodb.Attribute(
                        name=contract.MEMBER_INDEX_KEY, type=dynamodb.AttributeType.STRING
                    ),
                    sort_key=dynamodb.Attribute(name=contract.PARTITION_KEY, type=dynamodb.AttributeType.STRING),
                    projection_type=dynamodb.ProjectionType.INCLUDE,
                    non_key_attributes=list(contract.MEMBER_INDEX_HAS),
                ),
            ],
            billing=dynamodb.Billing.on_demand(),
            encryption=dynamodb.TableEncryptionV2.customer_managed_key(self.keys.data),
            dynamo_stream=dynamodb.StreamViewType.NEW_AND_OLD_IMAGES,
            time_to_live_attribute=contract.TTL_ATTRIBUTE,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            deletion_protection=self._settings.retain,
            removal_policy=self._removal,
        )

    def _topic(self) -> sns.Topic:
        topic = sns.Topic(
            self,
            "Alarms",
            display_name=f"Loyalty {self._settings.name} alarms",
            master_key=self.keys.messages,
            enforce_ssl=True,
        )
        # A topic with a policy of its own, here the refusal of plain HTTP, has lost the default one that allows this.
        topic.add_to_resource_policy(
            iam.PolicyStatement(
                sid="AlarmsOfThisAccount",
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[topic.topic_arn],
                conditions={"StringEquals": {"aws:SourceAccount": self.account}},
            )
        )
        return topic

    def _bus_dead_letters(self) -> DeadLetterQueue:
        """What a bus cannot process, as when its key is disabled: under the other key, which is not."""
        key = kms.Key.from_key_arn(self, "DeadLettersKey", self.keys.data.key_arn)
        queue = DeadLetterQueue(
            self, BUS_DEAD_LETTERS, stage=self._settings.name, key=key, topic=self.alarms, removal=self._removal
        )
        CfnOutput(self, "BusDlqUrl", value=queue.queue_url)
        return queue

    def _keep(self, bus: events.EventBus) -> None:
        """Keep the bus, and let it send what it cannot process: the construct names the queue and grants nothing."""
        bus.apply_removal_policy(self._removal)
        self._unprocessed.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("events.amazonaws.com")],
                actions=["sqs:SendMessage"],
                resources=[self._unprocessed.queue_arn],
                conditions={"ArnEquals": {"aws:SourceArn": bus.event_bus_arn}},
            )
        )

    def _partner_bus(self, source: str) -> events.EventBus:
        """A software-as-a-service partner's events arrive on a bus that bears the name of their source."""
        bus = events.EventBus(
            self,
            f"PartnerBus-{source.replace('/', ':')}",
            event_source_name=source,
            kms_key=self._bus_key,
            dead_letter_queue=self._unprocessed,
        )
        self._keep(bus)
        return bus

    def _bus(self) -> events.EventBus:
        bus = events.EventBus(
            self,
            "Bus",
            event_bus_name=resource(self._settings.name, "bus"),
            description="Commerce events in, loyalty events out",
            kms_key=self._bus_key,
            dead_letter_queue=self._unprocessed,
        )
        self._keep(bus)
        events.Archive(
            self,
            "Archive",
            archive_name=resource(self._settings.name, "archive"),
            description="Every event of the stage's own bus, for replay; partner buses have none",
            source_event_bus=bus,
            event_pattern=events.EventPattern(account=[self.account]),
            retention=Duration.days(self._settings.archive_retention),
            kms_key=self._bus_key,
        )
        return bus

    def _supplier_secret(self, supplier: str) -> secretsmanager.Secret:
        secret = secretsmanager.Secret(
            self,
            f"{supplier.title()}Secret",
            description=f"Credentials for {supplier}, as JSON that the operator stores: see docs/suppliers.md",
            encryption_key=self.keys.data,
            removal_policy=self._removal,
        )
        by_hand = (
            "The supplier's API has no call that makes new credentials beside those in use: they are rotated by hand."
        )
        rotated = "Its rotation is scheduled by the stack of the function that rotates it, workflows."
        reason = rotated if supplier == contract.ROTATED_SUPPLIER else by_hand
        acknowledge(secret, reason, "AwsSolutions-SMG4", "NIST.800.53.R5-SecretsManagerRotationEnabled")
        return secret

    def _log_groups(self) -> None:
        stage = self._settings.name
        names = {
            **{spec.name: function_log_group(stage, spec.name) for spec in FUNCTIONS.values()},
            "api_access": access_log_group(stage),
            **({"firewall": firewall_log_group(stage)} if isinstance(self._settings.waf, WafOn) else {}),
            "fulfillment_workflow": workflow_log_group(stage, "fulfillment"),
            "recalculation_workflow": workflow_log_group(stage, contract.RECALCULATION),
            "reconciliation_workflow": workflow_log_group(stage, contract.RECONCILIATION),
            "privacy_workflow": workflow_log_group(stage, contract.PRIVACY),
            "bulk_workflow": workflow_log_group(stage, contract.BULK),
        }
        for construct, name in names.items():
            logs.LogGroup(
                self,
                f"Log-{construct}",
                log_group_name=name,
                encryption_key=self.keys.data,
                retention=RETENTION[self._settings.log_retention],
                removal_policy=self._removal,
            )
