"""What happens seldom, by each function: posting to who absorbed somebody and whose hold of scarce stock ran out meanwhile,
giving codes of a pool, throwing a draft away, starting by the clock. So each permission that such a thing needs is used once.
"""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import pytest
import requests

import loyalty_contract as contract
from infra.examples import REQUESTS
from infra.local.cloud import STAGE, LocalCloud
from infra.local.seed import program_documents, run_loyalty
from loyalty_contract import resource
from tests.e2e.partner import Partner, eventually, unique

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("supplier_faults")]

MINUTE: Final = 60
FEW: Final = 30
REWARDS: Final = [
    {"id": "few", "name": "Few of these", "type": "perk", "points": 10, "limited": True},
    {"id": "from-pool", "name": "A code", "type": "discount", "points": 10, "codes": {"source": "pool"}},
    {"id": "made", "name": "A code of ours", "type": "discount", "points": 10, "codes": {"source": "generated"}},
]
SURVIVORS: Final = (
    "accrual",
    "adjustment",
    "redemption",
    "sender",
    "receiver",
    "rejected",
    "approved",
    "delivered",
    "swept",
)
"""Who absorbed somebody, by what happens to them once their hold is over."""


class Rare:
    """A program of its own with scarce stock and codes, and a client with every scope."""

    def __init__(self, cloud: LocalCloud, folder: Path) -> None:
        self.program = f"rare-{unique()}"
        document = json.loads(program_documents()[cloud.program].read_text())
        document |= {"id": self.program, "shopify_shops": [], "rewards": [*document["rewards"], *REWARDS]}
        path, codes = folder / "program.json", folder / "codes.csv"
        path.write_text(json.dumps(document))
        codes.write_text(f"code\n{unique()}-A\n{unique()}-B\n")
        run_loyalty(["program", "publish", str(path)], cloud.environment)
        imported = ["codes", "import", str(codes), "--program", self.program, "--reward", "from-pool"]
        run_loyalty(imported, cloud.environment)
        client_id, secret = cloud.new_client(self.program, list(contract.SCOPES), [self.program])
        self.partner = Partner(cloud, cloud.token(client_id=client_id, client_secret=secret))
        self.partner.program_url = f"{cloud.api_url}/v1/programs/{self.program}"
        client_id, secret = cloud.new_client(f"desk-{self.program}", ["finance.approve"], [self.program])
        self.desk = Partner(cloud, cloud.token(client_id=client_id, client_secret=secret))
        self.desk.program_url = self.partner.program_url

    def survivor(self) -> str:
        """Has 1,000 points, absorbed a member, and holds one of the few for a minute."""
        member, absorbed = self.partner.enroll()["member_id"], self.partner.enroll()["member_id"]
        self.partner.accrue(member, "1000.00")
        made(self.partner.call("POST", f"/members/{member}/merge", {"from_member_id": absorbed, "actor": "e2e"}))
        body = {"reward_id": "few", "hold_minutes": 1}
        made(self.partner.call("POST", f"/members/{member}/redemptions", body, Idempotency_Key=unique()))
        return str(member)

    def run(self, member: str) -> str:
        """A gift card that waits for finance."""
        return str(made(self.partner.hold(member, "gift-card-25"))["redemption_id"])

    def decide(self, run: str, how: str) -> None:
        def look() -> bool | None:
            answer = self.desk.call("POST", f"/fulfillment-runs/{run}/{how}", {"note": "rare"})
            return answer.status_code == 200 or None

        eventually(f"a run to {how}", look)

    def goes_on(self, run: str) -> None:
        """Until a person who wants it tried again is told that it is under way."""

        def look() -> bool | None:
            answer = self.desk.call("POST", f"/fulfillment-runs/{run}/retry", {"note": "rare"})
            return answer.json()["code"] == "not_retryable" or None

        eventually("a run that goes on", look)

    def listed(self, *, limit: int) -> set[str]:
        """The ids of all runs, page after page."""
        found: set[str] = set()
        query: str | None = f"limit={limit}"
        while query is not None:
            page = made(self.partner.call("GET", f"/fulfillment-runs?{query}"))
            found |= {one["redemption_id"] for one in page["items"]}
            query = page["next_cursor"] and f"limit={limit}&cursor={page['next_cursor']}"
        return found

    def ended(self, member: str, redemption: str) -> str:
        path = f"/members/{member}/redemptions/{redemption}"
        return eventually(
            "an end", lambda: ((s := str(self.partner.call("GET", path).json()["status"])) != "held" and s) or None
        )


