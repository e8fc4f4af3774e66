"""Examples in the OpenAPI document, by operation; a test validates each against its schema.

Where answers of different statuses look different, by operation and status.
"""

from typing import Any, Final

from infra.examples import finance, members, points, privacy, programs, referrals, rewards, risk

_PARTS: Final = (members, points, rewards, risk, finance, programs, privacy, referrals)

REQUESTS: Final[dict[str, Any]] = {name: example for part in _PARTS for name, example in part.REQUESTS.items()}
RESPONSES: Final[dict[str, Any]] = {
    "get_health": {"status": "ok"},
    **{name: example for part in _PARTS for name, example in part.RESPONSES.items()},
}
PROBLEM: Final = {
    "type": "urn:problem-type:loyalty:invalid",
    "title": "Invalid",
    "status": 422,
    "detail": "Correct /amount/value and send it again.",
    "code": "invalid",
    "instance": "urn:request:0d9d2a3e-5b0c-4a54-9d0e-6f1f7f3a2b1c",
    "errors": [{"pointer": "/amount/value", "code": "string_type", "detail": "Send a string."}],
}
