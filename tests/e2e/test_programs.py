"""Programs at the deployed API: a draft becomes what members see."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from infra.local.cloud import LocalCloud
from infra.local.seed import run_loyalty
from tests.e2e.partner import Partner, eventually

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def boreal(cloud: LocalCloud) -> str:
    """URL of a program that nothing was published of yet, and that the partner is bound to beside its own."""
    bound = ["--program", cloud.program, "--program", "meridian", "--program", "harbour", "--program", "boreal"]
    run_loyalty(["client", "bind", cloud.client_id, *bound, "--unpublished"], cloud.environment)
    return f"{cloud.api_url}/v1/programs/boreal"


def test_a_program_from_its_first_draft_to_a_rollback(partner: Partner, boreal: str) -> None:
    document = json.loads((ROOT / "events" / "programs" / "aurora.json").read_text())
    document |= {"id": "boreal", "name": "Boreal", "locales": ["en", "it"], "shopify_shops": []}

    def begun() -> Any:
        """Once the function has heard of the binding."""
        answer = partner.call("PUT", f"{boreal}/draft", document | {"nmae": "x"}, If_None_Match="*")
        return answer if answer.status_code == 200 else None

    saved = eventually("a draft", begun)
    assert saved.json()["findings"]["errors"] == [
        {"pointer": "/nmae", "detail": "unknown field 'nmae'; did you mean 'name'?"}
    ]
    assert partner.call("POST", f"{boreal}/versions", If_Match=saved.headers["ETag"]).status_code == 422
    assert partner.call("PUT", f"{boreal}/draft", document).status_code == 428
    corrected = partner.call("PUT", f"{boreal}/draft", document, If_Match=saved.headers["ETag"])
    assert partner.call("PUT", f"{boreal}/draft", document, If_Match=saved.headers["ETag"]).status_code == 412
    first = partner.call("POST", f"{boreal}/versions", {"comment": "First"}, If_Match=corrected.headers["ETag"])
    assert (first.status_code, first.json()["version"]) == (201, 1)
    begun_again = partner.call("PUT", f"{boreal}/draft", document | {"name": "Boreal Club"}, If_None_Match="*")
    assert [one["text"] for one in partner.call("GET", f"{boreal}/draft/diff").json()["changes"]] == [
        "name Boreal → Boreal Club"
    ]
    moment = (datetime.now(UTC) + timedelta(hours=1)).isoformat(timespec="seconds")
    scheduled = partner.call(
        "POST", f"{boreal}/versions", {"effective_at": moment}, If_Match=begun_again.headers["ETag"]
    )
    assert (scheduled.status_code, scheduled.json()["status"]) == (201, "scheduled")
    listed = partner.call("GET", f"{boreal}/versions")
    assert (listed.json()["in_force"], listed.json()["scheduled"]) == (1, 2)
    gone = partner.call("DELETE", f"{boreal}/versions/scheduled", If_Match=listed.headers["ETag"])
    assert (gone.status_code, gone.json()["status"]) == (200, "cancelled")
    assert partner.call("GET", f"{boreal}/versions/2").json()["document"]["name"] == "Boreal Club"
    listed = partner.call("GET", f"{boreal}/versions")
    back = partner.call("POST", f"{boreal}/versions/2/rollback", If_Match=listed.headers["ETag"])
    assert (back.status_code, back.json()["version"], back.json()["rolled_back_to"]) == (201, 3, 2)


def test_an_offer_is_read_in_the_members_language_and_kept(partner: Partner) -> None:
    offer = partner.call("GET", "", Accept_Language="it")
    assert (offer.status_code, offer.json()["program"], offer.json()["language"]) == (200, partner.cloud.program, "en")
    assert partner.call("GET", "", Accept_Language="it", If_None_Match=offer.headers["ETag"]).status_code == 304


def test_without_their_scopes_drafts_and_versions_are_not_served(cloud: LocalCloud) -> None:
    reader = Partner(cloud, cloud.token("programs.read"))
    assert reader.call("GET", "").status_code == 200
    for method, path in (("GET", "/draft"), ("GET", "/versions"), ("POST", "/versions")):
        assert reader.call(method, path).status_code in {401, 403}