@pytest.fixture(scope="module")
def rare(cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> Rare:
    return Rare(cloud, tmp_path_factory.mktemp("rare"))


def made(answer: requests.Response) -> dict[str, Any]:
    """The body of a success."""
    assert answer.ok, answer.text
    body: dict[str, Any] = answer.json()
    return body


def stock(rare: Rare) -> int:
    """What is left of the few."""
    left: int = made(rare.partner.call("GET", "/rewards/few/stock"))["left"]
    return left


class Survivors:
    """Each of them holds one of the few for a minute, and two wait for finance to decide on a gift card."""

    def __init__(self, rare: Rare) -> None:
        restock = {"add": FEW, "reference": "DN-1", "actor": "e2e"}
        made(rare.partner.call("POST", "/rewards/few/stock", restock, Idempotency_Key=unique()))
        with ThreadPoolExecutor(4) as threads:
            self.who = dict(zip(SURVIVORS, threads.map(lambda _: rare.survivor(), SURVIVORS), strict=True))
        self._held_until = time.monotonic() + MINUTE + 2
        self.left = stock(rare)
        self.runs = {name: rare.run(self.who[name]) for name in ("rejected", "approved")}
        rare.goes_on(self.runs["approved"])
        self.listed = rare.listed(limit=1)

    def wait_for_the_end_of_their_holds(self) -> None:
        time.sleep(max(0.0, self._held_until - time.monotonic()))


@pytest.fixture(scope="module", autouse=True)
def survivors(rare: Rare) -> Survivors:
    """Made before the first test here: their minute goes by during the others, and the last meets them."""
    return Survivors(rare)


def test_refunds_before_their_purchase_and_households(rare: Rare) -> None:
    call = rare.partner.call
    first, second, order = rare.partner.enroll()["member_id"], rare.partner.enroll()["member_id"], unique()
    refund = {
        "source": "pos", "source_id": unique(), "accrual_source_id": order, "occurred_at": "2026-11-21T10:00:00Z",
        "reason": "return", "everything": True,
    }  # fmt: skip
    assert call("POST", f"/members/{first}/reversals", refund).status_code == 202
    waiting = made(call("GET", f"/members/{first}/reversals"))["items"]
    assert [one["accrual_source_id"] for one in waiting] == [order]
    rare.partner.accrue(first, "100.00", order)
    assert rare.partner.wallet(first)["available"] == 0
    household = made(call("POST", "/households", {"head": first}, Idempotency_Key=unique()))["household_id"]
    made(call("POST", f"/households/{household}/members", {"member_id": second}))
    left = call("DELETE", f"/households/{household}/members/{second}")
    assert left.ok, left.text
    made(call("GET", f"/members/{first}/adjustments?status=posted"))


def test_a_draft_is_thrown_away(cloud: LocalCloud, rare: Rare) -> None:
    call = rare.partner.call
    document = json.loads(program_documents()[cloud.program].read_text()) | {"id": rare.program, "shopify_shops": []}
    saved = call("PUT", "/draft", document, If_None_Match="*")
    assert saved.ok, saved.text
    gone = call("DELETE", "/draft", If_Match=saved.headers["ETag"])
    assert gone.status_code == 204, gone.text
    assert call("GET", "/draft").status_code == 404


@pytest.mark.parametrize("what", ["settlement", contract.RECONCILIATION])
def test_the_clock_starts(cloud: LocalCloud, what: str) -> None:
    """As it is deployed, with its own role; the local scheduler looks every ten seconds what is due."""
    scheduler, group = cloud.client("scheduler"), resource(STAGE, what)
    names = [each["Name"] for each in scheduler.list_schedules(GroupName=group)["Schedules"]]
    assert names
    target = scheduler.get_schedule(Name=names[0], GroupName=group)["Target"]
    once = f"now-{unique()}"
    scheduler.create_schedule(
        Name=once,
        GroupName=group,
        ScheduleExpression="at(2026-01-01T00:00:00)",
        FlexibleTimeWindow={"Mode": "OFF"},
        ActionAfterCompletion="DELETE",
        Target={name: target[name] for name in ("Arn", "RoleArn", "Input") if name in target},
    )

    def gone() -> bool | None:
        left = {each["Name"] for each in scheduler.list_schedules(GroupName=group)["Schedules"]}
        return once not in left or None

    eventually("a start", gone)


def test_every_function_posts_to_survivors_and_gives_stock_back(
    cloud: LocalCloud, rare: Rare, survivors: Survivors
) -> None:
    call, who, runs = rare.partner.call, survivors.who, survivors.runs
    assert survivors.left == FEW - len(SURVIVORS)
    assert survivors.listed >= set(runs.values())
    survivors.wait_for_the_end_of_their_holds()
    rare.partner.accrue(who["accrual"], "10.00")
    made(
        call("POST", f"/members/{who['adjustment']}/adjustments", REQUESTS["post_adjustment"], Idempotency_Key=unique())
    )
    made(rare.partner.hold(who["redemption"], "coffee"))
    transfer = {"to_member_id": who["receiver"], "points": 20}
    made(call("POST", f"/members/{who['sender']}/transfers", transfer, Idempotency_Key=unique()))
    rare.decide(runs["rejected"], "reject")
    rare.decide(runs["approved"], "approve")
    assert rare.ended(who["rejected"], runs["rejected"]) == "released"
    assert rare.ended(who["approved"], runs["approved"]) == "captured"
    for reward in ("made", "from-pool"):
        given = made(rare.partner.hold(who["delivered"], reward))["redemption_id"]
        assert rare.ended(who["delivered"], given) == "captured"
    payload = json.dumps({"shards": list(range(contract.DUE_SHARDS))})
    swept = cloud.client("lambda").invoke(FunctionName=f"{resource(STAGE, 'sweeper')}:live", Payload=payload)
    assert "FunctionError" not in swept
    eventually("the stock that is whole again", lambda: stock(rare) == FEW or None)
