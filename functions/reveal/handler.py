"""Delivered gift cards and codes, over HTTPS."""

from typing import Any

from functions.reveal.routes import routes
from loyalty.core.clock import system_clock
from loyalty.core.http import Answer, Event, api, handle
from loyalty.core.keys import KmsDataKeys
from loyalty.core.pii import Vault
from loyalty.core.settings import Settings
from loyalty.core.table import Table
from loyalty.programs.store import ProgramStore
from loyalty.rewards.store import RedemptionStore
from loyalty.vault.service import CardService
from loyalty.vault.store import CardStore


class RevealSettings(Settings):
    """What this function is told."""

    vault_key: str


SETTINGS = RevealSettings.load()
TABLE = Table(SETTINGS.table)
CARDS = CardService(CardStore(TABLE), RedemptionStore(TABLE), Vault(KmsDataKeys(SETTINGS.vault_key)), system_clock)
APP = api(routes(ProgramStore(TABLE, system_clock), CARDS))
TABLE.client  # noqa: B018 - made now, so that it is in the snapshot and not in the first request


def handler(event: Event, context: Any) -> Answer:
    """Answers one request."""
    return handle(APP, event, context)
