"""The catalogue and redemptions, over HTTPS."""

from typing import Any

from functions.redemption.routes import routes
from loyalty.core.clock import system_clock
from loyalty.core.http import Answer, Event, api, handle
from loyalty.core.keys import KmsDataKeys
from loyalty.core.pii import Vault
from loyalty.core.settings import Settings
from loyalty.core.table import Table
from loyalty.fulfillment.reveal import GiftCardService
from loyalty.ledger.service import Ledger
from loyalty.programs.store import ProgramStore
from loyalty.rewards.service import RedemptionService
from loyalty.rewards.store import RedemptionStore


class RedemptionSettings(Settings):
    """What this function is told."""

    pii_key: str


SETTINGS = RedemptionSettings.load()
TABLE = Table(SETTINGS.table)
STORE = RedemptionStore(TABLE)
CARDS = GiftCardService(STORE, Vault(KmsDataKeys(SETTINGS.pii_key)))
REDEMPTIONS = RedemptionService(Ledger(TABLE, system_clock), STORE, system_clock)
APP = api(routes(ProgramStore(TABLE, system_clock), REDEMPTIONS, CARDS))
TABLE.client  # noqa: B018 - made now, so that it is in the snapshot and not in the first request


def handler(event: Event, context: Any) -> Answer:
    """Answers one request."""
    return handle(APP, event, context)
