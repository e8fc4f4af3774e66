"""What the suppliers publish of their APIs, written down as facts: shapes of requests, shapes and samples of answers.

The words and fixtures are ours; the facts were read at the addresses named, of which copies of November 2026 were seen.
Samples called real were recorded against a supplier's own sandbox and published by the project named; links and codes in
them are replaced, since they are no shape.
"""

import json
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


# --- Xoxoday ---------------------------------------------------------------------------------
# https://developers.xoxoday.com/reference (gift-card API), …/docs/concepts-1 (a repeated poNumber is rejected),
# …/docs/error-handling-1, …/docs/refresh-token-access-token; the same texts in github.com/srivatsan-xoxoday/docs.
_XOXODAY_DATA: Final[Mapping[str, Json]] = {
    "plumProAPI.mutation.placeOrder": closed(
        {
            "productId": {"type": "integer"},
            "quantity": {"type": "integer", "minimum": 1},
            "denomination": NUMBER,
            "poNumber": {"type": "string", "minLength": 1, "maxLength": 100},
        },
        {
            "email": ANY_TEXT,
            "contact": ANY_TEXT,
            "tag": ANY_TEXT,
            "notifyAdminEmail": FLAG,
            "notifyReceiverEmail": FLAG,
        },
    ),
    "plumProAPI.mutation.getOrderDetails": closed(
        {"poNumber": ANY_TEXT, "orderId": {"enum": [0, None, "0"]}}, {"sendMailToReceiver": {"const": 0}}
    ),
    "plumProAPI.mutation.getOrderHistory": closed(
        {
            "startDate": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\d$"},
            "endDate": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\d$"},
            "limit": {"type": "integer"},
            "page": {"type": "integer", "minimum": 1},
        }
    ),
    "plumProAPI.query.getBalance": closed({}),
}
XOXODAY_REFRESH: Final = closed(
    {
        "grant_type": {"const": "refresh_token"},
        "refresh_token": TEXT,
        "client_id": TEXT,
        "client_secret": TEXT,
    }
)


def xoxoday_request(body: bytes) -> Json:
    """The data of a request that conforms; ``order``-wise by its query."""
    document = json.loads(body)
    outer: dict[str, Json] = {
        "query": {"enum": list(_XOXODAY_DATA)},
        "tag": {"const": "plumProAPI"},
        "variables": closed({"data": {}}),
    }
    conforms(document, closed(outer))
    data: Json = document["variables"]["data"]
    conforms(data, _XOXODAY_DATA[document["query"]])
    return data


XOXODAY_ORDER: Final[Json] = {
    "orderId": 6474256,
    "orderTotal": 100,
    "orderDiscount": "",
    "discountPercent": "",
    "currencyCode": "INR",
    "currencyValue": 1,
    "amountCharged": 100,
    "orderStatus": "complete",
    "deliveryStatus": "delivered",
    "tag": "",
    "quantity": 1,
    "vouchers": [
        {
            "productId": 1007,
            "orderId": 6474256,
            "voucherCode": "DEMO-planted",
            "pin": "DEMO-PIN",
            "validity": "2028-02-14",
            "amount": 100,
            "currency": "INR",
            "country": "IN",
            "type": "codePin",
            "currencyValue": 1,
        }
    ],
    "voucherDetails": [
        {
            "orderId": 6474256,
            "productId": 1007,
            "productName": "Flipkart",
            "currencyCode": "INR",
            "productStatus": "delivered",
            "denomination": 100,
        }
    ],
}
"""The documented example of an order that is placed; also of one that is asked for."""
XOXODAY_STAGING_VOUCHER: Final[Json] = {
    "productId": 55395,
    "orderId": 6552967,
    "voucherCode": "https://stagingstores.plum.gift/planted",
    "pin": "",
    "validity": "2026-08-19",
    "amount": 50,
    "currency": "CRC",
    "country": "IN,US",
    "type": "url",
    "currencyValue": 5.68716121,
}
"""Out of the documented first reward on the staging system: asked for were 50 US dollars."""
XOXODAY_HISTORY_ITEM: Final[Json] = {
    "orderId": 1316578,
    "orderDate": "2019-12-27 16:41:33",
    "email": "",
    "deliveryStatus": "Pending",
    "tag": "mbr_1",
    "poNumber": "rdm_1",
    "amountCharged": 221,
    "currencyCode": "INR",
    "products": [
        {"productName": "Test 3456", "price": 221, "quantity": 1, "orderProductStatus": "pending", "currency": "INR"}
    ],
}


def xoxoday_answer(query: str, data: Any) -> Json:
    """An answer that succeeded."""
    return {"data": {query: {"status": 1, "data": data}}}


def xoxoday_error(status: int, code: str) -> Json:
    """An error of the API, by its own code."""
    return {"code": status, "errorId": code, "errorInfo": "planted", "error": "planted"}
