"""How functions reach the suppliers of gift cards, and how the credentials of one are rotated."""

from collections.abc import Mapping, Sequence
from typing import Final

from aws_cdk import CfnParameter
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_secretsmanager as secretsmanager

import loyalty_contract as contract
from infra.permissions import allow
from infra.stacks.base import FunctionStack

ROTATION_DAYS: Final = 7
"""As often as the supplier advises: an access token lives 15 days, a refresh token 30."""
URLS: Final = {"cloud": r"https://[^\s]+[^/\s]", "local": r"https?://[^\s]+[^/\s]"}


class Supplying:
    """The suppliers of a stage, as its functions are told of them.

    Args:
        stack: the one that its functions and parameters belong to.
    """

    def __init__(self, stack: FunctionStack) -> None:
        self._stack = stack
        self._secrets = {name: secret.secret_arn for name, secret in stack.stateful.supplier_secrets.items()}
        suppliers = stack.settings.suppliers
        urls = {name: self._parameter(name) for name, settings in suppliers.all().items() if settings.url is None}
        self.values: Mapping[str, str] = {
            contract.ENV_SUPPLIERS: stack.to_json_string(suppliers.environment(urls, self._secrets))
        }
        self._rotation()

    def permissions(self) -> Sequence[iam.PolicyStatement]:
        """To read the credentials of every supplier."""
        return [allow(secret, "secretsmanager:GetSecretValue") for secret in self._secrets.values()]

    def _parameter(self, name: str) -> str:
        parameter = CfnParameter(
            self._stack,
            f"{name.title()}Url",
            description=f"Base URL of {name}'s API",
            allowed_pattern=URLS[self._stack.settings.target],
            constraint_description="It is reached over TLS and named without a slash at its end: https://host[/path]",
        )
        return parameter.value_as_string

    def _rotation(self) -> None:
        """Every week, step by step: the stage's own clock for what expires."""
        secret = self._secrets.get(contract.ROTATED_SUPPLIER)
        actions = ("DescribeSecret", "GetSecretValue", "PutSecretValue", "UpdateSecretVersionStage")
        worker = self._stack.function(
            "supplier_rotation",
            values=self.values,
            permissions=[allow(secret, *(f"secretsmanager:{each}" for each in actions))] if secret else [],
        )
        if secret is None:
            return
        invoke = lambda_.CfnPermission(
            self._stack,
            "RotationPermission",
            action="lambda:InvokeFunction",
            function_name=worker.alias.function_arn,
            principal="secretsmanager.amazonaws.com",
            source_account=self._stack.account,
            source_arn=secret,
        )
        schedule = secretsmanager.CfnRotationSchedule(
            self._stack,
            "RotationSchedule",
            secret_id=secret,
            rotation_lambda_arn=worker.alias.function_arn,
            # The operator has not stored any tokens yet.
            rotate_immediately_on_update=False,
            rotation_rules=secretsmanager.CfnRotationSchedule.RotationRulesProperty(
                schedule_expression=f"rate({ROTATION_DAYS} days)"
            ),
        )
        schedule.add_dependency(invoke)
