"""What identifies a request for ever, pinned: a change of code that changes a hash turns old repeats into conflicts."""

from typing import Any

import pytest

from loyalty.core.table import Table
from loyalty.ledger.model import EntryKey, EntryKind
from tests.apikit.keys import FakeKeys
from tests.apikit.members import Members
from tests.ledgerkit.world import World
from tests.unit.functions.test_ledger_routes import BASE, MEMBER, Api, acme

__all__ = ["acme"]

LINE: dict[str, Any] = {"sku": "LAMP-1", "amount": {"value": "5.00", "currency": "EUR"}}
FULL_LINE: dict[str, Any] = {
    "line_id": "1", "sku": "LAMP-1", "product": "Lamp", "category": "home", "quantity": 2,
    "amount": {"value": "80.50", "currency": "EUR"},
}  # fmt: skip


def stored(world: World, kind: EntryKind, source: str, source_id: str) -> str:
    entry = world.store.entry("acme", MEMBER, EntryKey(kind, source, source_id))
    assert entry is not None
    return entry.request_hash


@pytest.mark.parametrize(
    ("changes", "golden"),
    [
        ({}, "47f8dcf860ea3ff04cd357659b292a12"),
        ({"lines": [LINE]}, "0698261d212713d5681765f747b86ad3"),
        ({"lines": [FULL_LINE, LINE]}, "3a860c385ecdade3e48e32fd3caf4c10"),
        ({"activity": "review", "amount": None}, "c6755bec3707066442f0cdbff358570e"),
    ],
    ids=["plain", "a line", "two lines", "without an amount"],
)
def test_an_accrual(acme: Api, changes: dict[str, Any], golden: str) -> None:
    assert acme.call("POST", f"{BASE}/accruals", acme.accrue("R-1", "100.5", **changes)).status == 201
    assert stored(acme.world, EntryKind.ACCRUAL, "pos", "R-1") == golden


@pytest.mark.parametrize(
    "line",
    [
        LINE | {"amount": {"value": "5", "currency": "EUR"}},
        LINE | {"amount": {"value": "5.0", "currency": "EUR"}},
        LINE | {"quantity": 1, "product": None},
    ],
)
def test_another_spelling_of_the_same_accrual_is_the_same_request(acme: Api, line: dict[str, Any]) -> None:
    first = acme.call("POST", f"{BASE}/accruals", acme.accrue("R-1", lines=[LINE]))
    again = acme.call("POST", f"{BASE}/accruals", acme.accrue("R-1", "100.00", lines=[line]))
    assert (again.status, again.json, again.headers["Idempotent-Replayed"]) == (201, first.json, "true")


@pytest.mark.parametrize(
    ("amount", "code", "pointer"),
    [
        ({"value": "5.001", "currency": "EUR"}, "too_many_decimals", "/lines/1/amount/value"),
        ({"value": "5", "currency": "XXQ"}, "unknown_currency", "/lines/1/amount/currency"),
    ],
)
def test_a_lines_amount_is_money(acme: Api, amount: dict[str, str], code: str, pointer: str) -> None:
    before = acme.world.dump()
    reply = acme.call("POST", f"{BASE}/accruals", acme.accrue("R-1", lines=[LINE, {"amount": amount}]))
    assert reply.problem(422, code)["errors"][0]["pointer"] == pointer
    assert acme.world.dump() == before


def test_a_refund(acme: Api) -> None:
    acme.world.accrue("R-1", "100", member=MEMBER)
    acme.world.refund("F-1", "R-1", "30.5", member=MEMBER)
    assert stored(acme.world, EntryKind.REVERSAL, "pos", "F-1") == "a57e195802e4318cfafa3c58b16097d4"


