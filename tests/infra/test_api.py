"""Every route of the gateway asks for its scope, and the gateway's refusals read like the functions'."""

import json
import re

import pytest
from aws_cdk.assertions import Match, Template

import loyalty_contract as contract
from infra.constructs.gateway_problems import GATEWAY_PROBLEMS, HEADERS, MEDIA_TYPE, TYPE_PREFIX
from infra.names import firewall_log_group
from infra.routes import CONSOLE, LINK_FUNCTION, ROUTES
from infra.settings import StageSettings, Throttle, WafOn
from loyalty.core import http, problems
from tests.infra.single import synthesize_one
from tests.infra.templates import Json, Templates, text


def _path(stage: Templates, resource_id: Json) -> str:
    if "Ref" not in resource_id:
        return ""
    resource = stage.stacks["api"]["Resources"][resource_id["Ref"]]["Properties"]
    return f"{_path(stage, resource['ParentId'])}/{resource['PathPart']}"


def test_routes_and_scopes(stage: Templates) -> None:
    found = {
        (method["HttpMethod"], _path(stage, method["ResourceId"])): method
        for method in stage.properties("AWS::ApiGateway::Method")
    }
    everything = (*ROUTES, *CONSOLE)
    assert set(found) == {(route.method, route.path) for route in everything}
    for route in everything:
        method = found[route.method, route.path]
        if route.scope is None:
            assert method["AuthorizationType"] == "NONE"
            assert not method.get("ApiKeyRequired")
            assert route in CONSOLE or route.path in {
                "/health",
                "/v1/suppliers/{supplier}/callbacks",
                "/r/{program}/{code}",
            }
        else:
            assert method["AuthorizationType"] == "CUSTOM"
            assert method["ApiKeyRequired"] is True
            assert route.scope in contract.SCOPES
        assert method["Integration"]["Type"] == "AWS_PROXY"


def test_a_verdict_is_kept_for_a_token_on_one_route_and_half_a_minute_at_most(stage: Templates) -> None:
    authorizer = stage.one("AWS::ApiGateway::Authorizer")["Properties"]
    assert authorizer["Type"] == "REQUEST"
    # Its policies have wildcards: without method and route here, one for a short path would be taken for a longer one.
    assert authorizer["IdentitySource"].split(",") == [
        "method.request.header.Authorization",
        "context.httpMethod",
        "context.resourcePath",
    ]
    assert authorizer["AuthorizerResultTtlInSeconds"] == 30
    assert "authorizerAlias" in text(authorizer["AuthorizerUri"])


def test_the_authorizer_may_read_clients_and_nothing_else(stage: Templates) -> None:
    logs, table = sorted(stage.statements("authorizer"), key=lambda one: str(one["Action"]))
    assert logs["Action"] == ["logs:CreateLogStream", "logs:PutLogEvents"]
    assert table["Action"] == "dynamodb:GetItem"
    assert table["Condition"] == {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["C#*"]}}


def test_no_client_is_without_a_limit_and_keys_come_from_the_authorizer(
    stage: Templates, settings: StageSettings
) -> None:
    api = stage.one("AWS::ApiGateway::RestApi")["Properties"]
    assert api["ApiKeySourceType"] == "AUTHORIZER"
    found = {plan["UsagePlanName"]: plan for plan in stage.properties("AWS::ApiGateway::UsagePlan")}
    assert set(found) == {contract.usage_plan(settings.name, plan) for plan in settings.plans}
    for name, plan in settings.plans.items():
        limited = found[contract.usage_plan(settings.name, name)]
        assert limited["Throttle"] == {"RateLimit": plan.rate, "BurstLimit": plan.burst}
        quota = {"Limit": plan.requests_a_day, "Period": "DAY"} if plan.requests_a_day else None
        assert limited.get("Quota") == quota
        assert len(limited["ApiStages"]) == 1
    key = stage.one("AWS::ApiGateway::ApiKey")["Properties"]
    assert key["Value"] == contract.shared_usage_key(settings.name)
    assert key["Value"].isalnum()
    assert 20 <= len(key["Value"]) <= 128
    assert stage.one("AWS::ApiGateway::UsagePlanKey")


def test_tls_is_1_2_at_least_and_no_other_origin_is_answered(stage: Templates, settings: StageSettings) -> None:
    api = stage.one("AWS::ApiGateway::RestApi")["Properties"]
    assert api["SecurityPolicy"].startswith("SecurityPolicy_TLS13_1_2_")
    assert api["EndpointAccessMode"] == settings.endpoint_access
    assert "OPTIONS" not in {method["HttpMethod"] for method in stage.properties("AWS::ApiGateway::Method")}
    for response in stage.properties("AWS::ApiGateway::GatewayResponse"):
        assert not [name for name in response["ResponseParameters"] if "Access-Control" in name]


