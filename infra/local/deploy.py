"""Deploy the stacks of an assembly into the local cloud with CloudFormation."""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from botocore.exceptions import ClientError

from infra.local.assembly import Stack
from infra.local.assets import upload_assets
from infra.local.restore import restore_tables
from infra.local.unsupported import Omission, localized

if TYPE_CHECKING:
    import boto3
    from mypy_boto3_cloudformation import CloudFormationClient

BOOTSTRAP_PARAMETER: Final = "BootstrapVersion"
BOOTSTRAP_RULE: Final = "CheckBootstrapVersion"
DEPLOY_TIMEOUT: Final = 300.0
POLL_SECONDS: Final = 0.2
PROGRESS_SECONDS: Final = 1.0

Outcome = Literal["created", "updated", "unchanged"]
Report = Callable[[str], None]


class DeployFailed(RuntimeError):
    """A stack could not be created or updated. The message names each resource that failed and why."""


@dataclass(frozen=True)
class Deployed:
    """A stack after its deployment."""

    stack: Stack
    outcome: Outcome
    outputs: Mapping[str, str]
    omissions: Sequence[Omission]


def deploy(
    session: "boto3.Session", endpoint: str, stacks: Sequence[Stack], parameters: Mapping[str, str], report: Report
) -> list[Deployed]:
    """Create or update each stack in turn; an unchanged one is left alone.

    Args:
        session: holds credentials and the region.
        endpoint: URL of the local cloud.
        stacks: in the order of their dependencies.
        parameters: values for the templates' parameters; one that no template declares is ignored.
        report: gets a line of progress at a time.

    Raises:
        DeployFailed: CloudFormation refused or rolled back.
        NotRestored: a table does not take the settings of its template.
        DanglingReference: a template needs something that the local target cannot hold.
    """
    upload_assets(session, endpoint, [asset for stack in stacks for asset in stack.assets], report)
    deployed = []
    for stack in stacks:
        client = session.client("cloudformation", endpoint_url=endpoint, region_name=stack.region)
        deployed.append(_deploy(client, stack, parameters, report))
        for table in restore_tables(session, endpoint, stack.name, stack.template):
            report(f"{stack.name}: {table} has the time to live, recovery, protection and key of its template")
    return deployed


def _deploy(
    cloudformation: "CloudFormationClient", stack: Stack, values: Mapping[str, str], report: Report
) -> Deployed:
    template, omissions = localized(without_bootstrap(stack.template))
    for omission in omissions:
        report(f"{stack.name}: left out {omission.resource_type} {omission.logical_id}: {omission.reason}")
    body = json.dumps(template, sort_keys=True)
    wanted = {name: values[name] for name in template.get("Parameters", {}) if name in values}
    existing = _describe(cloudformation, stack.name)
    if existing is None:
        outcome: Outcome = "created"
    elif _same(cloudformation, existing, body, wanted):
        outcome = "unchanged"
    else:
        outcome = "updated"
    if outcome != "unchanged":
        _submit(cloudformation, stack, body=body, values=wanted, outcome=outcome, report=report)
    current = _describe(cloudformation, stack.name)
    if current is None:
        raise DeployFailed(f"{stack.name} is gone after its deployment")
    outputs = {output["OutputKey"]: output["OutputValue"] for output in current.get("Outputs", [])}
    report(f"{stack.name}: {outcome}, {len(template['Resources'])} resources")
    return Deployed(stack, outcome, outputs, omissions)


def without_bootstrap(template: Mapping[str, Any]) -> dict[str, Any]:
    """The template without its check for the CDK's bootstrap stack, which has no part in a local deployment."""
    parameters = {k: v for k, v in template.get("Parameters", {}).items() if k != BOOTSTRAP_PARAMETER}
    rules = {k: v for k, v in template.get("Rules", {}).items() if k != BOOTSTRAP_RULE}
    rest = {k: v for k, v in template.items() if k not in {"Parameters", "Rules"}}
    return rest | ({"Parameters": parameters} if parameters else {}) | ({"Rules": rules} if rules else {})


def _submit(
    cloudformation: "CloudFormationClient",
    stack: Stack,
    *,
    body: str,
    values: Mapping[str, str],
    outcome: Outcome,
    report: Report,
) -> None:
    request: dict[str, Any] = {
        "StackName": stack.name,
        "TemplateBody": body,
        "Parameters": [{"ParameterKey": name, "ParameterValue": value} for name, value in values.items()],
        "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"],
        "Tags": [{"Key": key, "Value": value} for key, value in stack.tags.items()],
    }
    try:
        if outcome == "created":
            protection = stack.termination_protection
            cloudformation.create_stack(**request, EnableTerminationProtection=protection, OnFailure="DELETE")
        else:
            cloudformation.update_stack(**request)
    except ClientError as error:
        raise DeployFailed(f"{stack.name}: {error.response['Error']['Message']}") from error
    _wait(cloudformation, stack.name, outcome, len(json.loads(body)["Resources"]), report)


def _wait(cloudformation: "CloudFormationClient", name: str, outcome: Outcome, total: int, report: Report) -> None:
    started = shown = time.monotonic()
    while time.monotonic() - started < DEPLOY_TIMEOUT:
        status = (_describe(cloudformation, name) or {"StackStatus": "DELETE_COMPLETE"})["StackStatus"]
        if status in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}:
            return
        if not status.endswith("_IN_PROGRESS"):
            raise DeployFailed(f"{name}: {status}\n" + "\n".join(_failures(cloudformation, name)))
        if time.monotonic() - shown >= PROGRESS_SECONDS:
            shown = time.monotonic()
            report(f"{name}: {_done(cloudformation, name)} of {total} resources {outcome}")
        time.sleep(POLL_SECONDS)
    raise DeployFailed(f"{name}: not finished after {DEPLOY_TIMEOUT:.0f} s")


def _describe(cloudformation: "CloudFormationClient", name: str) -> Any:
    try:
        return cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        if "does not exist" in error.response["Error"]["Message"]:
            return None
        raise


def _same(cloudformation: "CloudFormationClient", existing: Any, body: str, values: Mapping[str, str]) -> bool:
    if existing["StackStatus"] not in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}:
        return False
    found: Any = cloudformation.get_template(StackName=existing["StackName"])["TemplateBody"]
    deployed = json.loads(found) if isinstance(found, str) else found
    given = {each["ParameterKey"]: each["ParameterValue"] for each in existing.get("Parameters", [])}
    return deployed == json.loads(body) and all(given.get(name) == value for name, value in values.items())


def _done(cloudformation: "CloudFormationClient", name: str) -> int:
    resources = cloudformation.describe_stack_resources(StackName=name)["StackResources"]
    return sum(resource["ResourceStatus"].endswith("_COMPLETE") for resource in resources)


def _failures(cloudformation: "CloudFormationClient", name: str) -> Iterator[str]:
    for page in cloudformation.get_paginator("describe_stack_events").paginate(StackName=name):
        for event in page["StackEvents"]:
            if event.get("ResourceStatus", "").endswith("_FAILED"):
                yield (
                    f"  {event.get('LogicalResourceId')} ({event.get('ResourceType')}): "
                    f"{event.get('ResourceStatusReason', 'no reason given')}"
                )
