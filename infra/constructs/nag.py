"""Acknowledge a finding of cdk-nag on the one resource it is about."""

from aws_cdk import Acknowledgment, Validations
from constructs import IConstruct


def acknowledge(construct: IConstruct, reason: str, *findings: str) -> None:
    """Accept ``findings`` on ``construct``.

    Args:
        construct: the resource, or the construct whose only such resource is meant.
        reason: why this is right here, for a security reviewer.
        findings: rule ids; a rule with several findings per resource wants ``Rule[finding]``.
    """
    Validations.of(construct).acknowledge(*(Acknowledgment(id=finding, reason=reason) for finding in findings))