def test_a_shared_plan_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="shared_plan must be one of plans"):
        StageSettings(name="poor", region="eu-south-1", shared_plan="golden")


def test_every_scope_opens_a_route() -> None:
    assert {route.scope for route in ROUTES if route.scope} == set(contract.SCOPES)


def test_stage_throttles_and_logs_without_bodies(stage: Templates, settings: StageSettings) -> None:
    Template.from_json(stage.stacks["api"]).has_resource_properties(
        "AWS::ApiGateway::Stage",
        {"AccessLogSetting": {"DestinationArn": Match.any_value(), "Format": Match.any_value()}},
    )
    (found,) = stage.properties("AWS::ApiGateway::Stage")
    limits = {}
    for one in found["MethodSettings"]:
        assert (one["LoggingLevel"], one["DataTraceEnabled"], one["MetricsEnabled"]) == ("ERROR", False, True)
        method = one["HttpMethod"], one["ResourcePath"].replace("/~1", "/").replace("~1", "/")
        limits[method] = one["ThrottlingRateLimit"], one["ThrottlingBurstLimit"]
    assert limits.pop(("*", "/*")) == (settings.throttle.rate, settings.throttle.burst)
    # Whoever has no token comes to these: what they cost must not depend on how often they are called.
    assert limits == {
        ("GET", "/health"): (50, 100),
        ("POST", "/v1/suppliers/{supplier}/callbacks"): (50, 100),
        ("GET", "/r/{program}/{code}"): (200, 400),
        ("HEAD", "/r/{program}/{code}"): (50, 100),
        ("GET", "/console"): (50, 100),
        ("GET", "/console/{page+}"): (50, 100),
        ("POST", "/console/{page+}"): (50, 100),
    }
    log = text(stage.one("AWS::ApiGateway::Stage")["Properties"]["AccessLogSetting"])
    assert "$context.path" not in log
    assert "$context.resourcePath" in log


def test_links_begin_at_the_api_or_where_the_stage_says(stage: Templates) -> None:
    def told(templates: Templates) -> str:
        (found,) = [
            function["Environment"]["Variables"][contract.ENV_LINKS_URL]
            for function in templates.properties("AWS::Lambda::Function", "api")
            if contract.ENV_LINKS_URL in function["Environment"]["Variables"]
        ]
        return text(found)

    assert ".execute-api." in told(stage) or "_user_request_" in told(stage)
    own = synthesize_one(StageSettings(name="own", region="eu-south-1", links_url="https://go.example.com/x"))
    assert told(own) == '"https://go.example.com/x"'
    for wrong in ("http://go.example.com", "https://go.example.com/", "https://go.example.com/?x"):
        with pytest.raises(ValueError, match="links_url"):
            StageSettings(name="own", region="eu-south-1", links_url=wrong)


def test_gateway_problems_have_the_shape_of_the_functions_problems(stage: Templates) -> None:
    found = {response["ResponseType"]: response for response in stage.properties("AWS::ApiGateway::GatewayResponse")}
    assert set(found) == set(GATEWAY_PROBLEMS)
    assert (MEDIA_TYPE, TYPE_PREFIX) == (problems.MEDIA_TYPE, problems.TYPE_PREFIX)
    for response in found.values():
        body = json.loads(response["ResponseTemplates"]["application/json"])
        problem = problems.ProblemBody.model_validate(body)
        assert problem.type == TYPE_PREFIX + problem.code
        assert problem.title == problems.title(problem.code)
        assert str(problem.status) == response["StatusCode"]
        assert problem.instance == "urn:request:$context.requestId"
        headers = {
            name.removeprefix("gatewayresponse.header."): value.strip("'")
            for name, value in response["ResponseParameters"].items()
        }
        assert headers.pop("Content-Type") == MEDIA_TYPE
        assert headers.items() >= HEADERS.items()
        assert set(HEADERS) == set(http.HEADERS)
        # What a quote inside a value's own quotes means to the gateway is written nowhere.
        assert not [value for value in headers.values() if "'" in value]
        assert ("Retry-After" in headers) == (problem.status in {429, 503})
        assert ("WWW-Authenticate" in headers) == (problem.code in {"unauthenticated", "insufficient_scope"})


def test_functions_and_gateway_say_the_same_of_security() -> None:
    for name, value in HEADERS.items():
        assert http.HEADERS[name].replace(" 'none'", "") == value


def test_firewall_or_a_reason_for_none(stage: Templates, settings: StageSettings) -> None:
    wanted = 1 if isinstance(settings.waf, WafOn) else 0
    assert len(stage.properties("AWS::WAFv2::WebACL")) == wanted
    assert len(stage.properties("AWS::WAFv2::WebACLAssociation")) == wanted
    assert settings.target == "local" or wanted == 1


