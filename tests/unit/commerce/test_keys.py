"""What purchases cost of the key service: the pepper of lookups, once a process and program."""

import pytest

from infra.functions import FUNCTIONS
from loyalty.commerce.buyers import Buyers
from loyalty.commerce.inbound import parse
from loyalty.commerce.outcomes import Outcome
from loyalty.core.pii import Lookups
from tests.unit.commerce.shopify_samples import ORDER, REFUND, envelope
from tests.unit.commerce.world import Commerce

IN_THE_PATH = ("accrual", "accrual_events", "redemption", "tier_recalculation", "sweeper")
"""Functions that post points, at the pace of a shop."""


def test_purchases_signups_and_refunds_ask_for_one_code(commerce: Commerce) -> None:
    member = commerce.enroll(ORDER["email"])
    commerce.key_service.calls.clear()
    process = commerce.service_with(buyers=Buyers(Lookups(commerce.key_service)))
    for number in range(5512000000001, 5512000000021):
        order = ORDER | {"id": number}
        assert process.apply(parse(envelope("orders/paid", order))) == [Outcome.ACCRUED]
    process.apply(parse(envelope("refunds/create", REFUND)))
    process.apply(parse(envelope("orders/paid", ORDER | {"id": 1, "email": "nobody@example.com", "customer": None})))
    commerce.signal(member, enrolled=True)
    assert commerce.key_service.calls == {"mac": 1}


@pytest.mark.parametrize("name", IN_THE_PATH)
def test_who_posts_points_may_not_open_or_seal(name: str) -> None:
    assert FUNCTIONS[name].sealed is None
    assert FUNCTIONS["accrual"].lookup is False, "accruals through the API name the member: no key at all"
