"""Names that stacks agree on without exporting values to each other, so that each can be updated alone."""

from loyalty_contract import resource

__all__ = ["access_log_group", "firewall_log_group", "function_log_group", "resource", "workflow_log_group"]


def function_log_group(stage: str, function: str) -> str:
    """Log group of a function."""
    return f"/loyalty/{stage}/{function}"


def access_log_group(stage: str) -> str:
    """Access log of the API."""
    return f"/loyalty/{stage}/api-access"


def firewall_log_group(stage: str) -> str:
    """Log of what the firewall stopped. WAF takes no name with another beginning."""
    return f"aws-waf-logs-{resource(stage, 'api')}"


def workflow_log_group(stage: str, workflow: str) -> str:
    """Log of a workflow. The prefix keeps the account's resource policy for log delivery small."""
    return f"/aws/vendedlogs/states/loyalty-{stage}-{workflow}"
