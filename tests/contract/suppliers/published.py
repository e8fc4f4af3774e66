"""What the suppliers publish of their APIs, written down as facts: shapes of requests, shapes and samples of answers.

The words and fixtures are ours; the facts were read at the addresses named, of which copies of November 2026 were seen.
Samples called real were recorded against a supplier's own sandbox and published by the project named; links and codes in
them are replaced, since they are no shape.
"""

from collections.abc import Mapping
from typing import Any, Final

import jsonschema

Json = dict[str, Any]


def conforms(document: Any, schema: Json) -> None:
    """A request of ours has all that is required, with the right types, and nothing that the API does not know."""
    jsonschema.validate(document, schema)


def closed(required: Mapping[str, Json], optional: Mapping[str, Json] | None = None) -> Json:
    """An object with these fields and no others."""
    return {
        "type": "object",
        "properties": {**required, **(optional or {})},
        "required": list(required),
        "additionalProperties": False,
    }


TEXT: Final[Json] = {"type": "string", "minLength": 1}
ANY_TEXT: Final[Json] = {"type": "string"}
NUMBER: Final[Json] = {"type": "number", "exclusiveMinimum": 0}
FLAG: Final[Json] = {"enum": [0, 1]}

# --- Tremendous ------------------------------------------------------------------------------
# https://developers.tremendous.com/reference/core-orders-create, …/docs/error-handling,
# …/reference/obj-schema-funding-sources; of the list's parameters: github.com/tremendous-rewards/tremendous-ruby.
TREMENDOUS_ORDER: Final = closed(
    {
        "payment": closed({"funding_source_id": TEXT}),
        "reward": closed(
            {
                "value": closed({"denomination": NUMBER, "currency_code": {"type": "string", "pattern": "^[A-Z]{3}$"}}),
                "delivery": closed({"method": {"enum": ["EMAIL", "LINK", "PHONE"]}}),
                "recipient": closed({}, {"name": TEXT, "email": TEXT, "phone": TEXT}),
                "products": {"type": "array", "items": TEXT, "minItems": 1},
            }
        ),
    },
    {"external_id": TEXT},
)
TREMENDOUS_LIST_QUERY: Final = closed(
    {},
    dict.fromkeys(("offset", "limit", "campaign_id", "external_id", "created_at[gte]", "created_at[lte]"), ANY_TEXT),
)


def tremendous_order(**changes: Any) -> Json:
    """An order as it is shown: costs in US dollars whatever the reward is in, and only where it is executed."""
    return {
        "id": "LB5YVVE7Q2LU",
        "external_id": "rdm_1",
        "campaign_id": None,
        "created_at": "2026-11-22T10:00:00.000Z",
        "status": "EXECUTED",
        "channel": "API",
        "payment": {"subtotal": 27.5, "total": 27.5, "fees": 0.0},
        "rewards": [
            {
                "id": "LVZ2T9XKVSH1",
                "order_id": "LB5YVVE7Q2LU",
                "created_at": "2026-11-22T10:00:00.000Z",
                "value": {"denomination": 25.0, "currency_code": "EUR"},
                "recipient": {"name": "mbr_1", "email": None},
                "delivery": {
                    "method": "LINK",
                    "status": "SUCCEEDED",
                    "link": "https://testflight.tremendous.com/rewards/payout/planted",
                },
            }
        ],
    } | changes


def tremendous_error(message: str, payload: Json) -> Json:
    """The one shape of its errors."""
    return {"errors": {"message": message, "payload": payload}}


# --- Tango -----------------------------------------------------------------------------------
# https://developers.tangocard.com/docs/create-an-order-under-a-specific-account, …/docs/get-a-list-of-orders,
# …/docs/best-practices (a repeated externalRefID), …/docs/response-classes (errors),
# …/docs/get-details-for-a-specific-account, …/docs/manage-orders (statuses).
TANGO_ORDER: Final = closed(
    {
        "accountIdentifier": {"type": "string", "minLength": 5, "maxLength": 100},
        "customerIdentifier": {"type": "string", "minLength": 5, "maxLength": 100},
        "amount": NUMBER,
        "utid": TEXT,
        "sendEmail": {"const": False},
    },
    {"externalRefID": {"type": "string", "minLength": 1, "maxLength": 100}},
)
TANGO_LIST_QUERY: Final = closed(
    {},
    dict.fromkeys(
        (
            "accountIdentifier",
            "customerIdentifier",
            "externalRefID",
            "startDate",
            "endDate",
            "elementsPerBlock",
            "page",
        ),
        ANY_TEXT,
    ),
)
TANGO_SANDBOX_ORDER: Final[Json] = {
    "referenceOrderID": "RA180426-1401-64",
    "customerIdentifier": "sdkautotest4",
    "accountIdentifier": "sdkautotest5",
    "accountNumber": "A32386768",
    "amountCharged": {"value": 1, "currencyCode": "USD", "total": 1},
    "marginShare": {"value": 0, "currencyCode": "USD"},
    "denomination": {"value": 1, "currencyCode": "USD"},
    "utid": "U561593",
    "rewardName": "Reward Link",
    "sender": {"firstName": "", "lastName": "", "email": ""},
    "recipient": {"email": "", "firstName": "", "lastName": ""},
    "sendEmail": False,
    "status": "COMPLETE",
    "createdAt": "2018-04-26T20:08:59.624Z",
    "reward": {
        "credentials": {"Redemption Link": "https://sandbox.rewardlink.io/r/1/planted"},
        "credentialList": [
            {
                "label": "Redemption Link",
                "value": "https://sandbox.rewardlink.io/r/1/planted",
                "type": "url",
                "credentialType": "redemptionUrl",
            }
        ],
        "redemptionInstructions": "<p>…</p>\r\n",
    },
}
"""Real: the order that the tests of the supplier's own client for Node place and read in its sandbox (minimum criteria, so
without an externalRefID); github.com/setsailco/raas-v2-sdk-node, test/Controllers/OrdersControllerTest.js."""
TANGO_SANDBOX_LIST_ITEM: Final[Json] = {
    "customerIdentifier": "dsfdfxsaxd",
    "denomination": {"value": 10, "currencyCode": "USD"},
    "amountCharged": {"value": 10, "currencyCode": "USD", "total": 10},
    "notes": "hi",
    "status": "COMPLETE",
    "createdAt": "2017-02-24T21:30:36.826Z",
    "accountIdentifier": "dsfdfxsaxd",
    "utid": "U621294",
    "externalRefID": "11111111-11",
    "referenceOrderID": "RA170224-130-95",
}
"""Real: an item of a list read in the sandbox, out of a comment in a public gift-card manager's controller (which had renamed
``utid``): no credentials, an externalRefID with a hyphen."""
TANGO_PUBLISHED_ERROR: Final[Json] = {
    "timestamp": "2021-09-20T14:52:56.8Z",
    "requestId": "492fc1a0-ae5b-441b-a12a-ff6c028ceded",
    "path": "/raas/v2/orders",
    "httpCode": 400,
    "httpPhrase": "Bad Request",
    "errors": [{"path": "utid", "code": 400500, "i18nKey": "422.024", "message": "planted"}],
}


def tango_list(*orders: Json, total: int | None = None, number: int = 0) -> Json:
    """A page of orders."""
    count = len(orders)
    page = {"number": number, "elementsPerBlock": 100, "resultCount": count, "totalCount": total or count}
    return {"page": page, "orders": list(orders)}
