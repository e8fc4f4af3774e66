"""A list through the deployed platform: sent, approved, worked off by the map, gone on with, and never held twice."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from infra.local.cloud import LocalCloud
from infra.local.seed import program_documents
from loyalty.bulk.model import BATCH, CampaignStatus
from loyalty.bulk.store import CampaignStore
from loyalty.core.clock import system_clock
from loyalty.core.ids import new_member_id
from loyalty.core.table import Table
from loyalty.ledger.items import new_book_put
from loyalty.ledger.model import EntryKind
from loyalty.ledger.store import LedgerStore
from loyalty.programs.model import ProgramDocument
from loyalty.programs.store import ProgramStore
from tests.e2e.partner import Partner, eventually, unique
from tests.e2e.test_redrive import loyalty

pytestmark = pytest.mark.e2e

LINES = 130
"""More than a batch."""
BATCHES = 20
"""Of a list during whose work something can happen."""
SETTLED = {"done", "unfinished", "awaiting_approval", "refused", "rejected"}


class Campaign:
    """A program of its own, its members, and a campaign by the API."""

    def __init__(self, cloud: LocalCloud, partner: Partner, members: int) -> None:
        self.table, self.name = Table(cloud.table), f"spring-{unique()}"
        self.program = f"bulk-{unique()}"
        document = json.loads(program_documents()[cloud.program].read_text()) | {
            "id": self.program,
            "shopify_shops": [],
        }
        self.document = document
        document["fulfillment"] = {"approve_above": [{"value": "1000.00", "currency": "USD"}]}
        parsed = ProgramDocument.model_validate(document)
        programs = ProgramStore(self.table, system_clock)
        programs.publish(parsed, expected_version=0, actor="e2e")
        programs.clients.bind(cloud.client_id, {*program_documents(), self.program})
        # No client decides on what it started itself, whomever it names.
        client_id, secret = cloud.new_client(f"bulk-desk-{unique()}", ["finance.approve"], [self.program])
        token = cloud.token("finance.approve", client_id=client_id, client_secret=secret)
        self._desk = Partner(cloud, token).call
        self.members = [new_member_id(system_clock()) for _ in range(members)]
        for member in self.members:
            self.table.write([new_book_put(self.program, member, parsed.tiers[0].id, system_clock())])
        self._call = partner.call
        self.url = f"{cloud.api_url}/v1/programs/{self.program}/bulk-fulfillments"

    def send(self, lines: list[str], **changes: Any) -> None:
        content = "\n".join(["member_id,reference", *lines, ""]).encode()
        asked = {
            "campaign": self.name, "reward_id": "gift-card-10", "paid_by": "program", "actor": "ada",
            "sha256": hashlib.sha256(content).hexdigest(),
        } | changes  # fmt: skip
        created = self._call("POST", self.url, asked)
        assert created.status_code == 201, created.text
        requests.put(created.json()["upload_url"], data=content, timeout=30).raise_for_status()

    def start(self) -> None:
        answer = self._call("POST", f"{self.url}/{self.name}/start")
        assert answer.status_code == 202, answer.text

    def decide(self, how: str, actor: str, *, itself: bool = False) -> requests.Response:
        """Through another client, or ``itself`` through the one that started it."""
        call = self._call if itself else self._desk
        return call("POST", f"{self.url}/{self.name}/{how}", {"actor": actor, "note": "budget 7"})

    def state(self) -> dict[str, Any]:
        state: dict[str, Any] = self._call("GET", f"{self.url}/{self.name}").json()
        return state

    def becomes(self, *statuses: str) -> dict[str, Any]:
        def look() -> dict[str, Any] | None:
            state = self.state()
            return state if state["status"] in statuses else None

        return eventually(f"{' or '.join(statuses)}", look)

    def listed(self, *, limit: int) -> list[str]:
        """The names of all campaigns, page after page: as the index has them, a moment late."""
        names, query = [], f"limit={limit}"
        while True:
            page = self._call("GET", f"{self.url}?{query}").json()
            names += [one["campaign"] for one in page["items"]]
            if page["next_cursor"] is None:
                return names
            query = f"limit={limit}&cursor={page['next_cursor']}"

    def holds(self, member: str) -> list[int]:
        entries = LedgerStore(self.table).entries(self.program, member, limit=10).entries
        return [entry.movement.change().points for entry in entries if entry.key.kind is EntryKind.HOLD]


@pytest.fixture(scope="module")
def of_one_program(cloud: LocalCloud, partner: Partner) -> Iterator[Campaign]:
    """For all tests here: a function remembers for a minute which programs a client speaks for."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in cloud.variables.items():
            patch.setenv(name, value)
        yield Campaign(cloud, partner, LINES)


@pytest.fixture
def campaign(of_one_program: Campaign) -> Campaign:
    of_one_program.name = f"spring-{unique()}"
    return of_one_program


def executions(cloud: LocalCloud, campaign: str) -> list[str]:
    """What became of a campaign's executions, sorted; all of them have ended, or do within a moment."""

    def ended() -> list[str] | None:
        machine = cloud.platform.outputs["BulkArn"]
        found = cloud.client("stepfunctions").list_executions(stateMachineArn=machine)["executions"]
        statuses = sorted(one["status"] for one in found if campaign in one["name"])
        return None if "RUNNING" in statuses else statuses

    return eventually("the end of all executions", ended)


