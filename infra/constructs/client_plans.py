"""How much clients may ask for: a usage plan for each of the stage's plans, and a key that clients without one share."""

from aws_cdk import aws_apigateway as apigateway
from constructs import Construct

import loyalty_contract as contract
from infra.names import resource
from infra.settings import Plan, StageSettings


class ClientPlans(Construct):
    """The plans of a stage. Clients are put into them by the operator's commands, each with a key of its own.

    A key is no credential here: the gateway takes it from the authorizer alone, never from a request.
    """

    def __init__(self, scope: Construct, name: str, *, settings: StageSettings, api: apigateway.RestApi) -> None:
        super().__init__(scope, name)
        self._stage = settings.name
        self._api = api
        plans = {plan: self._plan(plan, of) for plan, of in sorted(settings.plans.items())}
        key = apigateway.CfnApiKey(
            self,
            "SharedKey",
            name=resource(settings.name, "clients-without-plan"),
            description="Of all clients that have no plan of their own, together",
            enabled=True,
            value=contract.shared_usage_key(settings.name),
        )
        apigateway.CfnUsagePlanKey(
            self,
            "SharedKeyInPlan",
            key_id=key.attr_api_key_id,
            key_type="API_KEY",
            usage_plan_id=plans[settings.shared_plan].attr_id,
        )

    def _plan(self, name: str, plan: Plan) -> apigateway.CfnUsagePlan:
        quota = plan.requests_a_day
        return apigateway.CfnUsagePlan(
            self,
            f"Plan-{name}",
            usage_plan_name=contract.usage_plan(self._stage, name),
            api_stages=[
                apigateway.CfnUsagePlan.ApiStageProperty(
                    api_id=self._api.rest_api_id, stage=self._api.deployment_stage.stage_name
                )
            ],
            throttle=apigateway.CfnUsagePlan.ThrottleSettingsProperty(rate_limit=plan.rate, burst_limit=plan.burst),
            quota=apigateway.CfnUsagePlan.QuotaSettingsProperty(limit=quota, period="DAY") if quota else None,
        )
