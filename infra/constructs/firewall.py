"""A web application firewall in front of the API."""

from collections.abc import Mapping
from typing import Any, Final

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_wafv2 as waf
from constructs import Construct

from infra.names import firewall_log_group, resource
from infra.settings import WafOn
from infra.settings.model import WAF_WINDOW_SECONDS

MANAGED_RULES: Final = (
    "AWSManagedRulesAmazonIpReputationList",
    "AWSManagedRulesKnownBadInputsRuleSet",
    "AWSManagedRulesCommonRuleSet",
)
COUNTED_ONLY: Final = {"AWSManagedRulesCommonRuleSet": ("SizeRestrictions_BODY",)}
"""An accrual with many lines exceeds the 8 KB that this rule allows; the functions have their own limit on a body."""

NOT_LOGGED: Final[tuple[waf.CfnLoggingConfiguration.FieldToMatchProperty, ...]] = (
    *(
        waf.CfnLoggingConfiguration.FieldToMatchProperty(single_header={"Name": name})
        for name in ("authorization", "cookie")
    ),
    waf.CfnLoggingConfiguration.FieldToMatchProperty(uri_path={}),
    waf.CfnLoggingConfiguration.FieldToMatchProperty(query_string={}),
)
"""Tokens, sessions, and members' ids, which paths hold."""
LINKS: Final = "^(/[^/]+)?/r/"
"""Paths of members' links, behind the name of the stage or of a mapping to a domain."""
LOGGED: Final[Mapping[str, Any]] = {
    "DefaultBehavior": "DROP",
    "Filters": [
        {
            "Behavior": "KEEP",
            "Requirement": "MEETS_ANY",
            "Conditions": [{"ActionCondition": {"Action": action}} for action in ("BLOCK", "COUNT")],
        }
    ],
}
"""As CloudFormation names it: the construct passes its own names on, which WAF does not know."""


class Firewall(Construct):
    """Managed rules against known attacks, a limit per address, and a log of what they stopped or counted.

    Args:
        scope: the stack.
        name: construct id.
        stage: name of our stage.
        settings: the limit.
        protected: ARN of the API's stage.
    """

    def __init__(self, scope: Construct, name: str, *, stage: str, settings: WafOn, protected: str) -> None:
        super().__init__(scope, name)
        rules = [_managed(rules, priority) for priority, rules in enumerate(MANAGED_RULES, start=2)]
        acl = waf.CfnWebACL(
            self,
            "Acl",
            name=resource(stage, "api"),
            scope="REGIONAL",
            default_action=waf.CfnWebACL.DefaultActionProperty(allow=waf.CfnWebACL.AllowActionProperty()),
            visibility_config=_visible("api"),
            rules=[_rate(settings.requests_per_address), _rate_of_links(settings.links_per_address), *rules],
        )
        waf.CfnWebACLAssociation(self, "Association", resource_arn=protected, web_acl_arn=acl.attr_arn)
        self._log(acl, stage)

    def _log(self, acl: waf.CfnWebACL, stage: str) -> None:
        stack = Stack.of(self)
        group = f"arn:{stack.partition}:logs:{stack.region}:{stack.account}:log-group:{firewall_log_group(stage)}"
        delivery = logs.ResourcePolicy(
            self,
            "LogDelivery",
            resource_policy_name=resource(stage, "firewall-log"),
            policy_statements=[
                iam.PolicyStatement(
                    principals=[iam.ServicePrincipal("delivery.logs.amazonaws.com")],
                    actions=["logs:CreateLogStream", "logs:PutLogEvents"],
                    resources=[f"{group}:log-stream:*"],
                    conditions={"StringEquals": {"aws:SourceAccount": stack.account}},
                )
            ],
        )
        written = waf.CfnLoggingConfiguration(
            self,
            "Log",
            resource_arn=acl.attr_arn,
            log_destination_configs=[group],
            redacted_fields=list(NOT_LOGGED),
            logging_filter=LOGGED,
        )
        written.node.add_dependency(delivery)


def _rate(limit: int) -> waf.CfnWebACL.RuleProperty:
    return waf.CfnWebACL.RuleProperty(
        name="requests-per-address",
        priority=0,
        action=waf.CfnWebACL.RuleActionProperty(block=waf.CfnWebACL.BlockActionProperty()),
        statement=waf.CfnWebACL.StatementProperty(
            rate_based_statement=waf.CfnWebACL.RateBasedStatementProperty(
                aggregate_key_type="IP", limit=limit, evaluation_window_sec=WAF_WINDOW_SECONDS
            )
        ),
        visibility_config=_visible("requests-per-address"),
    )


def _rate_of_links(limit: int) -> waf.CfnWebACL.RuleProperty:
    """Links ask for no token and write for each who follows one. Their throttle is one for all: a flood from one address ends here."""
    decoded = ("URL_DECODE", "NORMALIZE_PATH")
    links = waf.CfnWebACL.RegexMatchStatementProperty(
        field_to_match=waf.CfnWebACL.FieldToMatchProperty(uri_path={}),
        regex_string=LINKS,
        text_transformations=[
            waf.CfnWebACL.TextTransformationProperty(type=kind, priority=place) for place, kind in enumerate(decoded)
        ],
    )
    return waf.CfnWebACL.RuleProperty(
        name="links-per-address",
        priority=1,
        action=waf.CfnWebACL.RuleActionProperty(block=waf.CfnWebACL.BlockActionProperty()),
        statement=waf.CfnWebACL.StatementProperty(
            rate_based_statement=waf.CfnWebACL.RateBasedStatementProperty(
                aggregate_key_type="IP",
                limit=limit,
                evaluation_window_sec=WAF_WINDOW_SECONDS,
                scope_down_statement=waf.CfnWebACL.StatementProperty(regex_match_statement=links),
            )
        ),
        visibility_config=_visible("links-per-address"),
    )


def _managed(rules: str, priority: int) -> waf.CfnWebACL.RuleProperty:
    counted = [
        waf.CfnWebACL.RuleActionOverrideProperty(
            name=rule, action_to_use=waf.CfnWebACL.RuleActionProperty(count=waf.CfnWebACL.CountActionProperty())
        )
        for rule in COUNTED_ONLY.get(rules, ())
    ]
    return waf.CfnWebACL.RuleProperty(
        name=rules,
        priority=priority,
        override_action=waf.CfnWebACL.OverrideActionProperty(none={}),
        statement=waf.CfnWebACL.StatementProperty(
            managed_rule_group_statement=waf.CfnWebACL.ManagedRuleGroupStatementProperty(
                vendor_name="AWS", name=rules, rule_action_overrides=counted or None
            )
        ),
        visibility_config=_visible(rules),
    )


def _visible(name: str) -> waf.CfnWebACL.VisibilityConfigProperty:
    return waf.CfnWebACL.VisibilityConfigProperty(
        cloud_watch_metrics_enabled=True, metric_name=f"loyalty-{name}", sampled_requests_enabled=False
    )
