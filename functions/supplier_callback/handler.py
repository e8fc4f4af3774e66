"""What suppliers call back with, over HTTPS: whoever calls proves itself by its signature alone."""

from typing import Any

from functions.supplier_callback.routes import routes
from loyalty.core.aws import client
from loyalty.core.clock import system_clock
from loyalty.core.http import Answer, Event, api, handle
from loyalty.core.settings import Settings
from loyalty.core.table import Table
from loyalty.fulfillment.callbacks import Callbacks
from loyalty.fulfillment.executions import Executions
from loyalty.suppliers.registry import Suppliers, SuppliersSettings, TremendousAccess


class CallbackSettings(Settings):
    """What this function is told."""

    supplier_url: str
    supplier_secret: str
    state_machine: str


SETTINGS = CallbackSettings.load()
TABLE = Table(SETTINGS.table)
SUPPLIERS = Suppliers(
    SuppliersSettings(tremendous=TremendousAccess(url=SETTINGS.supplier_url, secret=SETTINGS.supplier_secret))
)
CALLBACKS = Callbacks(TABLE, Executions(client("stepfunctions"), SETTINGS.state_machine), system_clock)
APP = api(routes(SUPPLIERS.webhook_key, CALLBACKS))


def handler(event: Event, context: Any) -> Answer:
    """Answers one request."""
    return handle(APP, event, context)
