"""Callbacks of suppliers: verified, then handed on. What they say is a hint; the supplier is asked."""

from collections.abc import Callable
from typing import Annotated

from aws_lambda_powertools.event_handler.api_gateway import Router
from pydantic import Field

from loyalty.core.fields import ResponseBody
from loyalty.core.telemetry import count, logger
from loyalty.fulfillment.callbacks import Callbacks
from loyalty.fulfillment.errors import CallbackMalformed, CallbackRefused, SupplierUnknown
from loyalty.programs.fields import Slug
from loyalty.suppliers.model import SupplierAccessDenied
from loyalty.suppliers.registry import UnknownSupplier
from loyalty.suppliers.webhooks import BadCallback, BadSignature, Callback, CallbacksNotTaken, require_proof, verify


class CallbackView(ResponseBody):
    """That a callback was taken."""

    received: Annotated[bool, Field(description="Always true; a second delivery of one event changes nothing.")] = True


def routes(key_of: Callable[[str], str], callbacks: Callbacks) -> Router:
    """The routes. ``key_of`` gives what a supplier signs with."""
    router = Router()

    @router.post(
        "/v1/suppliers/<supplier>/callbacks",
        summary="Take a supplier's callback",
        description="Suppliers tell here that an order has changed. The signature over the body is the caller's proof; "
        "what the body says is a hint, upon which the supplier is asked.",
        response_description="It was taken, now or before.",
        tags=["Suppliers"],
    )
    def receive(supplier: Slug) -> CallbackView:
        event = router.current_event
        callback = _verified(event.headers, (event.body or "").encode(), supplier, key_of)
        count("SupplierCallbacks")
        outcome = callbacks.receive(callback)
        logger.info("supplier callback", extra={"supplier": supplier, "outcome": outcome.value})
        return CallbackView()

    return router


def _verified(headers: dict[str, str], body: bytes, supplier: str, key_of: Callable[[str], str]) -> Callback:
    """Raises: SupplierUnknown, CallbackRefused, CallbackMalformed."""
    try:
        # Anybody may call: the key is fetched for those alone who show something to compare with it.
        require_proof(headers, body, supplier)
        return verify(headers, body, key_of(supplier), supplier)
    except (UnknownSupplier, CallbacksNotTaken) as error:
        raise SupplierUnknown("There is no such supplier here, or its callbacks are not taken.") from error
    except (BadSignature, SupplierAccessDenied) as error:
        count("SupplierCallbacksRefused")
        logger.warning("callback refused", extra={"supplier": supplier, "error": type(error).__name__})
        raise CallbackRefused("The callback is not signed with the key that was agreed on.") from error
    except BadCallback as error:
        count("SupplierCallbacksMalformed")
        raise CallbackMalformed("The callback is none of this supplier's API.") from error
