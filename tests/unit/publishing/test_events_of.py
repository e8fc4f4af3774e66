"""Stream records become events, once, and without personal data."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

import loyalty_contract as contract
from loyalty.core.money import Money
from loyalty.ledger import movements
from loyalty.ledger.items import entry_put
from loyalty.ledger.ladders import Standing
from loyalty.ledger.model import Balances, Change, Entry, EntryKey, EntryKind, Facts, Movement, Wallet
from loyalty.publishing.events import EVENTS
from loyalty.publishing.outbox import Outgoing, events_of
from loyalty.publishing.service import ATTEMPTS, Publisher

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
MEMBER = {"pk": {"S": "M#aurora#mbr_1"}, "sk": {"S": "MEMBER"}, "version": {"N": "1"}, "pii": {"B": b"sealed"}}
REDEMPTION = {
    "pk": {"S": "M#aurora#mbr_1"},
    "sk": {"S": "REDEMPTION#rdm_1"},
    "status": {"S": "held"},
    "reward_id": {"S": "coffee"},
    "reward_type": {"S": "perk"},
    "quantity": {"N": "2"},
    "points": {"N": "100"},
}


def entry_image(kind: EntryKind, movement: Movement) -> dict[str, Any]:
    facts = Facts(NOW, 3, {"points": "purchase"}, amount=Money.of("10.00", "USD"), lot="2027-11-30", lot_points=10)
    after = {"points": Balances(available=10), **{wallet: Balances(available=3) for wallet in movement.changes}}
    entry = Entry("aurora", "mbr_1", EntryKey(kind, "pos", "R-1"), 7, movement, after, facts, NOW, "hash")
    return entry_put(entry).item.serialize()


def record(new: dict[str, Any] | None, old: dict[str, Any] | None = None) -> dict[str, Any]:
    images = {name: image for name, image in (("NewImage", new), ("OldImage", old)) if image is not None}
    return {"dynamodb": {"SequenceNumber": "42", **images}}


def test_an_accrual_is_published_with_its_balances() -> None:
    earned = movements.accrue(Wallet(), 10, lot="2027-11-30")
    (event,) = events_of(record(entry_image(EntryKind.ACCRUAL, Movement({"points": earned}))))
    assert (event.detail_type, event.sequence_number) == (contract.POINTS_ACCRUED, "42")
    detail = event.detail.model_dump()
    assert detail["id"] == "aurora/mbr_1/accrual:pos:R-1"
    assert (detail["points"], detail["available"], detail["seq"], detail["rule"]) == (10, 3, 7, "purchase")
    assert detail["occurred_at"] == "2026-11-22T09:30:00.000Z"


@pytest.mark.parametrize("kind", [kind for kind in EntryKind if kind is not EntryKind.TIER])
def test_every_kind_of_entry_has_its_own_detail_type(kind: EntryKind) -> None:
    (event,) = events_of(record(entry_image(kind, Movement({"points": Change()}))))
    assert type(event.detail) is EVENTS[event.detail_type]


def test_kinds_of_entries_do_not_share_a_detail_type() -> None:
    images = [record(entry_image(kind, Movement({"points": Change()}))) for kind in EntryKind]
    assert len({event.detail_type for image in images for event in events_of(image)}) == len(EntryKind)


def test_wallets_beside_the_points_are_told_with_their_balances() -> None:
    earned = {
        "points": movements.accrue(Wallet(), 10, lot="2027-11-30"),
        "cashback": movements.accrue(Wallet(), 3, lot="9999-12-31"),
    }
    (event,) = events_of(record(entry_image(EntryKind.ACCRUAL, Movement(earned))))
    assert event.detail.model_dump()["others"] == {
        "cashback": {"points": 3, "available": 3, "pending": 0, "held": 0, "debt": 0}
    }


def test_a_warning_says_what_expires_and_when() -> None:
    (event,) = events_of(record(entry_image(EntryKind.WARNING, Movement({"points": Change()}))))
    assert event.detail_type == contract.POINTS_EXPIRING
    detail = event.detail.model_dump()
    assert (detail["wallet"], detail["expires_on"], detail["points"]) == ("points", "2027-11-30", 10)


def test_a_tier_change_says_from_and_to() -> None:
    (event,) = events_of(record(entry_image(EntryKind.TIER, Movement(tier="silver"))))
    assert event.detail_type == contract.TIER_CHANGED
    assert event.detail.model_dump()["tier_to"] == "silver"


SILVER = Standing("silver", "silver", date(2027, 12, 31))


@pytest.mark.parametrize(
    ("source", "source_id", "cause"),
    [
        ("tier_recalculation", "accrual:pos:R-1", "earned"),
        ("tier_recalculation.club", "reversal:pos:F-1", "reversed"),
        ("merge.club", "mbr_b", "merged"),
        ("review", "status/7", "reviewed"),
        ("grant_end", "status/7", "grant_ended"),
        ("tier_grant", "tgr_1", "granted"),
        ("tier_grant_end", "tgr_2", "grant_ended"),
    ],
)
def test_a_change_of_standing_says_on_which_ladder_and_why(source: str, source_id: str, cause: str) -> None:
    image = entry_image(EntryKind.TIER, Movement(standings={"club": SILVER}))
    image["sk"] = {"S": f"ENTRY#tier#{source}#{source_id}"}
    image |= {"ladder": {"S": "club"}, "tier_from": {"S": "bronze"}}
    (event,) = events_of(record(image))
    detail = event.detail.model_dump()
    told = {"ladder": "club", "tier_from": "bronze", "tier_to": "silver", "cause": cause, "valid_until": "2027-12-31"}
    assert (event.detail_type, detail | told) == (contract.TIER_CHANGED, detail)


def test_a_tier_that_is_kept_on_is_nothing_to_tell_of() -> None:
    image = entry_image(EntryKind.TIER, Movement(standings={"status": SILVER}))
    assert events_of(record(image | {"tier_from": {"S": "silver"}})) == []


def test_a_tier_that_is_about_to_be_lost_is_told_of() -> None:
    image = entry_image(EntryKind.TIER_WARNING, Movement())
    image["sk"] = {"S": "ENTRY#tier_warning#status#2027-12-31/30"}
    (event,) = events_of(record(image | {"tier_from": {"S": "silver"}, "falls_to": {"S": "bronze"}}))
    detail = event.detail.model_dump()
    told = {"ladder": "status", "tier": "silver", "tier_to": "bronze", "expires_on": "2027-12-31"}
    assert (event.detail_type, detail | told) == (contract.TIER_EXPIRING, detail)


def test_a_member_is_enrolled_once_and_updated_after() -> None:
    (enrolled,) = events_of(record(MEMBER))
    (updated,) = events_of(record(MEMBER | {"version": {"N": "2"}}, MEMBER))
    assert (enrolled.detail_type, updated.detail_type) == (contract.MEMBER_ENROLLED, contract.MEMBER_UPDATED)
    assert enrolled.detail.id != updated.detail.id
    assert "sealed" not in enrolled.detail.model_dump_json()


def test_a_redemption_is_told_of_when_its_status_changes_only() -> None:
    assert [event.detail_type for event in events_of(record(REDEMPTION))] == [contract.REDEMPTION_HELD]
    ordered = REDEMPTION | {"supplier_order_id": {"S": "T-1"}}
    assert events_of(record(ordered, REDEMPTION)) == []
    captured = REDEMPTION | {"status": {"S": "captured"}}
    assert [event.detail_type for event in events_of(record(captured, ordered))] == [contract.REDEMPTION_CAPTURED]


@pytest.mark.parametrize("image", [None, {"pk": {"S": "U#aurora#x"}, "sk": {"S": "LOOKUP"}}])
def test_other_changes_are_nobodys_business(image: dict[str, Any] | None) -> None:
    assert events_of(record(image)) == []


class Bus:
    """Refuses the detail types it is told to, as often as it is told to."""

    def __init__(self, refusals: dict[str, int]) -> None:
        self.refusals = refusals
        self.taken: list[str] = []
        self.calls: list[int] = []

    def put_events(self, Entries: list[dict[str, str]]) -> dict[str, Any]:  # noqa: N803 - AWS's own name
        self.calls.append(len(Entries))
        results: list[dict[str, str]] = []
        for entry in Entries:
            if self.refusals.get(entry["Detail"], 0):
                self.refusals[entry["Detail"]] -= 1
                results.append({"ErrorCode": "ThrottlingException"})
            else:
                self.taken.append(entry["Detail"])
                results.append({"EventId": "1"})
        return {"FailedEntryCount": sum("ErrorCode" in result for result in results), "Entries": results}


def outgoing(count: int) -> list[Outgoing]:
    movement = Movement()
    events = [events_of(record(entry_image(EntryKind.ACCRUAL, movement)))[0] for _ in range(count)]
    return [
        Outgoing(str(place), event.detail_type, event.detail.model_copy(update={"id": str(place)}))
        for place, event in enumerate(events)
    ]


def test_only_what_failed_is_put_again() -> None:
    events = outgoing(12)
    stubborn = events[3].detail.model_dump_json(exclude_none=True)
    bus = Bus({stubborn: 2})
    assert Publisher(bus, "bus", sleep=lambda _: None).publish(events) == []
    assert sorted(bus.taken) == sorted(event.detail.model_dump_json(exclude_none=True) for event in events)
    assert bus.calls == [10, 1, 1, 2]


def test_what_the_bus_never_takes_is_reported() -> None:
    events = outgoing(3)
    bus = Bus({events[1].detail.model_dump_json(exclude_none=True): 99})
    assert Publisher(bus, "bus", sleep=lambda _: None).publish(events) == [events[1]]
    assert len(bus.calls) == ATTEMPTS


VERSION = {
    "pk": {"S": "P#aurora"},
    "sk": {"S": "CONFIG#000006"},
    "version": {"N": "6"},
    "document": {"S": "{}"},
    "published_at": {"S": "2026-11-22T10:00:00.000Z"},
    "published_by": {"S": "ann"},
    "comment": {"S": "Ask Bob, bob@example.com"},
    "effective_at": {"S": "2026-12-01T00:00:00.000Z"},
    "rolled_back_to": {"N": "3"},
    "digest": {"S": "ab12"},
}
CANCELLED = VERSION | {"cancelled_at": {"S": "2026-11-23T10:00:00.000Z"}, "cancelled_by": {"S": "bob"}}


def test_a_version_is_told_when_it_is_published_and_not_who_published_it() -> None:
    (event,) = events_of(record(VERSION))
    assert event.detail_type == contract.PROGRAM_PUBLISHED
    assert event.detail.model_dump() == {
        "schema_version": 1,
        "id": "aurora/version:6",
        "program": "aurora",
        "version": 6,
        "effective_at": "2026-12-01T00:00:00.000Z",
        "rolled_back_to": 3,
        "digest": "ab12",
    }


def test_a_version_that_was_cancelled_is_told_once() -> None:
    (event,) = events_of(record(CANCELLED, VERSION))
    assert (event.detail_type, event.detail.id) == (contract.PROGRAM_UNSCHEDULED, "aurora/version:6:cancelled")
    assert events_of(record(CANCELLED, CANCELLED)) == []
    assert events_of(record(VERSION, VERSION)) == []


def test_a_version_of_an_earlier_release_is_told_with_what_it_has() -> None:
    names = ("pk", "sk", "version", "document", "published_at", "published_by")
    (event,) = events_of(record({name: VERSION[name] for name in names}))
    assert event.detail.model_dump(exclude_none=True) == {
        "schema_version": 1,
        "id": "aurora/version:6",
        "program": "aurora",
        "version": 6,
        "effective_at": "2026-11-22T10:00:00.000Z",
    }


@pytest.mark.parametrize("sk", ["CONFIG", "DRAFT"])
def test_of_a_draft_and_of_what_is_in_force_nobody_is_told(sk: str) -> None:
    assert events_of(record(VERSION | {"sk": {"S": sk}})) == []


SHARE = {
    "pk": {"S": "M#acme#mbr_1"},
    "sk": {"S": "SHARE#summer#whatsapp"},
    "campaign": {"S": "summer"},
    "channel": {"S": "whatsapp"},
    "at": {"S": "2026-03-15T12:00:00.000Z"},
}
CLICK = {
    "pk": {"S": "V#acme#clk_1"},
    "sk": {"S": "CLICK"},
    "member_id": {"S": "mbr_1"},
    "code": {"S": "K7WQ4M2X2"},
    "at": {"S": "2026-03-15T12:00:00.000Z"},
    "ttl": {"N": "1"},
}


def test_a_link_is_told_of_when_it_is_made_and_when_it_is_followed() -> None:
    (shared,), (clicked,) = events_of(record(SHARE)), events_of(record(CLICK))
    assert (shared.detail_type, clicked.detail_type) == (contract.REFERRAL_SHARED, contract.REFERRAL_CLICKED)
    both = {"schema_version": 1, "program": "acme", "member_id": "mbr_1"}
    assert shared.detail.model_dump() == both | {
        "id": "acme/mbr_1/SHARE#summer#whatsapp",
        "campaign": "summer",
        "channel": "whatsapp",
        "shared_at": "2026-03-15T12:00:00.000Z",
    }
    assert clicked.detail.model_dump() == both | {
        "id": "acme/clk_1",
        "click_id": "clk_1",
        "code": "K7WQ4M2X2",
        "campaign": None,
        "channel": None,
        "clicked_at": "2026-03-15T12:00:00.000Z",
    }
    assert events_of(record(SHARE, SHARE)) == events_of(record(CLICK, CLICK)) == []


RUN = {
    "pk": {"S": "F#acme#rdm_1"},
    "sk": {"S": "RUN"},
    "member_id": {"S": "mbr_1"},
    "reward_id": {"S": "card"},
    "status": {"S": "awaiting_approval"},
    "reason": {"S": "over_threshold"},
    "value": {"S": "50.00 USD"},
    "updated_at": {"S": "2026-03-15T12:00:00.000Z"},
    "revision": {"N": "2"},
    "task_token": {"S": "secret-token"},
    "note": {"S": "secret-note"},
    "decided_by": {"S": "person:secret"},
}


def _told(new: dict[str, Any], old: dict[str, Any] | None) -> list[Any]:
    change = {"SequenceNumber": "1", "Keys": {}, "NewImage": new} | ({"OldImage": old} if old else {})
    return events_of({"eventName": "MODIFY", "dynamodb": change})


def test_a_run_is_told_when_it_stands_elsewhere_and_says_no_more_than_partners_may_know() -> None:
    (event,) = _told(RUN, RUN | {"status": {"S": "screening"}})
    assert event.detail_type == "fulfillment.changed"
    assert event.detail.model_dump(exclude_none=True) == {
        "schema_version": 1,
        "id": "acme/mbr_1/rdm_1/run:2",
        "program": "acme",
        "member_id": "mbr_1",
        "redemption_id": "rdm_1",
        "reward_id": "card",
        "status": "awaiting_approval",
        "status_before": "screening",
        "reason": "over_threshold",
        "value": "50.00 USD",
        "reminder": False,
        "updated_at": "2026-03-15T12:00:00.000Z",
    }
    assert "secret" not in event.detail.model_dump_json()


def test_a_run_that_stands_where_it_stood_is_told_only_when_somebody_is_reminded() -> None:
    assert _told(RUN | {"revision": {"N": "3"}}, RUN) == []
    (event,) = _told(RUN | {"reminded_at": {"S": "2026-03-16T12:00:00.000Z"}}, RUN)
    assert event.detail.reminder
    assert [each.detail.status_before for each in _told(RUN, None)] == [None]
