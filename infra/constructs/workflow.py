"""A state machine of ours: the one way in which they are defined."""

import json
from collections.abc import Mapping
from typing import Any, Final

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.constructs.alarms import FIVE_MINUTES, alarm
from infra.constructs.nag import acknowledge, acknowledge_inline
from infra.constructs.python_function import PythonFunction
from infra.names import resource, workflow_log_group
from infra.permissions import allow

A_DAY: Final = 24 * 60 * 60
"""In seconds."""


def let_start_children(scope: Construct, machine: sfn.StateMachine, *, stage: str, name: str, label: str) -> None:
    """Let the machine run its one distributed map, whose children are executions of itself.

    By its name: by its ARN it would wait for itself.

    Args:
        scope: where the policy is defined.
        machine: has the map.
        stage: of the platform.
        name: of the machine within the stage.
        label: of the map.
    """
    stack, physical = Stack.of(scope), resource(stage, name)
    prefix = f"arn:{stack.partition}:states:{stack.region}:{stack.account}"
    policy = iam.Policy(
        scope,
        "Children",
        statements=[
            allow(f"{prefix}:stateMachine:{physical}", "states:StartExecution"),
            allow(
                f"{prefix}:execution:{physical}/{label}:*",
                "states:DescribeExecution",
                "states:StopExecution",
                "states:RedriveExecution",
            ),
            allow(f"{prefix}:execution:{physical}:*", "states:DescribeExecution"),
        ],
    )
    machine.role.attach_inline_policy(policy)
    acknowledge_inline(policy)
    executions = f"arn:<AWS::Partition>:states:{stack.region}:<AWS::AccountId>:execution:{physical}"
    acknowledge(
        policy,
        "Executions of this machine and of its one map: each is named when it is started.",
        f"AwsSolutions-IAM5[Resource::{executions}/{label}:*]",
        f"AwsSolutions-IAM5[Resource::{executions}:*]",
    )


def workflow(
    scope: Construct,
    construct_id: str,
    *,
    stage: str,
    name: str,
    comment: str,
    definition: Mapping[str, Any],
    worker: PythonFunction,
    topic: sns.ITopic,
    failed: str,
    timed_out: str,
    days: int = 1,
) -> sfn.StateMachine:
    """A standard state machine with a role of its own, traced, and logged without what it is given.

    Args:
        scope: where it is defined.
        construct_id: of the machine, and the beginning of its role's.
        stage: of the platform.
        name: within the stage.
        comment: for operators, in the console.
        definition: in Amazon States Language; ``${Worker}`` stands for the function.
        worker: the function that its tasks call.
        topic: is told of alarms.
        failed: what it means that an execution failed, for the person who is woken.
        timed_out: the same of one that was not done in time.
        days: after which an execution is ended, and its children with it.
    """
    role = iam.Role(scope, f"{construct_id}Role", assumed_by=iam.ServicePrincipal("states.amazonaws.com"))
    role.add_to_policy(allow(worker.alias.function_arn, "lambda:InvokeFunction"))
    acknowledge_inline(role)
    log_group = logs.LogGroup.from_log_group_name(scope, f"{construct_id}Log", workflow_log_group(stage, name))
    machine = sfn.StateMachine(
        scope,
        construct_id,
        state_machine_name=resource(stage, name),
        comment=comment,
        # Here and not as the construct's property, which it drops where the definition is a text.
        definition_body=sfn.DefinitionBody.from_string(json.dumps({**definition, "TimeoutSeconds": days * A_DAY})),
        definition_substitutions={"Worker": worker.alias.function_arn},
        query_language=sfn.QueryLanguage.JSONATA,
        role=role,
        tracing_enabled=True,
        logs=sfn.LogOptions(destination=log_group, level=sfn.LogLevel.ALL, include_execution_data=False),
    )
    if any(isinstance(state.get("TimeoutSeconds"), str) for state in definition["States"].values()):
        # Step Functions takes an expression there where the language is JSONata; cfn-lint's schema asks for a number.
        part = machine.node.default_child
        assert isinstance(part, sfn.CfnStateMachine)  # noqa: S101 - for the type checker
        part.add_metadata("cfn-lint", {"config": {"ignore_checks": ["E3601"]}})
    acknowledge(
        role,
        "X-Ray and the delivery of vended logs have no resources of their own to name; AWS documents these statements so.",
        "AwsSolutions-IAM5[Resource::*]",
    )
    failures, time_outs = machine.metric_failed(period=FIVE_MINUTES), machine.metric_timed_out(period=FIVE_MINUTES)
    alarm(scope, "Failed", topic=topic, metric=failures, threshold=1, meaning=failed)
    alarm(scope, "TimedOut", topic=topic, metric=time_outs, threshold=1, meaning=timed_out)
    return machine
