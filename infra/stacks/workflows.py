"""Workflows: the fulfilment of gift cards."""

import json
from typing import Final

from aws_cdk import CfnOutput, CfnParameter, Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

import loyalty_contract as contract
from infra.bundling import Assets
from infra.constructs.alarms import FIVE_MINUTES, alarm
from infra.constructs.nag import acknowledge
from infra.constructs.python_function import PythonFunction
from infra.fulfillment import definition
from infra.names import resource, workflow_log_group
from infra.permissions import allow
from infra.settings import StageSettings
from infra.stacks.base import FunctionStack
from infra.stacks.stateful import StatefulStack

SUPPLIER_URLS: Final = {"cloud": r"https://[^\s]+[^/\s]", "local": r"https?://[^\s]+[^/\s]"}


class WorkflowsStack(FunctionStack):
    """A held redemption of a gift card starts one execution, named after the redemption."""

    def __init__(
        self, scope: Construct, name: str, *, settings: StageSettings, stateful: StatefulStack, assets: Assets
    ) -> None:
        super().__init__(scope, name, settings=settings, stateful=stateful, assets=assets, purpose="fulfilment")
        supplier_url = CfnParameter(
            self,
            "SupplierUrl",
            description="Base URL of the gift-card supplier's API",
            allowed_pattern=SUPPLIER_URLS[settings.target],
            constraint_description="It is reached over TLS and named without a slash at its end: https://host[/path]",
            default=settings.supplier_url,
        )
        worker = self.function(
            "fulfillment",
            values={contract.ENV_SUPPLIER_URL: supplier_url.value_as_string},
            permissions=[allow(stateful.supplier_secret.secret_arn, "secretsmanager:GetSecretValue")],
        )
        self.machine = self._machine(worker)
        self._start()
        CfnOutput(self, "StateMachineArn", value=self.machine.state_machine_arn)

    def _machine(self, worker: PythonFunction) -> sfn.StateMachine:
        role = iam.Role(self, "FulfillmentRole", assumed_by=iam.ServicePrincipal("states.amazonaws.com"))
        role.add_to_policy(allow(worker.alias.function_arn, "lambda:InvokeFunction"))
        log_group = logs.LogGroup.from_log_group_name(self, "FulfillmentLog", workflow_log_group(self.settings.name))
        machine = sfn.StateMachine(
            self,
            "Fulfillment",
            state_machine_name=resource(self.settings.name, "fulfillment"),
            comment="Orders a gift card from the supplier and captures the points that are held for it",
            definition_body=sfn.DefinitionBody.from_string(
                json.dumps(definition(settle_seconds=self.settings.supplier_settle_seconds))
            ),
            definition_substitutions={"Worker": worker.alias.function_arn},
            query_language=sfn.QueryLanguage.JSONATA,
            role=role,
            timeout=Duration.days(1),
            tracing_enabled=True,
            logs=sfn.LogOptions(destination=log_group, level=sfn.LogLevel.ALL, include_execution_data=False),
        )
        acknowledge(
            role,
            "X-Ray and the delivery of vended logs have no resources of their own to name; AWS documents these statements so.",
            "AwsSolutions-IAM5[Resource::*]",
        )
        for name, metric, meaning in (
            ("Failed", machine.metric_failed(period=FIVE_MINUTES), "was refused or could not be resolved"),
            ("TimedOut", machine.metric_timed_out(period=FIVE_MINUTES), "was not settled within a day"),
        ):
            text = f"A gift-card fulfilment {meaning}: its execution bears the redemption's id and names the cause."
            alarm(self, name, topic=self.stateful.alarms, metric=metric, threshold=1, meaning=text)
        return machine

    def _start(self) -> None:
        arn = self.machine.state_machine_arn
        starter = self.function(
            "fulfillment_start",
            values={contract.ENV_STATE_MACHINE: arn},
            permissions=[allow(arn, "states:StartExecution")],
        )
        queue = self.work_queue("fulfillment-start", "fulfillment_start")
        self.feed(starter, queue)
        undelivered = self.dead_letter_queue("fulfillment-undelivered")
        held = events.EventPattern(
            source=[contract.EVENT_SOURCE],
            detail_type=[contract.REDEMPTION_HELD],
            detail={"reward_type": ["gift_card"]},
        )
        self.rule("HeldGiftCards", bus=self.stateful.bus, pattern=held, queue=queue, undelivered=undelivered)
        CfnOutput(self, "FulfillmentDlqUrl", value=queue.dlq.queue_url)
