"""Gift cards and codes, as partner apps reveal them."""

import io
import json

import pytest

from functions.reveal.routes import routes
from loyalty.core.http import api
from loyalty.core.pii import Vault
from loyalty.core.table import Table
from loyalty.core.telemetry import logger
from loyalty.programs.store import ProgramStore
from loyalty.rewards.store import RedemptionStore
from loyalty.vault.service import OFTEN, CardService
from loyalty.vault.store import CardStore
from tests.apikit.gateway import Gateway, Reply
from tests.apikit.vaulted import CARD, MEMBER, Vaulted


class Revealing(Vaulted):
    """The same over HTTP."""

    def __init__(self, table: Table) -> None:
        super().__init__(table)
        programs = ProgramStore(table, self.world.clock)
        programs.publish(self.world.program.document, expected_version=0, actor="test")
        programs.clients.bind("app", {"acme"})
        programs.clients.bind("stranger", {"other"})
        cards = CardService(CardStore(table), RedemptionStore(table), Vault(self.keys), self.world.clock)
        self.http = api(routes(programs, cards))
        self.path = f"/v1/programs/acme/members/{MEMBER}/redemptions/{self.held.redemption_id}"

    def post(self, what: str, client_id: str = "app") -> Reply:
        return Gateway(self.http, client_id)("POST", f"{self.path}/{what}")


@pytest.fixture
def revealing(table: Table) -> Revealing:
    return Revealing(table)


def test_a_card_is_revealed_and_not_to_be_cached(revealing: Revealing) -> None:
    revealing.deliver()
    revealing.capture()
    reply = revealing.post("reveal")
    assert (reply.status, reply.headers["Cache-Control"]) == (200, "no-store")
    assert reply.json == {"link": CARD.link, "code": CARD.code, "pin": CARD.pin, "expires_on": CARD.expires_on}
    assert [access.client_id for access in revealing.register()] == ["app"]


@pytest.mark.parametrize("what", ["reveal", "resend"])
def test_a_card_that_is_not_delivered_is_a_named_refusal(revealing: Revealing, what: str) -> None:
    revealing.post(what).problem(409, "card_not_delivered")
    revealing.path = f"{revealing.path[:-26]}{'0' * 26}"
    revealing.post(what).problem(404, "redemption_not_found")


@pytest.mark.parametrize("what", ["reveal", "resend"])
def test_a_client_of_another_program_sees_none(revealing: Revealing, what: str) -> None:
    revealing.deliver()
    revealing.capture()
    revealing.post(what, "stranger").problem(404, "program_not_found")
    assert revealing.register() == []


def test_word_is_sent_anew_without_the_card(revealing: Revealing) -> None:
    revealing.deliver()
    revealing.capture()
    reply = revealing.post("resend")
    assert (reply.status, reply.json) == (202, {"redemption_id": revealing.held.redemption_id})
    assert revealing.keys.calls["unwrap"] == 0


def test_readings_are_counted_and_logged_and_the_card_is_not(
    revealing: Revealing, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    log = io.StringIO()
    monkeypatch.setattr(logger.registered_handler, "stream", log)
    revealing.deliver()
    revealing.capture()
    for _ in range(OFTEN + 1):
        assert revealing.post("reveal").status == 200
    written = capfd.readouterr().out
    emitted = [json.loads(line) for line in written.splitlines() if line.startswith('{"_aws"')]
    assert sum(sum(one.get("CardsRevealed", [])) for one in emitted) == OFTEN + 1
    assert sum(sum(one.get("CardsRevealedOften", [])) for one in emitted) == 1
    lines = log.getvalue()
    assert revealing.held.redemption_id in lines
    for planted in ("planted", "PLANTED", "7788"):
        assert planted not in lines + written
