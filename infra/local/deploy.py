"""Deploy the stacks of an assembly into the local cloud with CloudFormation."""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from botocore.exceptions import ClientError

from infra.local.assembly import Stack
from infra.local.assets import upload_assets, upload_template
from infra.local.locks import restore_locks
from infra.local.restore import restore_tables
from infra.local.unsupported import Omission, localized

if TYPE_CHECKING:
    import boto3

BOOTSTRAP_PARAMETER: Final = "BootstrapVersion"
BOOTSTRAP_RULE: Final = "CheckBootstrapVersion"
DEPLOY_TIMEOUT: Final = 300.0
POLL_SECONDS: Final = 0.2
PROGRESS_SECONDS: Final = 1.0
SETTLED: Final = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE"})

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
        target = _Target(session, endpoint, stack, report)
        deployed.append(target.deploy(parameters))
        for table in restore_tables(session, endpoint, stack.name, stack.template):
            report(f"{stack.name}: {table} has the time to live, recovery, protection and key of its template")
        for bucket in restore_locks(session, endpoint, stack.name, stack.template):
            report(f"{stack.name}: {bucket} has the lock of its template")
    return deployed


def without_bootstrap(template: Mapping[str, Any]) -> dict[str, Any]:
    """The template without its check for the CDK's bootstrap stack, which has no part in a local deployment."""
    parameters = {k: v for k, v in template.get("Parameters", {}).items() if k != BOOTSTRAP_PARAMETER}
    rules = {k: v for k, v in template.get("Rules", {}).items() if k != BOOTSTRAP_RULE}
    rest = {k: v for k, v in template.items() if k not in {"Parameters", "Rules"}}
    return rest | ({"Parameters": parameters} if parameters else {}) | ({"Rules": rules} if rules else {})


class _Target:
    """One stack of the assembly, and what became of it in the local cloud."""

    def __init__(self, session: "boto3.Session", endpoint: str, stack: Stack, report: Report) -> None:
        self._session = session
        self._endpoint = endpoint
        self._stack = stack
        self._report = report
        self._client = session.client("cloudformation", endpoint_url=endpoint, region_name=stack.region)

    def deploy(self, values: Mapping[str, str]) -> Deployed:
        name = self._stack.name
        template, omissions = localized(without_bootstrap(self._stack.template))
        for omission in omissions:
            self._report(f"{name}: left out {omission.resource_type} {omission.logical_id}: {omission.reason}")
        wanted = {key: values[key] for key in template.get("Parameters", {}) if key in values}
        existing = self._describe()
        outcome: Outcome = "created" if existing is None else "updated"
        if existing is not None and self._is_same(existing, template, wanted):
            outcome = "unchanged"
        else:
            self._submit(template, wanted, outcome)
        current = self._describe()
        if current is None:
            raise DeployFailed(f"{name} is gone after its deployment")
        outputs = {output["OutputKey"]: output["OutputValue"] for output in current.get("Outputs", [])}
        self._report(f"{name}: {outcome}, {len(template['Resources'])} resources")
        return Deployed(self._stack, outcome, outputs, omissions)

    def _submit(self, template: Mapping[str, Any], values: Mapping[str, str], outcome: Outcome) -> None:
        body = json.dumps(template, sort_keys=True)
        request: dict[str, Any] = {
            "StackName": self._stack.name,
            "TemplateURL": upload_template(self._session, self._endpoint, self._stack.template_bucket, body),
            "Parameters": [{"ParameterKey": name, "ParameterValue": value} for name, value in values.items()],
            "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"],
            "Tags": [{"Key": key, "Value": value} for key, value in self._stack.tags.items()],
        }
        try:
            if outcome == "created":
                protection = self._stack.termination_protection
                self._client.create_stack(**request, EnableTerminationProtection=protection, OnFailure="DELETE")
            else:
                self._client.update_stack(**request)
        except ClientError as error:
            raise DeployFailed(f"{self._stack.name}: {error.response['Error']['Message'][:2000]}") from error
        self._wait(outcome, len(template["Resources"]))

    def _wait(self, outcome: Outcome, total: int) -> None:
        name = self._stack.name
        started = shown = time.monotonic()
        while time.monotonic() - started < DEPLOY_TIMEOUT:
            status = (self._describe() or {"StackStatus": "DELETE_COMPLETE"})["StackStatus"]
            if status in SETTLED:
                return
            if not status.endswith("_IN_PROGRESS"):
                raise DeployFailed(f"{name}: {status}\n" + "\n".join(self._failures()))
            if time.monotonic() - shown >= PROGRESS_SECONDS:
                shown = time.monotonic()
                self._report(f"{name}: {self._done()} of {total} resources {outcome}")
            time.sleep(POLL_SECONDS)
        raise DeployFailed(f"{name}: not finished after {DEPLOY_TIMEOUT:.0f} s")

    def _describe(self) -> Any:
        try:
            return self._client.describe_stacks(StackName=self._stack.name)["Stacks"][0]
        except ClientError as error:
            if "does not exist" in error.response["Error"]["Message"]:
                return None
            raise

    def _is_same(self, existing: Any, template: Mapping[str, Any], values: Mapping[str, str]) -> bool:
        if existing["StackStatus"] not in SETTLED:
            return False
        found: Any = self._client.get_template(StackName=self._stack.name)["TemplateBody"]
        deployed = json.loads(found) if isinstance(found, str) else found
        given = {each["ParameterKey"]: each["ParameterValue"] for each in existing.get("Parameters", [])}
        return deployed == json.loads(json.dumps(template)) and all(given.get(k) == v for k, v in values.items())

    def _done(self) -> int:
        resources = self._client.describe_stack_resources(StackName=self._stack.name)["StackResources"]
        return sum(resource["ResourceStatus"].endswith("_COMPLETE") for resource in resources)

    def _failures(self) -> Iterator[str]:
        for page in self._client.get_paginator("describe_stack_events").paginate(StackName=self._stack.name):
            for event in page["StackEvents"]:
                if event.get("ResourceStatus", "").endswith("_FAILED"):
                    yield (
                        f"  {event.get('LogicalResourceId')} ({event.get('ResourceType')}): "
                        f"{event.get('ResourceStatusReason', 'no reason given')}"
                    )
