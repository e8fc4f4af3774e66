"""The HTTP API: a regional REST API, its authorizer, its routes."""

from collections.abc import Mapping
from functools import cached_property

from aws_cdk import CfnOutput, CfnParameter, Duration, RemovalPolicy
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from constructs import Construct

import loyalty_contract as contract
from infra.bundling import Assets
from infra.constructs.alarms import FIVE_MINUTES, alarm, function_metric
from infra.constructs.client_plans import ClientPlans
from infra.constructs.firewall import Firewall
from infra.constructs.gateway_problems import add_gateway_problems
from infra.constructs.gateway_stage import ACCESS_LOG, acknowledge_stage, limited
from infra.constructs.identity import console_client
from infra.constructs.nag import acknowledge
from infra.constructs.python_function import PythonFunction
from infra.constructs.removal import removal_policy
from infra.names import access_log_group, resource
from infra.permissions import allow
from infra.routes import CONSOLE, CONSOLE_ROOT, LINK_FUNCTION, ROUTES, Route
from infra.settings import StageSettings, Throttle, WafOff, WafOn
from infra.stacks.base import FunctionStack
from infra.stacks.stateful import RETENTION, StatefulStack

STAGE_NAME = "live"
AUTHORIZER = "authorizer"
VERDICT_SECONDS = 30
"""How long the gateway goes by a verdict of the authorizer. A client that is disabled is out by then, on every route."""
SECURITY_POLICY = "SecurityPolicy_TLS13_1_2_PFS_PQ_2025_09"
"""TLS 1.2 and 1.3 with forward secrecy only. The default of a regional API still takes TLS 1.0."""
CONSOLE_FUNCTION = "console"


