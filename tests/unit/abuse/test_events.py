"""From the table to the bus, and from the bus to what is watched."""

import json
from typing import Any

import pytest

import loyalty_contract as contract
from loyalty.abuse.events import watched
from loyalty.abuse.watch import Kind, Note
from loyalty.abuse.watching import Doing
from loyalty.core.clock import from_text
from loyalty.core.errors import Rejected
from loyalty.core.table import RawItem, Table
from loyalty.publishing.events import ClientSuspected, Event
from loyalty.publishing.outbox import events_of
from tests.ledgerkit.moves import ADA, BOB
from tests.unit.abuse.watched import ANN, BEN, Watched

AT = "2026-03-15T12:00:00.000Z"
POINTS: dict[str, Any] = {
    "id": "acme/m/e",
    "program": "acme",
    "member_id": ADA,
    "entry_id": "e",
    "seq": 7,
    "points": 50,
    "available": 50,
    "pending": 0,
    "held": 0,
    "program_version": 1,
    "occurred_at": "2020-01-01T00:00:00.000Z",
    "posted_at": AT,
}
HELD = {
    "id": "x",
    "program": "acme",
    "member_id": ADA,
    "redemption_id": "rdm_1",
    "reward_id": "mug",
    "reward_type": "perk",
    "quantity": 1,
    "points": 50,
    "held_at": AT,
}
SHOWN = {
    "id": "x",
    "program": "acme",
    "member_id": ADA,
    "redemption_id": "rdm_1",
    "access": 3,
    "client_id": "app",
    "revealed_at": AT,
}
CHANGED = {"id": "x", "program": "acme", "member_id": ADA, "version": 2, "contact_changed": True, "updated_at": AT}


def body(kind: str, detail: object) -> str:
    return json.dumps({"detail-type": kind, "detail": detail})


def note(kind: Kind, reference: str, points: int = 0, other: str = "") -> Note:
    return Note(kind, reference, from_text(AT), points, other)


@pytest.mark.parametrize(
    ("kind", "detail", "expected", "client"),
    [
        (contract.POINTS_ACCRUED, POINTS, note(Kind.ACCRUAL, "7", 50), None),
        (contract.POINTS_ACCRUED, POINTS | {"points": -5}, note(Kind.ACCRUAL, "7"), None),
        (contract.POINTS_SENT, POINTS | {"points": -50, "other_member": BOB}, note(Kind.SENT, "7", 50, BOB), None),
        (contract.POINTS_RECEIVED, POINTS | {"other_member": BOB}, note(Kind.RECEIVED, "7", 50, BOB), None),
        (contract.REDEMPTION_HELD, HELD, note(Kind.HOLD, "rdm_1", 50), None),
        (contract.REDEMPTION_HELD, HELD | {"wallet": "cups"}, note(Kind.HOLD, "rdm_1"), None),
        (contract.CARD_REVEALED, SHOWN, note(Kind.REVEAL, "rdm_1:3"), "app"),
        (contract.MEMBER_UPDATED, CHANGED, note(Kind.CHANGE, "2"), None),
    ],
)
def test_what_is_watched(kind: str, detail: dict[str, Any], expected: Note, client: str | None) -> None:
    assert watched(body(kind, detail)) == Doing("acme", ADA, expected, client)


@pytest.mark.parametrize(
    ("kind", "detail"),
    [
        (contract.POINTS_SENT, POINTS | {"other_member": "hsh_1"}),
        (contract.POINTS_RECEIVED, POINTS | {"member_id": "hsh_1", "other_member": ADA}),
        (contract.REDEMPTION_HELD, HELD | {"points": 0}),
        (contract.MEMBER_UPDATED, CHANGED | {"contact_changed": False}),
    ],
)
def test_pools_lists_and_other_changes_are_nobodys_doing(kind: str, detail: dict[str, Any]) -> None:
    assert watched(body(kind, detail)) is None


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", body("points.expired", POINTS), body(contract.POINTS_ACCRUED, {"program": "acme"})]
)
def test_what_is_no_event_of_ours_is_rejected_and_not_quoted(text: str) -> None:
    with pytest.raises(Rejected) as refused:
        watched(text)
    assert refused.value.reason == "invalid_event"


