from datetime import UTC, datetime
from typing import Any

import pytest

from loyalty.commerce.inbound import parse
from loyalty.commerce.model import Ignored, MemberActivity, MemberSignal
from loyalty.core.errors import Rejected
from loyalty.core.money import Money

MEMBER = "mbr_01ja0000000000000000000000"
ACTIVITY: dict[str, Any] = {
    "program": "aurora",
    "member_id": MEMBER,
    "activity": "purchase",
    "source": "pos",
    "source_id": "R-1",
    "occurred_at": "2026-11-20T10:00:00.250+01:00",
    "channel": "store",
    "amount": {"value": "105.00", "currency": "USD"},
}


def event(detail: object, *, source: str = "com.example.tills", kind: object = "activity.recorded") -> dict[str, Any]:
    return {"source": source, "detail-type": kind, "detail": detail}


def activity(**changes: Any) -> MemberActivity:
    found = parse(event({key: value for key, value in (ACTIVITY | changes).items() if value is not None}))
    assert isinstance(found, MemberActivity)
    return found


def reason(of: dict[str, Any]) -> str:
    with pytest.raises(Rejected) as caught:
        parse(of)
    assert "planted" not in caught.value.detail
    return caught.value.reason


def test_an_activity_by_member_id() -> None:
    found = activity()
    assert (found.program, found.member_id, found.customer) == ("aurora", MEMBER, None)
    assert (found.activity, found.source, found.source_id, found.channel) == ("purchase", "pos", "R-1", "store")
    assert found.occurred_at == datetime(2026, 11, 20, 9, 0, 0, 250_000, tzinfo=UTC)
    assert found.amount == Money.of("105.00", "USD")


def test_an_activity_by_email_or_external_id() -> None:
    by_email = activity(member_id=None, email=" planted@example.com ").customer
    assert by_email is not None
    assert by_email.email == "planted@example.com"
    by_id = activity(member_id=None, external_id={"platform": "shopify", "id": "7001"}).customer
    assert by_id is not None
    assert (by_id.platform, by_id.external_id) == ("shopify", "7001")


def test_an_activity_may_have_no_amount() -> None:
    assert activity(amount=None, activity="review").amount is None


@pytest.mark.parametrize(
    "changes",
    [
        {"member_id": None},
        {"email": "planted@example.com"},
        {"member_id": None, "email": "planted"},
        {"member_id": "planted"},
        {"program": "Aurora!"},
        {"planted@example.com": 1},
        {"source": "pos#1"},
        {"source_id": ""},
        {"source_id": "a#b"},
        {"source_id": "planted@example.com"},
        {"source_id": 17},
        {"source": "enrollment"},
        {"occurred_at": "2026-11-20"},
        {"amount": {"value": 105, "currency": "USD"}},
        {"amount": {"value": "105.00", "currency": "QQQ"}},
        {"amount": {"value": "105.00", "currency": "USD", "planted": True}},
    ],
)
def test_an_unusable_activity_is_malformed(changes: dict[str, Any]) -> None:
    merged = {key: value for key, value in (ACTIVITY | changes).items() if value is not None}
    assert reason(event(merged)) == "malformed_payload"


@pytest.mark.parametrize(("kind", "enrolled"), [("member.enrolled", True), ("member.updated", False)])
def test_our_own_word_about_a_member_is_a_signal(kind: str, enrolled: bool) -> None:
    found = parse(event({"program": "aurora", "member_id": MEMBER, "version": 1}, source="loyalty", kind=kind))
    assert found == MemberSignal("aurora", MEMBER, enrolled)


def test_our_other_events_are_ignored_and_a_wrong_one_is_malformed() -> None:
    assert isinstance(parse(event({}, source="loyalty", kind="points.accrued")), Ignored)
    assert reason(event({}, source="loyalty", kind="member.enrolled")) == "malformed_payload"


def test_nobody_else_speaks_with_our_name() -> None:
    assert isinstance(parse(event(ACTIVITY, source="loyalty")), Ignored)


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        event({}, kind=None),
        event([]),
        event(None),
        event("text"),
        event({}, kind="planted@example.com"),
        event({"metadata": {}, "payload": {}}, kind="relayed"),
        event({"metadata": "X-Shopify-Topic", "payload": {}}, kind="relayed"),
    ],
)
def test_what_nobody_knows_is_an_unknown_event(wrong: dict[str, Any]) -> None:
    assert reason(wrong) == "unknown_event"


def test_shopify_without_its_headers_is_malformed() -> None:
    partner = "aws.partner/shopify.com/1234567/loyalty"
    assert reason(event({"payload": {}}, source=partner, kind="shopifyWebhook")) == "malformed_payload"


def test_other_platforms_are_refused_by_name() -> None:
    assert reason(event({}, source="aws.partner/stripe.com/acct_1", kind="charge.succeeded")) == "unsupported_platform"
    assert reason(event({}, source="com.squareup", kind="payment.created")) == "unsupported_platform"
    assert reason(event({}, source="com.timessquare", kind="something")) == "unknown_event"