class ApiStack(FunctionStack):
    """The routes of ``infra.routes``, each behind the scope that it names."""

    def __init__(
        self, scope: Construct, name: str, *, settings: StageSettings, stateful: StatefulStack, assets: Assets
    ) -> None:
        super().__init__(scope, name, settings=settings, stateful=stateful, assets=assets, purpose="API")
        self.api = self._api()
        add_gateway_problems(self.api)
        values = {contract.ENV_LINKS_URL: self.settings.links_url or self._base_url}
        self.functions = {
            name: self.function(name, values=values) for name in sorted({route.function for route in ROUTES})
        }
        self.functions[CONSOLE_FUNCTION] = self._console()
        self.functions[AUTHORIZER] = self._authorizer()
        self._routes(self.functions)
        ClientPlans(self, "Plans", settings=settings, api=self.api)
        self._firewall()
        self._alarms()
        CfnOutput(self, "ApiUrl", value=self.api.url)
        CfnOutput(self, "ApiId", value=self.api.rest_api_id)

    def _api(self) -> apigateway.RestApi:
        access_log = logs.LogGroup.from_log_group_name(self, "AccessLog", access_log_group(self.settings.name))
        api = apigateway.RestApi(
            self,
            "Api",
            rest_api_name=resource(self.settings.name, "api"),
            description=f"Loyalty {self.settings.name}",
            endpoint_types=[apigateway.EndpointType.REGIONAL],
            cloud_watch_role=False,
            api_key_source_type=apigateway.ApiKeySourceType.AUTHORIZER,
            deploy_options=apigateway.StageOptions(
                stage_name=STAGE_NAME,
                access_log_destination=apigateway.LogGroupLogDestination(access_log),
                access_log_format=apigateway.AccessLogFormat.custom(ACCESS_LOG),
                method_options={
                    # Of each method that has none of its own: it is no limit of the stage.
                    "/*/*": limited(self.settings.throttle),
                    **{
                        f"{route.path}/{route.method}": limited(self._open_throttle(route))
                        for route in (*ROUTES, *CONSOLE)
                        if route.scope is None
                    },
                },
            ),
        )
        plain = api.node.default_child
        if not isinstance(plain, apigateway.CfnRestApi):
            raise TypeError("a REST API has a resource of its own kind")
        plain.security_policy = SECURITY_POLICY
        plain.endpoint_access_mode = self.settings.endpoint_access
        acknowledge(
            api,
            "The functions validate every request against their models and name each wrong field (RFC 9457); the "
            "gateway's validator would answer first, with less.",
            "AwsSolutions-APIG2",
        )
        acknowledge_stage(api.deployment_stage)
        api.deployment_stage.node.add_dependency(self._execution_log(api))
        if self.settings.gateway_log_role == "ours":
            api.deployment_stage.node.add_dependency(self._logging_account())
        return api

    def _execution_log(self, api: apigateway.RestApi) -> logs.LogGroup:
        """Where API Gateway writes its own errors. It fixes the name and, found none, makes one without key or end."""
        return logs.LogGroup(
            self,
            "ExecutionLog",
            log_group_name=f"API-Gateway-Execution-Logs_{api.rest_api_id}/{STAGE_NAME}",
            encryption_key=kms.Key.from_key_arn(self, "DataKey", self.stateful.keys.data.key_arn),
            retention=RETENTION[self.settings.log_retention],
            removal_policy=removal_policy(self.settings),
        )

    def _logging_account(self) -> apigateway.CfnAccount:
        """Let API Gateway write logs: a setting of the account in this region, which every API in it shares.

        So both outlive this stack, whatever becomes of it: without the role, the other APIs would stop logging.
        """
        removal = RemovalPolicy.RETAIN if self.settings.retain else RemovalPolicy.DESTROY
        role = iam.Role(
            self,
            "GatewayLogRole",
            assumed_by=iam.ServicePrincipal("apigateway.amazonaws.com"),
            managed_policies=[
                iam.ManagedPolicy.from_aws_managed_policy_name("service-role/AmazonAPIGatewayPushToCloudWatchLogs")
            ],
        )
        acknowledge(
            role,
            "The one policy that API Gateway accepts for its account-wide logging role.",
            "AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs]",
        )
        account = apigateway.CfnAccount(self, "GatewayAccount", cloud_watch_role_arn=role.role_arn)
        role.apply_removal_policy(removal)
        account.apply_removal_policy(removal)
        return account

    def _console(self) -> PythonFunction:
        """The pages, and the client by which they let people sign in."""
        people, keys = self.stateful.people, self.stateful.keys
        issuer = f"https://cognito-idp.{self.region}.amazonaws.com/{people.pool.user_pool_id}"
        if self.settings.target == "local":
            endpoint = self._local_endpoint
            sign_in_url, keys_url = endpoint, f"{endpoint}/{people.pool.user_pool_id}"
        else:
            sign_in_url, keys_url = people.sign_in_url, issuer
        url = self.settings.console_url or f"{self._base_url}{CONSOLE_ROOT}"
        client = console_client(self, people.pool, url)
        CfnOutput(self, "ConsoleUrl", value=url)
        return self.function(
            CONSOLE_FUNCTION,
            values={
                contract.ENV_CONSOLE_KEY: keys.console.key_arn,
                contract.ENV_CONSOLE_URL: url,
                contract.ENV_SIGN_IN_URL: sign_in_url,
                contract.ENV_ISSUER: issuer,
                contract.ENV_JWKS_URL: f"{keys_url}/.well-known/jwks.json",
                contract.ENV_PEOPLE_CLIENT: client.user_pool_client_id,
            },
            permissions=[allow(keys.console.key_arn, "kms:GenerateMac")],
        )

    @cached_property
    def _base_url(self) -> str:
        """Where the API is, written from its id, not taken from the stage, which comes after the functions."""
        if self.settings.target == "local":
            return f"{self._local_endpoint}/restapis/{self.api.rest_api_id}/{STAGE_NAME}/_user_request_"
        return f"https://{self.api.rest_api_id}.execute-api.{self.region}.{self.url_suffix}/{STAGE_NAME}"

    def _open_throttle(self, route: Route) -> Throttle:
        """What a method for whoever comes may take."""
        is_link = route.function == LINK_FUNCTION and route.method == "GET"
        return self.settings.link_throttle if is_link else self.settings.open_throttle

    @cached_property
    def _local_endpoint(self) -> str:
        return CfnParameter(self, "LocalEndpoint", description="URL of the local cloud").value_as_string

    def _authorizer(self) -> PythonFunction:
        """What lets requests in, by the tokens of the clients' user pool and by the registry of clients."""
        pool = self.stateful.identity.pool.user_pool_id
        issuer = f"https://cognito-idp.{self.region}.amazonaws.com/{pool}"
        keys_url = f"{self._local_endpoint}/{pool}" if self.settings.target == "local" else issuer
        return self.function(
            AUTHORIZER,
            values={
                contract.ENV_CLIENT_ISSUER: issuer,
                contract.ENV_CLIENT_JWKS_URL: f"{keys_url}/.well-known/jwks.json",
            },
        )

    def _routes(self, functions: Mapping[str, PythonFunction]) -> None:
        authorizer = apigateway.RequestAuthorizer(
            self,
            "Authorizer",
            handler=functions[AUTHORIZER].alias,
            # Of each route a verdict of its own: without the method and the route, one for a short path would be taken for
            # longer ones too.
            identity_sources=[
                apigateway.IdentitySource.header("Authorization"),
                apigateway.IdentitySource.context("httpMethod"),
                apigateway.IdentitySource.context("resourcePath"),
            ],
            results_cache_ttl=Duration.seconds(VERDICT_SECONDS),
        )
        for route in (*ROUTES, *CONSOLE):
            path = self.api.root.resource_for_path(route.path)
            integration = apigateway.LambdaIntegration(
                functions[route.function].alias, allow_test_invoke=False, scope_permission_to_method=False
            )
            if route.scope is None:
                self._open(path, route, integration)
                continue
            method = path.add_method(
                route.method,
                integration,
                authorizer=authorizer,
                authorization_type=apigateway.AuthorizationType.CUSTOM,
                api_key_required=True,
            )
            acknowledge(
                method,
                "The tokens are Cognito's; our authorizer asks the registry of clients too.",
                "AwsSolutions-COG4",
            )

    def _open(self, path: apigateway.Resource, route: Route, integration: apigateway.LambdaIntegration) -> None:
        """A route for whoever comes: no token, and so no plan either; the stage limits it (``open_throttle``)."""
        method = path.add_method(route.method, integration, authorization_type=apigateway.AuthorizationType.NONE)
        acknowledge(method, route.open_because, "AwsSolutions-APIG4", "AwsSolutions-COG4", "CKV_AWS_59")

    def _firewall(self) -> None:
        stage = self.api.deployment_stage
        match self.settings.waf:
            case WafOn() as waf:
                Firewall(self, "Firewall", stage=self.settings.name, settings=waf, protected=stage.stage_arn)
            case WafOff(reason=reason):
                acknowledge(stage, reason, "AwsSolutions-APIG3", "NIST.800.53.R5-APIGWAssociatedWithWAF")

    def _alarms(self) -> None:
        topic = self.stateful.alarms
        alarm(
            self, "ServerErrors", topic=topic, threshold=1,
            metric=self.api.metric_server_error(period=FIVE_MINUTES, statistic="sum"),
            meaning="The API answered with a 5xx: the access log names the route and request, the function's log the cause.",
        )  # fmt: skip
        alarm(
            self, "Latency", topic=topic, threshold=1_000, periods=3,
            metric=self.api.metric_latency(period=FIVE_MINUTES, statistic="p99"),
            meaning="One request in a hundred takes longer than a second.",
        )  # fmt: skip
        alarm(
            self, "AccessUndecided", topic=topic, threshold=1,
            metric=function_metric(AUTHORIZER, contract.ACCESS_UNDECIDED),
            meaning="Nobody could tell whether a request may pass: the registry or the user pool's keys cannot be read. "
            "The log of the function authorizer has the error.",
        )  # fmt: skip
        alarm(
            self, "CardsRevealed", topic=topic, threshold=self.settings.cards_revealed_per_hour,
            metric=function_metric("reveal", contract.CARDS_REVEALED, period=Duration.hours(1)),
            meaning="Many gift cards and codes were shown: is a client reading what no member asked for? "
            "loyalty card accesses tells who read one.",
        )  # fmt: skip
        alarm(
            self, "ClicksNotWritten", topic=topic, threshold=1,
            metric=function_metric(LINK_FUNCTION, contract.CLICKS_NOT_WRITTEN),
            meaning="Members' links led on, and it was not written down that they were followed: who comes by them is not "
            "attributed by their click. The log of the function referral_link has the error.",
        )  # fmt: skip
        alarm(
            self, "CardsRevealedOften", topic=topic, threshold=1,
            metric=function_metric("reveal", contract.CARDS_REVEALED_OFTEN, period=Duration.hours(1)),
            meaning="One card was shown again and again: the log of the function reveal names its redemption.",
        )  # fmt: skip
