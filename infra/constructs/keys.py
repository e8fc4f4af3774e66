"""The customer-managed keys of a stage, and who may use them."""

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from infra.constructs.nag import acknowledge
from infra.names import resource
from infra.settings import StageSettings


class Keys(Construct):
    """Six keys, so that each can be granted, audited and revoked alone.

    - ``data``: the table, files, secrets, logs and what the bus could not process.
    - ``messages``: the bus, its archive, queues and topics.
    - ``pii``: wraps a data key for each member, under which their personal data lies; of our roles, those of the functions that handle it may use the key.
    - ``vault``: envelopes of gift cards and codes, which are worth money to whoever reads them.
    - ``lookup``: keyed hashes (HMAC) of email addresses, phone numbers and cursors. It is never rotated: a hash is
      an index key, and under another key the members stored before could not be found.
    - ``console``: sessions of people (HMAC): the console's own function may use it and no other, so that no other can
      make a session.

    Each key also trusts the account's IAM, so that an administrator is never locked out: a policy there that allows
    ``kms:*`` on everything opens every key.
    """

    def __init__(self, scope: Construct, name: str, *, settings: StageSettings, removal: RemovalPolicy) -> None:
        super().__init__(scope, name)
        stage = settings.name
        self.data = self._key("Data", f"Loyalty {stage}: table, files, secrets, logs", removal)
        self.messages = self._key("Messages", f"Loyalty {stage}: bus, queues, topics", removal)
        self.pii = self._key("Pii", f"Loyalty {stage}: personal data", removal)
        self.vault = self._key("Vault", f"Loyalty {stage}: gift cards and codes", removal)
        self.lookup = kms.Key(
            self,
            "Lookup",
            description=f"Loyalty {stage}: keyed hashes",
            key_spec=kms.KeySpec.HMAC_256,
            key_usage=kms.KeyUsage.GENERATE_VERIFY_MAC,
            removal_policy=removal,
        )
        self.console = kms.Key(
            self,
            "Console",
            description=f"Loyalty {stage}: sessions of the console",
            key_spec=kms.KeySpec.HMAC_256,
            key_usage=kms.KeyUsage.GENERATE_VERIFY_MAC,
            removal_policy=removal,
        )
        for mac in (self.lookup, self.console):
            acknowledge(
                mac, "KMS rotates no HMAC key; under another one, what was hashed could not be found.", "CKV_AWS_7"
            )
        self._allow_account(self.data, "dynamodb", "s3", "secretsmanager", "sqs")
        self._allow_account(self.messages, "sqs")
        self._allow_logs(self.data)
        self._allow_events_and_alarms(self.messages)
        for key in (self.data, self.messages):
            self._allow_deliveries(key, stage)

    def _key(self, name: str, description: str, removal: RemovalPolicy) -> kms.Key:
        return kms.Key(self, name, description=description, enable_key_rotation=True, removal_policy=removal)

    def _allow_account(self, key: kms.Key, *services: str) -> None:
        """Whoever may use a table, bucket, secret or queue of this account may use the key, but through that service only.

        So our roles name what they do with data, and none of them names the key.
        """
        stack = Stack.of(self)
        acknowledge(
            key,
            "Its conditions, which the check does not read, let in principals of this account alone, and through the "
            "services that they name.",
            "CKV_AWS_33",
        )
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

    def _allow_events_and_alarms(self, key: kms.Key) -> None:
        """The buses and archives of this account encrypt; its alarms send to an encrypted topic."""
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

    def _allow_deliveries(self, key: kms.Key, stage: str) -> None:
        """EventBridge sends to encrypted queues of this stage: targets of rules, dead letters of rules and buses.

        AWS documents this grant without a condition on the source's account, and EventBridge need not send one. What
        holds whoever sends is the queue that SQS binds each data key to; the queue's own policy says which rule may.
        """
        stack = Stack.of(self)
        queues = f"arn:{stack.partition}:sqs:{stack.region}:{stack.account}:{resource(stage, '*')}"
        key.add_to_resource_policy(
            iam.PolicyStatement(
                sid="EventsToQueuesOfThisStage",
                principals=[iam.ServicePrincipal("events.amazonaws.com")],
                actions=["kms:Decrypt", "kms:GenerateDataKey*"],
                resources=["*"],
                conditions={"ArnLike": {"kms:EncryptionContext:aws:sqs:arn": queues}},
            )
        )
