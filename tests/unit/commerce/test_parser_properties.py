"""Whatever arrives, the parser answers with one of its results or refuses by name, and never shows personal data."""

import copy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from loyalty.commerce.inbound import parse
from loyalty.commerce.model import Ignored, MemberActivity, MemberSignal, Purchase, Refund
from loyalty.core.errors import Rejected
from tests.unit.commerce.shopify_samples import ORDER, REFUND, envelope
from tests.unit.commerce.test_inbound import ACTIVITY, MEMBER, event

ANY_TEXT = st.text(st.characters(), max_size=12)  # lone surrogates among them: JSON can carry them
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | ANY_TEXT
    | st.sampled_from(["", "-1.00", "1e400", "9" * 40, "NaN", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"])
    | st.sampled_from(["2026-11-20T10:00:00+99:99", "USD", "JPY", "planted@example.com", "refund", "success"])
)
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT, inner, max_size=3))

LINES = {
    "transactions": [],
    "refund_line_items": [{"subtotal_set": {"shop_money": {"amount": "3.00", "currency_code": "USD"}}}],
    "order_adjustments": [{"amount_set": {"shop_money": {"amount": "-3.00", "currency_code": "USD"}}}],
}
SEEDS: list[dict[str, Any]] = [
    envelope("orders/paid", ORDER),
    envelope("orders/updated", {"order": ORDER}, lower_case=True),
    envelope("refunds/create", REFUND),
    envelope("refunds/create", REFUND | LINES),
    envelope("orders/fulfilled", ORDER),
    event(ACTIVITY),
    event({"program": "aurora", "member_id": MEMBER}, source="loyalty", kind="member.enrolled"),
]


def places(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    steps = list(node.items()) if isinstance(node, dict) else list(enumerate(node)) if isinstance(node, list) else []
    return [path, *(deeper for key, value in steps for deeper in places(value, (*path, key)))]


@st.composite
def mutated(draw: st.DrawFn) -> dict[str, Any]:
    seed: dict[str, Any] = copy.deepcopy(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from([place for place in places(seed) if place]))
        parent: Any = seed
        for step in path[:-1]:
            parent = parent[step]
        match draw(st.sampled_from(["replace", "remove", "add"])):
            case "replace":
                parent[path[-1]] = draw(JSON)
            case "remove":
                del parent[path[-1]]
            case _ if isinstance(parent, dict):
                parent[draw(ANY_TEXT)] = draw(JSON)
            case _:
                parent.append(draw(JSON))
        if not seed:
            break
    return seed


def check(anything: dict[str, Any]) -> None:
    found: object
    try:
        found = parse(anything)
    except Rejected as refusal:
        found = refusal
    if isinstance(found, Rejected):
        assert found.reason in {"unknown_event", "unknown_topic", "malformed_payload", "unsupported_platform"}
        assert "planted" not in found.detail
        assert found.detail.isprintable()
        return
    assert isinstance(found, Purchase | Refund | MemberActivity | MemberSignal | Ignored)
    assert "planted" not in repr(found)
    if isinstance(found, Purchase | Refund | MemberActivity):
        assert found.occurred_at.utcoffset() is not None
        assert found.amount is None or found.amount.amount >= 0


@given(mutated())
def test_mutated_events(anything: dict[str, Any]) -> None:
    check(anything)


@given(st.dictionaries(st.sampled_from(["source", "detail-type", "detail", "id"]), JSON))
def test_events_of_any_shape(anything: dict[str, Any]) -> None:
    check(anything)
