"""What Xoxoday publishes of its API; see :mod:`tests.contract.suppliers.published`."""

import json
from collections.abc import Mapping
from typing import Any, Final

from tests.contract.suppliers.published import ANY_TEXT, FLAG, NUMBER, TEXT, Json, closed, conforms

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