def test_a_list_above_the_threshold_is_approved_and_worked_off_once(cloud: LocalCloud, campaign: Campaign) -> None:
    nobody = new_member_id(system_clock())
    lines = [f"{member},R-{number}" for number, member in enumerate([*campaign.members, nobody])]
    campaign.send(lines)
    campaign.start()
    waiting = campaign.becomes("awaiting_approval")
    assert (waiting["lines"], waiting["value"]["value"], waiting["held"]) == (LINES + 1, "1310.00", 0)
    assert campaign.decide("approve", "ada").json()["code"] == "second_person_required"
    assert campaign.decide("approve", "bob", itself=True).json()["code"] == "second_person_required"
    assert campaign.decide("approve", "bob").status_code == 200

    done = campaign.becomes("done", "unfinished")
    assert (done["status"], done["held"], done["refused"], done["batches_done"]) == ("unfinished", LINES, 1, 2)
    report = requests.get(done["failures_url"], timeout=10).text.splitlines()
    assert report == ["line,reference,error", f"{LINES + 2},R-{LINES},member_not_found"]
    assert [campaign.holds(member) for member in campaign.members] == [[0]] * LINES

    # Whoever was missing enrolls, and the same campaign goes on.
    tier = ProgramStore(campaign.table, system_clock).current(campaign.program).document.tiers[0].id
    campaign.table.write([new_book_put(campaign.program, nobody, tier, system_clock())])
    campaign.start()
    assert campaign.becomes("done")["held"] == LINES + 1
    assert [campaign.holds(member) for member in [*campaign.members, nobody]] == [[0]] * (LINES + 1)
    assert executions(cloud, campaign.name) == ["SUCCEEDED"] * 3


def test_a_campaign_ends_whose_batches_fail_or_whose_list_is_gone(
    cloud: LocalCloud, campaign: Campaign, tmp_path: Path
) -> None:
    """Too many failed batches end the map, and a missing file its beginning: the campaign must not read ``running`` then."""
    program, prices = f"dearer-{unique()}", ProgramStore(campaign.table, system_clock)
    document = campaign.document | {"id": program, "fulfillment": {"approve_above": []}}
    prices.publish(ProgramDocument.model_validate(document), expected_version=0, actor="e2e")
    file = tmp_path / "list.csv"
    strangers = [f"{new_member_id(system_clock())},R-{number}" for number in range(BATCHES * BATCH)]
    file.write_text("\n".join(["member_id,reference", *strangers, ""]))
    named = ("--program", program, "--campaign", "dear")
    asked = (str(file), *named, "--reward", "gift-card-10", "--actor", "ada", "--paid-by", "member")
    assert loyalty(cloud, "bulk", "start", *asked)[0] == 0
    store = CampaignStore(campaign.table)
    eventually("running", lambda: store.get(program, "dear").status is CampaignStatus.RUNNING or None)
    # A batch that finds another price stops for good.
    rewards = [
        one | {"points": one["points"] + 1} if one["id"] == "gift-card-10" else one for one in document["rewards"]
    ]
    prices.publish(ProgramDocument.model_validate(document | {"rewards": rewards}), expected_version=1, actor="e2e")
    code, text = loyalty(cloud, "bulk", "status", *named, "--wait", "--json")
    told = json.loads(text)
    assert (code, told["status"], told["batches"]) == (1, "unfinished", BATCHES)
    assert told["batches_done"] < BATCHES
    assert executions(cloud, f"{program}-dear") == ["FAILED"]

    code, text = loyalty(cloud, "bulk", "start", *asked, "--wait", "--json")
    assert json.loads(text)["batches_done"] == BATCHES, "what failed is tried again"
    assert executions(cloud, f"{program}-dear") == ["FAILED", "SUCCEEDED"]

    campaign.send([f"{member},R-{number}" for number, member in enumerate(campaign.members)])
    campaign.start()
    campaign.becomes("awaiting_approval")
    key = store.get(campaign.program, campaign.name).list_key
    cloud.client("s3").delete_object(Bucket=cloud.variables["LOYALTY_REPORTS"], Key=key)
    assert campaign.decide("approve", "bob").json()["status"] == "running"
    assert "could not be checked" in campaign.becomes("unfinished")["problem"]
    assert executions(cloud, campaign.name) == ["FAILED", "SUCCEEDED"]


def test_a_malformed_list_is_refused_whole_and_a_stranger_s_list_is_not_found(campaign: Campaign) -> None:
    member = campaign.members[0]
    before = len(campaign.holds(member))
    campaign.send([f"{member},A", f"{member},A"])
    assert campaign.decide("approve", "bob").json()["code"] == "campaign_not_awaiting_approval"
    campaign.start()
    assert "line 3: reference is that of line 2" in campaign.becomes("refused")["problem"]
    assert len(campaign.holds(member)) == before, "nothing of a refused list is held"
    campaign.name = "nobody-made-this"
    assert campaign.decide("approve", "bob").json()["code"] == "campaign_not_found"


def test_campaigns_are_listed_page_by_page(campaign: Campaign) -> None:
    made = {campaign.name, f"autumn-{unique()}"}
    for campaign.name in made:
        campaign.send([f"{campaign.members[0]},A"])

    def all_listed() -> bool | None:
        return made <= set(campaign.listed(limit=1)) or None

    eventually("both campaigns", all_listed)
