"""What gives a secret away: known shapes of keys and tokens in any text, and values where a template should have names."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from detect_secrets.plugins.aws import AWSKeyDetector
from detect_secrets.plugins.azure_storage_key import AzureStorageKeyDetector
from detect_secrets.plugins.base import RegexBasedDetector
from detect_secrets.plugins.basic_auth import BasicAuthDetector
from detect_secrets.plugins.github_token import GitHubTokenDetector
from detect_secrets.plugins.gitlab_token import GitLabTokenDetector
from detect_secrets.plugins.jwt import JwtTokenDetector
from detect_secrets.plugins.npm import NpmDetector
from detect_secrets.plugins.private_key import PrivateKeyDetector
from detect_secrets.plugins.pypi_token import PypiTokenDetector
from detect_secrets.plugins.slack import SlackDetector
from detect_secrets.plugins.stripe import StripeDetector


class AssignedDetector(RegexBasedDetector):
    """A literal of twelve letters or more that is given to a name of a credential."""

    secret_type = "Credential"
    denylist = (
        re.compile(
            r"""(?i)(?:client_?secret|secret_?key|api_?key|password|(?:access|refresh|bearer)_?token)["']?\s*[:=]\s*"""
            r"""["']([^"'{}$<>\s]{12,})["']"""
        ),
    )


class SupplierKeyDetector(RegexBasedDetector):
    """API keys of Tremendous and client secrets of Cognito, by their shapes."""

    secret_type = "Supplier or client key"
    denylist = (
        re.compile(r"\b(?:PROD|TEST)_[A-Za-z0-9_-]{30,}"),
        re.compile(r"(?<![\w/+=-])[a-z0-9]{50,55}(?![\w/+=-])"),
    )


DETECTORS: Final = (
    AWSKeyDetector(), AzureStorageKeyDetector(), BasicAuthDetector(), GitHubTokenDetector(), GitLabTokenDetector(),
    JwtTokenDetector(), NpmDetector(), PrivateKeyDetector(), PypiTokenDetector(), SlackDetector(), StripeDetector(),
    AssignedDetector(), SupplierKeyDetector(),
)  # fmt: skip
REFERENCES: Final = frozenset({"Ref", "Fn::ImportValue", "Fn::Join", "Fn::GetAtt"})
"""The intrinsic functions that an environment may use: names and ARNs of resources, and texts made of them."""
ATTRIBUTES: Final = frozenset({"Arn", "QueueName", "QueueUrl"})
DYNAMIC: Final = "{{resolve:"
"""CloudFormation replaces it with the secret itself, which then stands in the function's configuration."""


def tracked(root: Path) -> list[str]:
    """The files that git keeps, by their paths below ``root``."""
    found = subprocess.run(["git", "ls-files", "-z"], cwd=root, check=True, capture_output=True, text=True)
    return [name for name in found.stdout.split("\0") if name and (root / name).is_file()]


def in_text(text: str) -> Iterator[tuple[str, str]]:
    """What kind of secret, and the secret, for each in ``text``."""
    for detector in DETECTORS:
        for found in sorted(set(detector.analyze_string(text))):
            yield detector.secret_type, found


def in_template(template: dict[str, Any]) -> Iterator[str]:
    """What in ``template`` is a secret, or would bring one into it: a text for each."""
    whole = json.dumps(template)
    for kind, found in in_text(whole):
        yield f"{kind}: {found}"
    if DYNAMIC in whole:
        yield f"{DYNAMIC}…}}}}: CloudFormation would write the secret out"
    for name, parameter in template.get("Parameters", {}).items():
        if parameter.get("NoEcho") and "Default" in parameter:
            yield f"{name}: a parameter that is not shown has a default"
    for logical_id, resource in template["Resources"].items():
        if "SecretString" in resource.get("Properties", {}):
            yield f"{logical_id}: the value of a secret"
        if resource["Type"] == "AWS::Lambda::Function":
            variables = resource["Properties"].get("Environment", {}).get("Variables", {})
            for name, value in variables.items():
                yield from (f"{logical_id} {name}: {text}" for text in _in_variable(value))


def _in_variable(value: Any) -> Iterator[str]:
    """What in a variable is no name, no number and no reference to a resource."""
    if isinstance(value, str):
        if random_looking := re.search(r"(?=[A-Za-z0-9+/]*[0-9])(?=[A-Za-z0-9+/]*[A-Z])[A-Za-z0-9+/]{20,}", value):
            yield f"{random_looking[0]} looks like a key"
    elif isinstance(value, list):
        for one in value:
            yield from _in_variable(one)
    elif isinstance(value, dict):
        ((function, argument),) = value.items()
        if function not in REFERENCES:
            yield f"{function} is no reference to a resource"
        elif function == "Fn::GetAtt" and argument[1] not in ATTRIBUTES:
            yield f"{argument[1]} of {argument[0]} is neither its name nor its ARN"
        elif function == "Fn::Join":
            yield from _in_variable(argument[1])