@pytest.mark.parametrize(
    ("form", "golden"),
    [
        ({"amount": {"value": "30.5", "currency": "EUR"}, "reason": "refund"}, "a57e195802e4318cfafa3c58b16097d4"),
        ({"amount": {"value": "30.5", "currency": "EUR"}, "reason": "return"}, "444f0b181b5773245b4927a822c21d2a"),
        ({"everything": True, "reason": "cancellation"}, "02b65904b023d77ee6a2f0e245875c80"),
        ({"lines": [{"line_id": "1", "quantity": 2}], "reason": "refund"}, "e497e900e32a0eeec83e93187aaac345"),
    ],
    ids=["money", "another reason", "everything", "a line"],
)
def test_a_reversal(acme: Api, form: dict[str, Any], golden: str) -> None:
    acme.call("POST", f"{BASE}/accruals", acme.accrue("R-1", "100", lines=[FULL_LINE]))
    body = {"source": "pos", "source_id": "F-1", "accrual_source_id": "R-1", "occurred_at": "2026-03-15T12:00:00Z"}
    assert acme.call("POST", f"{BASE}/reversals", body | form).status == 201
    assert stored(acme.world, EntryKind.REVERSAL, "pos", "F-1") == golden


def test_a_hold(acme: Api) -> None:
    acme.world.accrue("R-1", "100", member=MEMBER)
    redemption, _ = acme.world.hold("k-1", "ten", 2, member=MEMBER)
    assert redemption.redemption_id == "rdm_15q7mb5tx59eyz2qfm9vwmygc1"
    assert (
        stored(acme.world, EntryKind.HOLD, "redemption", redemption.redemption_id) == "d65977ddc534f0132dbcfcf05d2b845e"
    )


def test_a_hold_with_its_own_time_out(acme: Api) -> None:
    acme.world.accrue("R-1", "100", member=MEMBER)
    redemption, _ = acme.world.hold("k-1", "ten", 2, member=MEMBER, hold_minutes=60)
    assert redemption.redemption_id == "rdm_15q7mb5tx59eyz2qfm9vwmygc1"
    assert (
        stored(acme.world, EntryKind.HOLD, "redemption", redemption.redemption_id) == "aff885570dbbc6ae4337a1c697be0c50"
    )


@pytest.mark.parametrize(
    ("end", "kind", "golden"),
    [
        ("capture", EntryKind.CAPTURE, "2d6a9494ab81834749e8f95903db43c9"),
        ("release", EntryKind.RELEASE, "2d6a9494ab81834749e8f95903db43c9"),
    ],
)
def test_an_end_of_a_hold(acme: Api, end: str, kind: EntryKind, golden: str) -> None:
    acme.world.accrue("R-1", "100", member=MEMBER)
    redemption, _ = acme.world.hold("k-1", "ten", 2, member=MEMBER)
    getattr(acme.world, end)(redemption.redemption_id, member=MEMBER)
    assert stored(acme.world, kind, "redemption", redemption.redemption_id) == golden


def test_a_capture_of_a_part_and_its_cancellation(acme: Api) -> None:
    acme.world.accrue("R-1", "100", member=MEMBER)
    redemption, _ = acme.world.hold("k-1", "ten", 2, member=MEMBER)
    acme.world.capture(redemption.redemption_id, member=MEMBER, points=7)
    acme.world.cancel(redemption.redemption_id, member=MEMBER)
    captured = stored(acme.world, EntryKind.CAPTURE, "redemption", redemption.redemption_id)
    cancelled = stored(acme.world, EntryKind.CANCELLATION, "redemption", redemption.redemption_id)
    assert captured == "e2d2b3bc2f9809b89533a2c9e80272f5"
    assert cancelled == "2d6a9494ab81834749e8f95903db43c9"


class FixedKeys(FakeKeys):
    """The same key in every run."""

    def __init__(self) -> None:
        super().__init__()
        self._root = bytes(32)


PERSON: dict[str, Any] = {
    "email": "Ada@example.com", "phone": "+393331234567", "given_name": "Zoë", "family_name": "L", "locale": "it-IT",
    "external_ids": {"woo": "2", "shopify": "1"},
}  # fmt: skip


@pytest.mark.parametrize(
    ("body", "golden"),
    [
        ({"email": "ada@example.com"}, "98b6ff8bb4e7d8db6b8a0ed37c27ad0ada8fe3bb"),
        (PERSON, "039b3a73019d93e21304e8dc75618dc78783b03b"),
    ],
    ids=["an address", "all fields"],
)
def test_an_enrollment(table: Table, body: dict[str, Any], golden: str) -> None:
    members = Members(table, FixedKeys())
    reply = members.call("POST", "/v1/programs/acme/members", body)
    member = members.store.get("acme", reply.json["member_id"])
    assert member is not None
    assert member.request_hash == golden
