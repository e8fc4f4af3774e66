"""Two programs with one thing of every kind in each, and somebody who may do everything in one of them alone."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import requests

import loyalty_contract as contract
from infra.authorization import parameters
from infra.examples import REQUESTS
from infra.local.cloud import LocalCloud
from infra.local.seed import program_documents, run_loyalty
from infra.openapi import ROOT
from infra.routes import Route
from tests.e2e.partner import Partner, unique

UNKNOWN: Final = {
    "member_id": "mbr_00000000000000000000000000",
    "redemption_id": "rdm_00000000000000000000000000",
    "adjustment_id": "adj_00000000000000000000000000",
    "household_id": "hsh_00000000000000000000000000",
    "campaign": "never-was",
    "reward_id": "never-was",
    "ladder": "never-was",
    "version": "900000",
    "supplier": "never-was",
    "export_id": "exp_00000000000000000000000000",
    "code": "NEVERWAS12",
}
"""Ids of the right shape that nothing has."""
_SEGMENTS: Final = [{"id": one["id"], "name": one["id"]} for one in REQUESTS["put_segments"]["segments"]]
_DAYS: Final = "?from=2026-11-01&until=2026-11-02"
_QUERY: Final = {
    "get_adjustments": "?status=proposed",
    "get_totals": _DAYS,
    "get_export": _DAYS,
    "delete_restriction": "?actor=staff-17",
    "get_referral_qr": "?channel=link",
    "get_referral_feedback": _DAYS,
    "get_referral_report": _DAYS,
}
"""What a route cannot do without."""
_MEMBERS_IN_BODIES: Final = ("to_member_id", "from_member_id", "head", "member_id")


class Tenant:
    """A program of its own with a thing of every kind, and a client with every scope that is bound to it alone."""

    def __init__(self, cloud: LocalCloud, folder: Path, name: str) -> None:
        self.program = f"{name}-{unique()}"
        document = json.loads(program_documents()[cloud.program].read_text())
        document |= {"id": self.program, "shopify_shops": [], "segments": _SEGMENTS}
        card = next(reward for reward in document["rewards"] if reward["id"] == "gift-card-25")
        document["rewards"].append(card | {"id": f"of-{self.program}", "limited": True})
        path = folder / f"{self.program}.json"
        path.write_text(json.dumps(document))
        run_loyalty(["program", "publish", str(path)], cloud.environment)
        client_id, secret = cloud.new_client(f"all-of-{self.program}", list(contract.SCOPES), [self.program])
        self._cloud, self._client = cloud, (client_id, secret)
        self.partner = Partner(cloud, self.token())
        self.partner.program_url = f"{cloud.api_url}/v1/programs/{self.program}"
        self.ids = self._things()

    def token(self, *scopes: str) -> str:
        """A token of the tenant's client; without scopes named, of all that there are."""
        client_id, secret = self._client
        return self._cloud.token(*scopes, client_id=client_id, client_secret=secret)

    def call(self, route: Route, ids: Mapping[str, str], program: str = "", **body: str) -> requests.Response:
        """A request that is right but for whose ids it has."""
        filled = route.path.format(**({"program": program or self.program} | dict(ids)))
        url = self._cloud.api_url + filled + _QUERY.get(operation(route)["operationId"], "")
        return self.partner.call(route.method, url, example(route, body), Idempotency_Key=unique(), If_Match='"1"')

    def _things(self) -> dict[str, str]:
        partner = self.partner
        member, second = partner.enroll()["member_id"], partner.enroll()["member_id"]
        partner.accrue(member, "1000.00")
        restock = f"/rewards/of-{self.program}/stock"
        _made(partner.call("POST", restock, REQUESTS["post_restock"], Idempotency_Key=unique()))
        held = _made(partner.hold(member, f"of-{self.program}"))
        adjusted = _made(
            partner.call(
                "POST", f"/members/{member}/adjustments", REQUESTS["post_adjustment"], Idempotency_Key=unique()
            )
        )
        household = _made(partner.call("POST", "/households", {"head": second}, Idempotency_Key=unique()))
        campaign = f"of-{self.program}"
        asked = REQUESTS["post_campaign"] | {"campaign": campaign, "reward_id": f"of-{self.program}"}
        _made(partner.call("POST", "/bulk-fulfillments", asked))
        export = _made(
            partner.call("POST", f"/members/{member}/exports", {"actor": "staff-17"}, Idempotency_Key=unique())
        )
        return {
            "member_id": member,
            "export_id": export["export_id"],
            "redemption_id": held["redemption_id"],
            "adjustment_id": adjusted["adjustment_id"],
            "household_id": household["household_id"],
            "campaign": campaign,
            "reward_id": f"of-{self.program}",
            "ladder": "tier",
            "version": "900001",
        }


def example(route: Route, changes: Mapping[str, str] | None = None) -> Any:
    """The body of the OpenAPI document's example, with other values; None where the route takes none."""
    body = REQUESTS.get(operation(route)["operationId"])
    return None if body is None else body | dict(changes or {})


def members_in_body(route: Route) -> list[str]:
    """Fields of the body that name a member."""
    body = REQUESTS.get(operation(route)["operationId"]) or {}
    return [name for name in _MEMBERS_IN_BODIES if name in body]


def operation(route: Route) -> dict[str, Any]:
    """The route in the OpenAPI document."""
    found: dict[str, Any] = _PATHS[route.path][route.method.lower()]
    return found


def without_names(answer: requests.Response) -> tuple[int, str]:
    """Status and body without the ids that it repeats and without the number of the request."""
    ids = r"(mbr|rdm|adj|hsh|exp)_[0-9a-z]{26}|of-[a-z]+-[0-9]+|never-was|90000[01]|(intruder|victim|nobody)-[0-9]+"
    return answer.status_code, re.sub(r"urn:request:[\w-]+", "", re.sub(ids, "…", answer.text))


def things(route: Route) -> list[str]:
    """Parameters of the path beside the program."""
    return [name for name in parameters(route) if name != "program"]


def _made(answer: requests.Response) -> dict[str, Any]:
    assert answer.status_code in {201, 202}, answer.text
    made: dict[str, Any] = answer.json()
    return made


_PATHS: Final = json.loads((ROOT / "docs" / "openapi.json").read_text())["paths"]
