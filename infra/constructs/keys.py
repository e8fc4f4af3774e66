"""The customer-managed keys of a stage, and who may use them."""

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from infra.settings import StageSettings


class Keys(Construct):
    """Four keys, so that each can be granted, audited and revoked alone.

    - ``data``: the table, secrets and logs, through their services.
    - ``messages``: the bus, its archive, queues and topics, through their services.
    - ``pii``: envelopes of personal data; only the functions that handle it may use the key.
    - ``lookup``: keyed hashes (HMAC) of email addresses, phone numbers and cursors. It is never rotated: a hash is
      an index key, and under another key the members stored before could not be found.
    """

    def __init__(self, scope: Construct, name: str, *, settings: StageSettings, removal: RemovalPolicy) -> None:
        super().__init__(scope, name)
        stage = settings.name
        self.data = self._key("Data", f"Loyalty {stage}: table, secrets, logs", removal)
        self.messages = self._key("Messages", f"Loyalty {stage}: bus, queues, topics", removal)
        self.pii = self._key("Pii", f"Loyalty {stage}: personal data", removal)
        self.lookup = kms.Key(
            self,
            "Lookup",
            description=f"Loyalty {stage}: keyed hashes",
            key_spec=kms.KeySpec.HMAC_256,
            key_usage=kms.KeyUsage.GENERATE_VERIFY_MAC,
            removal_policy=removal,
        )
        self._allow_account(self.data, "dynamodb", "secretsmanager")
        self._allow_account(self.messages, "sqs")
        self._allow_logs(self.data)
        self._allow_senders(self.messages)

    def _key(self, name: str, description: str, removal: RemovalPolicy) -> kms.Key:
        return kms.Key(self, name, description=description, enable_key_rotation=True, removal_policy=removal)

    def _allow_account(self, key: kms.Key, *services: str) -> None:
        """Whoever may use a table, secret or queue of this account may use the key, but through that service only.

        So the roles name what they do with data; none can use the key by itself.
        """
        stack = Stack.of(self)
        key.add_to_resource_policy(
            iam.PolicyStatement(
                sid="ThroughTheServiceOnly",
                principals=[iam.AnyPrincipal()],
                actions=[
                    "kms:Encrypt",
                    "kms:Decrypt",
                    "kms:ReEncrypt*",
                    "kms:GenerateDataKey*",
                    "kms:CreateGrant",
                    "kms:DescribeKey",
                ],
                resources=["*"],
                conditions={
                    "StringEquals": {
                        "kms:CallerAccount": stack.account,
                        "kms:ViaService": [f"{service}.{stack.region}.amazonaws.com" for service in services],
                    }
                },
            )
        )

    def _allow_logs(self, key: kms.Key) -> None:
        stack = Stack.of(self)
        groups = f"arn:{stack.partition}:logs:{stack.region}:{stack.account}:log-group:*"
        key.add_to_resource_policy(
            iam.PolicyStatement(
                sid="LogGroupsOfThisAccount",
                principals=[iam.ServicePrincipal(f"logs.{stack.region}.amazonaws.com")],
                actions=["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"],
                resources=["*"],
                conditions={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": groups}},
            )
        )

    def _allow_senders(self, key: kms.Key) -> None:
        """The bus and archive of this account encrypt; its rules and alarms send to encrypted queues and topics."""
        key.add_to_resource_policy(
            iam.PolicyStatement(
                sid="EventsAndAlarmsOfThisAccount",
                principals=[
                    iam.ServicePrincipal("events.amazonaws.com"),
                    iam.ServicePrincipal("cloudwatch.amazonaws.com"),
                ],
                actions=["kms:Decrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*", "kms:DescribeKey"],
                resources=["*"],
                conditions={"StringEquals": {"aws:SourceAccount": Stack.of(self).account}},
            )
        )
