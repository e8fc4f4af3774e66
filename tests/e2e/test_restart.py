"""``make down; make up``: what was asked for before the stop goes on after it, and what is asked for after it is done."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.local.cloud import LocalCloud
from tests.e2e.partner import Partner, eventually

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def lasting(local_assembly: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """A cloud of its own whose state outlives a stop, as that of ``make up`` does."""
    with LocalCloud(tmp_path_factory.mktemp("lasting"), assembly=local_assembly, persistent=True) as cloud:
        yield cloud


class Cards:
    """Gift cards of one partner, seen through the API."""

    def __init__(self, cloud: LocalCloud) -> None:
        self._partner = Partner(cloud, cloud.token())
        self._member = self._partner.enroll()["member_id"]
        self._partner.accrue(self._member, "2000.00")
        client_id, secret = cloud.new_client("finance", ["finance.read", "finance.approve"], [cloud.program])
        self._finance = Partner(cloud, cloud.token(client_id=client_id, client_secret=secret))

    def ask(self, reward: str) -> str:
        held = self._partner.hold(self._member, reward)
        assert held.status_code == 201, held.text
        redemption_id: str = held.json()["redemption_id"]
        return redemption_id

    def decide(self, redemption_id: str, decision: str) -> dict[str, Any]:
        """The decision's answer: 200, whatever became of the execution that waited for it."""
        path = f"/fulfillment-runs/{redemption_id}/{decision}"
        answer = self._finance.call("POST", path, {"note": "known to us"})
        assert answer.status_code == 200, answer.text
        run: dict[str, Any] = answer.json()
        return run

    def becomes(self, redemption_id: str, status: str) -> None:
        def look() -> bool | None:
            answer = self._finance.call("GET", f"/fulfillment-runs/{redemption_id}")
            return (answer.status_code == 200 and answer.json()["run"]["status"] == status) or None

        eventually(f"a run that is {status}", look)

    def redemption(self, redemption_id: str) -> str:
        answer = self._partner.call("GET", f"/members/{self._member}/redemptions/{redemption_id}")
        status: str = answer.json()["status"]
        return status


def test_gift_cards_live_on_after_a_restart(lasting: LocalCloud) -> None:
    cards = Cards(lasting)
    approved, rejected = cards.ask("gift-card-25"), cards.ask("gift-card-25")
    for waiting in (approved, rejected):
        cards.becomes(waiting, "awaiting_approval")

    lasting.stop()
    lasting.start()
    assert sorted(name for names in lasting.lost.values() for name in names) == sorted([approved, rejected])
    assert {one.outcome for one in lasting.deploy()} == {"unchanged"}
    lasting.seed()

    new = cards.ask("gift-card-10")
    cards.becomes(new, "fulfilled")
    cards.decide(approved, "approve")
    cards.becomes(approved, "fulfilled")
    cards.decide(rejected, "reject")
    cards.becomes(rejected, "rejected")
    assert [cards.redemption(one) for one in (new, approved, rejected)] == ["captured", "captured", "released"]
    assert cards.decide(approved, "approve")["status"] == "fulfilled"
