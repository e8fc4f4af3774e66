"""The roles of a local cloud: what they are granted there, and what they did, both by the roles' logical ids."""

import dataclasses
from collections.abc import Iterator
from typing import Any

from infra.local.cloud import LocalCloud
from infra.local.ministack import CALLS_FILE
from infra.local.recorded_calls import Call, read_calls
from tests.privileges.compare import Grant, grants_of, many


def roles(cloud: LocalCloud) -> dict[str, str]:
    """Name in IAM → logical id of every role of the templates."""
    cloudformation = cloud.client("cloudformation")
    found = {}
    for stack in cloud.stacks:
        for resource in cloudformation.describe_stack_resources(StackName=stack.name)["StackResources"]:
            if resource["ResourceType"] == "AWS::IAM::Role":
                found[resource["PhysicalResourceId"]] = resource["LogicalResourceId"]
    return found


def granted(cloud: LocalCloud) -> list[Grant]:
    """What the deployed roles may do, with the ARNs of the deployed resources."""
    iam = cloud.client("iam")
    found: list[Grant] = []
    for name, role in roles(cloud).items():
        for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
            document = iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
            found += grants_of(role, document["Statement"])
    return found


def called(cloud: LocalCloud) -> list[Call]:
    """What the roles of the templates did; roles that a test made for itself are left out."""
    ours = roles(cloud)
    calls = read_calls(cloud.workdir / CALLS_FILE)
    return [dataclasses.replace(call, role=ours[call.role]) for call in calls if call.role in ours]


def synthesized(cloud: LocalCloud) -> Iterator[tuple[str, str]]:
    """Logical id of a role and an action, for each action of each statement in the templates."""
    for stack in cloud.stacks:
        for resource in stack.template["Resources"].values():
            if resource["Type"] == "AWS::IAM::Policy":
                yield from _actions(resource["Properties"])


def _actions(policy: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for role in policy["Roles"]:
        for statement in policy["PolicyDocument"]["Statement"]:
            if statement["Effect"] != "Allow":
                continue
            for action in many(statement["Action"]):
                for _ in many(statement["Resource"]):
                    yield role["Ref"], action
