"""What suppliers call back with, over HTTPS: whoever calls proves itself by its signature alone."""

from typing import Any

from pydantic import Json

from functions.supplier_callback.keys import WebhookKeys
from functions.supplier_callback.routes import routes
from loyalty.core.aws import client
from loyalty.core.clock import system_clock
from loyalty.core.http import Answer, Event, api, handle
from loyalty.core.settings import Settings
from loyalty.core.table import Table
from loyalty.fulfillment.callbacks import Callbacks
from loyalty.fulfillment.executions import Executions


class CallbackSettings(Settings):
    """What this function is told."""

    supplier_secrets: Json[dict[str, str]]
    state_machine: str


SETTINGS = CallbackSettings.load()
TABLE = Table(SETTINGS.table)
CALLBACKS = Callbacks(TABLE, Executions(client("stepfunctions"), SETTINGS.state_machine), system_clock)
APP = api(routes(WebhookKeys(SETTINGS.supplier_secrets, system_clock).get, CALLBACKS))


def handler(event: Event, context: Any) -> Answer:
    """Answers one request."""
    return handle(APP, event, context)
