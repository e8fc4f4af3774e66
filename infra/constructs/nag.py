"""Acknowledge a finding of cdk-nag or checkov on the one resource it is about."""

from typing import Final, cast

from aws_cdk import Acknowledgment, CfnResource, Validations
from aws_cdk import aws_iam as iam
from constructs import IConstruct

CHECKOV: Final = "CKV"
"""With what the ids of checkov's rules begin."""
METADATA: Final = "checkov"


def acknowledge(construct: IConstruct, reason: str, *findings: str) -> None:
    """Accept ``findings`` on ``construct``.

    Args:
        construct: the resource, or the construct whose only such resource is meant.
        reason: why this is right here, for a security reviewer.
        findings: rule ids; a rule of cdk-nag with several findings per resource wants ``Rule[finding]``. Those of checkov
            are written into the template, beside the resource, where it looks for them.
    """
    ours = [finding for finding in findings if not finding.startswith(CHECKOV)]
    Validations.of(construct).acknowledge(*(Acknowledgment(id=finding, reason=reason) for finding in ours))
    skipped = [{"id": finding, "comment": reason} for finding in findings if finding.startswith(CHECKOV)]
    if skipped:
        part = cast(
            "CfnResource", construct if CfnResource.is_cfn_resource(construct) else construct.node.default_child
        )
        before = (part.get_metadata(METADATA) or {"skip": []})["skip"]
        part.add_metadata(METADATA, {"skip": [*before, *skipped]})


def acknowledge_inline(holder: iam.Role | iam.Policy) -> None:
    """Accept that a role's permissions are a policy of its own, in ``holder``, and none that others could have too."""
    acknowledge(
        holder,
        "The policy is this role's alone, comes and goes with it, and cannot be attached to another: least privilege.",
        "NIST.800.53.R5-IAMNoInlinePolicy",
    )
