"""Usage plans of the gateway, and which of them a client is in. Operators' commands call it."""

from typing import Any

from botocore.exceptions import ClientError

from loyalty.clients.errors import PlanNotFound
from loyalty_contract import usage_plan


class Plans:
    """API Gateway's usage plans of one stage.

    A client is in a plan by a key whose value is its id. No request brings that key: the authorizer names it to the gateway.

    Args:
        gateway: a client of API Gateway.
        stage: name of our stage.
    """

    def __init__(self, gateway: Any, stage: str) -> None:
        self._gateway = gateway
        self._stage = stage

    def require(self, plan: str) -> str:
        """The gateway's id of a plan.

        Raises:
            PlanNotFound: the stage has none of that name.
        """
        plans = self._plans()
        if plan not in plans:
            raise PlanNotFound(f"The stage has no plan '{plan}'; it has {', '.join(sorted(plans)) or 'none'}.")
        return plans[plan]

    def assign(self, client_id: str, plan: str) -> None:
        """Puts a client into a plan and out of every other one. Done again, it changes nothing, and mends what was cut off.

        A key cannot be in two plans of one stage: between the two, for a moment, the client is in none.

        Raises:
            PlanNotFound: the stage has none of that name.
        """
        wanted = self.require(plan)
        key = self._key(client_id) or self._new_key(client_id)
        for other in self._plans().values():
            if other != wanted and self._has(other, key):
                self._gateway.delete_usage_plan_key(usagePlanId=other, keyId=key)
        if not self._has(wanted, key):
            self._gateway.create_usage_plan_key(usagePlanId=wanted, keyId=key, keyType="API_KEY")

    def drop(self, client_id: str) -> None:
        """Deletes a client's key, and so takes it out of its plan. Done again, it changes nothing."""
        key = self._key(client_id)
        if key is not None:
            self._gateway.delete_api_key(apiKey=key)

    def _plans(self) -> dict[str, str]:
        """The gateway's id of each plan of the stage, by our name."""
        prefix = usage_plan(self._stage, "")
        pages = self._gateway.get_paginator("get_usage_plans").paginate()
        found = [one for page in pages for one in page["items"]]
        return {one["name"].removeprefix(prefix): one["id"] for one in found if one["name"].startswith(prefix)}

    def _key(self, client_id: str) -> str | None:
        pages = self._gateway.get_paginator("get_api_keys").paginate(nameQuery=client_id)
        return next((str(one["id"]) for page in pages for one in page["items"] if one["name"] == client_id), None)

    def _new_key(self, client_id: str) -> str:
        made = self._gateway.create_api_key(
            name=client_id, value=client_id, enabled=True, description=f"A client of loyalty {self._stage}"
        )
        return str(made["id"])

    def _has(self, plan_id: str, key_id: str) -> bool:
        try:
            self._gateway.get_usage_plan_key(usagePlanId=plan_id, keyId=key_id)
        except ClientError as error:
            if error.response["Error"]["Code"] != "NotFoundException":
                raise
            return False
        return True