def told(before: dict[tuple[str, str], RawItem], after: dict[tuple[str, str], RawItem]) -> list[tuple[str, Event]]:
    """What the stream would tell of what changed."""
    found = []
    for key, new in after.items():
        if before.get(key) != new:
            change = {"SequenceNumber": "1", "NewImage": new, "Keys": {}}
            old = {"OldImage": before[key]} if key in before else {}
            found += events_of({"eventName": "x", "dynamodb": change | old})
    return [(one.detail_type, one.detail) for one in found]


def test_flags_and_releases_are_told_and_nothing_of_who_decided(table: Table) -> None:
    watched_ = Watched(table)
    dumps = [watched_.world.dump()]
    watched_.spike()
    dumps.append(watched_.world.dump())
    watched_.cases.release("acme", ADA, ANN, "called_back", second_person=True)
    dumps.append(watched_.world.dump())
    watched_.cases.release("acme", ADA, BEN, "agreed", second_person=True)
    dumps.append(watched_.world.dump())
    watched_.cases.hold("acme", ADA, ANN, "complaint")
    dumps.append(watched_.world.dump())
    watched_.cases.confirm("acme", ADA, ANN, "stolen")
    dumps.append(watched_.world.dump())
    flagged, proposed, released, held, confirmed = map(told, dumps, dumps[1:])
    (kind, event) = flagged[0]
    assert (kind, event.model_dump()["signals"], event.model_dump()["on_hold"]) == (
        "member.flagged",
        ["many_accruals"],
        True,
    )
    assert proposed == []
    assert [(kind, event.model_dump()["on_hold"]) for kind, event in released] == [("member.released", False)]
    assert [(kind, event.model_dump()["signals"]) for kind, event in held] == [("member.flagged", ["by_hand"])]
    assert confirmed == [], "it was on hold before"
    texts = [event.model_dump_json() for change in (flagged, released, held) for _, event in change]
    assert not any(word in text for text in texts for word in ("ann", "ben", "called_back", "complaint"))


def test_a_suspicion_is_told_once_and_read_back(table: Table) -> None:
    watched_ = Watched(table)
    notes = [watched_.note(Kind.REVEAL, str(number)) for number in range(6)]
    for one in notes[:4]:
        watched_.see(one, client="app")
    dumps = [watched_.world.dump()]
    watched_.see(notes[4], client="app")
    dumps.append(watched_.world.dump())
    watched_.see(notes[5], client="app")
    dumps.append(watched_.world.dump())
    first = [one for one in told(*dumps[:2]) if one[0] == contract.CLIENT_SUSPECTED]
    assert [one for one in told(*dumps[1:]) if one[0] == contract.CLIENT_SUSPECTED] == []
    ((kind, event),) = first
    assert watched(body(kind, event.model_dump())) == event
    assert isinstance(event, ClientSuspected)
    assert (event.client_id, event.signal, event.counted, event.bound) == ("app", "many_reveals", 5, 5)


@pytest.mark.parametrize(
    ("before", "after", "changed"),
    [
        ({"email": "1"}, {"email": "2"}, True),
        ({"email": "1"}, {"email": "1", "phone": "3"}, True),
        ({"email": "1", "phone": "3"}, {"email": "1"}, True),
        ({"email": "1"}, {"email": "1", "external:shop": "9"}, False),
    ],
)
def test_a_new_address_or_phone_is_told_as_such(
    table: Table, before: dict[str, str], after: dict[str, str], *, changed: bool
) -> None:
    raw = Watched(table).world.dump()[f"M#acme#{ADA}", "MEMBER"]

    def image(lookups: dict[str, str]) -> RawItem:
        return raw | {"lookups": {"M": {kind: {"S": digest} for kind, digest in lookups.items()}}}

    stream = {"SequenceNumber": "1", "OldImage": image(before), "NewImage": image(after), "Keys": {}}
    (event,) = events_of({"eventName": "MODIFY", "dynamodb": stream})
    assert event.detail.model_dump()["contact_changed"] is changed
