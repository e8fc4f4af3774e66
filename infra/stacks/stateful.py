"""What must outlive every deployment: keys, the table, the bus and its archive, logs, identities, secrets."""

from aws_cdk import CfnOutput, Duration, RemovalPolicy, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sns as sns
from constructs import Construct

import loyalty_contract as contract
from infra.constructs.identity import Identity
from infra.constructs.keys import Keys
from infra.constructs.nag import acknowledge
from infra.functions import FUNCTIONS
from infra.names import access_log_group, function_log_group, resource, workflow_log_group
from infra.settings import StageSettings

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
        self._removal = RemovalPolicy.RETAIN if settings.retain else RemovalPolicy.DESTROY
        self.keys = Keys(self, "Keys", settings=settings, removal=self._removal)
        self.table = self._table()
        self.bus = self._bus()
        self.alarms = sns.Topic(
            self,
            "Alarms",
            display_name=f"Loyalty {settings.name} alarms",
            master_key=self.keys.messages,
            enforce_ssl=True,
        )
        self.identity = Identity(self, "Identity", settings=settings, removal=self._removal)
        self.supplier_secret = self._supplier_secret()
        self._log_groups()
        CfnOutput(self, "TableName", value=self.table.table_name)
        CfnOutput(self, "BusName", value=self.bus.event_bus_name)
        CfnOutput(self, "SupplierSecretArn", value=self.supplier_secret.secret_arn)
        CfnOutput(self, "AlarmTopicArn", value=self.alarms.topic_arn)
        CfnOutput(self, "PiiKeyArn", value=self.keys.pii.key_arn)
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

    def _bus(self) -> events.EventBus:
        # By ARN: the construct would write the bus into the key's policy, and so a circle.
        key = kms.Key.from_key_arn(self, "MessagesKey", self.keys.messages.key_arn)
        bus = events.EventBus(
            self,
            "Bus",
            event_bus_name=resource(self._settings.name, "bus"),
            description="Commerce events in, loyalty events out",
            kms_key=key,
        )
        bus.apply_removal_policy(self._removal)
        events.Archive(
            self,
            "Archive",
            archive_name=resource(self._settings.name, "archive"),
            description="Every event of the bus, for replay",
            source_event_bus=bus,
            event_pattern=events.EventPattern(account=[self.account]),
            retention=Duration.days(self._settings.archive_retention),
            kms_key=key,
        )
        return bus

    def _supplier_secret(self) -> secretsmanager.Secret:
        secret = secretsmanager.Secret(
            self,
            "SupplierSecret",
            description='The gift-card supplier\'s key; the operator stores it as {"api_key": "..."}',
            encryption_key=self.keys.data,
            removal_policy=self._removal,
        )
        acknowledge(
            secret,
            "The supplier issues these credentials in its own console and offers no API to rotate them.",
            "AwsSolutions-SMG4",
        )
        return secret

    def _log_groups(self) -> None:
        stage = self._settings.name
        names = {
            **{spec.name: function_log_group(stage, spec.name) for spec in FUNCTIONS.values()},
            "api_access": access_log_group(stage),
            "fulfillment_workflow": workflow_log_group(stage),
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