def test_the_firewall_writes_down_what_it_stopped_without_tokens_or_ids(
    stage: Templates, settings: StageSettings
) -> None:
    written = stage.properties("AWS::WAFv2::LoggingConfiguration")
    assert len(written) == len(stage.properties("AWS::WAFv2::WebACL"))
    groups = {group["LogGroupName"]: group for group in stage.properties("AWS::Logs::LogGroup", "stateful")}
    for log in written:
        (group,) = log["LogDestinationConfigs"]
        name = firewall_log_group(settings.name)
        assert name.startswith("aws-waf-logs-"), "WAF takes no other"
        assert name in groups
        assert text(group).endswith(f':log-group:{name}"]]}}')
        assert log["RedactedFields"] == [
            {"SingleHeader": {"Name": "authorization"}},
            {"SingleHeader": {"Name": "cookie"}},
            {"UriPath": {}},
            {"QueryString": {}},
        ]
        (kept,) = log["LoggingFilter"]["Filters"]
        assert log["LoggingFilter"]["DefaultBehavior"] == "DROP"
        assert {one["ActionCondition"]["Action"] for one in kept["Conditions"]} == {"BLOCK", "COUNT"}
        assert kept["Behavior"] == "KEEP"


def test_one_address_may_use_a_whole_method(stage: Templates, settings: StageSettings) -> None:
    for acl in stage.properties("AWS::WAFv2::WebACL"):
        rates = [rule["Statement"]["RateBasedStatement"] for rule in acl["Rules"] if "Action" in rule]
        (rate,) = [one for one in rates if "ScopeDownStatement" not in one]
        assert rate["Limit"] >= settings.throttle.rate * rate["EvaluationWindowSec"]


def test_one_address_may_not_use_up_what_links_take(stage: Templates, settings: StageSettings) -> None:
    """Their throttle is one for everybody: whoever floods it from one address would shut all others out."""
    for acl in stage.properties("AWS::WAFv2::WebACL"):
        rates = [rule["Statement"]["RateBasedStatement"] for rule in acl["Rules"] if "Action" in rule]
        (rate,) = [one for one in rates if "ScopeDownStatement" in one]
        assert rate["AggregateKeyType"] == "IP"
        assert rate["Limit"] * 10 <= settings.link_throttle.rate * rate["EvaluationWindowSec"]
        match = rate["ScopeDownStatement"]["RegexMatchStatement"]
        assert match["FieldToMatch"] == {"UriPath": {}}
        assert [one["Type"] for one in match["TextTransformations"]] == ["URL_DECODE", "NORMALIZE_PATH"]
        links = [route.path for route in ROUTES if route.function == LINK_FUNCTION]
        others = [route.path for route in ROUTES if route.function != LINK_FUNCTION]
        for prefix in ("", "/live", "/loyalty"):
            assert all(re.search(match["RegexString"], prefix + path) for path in links)
            assert not [path for path in others if re.search(match["RegexString"], prefix + path)]


def test_a_limit_of_links_that_protects_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at most 3,000"):
        StageSettings(
            name="calm",
            region="eu-south-1",
            link_throttle=Throttle(rate=20, burst=20),
            waf=WafOn(links_per_address=3_001),
        )


def test_a_firewall_below_the_throttle_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 300,000"):
        StageSettings(name="busy", region="eu-south-1", throttle=Throttle(rate=1000, burst=1000))


def test_the_gateways_own_log_exists_before_it_would_make_one(stage: Templates, settings: StageSettings) -> None:
    ((log_id, log),) = list(stage.each("AWS::Logs::LogGroup", "api"))
    ((api_id, _),) = list(stage.each("AWS::ApiGateway::RestApi"))
    assert log["Properties"]["LogGroupName"] == {
        "Fn::Join": ["", ["API-Gateway-Execution-Logs_", {"Ref": api_id}, "/live"]]
    }
    assert log["Properties"]["RetentionInDays"] == settings.log_retention
    assert "Data" in text(log["Properties"]["KmsKeyId"])
    assert log_id in stage.one("AWS::ApiGateway::Stage")["DependsOn"]


def test_the_accounts_logging_role_outlives_the_stack(stage: Templates, settings: StageSettings) -> None:
    wanted = "Retain" if settings.retain else "Delete"
    account = stage.one("AWS::ApiGateway::Account")
    role_id = account["Properties"]["CloudWatchRoleArn"]["Fn::GetAtt"][0]
    role = stage.stacks["api"]["Resources"][role_id]
    assert {account["DeletionPolicy"], role["DeletionPolicy"]} == {wanted}


def test_an_account_may_keep_its_own_logging_role() -> None:
    stage = synthesize_one(StageSettings(name="shared", region="eu-south-1", gateway_log_role="account"))
    assert not stage.properties("AWS::ApiGateway::Account")
