"""What fulfilment refuses, by name. ``core.errors`` says what each kind of refusal means."""

from loyalty.core.errors import Missing


class FulfillmentRunNotFound(Missing):
    code = "fulfillment_run_not_found"
