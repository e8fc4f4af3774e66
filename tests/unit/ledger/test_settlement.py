"""What falls due by itself, when, and in which order: on every calendar, whoever notices and however late."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from loyalty.ledger.model import POINTS, Account, Book, Change, Hold, Wallet
from loyalty.ledger.movements import NEVER
from loyalty.ledger.settlement import Settled, as_of, day_starts, next_due, settle
from tests.ledgerkit.clock import at
from tests.unit.ledger.falling_due import book, scope, wallet


def ids(settled: list[Settled]) -> list[str]:
    return [one.key.entry_id for one in settled]


@pytest.mark.parametrize(
    ("zone", "day", "starts"),
    [
        ("UTC", "2026-04-01", "2026-04-01T00:00:00Z"),
        ("Asia/Jakarta", "2026-04-01", "2026-03-31T17:00:00Z"),
        ("Asia/Dubai", "2026-04-01", "2026-03-31T20:00:00Z"),
        ("Asia/Kathmandu", "2026-04-01", "2026-03-31T18:15:00Z"),
        ("Pacific/Kiritimati", "2026-04-01", "2026-03-31T10:00:00Z"),
        ("Pacific/Pago_Pago", "2026-04-01", "2026-04-01T11:00:00Z"),
        # Rome: one hour less, then two of summer time; the day of the change has 23 hours, that of the return 25.
        ("Europe/Rome", "2026-03-29", "2026-03-28T23:00:00Z"),
        ("Europe/Rome", "2026-03-30", "2026-03-29T22:00:00Z"),
        ("Europe/Rome", "2026-10-25", "2026-10-24T22:00:00Z"),
        ("Europe/Rome", "2026-10-26", "2026-10-25T23:00:00Z"),
        # Clocks that skip midnight: the day starts at one o'clock.
        ("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00Z"),
        ("Asia/Beirut", "2022-03-27", "2022-03-26T22:00:00Z"),
        ("Africa/Cairo", "2023-04-28", "2023-04-27T22:00:00Z"),
        # Clocks that go back at midnight to eleven: the day starts after the second hour before midnight.
        ("America/Sao_Paulo", "2018-02-18", "2018-02-18T03:00:00Z"),
        ("Asia/Beirut", "2022-10-30", "2022-10-29T22:00:00Z"),
        ("Africa/Cairo", "2023-10-27", "2023-10-26T22:00:00Z"),
        # Clocks that strike midnight twice: the day starts with the first.
        ("America/Havana", "2026-11-01", "2026-11-01T04:00:00Z"),
        # Samoa went from the 29th to the 31st: the day that was not starts and ends with the one after.
        ("Pacific/Apia", "2011-12-30", "2011-12-30T10:00:00Z"),
        ("Pacific/Apia", "2011-12-31", "2011-12-30T10:00:00Z"),
        ("Pacific/Apia", "2012-01-01", "2011-12-31T10:00:00Z"),
    ],
)
def test_a_day_starts_at_its_first_moment(zone: str, day: str, starts: str) -> None:
    first = day_starts(date.fromisoformat(day), ZoneInfo(zone))
    assert first == at(starts)
    assert first.astimezone(ZoneInfo(zone)).date() >= date.fromisoformat(day)
    assert (first - timedelta(milliseconds=1)).astimezone(ZoneInfo(zone)).date() < date.fromisoformat(day)


class TestExpiry:
    @pytest.mark.parametrize(
        ("zone", "lot", "expires"),
        [
            ("UTC", "2026-03-31", "2026-04-01T00:00:00Z"),
            ("Asia/Jakarta", "2026-03-31", "2026-03-31T17:00:00Z"),
            ("Europe/Rome", "2026-03-31", "2026-03-31T22:00:00Z"),
            ("Asia/Dubai", "2026-03-31", "2026-03-31T20:00:00Z"),
            ("America/Los_Angeles", "2026-03-31", "2026-04-01T07:00:00Z"),
            ("UTC", "2028-02-29", "2028-03-01T00:00:00Z"),
            ("UTC", "2027-02-28", "2027-03-01T00:00:00Z"),
            ("America/Sao_Paulo", "2018-11-03", "2018-11-04T03:00:00Z"),
            ("Pacific/Apia", "2011-12-29", "2011-12-30T10:00:00Z"),
            ("Pacific/Apia", "2011-12-30", "2011-12-30T10:00:00Z"),
        ],
    )
    def test_a_lot_expires_when_its_last_day_is_over_and_not_a_millisecond_before(
        self, zone: str, lot: str, expires: str
    ) -> None:
        moment = at(expires)
        before = book({lot: 10, "2099-12-31": 5}, since=moment - timedelta(days=400))
        assert next_due(before, scope(zone)) == moment
        assert list(settle(before, scope(zone), moment - timedelta(milliseconds=1))) == []
        (settled,) = settle(before, scope(zone), moment)
        assert settled.key.entry_id == f"expiry:points:{lot}"
        assert (settled.at, settled.facts.occurred_at, settled.book.settled_to) == (moment,) * 3
        assert settled.movement.changes == {
            POINTS: Change({Account.AVAILABLE: -10, Account.EXPIRED: 10}, {lot: -10}),
        }
        assert settled.book.wallet().lots == {"2099-12-31": 5}

    def test_points_that_never_expire_are_never_due(self) -> None:
        assert next_due(book({NEVER: 10}), scope(warn=(30, 7))) is None
        assert list(settle(book({NEVER: 10}), scope(warn=(30, 7)), at("9999-12-31T00:00:00Z"))) == []

    def test_every_lot_and_every_wallet_has_an_entry_of_its_own(self) -> None:
        before = book({"2026-01-31": 1, "2026-02-28": 2}, cash=wallet({"2026-01-31": 3}))
        settled = list(settle(before, scope(), at("2026-03-01T00:00:00Z")))
        assert ids(settled) == ["expiry:cash:2026-01-31", "expiry:points:2026-01-31", "expiry:points:2026-02-28"]
        assert [one.book.seq for one in settled] == [1, 2, 3]


class TestMaturity:
    def test_a_bucket_matures_whole_at_the_start_of_its_day(self) -> None:
        before = book({}, {"2026-02-01/2027-01-31": 10, "2026-02-02/2027-01-31": 5})
        zone, moment = scope("Asia/Jakarta"), at("2026-01-31T17:00:00Z")
        assert next_due(before, zone) == moment
        assert list(settle(before, zone, moment - timedelta(milliseconds=1))) == []
        (settled,) = settle(before, zone, moment)
        assert settled.key.entry_id == "maturity:points:2026-02-01/2027-01-31"
        assert settled.facts.occurred_at == moment
        assert settled.book.wallet() == wallet({"2027-01-31": 10}, {"2026-02-02/2027-01-31": 5})

    def test_buckets_of_one_day_are_two(self) -> None:
        before = book({}, {"2026-02-01/2027-01-31": 10, "2026-02-01/2026-12-31": 5})
        settled = list(settle(before, scope(), at("2026-02-01T00:00:00Z")))
        assert ids(settled) == ["maturity:points:2026-02-01/2026-12-31", "maturity:points:2026-02-01/2027-01-31"]
        assert settled[-1].book.wallet() == wallet({"2026-12-31": 5, "2027-01-31": 10})

    def test_matured_points_pay_what_is_owed(self) -> None:
        owing = replace(wallet({}, {"2026-02-01/2027-01-31": 10}), debt=4)
        (settled,) = settle(replace(book(), wallets={POINTS: owing}), scope(), at("2026-02-01"))
        assert settled.book.wallet() == wallet({"2027-01-31": 6})


class TestTimeOut:
    def hold(self, lots: Mapping[str, int], moment: str) -> Hold:
        return Hold(POINTS, lots, at(moment))

    @pytest.mark.parametrize(("zone", "lot"), [("UTC", "2026-03-31"), ("Asia/Jakarta", "2026-04-30")])
    def test_whether_a_lot_is_over_by_then_is_a_matter_of_the_program_s_calendar(self, zone: str, lot: str) -> None:
        """It is five in the afternoon of the lot's last day in UTC, and midnight after it in Jakarta."""
        moment = "2026-03-31T17:00:00Z"
        before = book({}, holds={"rdm_1": self.hold({"2026-03-31": 3}, moment)})
        settled = next(settle(before, scope(zone, grace=10), at(moment)))
        assert settled.book.wallet().lots == {lot: 3}

    def test_a_hold_ends_at_its_own_moment(self) -> None:
        moment = at("2026-01-12T09:30:00.123Z")
        before = book(
            {"2026-12-31": 5}, holds={"rdm_1": self.hold({"2026-12-31": 3, "2027-01-31": 4}, moment.isoformat())}
        )
        assert next_due(before, scope()) == moment
        assert list(settle(before, scope(), moment - timedelta(milliseconds=1))) == []
        (settled,) = settle(before, scope(), moment)
        assert settled.key.entry_id == "timeout:redemption:rdm_1"
        assert (settled.facts.redemption_id, settled.facts.occurred_at) == ("rdm_1", moment)
        assert settled.movement.holds == {"rdm_1": None}
        assert settled.book.wallet() == wallet({"2026-12-31": 8, "2027-01-31": 4})
        assert settled.book.holds == {}

    def test_a_lot_that_expired_meanwhile_comes_back_with_grace_counted_from_the_time_out(self) -> None:
        before = book(holds={"rdm_1": self.hold({"2026-01-31": 3}, "2026-02-10T23:30:00Z")})
        # In Jakarta the time-out is on the 11th already: ten days of grace lead to the 21st, and its month's end.
        (settled,) = settle(before, scope("Asia/Jakarta", grace=10), at("2026-02-20"))
        assert settled.book.wallet() == wallet({"2026-02-28": 3})

    def test_what_comes_back_expires_in_its_turn(self) -> None:
        before = book(holds={"rdm_1": self.hold({"2026-01-31": 3}, "2026-02-10T12:00:00Z")})
        settled = list(settle(before, scope(grace=0), at("2026-06-01")))
        assert ids(settled) == ["timeout:redemption:rdm_1", "expiry:points:2026-02-28"]
        assert settled[-1].book.wallet() == Wallet()


class TestWarnings:
    def test_a_member_is_warned_once_for_each_number_of_days(self) -> None:
        before, terms = book({"2026-03-31": 10}), scope("Asia/Jakarta", warn=(30, 7))
        settled = list(settle(before, terms, at("2026-03-31T16:59:59.999Z")))
        assert ids(settled) == ["warning:points:2026-03-31/30", "warning:points:2026-03-31/7"]
        assert [one.at for one in settled] == [at("2026-02-28T17:00:00Z"), at("2026-03-23T17:00:00Z")]
        assert [(one.facts.lot, one.facts.lot_points) for one in settled] == [("2026-03-31", 10)] * 2
        assert all(one.movement.changes == {POINTS: Change()} for one in settled)
        assert settled[-1].book.wallet() == before.wallet()

    @pytest.mark.parametrize(
        ("zone", "lot", "days", "moment"),
        [
            ("UTC", "2028-03-30", 30, "2028-02-29T00:00:00Z"),  # a leap day
            ("America/Sao_Paulo", "2018-11-11", 7, "2018-11-04T03:00:00Z"),
            ("Pacific/Apia", "2012-01-06", 7, "2011-12-30T10:00:00Z"),  # the day that was not
        ],
    )
    def test_days_are_counted_on_the_calendar(self, zone: str, lot: str, days: int, moment: str) -> None:
        before = book({lot: 10}, since=at(moment) - timedelta(days=1))
        (settled,) = settle(before, scope(zone, warn=(days,)), at(moment))
        assert (settled.at, settled.key.source_id) == (at(moment), f"{lot}/{days}")

    def test_two_that_are_due_at_one_moment_are_both_given(self) -> None:
        before, terms = book({"2026-02-08": 1, "2026-03-03": 2}), scope(warn=(30, 7))
        one, other = settle(before, terms, at("2026-02-01"))
        assert [one.key.source_id, other.key.source_id] == ["2026-02-08/7", "2026-03-03/30"]
        assert one.at == other.at == at("2026-02-01")
        assert list(settle(other.book, terms, at("2026-02-01"))) == []

    def test_one_whose_moment_was_settled_already_is_not_given_again(self) -> None:
        before = book({"2026-03-31": 10}, since=at("2026-03-01"))
        assert next_due(before, scope(warn=(30,))) == at("2026-04-01")

    def test_points_that_came_too_late_for_a_warning_have_missed_it(self) -> None:
        """They mature on the 20th; seven days before their last day was the 18th."""
        before, terms = book({}, {"2026-01-20/2026-01-25": 10}), scope(warn=(7, 2))
        settled = list(settle(before, terms, at("2026-01-24")))
        assert ids(settled) == ["maturity:points:2026-01-20/2026-01-25", "warning:points:2026-01-25/2"]

    def test_points_that_come_on_the_day_of_a_warning_have_it(self) -> None:
        before, terms = book({}, {"2026-01-18/2026-01-25": 10}), scope(warn=(7,))
        settled = list(settle(before, terms, at("2026-01-24")))
        assert ids(settled) == ["maturity:points:2026-01-18/2026-01-25", "warning:points:2026-01-25/7"]

    def test_what_is_held_or_pending_is_not_warned_of(self) -> None:
        hold = Hold(POINTS, {"2026-01-31": 3}, at("2026-01-29"))
        before = book({}, {"2026-01-28/2026-01-31": 10}, holds={"rdm_1": hold})
        settled = list(settle(before, scope(warn=(7,)), at("2026-01-31")))
        assert ids(settled) == ["maturity:points:2026-01-28/2026-01-31", "timeout:redemption:rdm_1"]


class TestOrder:
    MOMENT = "2026-04-01"

    def everything(self) -> Book:
        return book(
            {"2026-03-31": 1, "2026-04-08": 2},
            {"2026-04-01/2027-03-31": 4},
            holds={
                "rdm_2": Hold(POINTS, {"2026-03-31": 8}, at(self.MOMENT)),
                "rdm_1": Hold(POINTS, {}, at(self.MOMENT)),
            },
            since=at("2026-03-25"),
            cash=wallet({"2026-03-31": 16}, {"2026-04-01/2026-04-30": 32}),
        )

    def test_what_falls_due_at_one_moment_has_an_order(self) -> None:
        settled = list(settle(self.everything(), scope(warn=(7,)), at(self.MOMENT)))
        assert {one.at for one in settled} == {at(self.MOMENT)}
        assert ids(settled) == [
            "timeout:redemption:rdm_1",
            "timeout:redemption:rdm_2",
            "warning:points:2026-04-08/7",
            "maturity:cash:2026-04-01/2026-04-30",
            "maturity:points:2026-04-01/2027-03-31",
            "expiry:cash:2026-03-31",
            "expiry:points:2026-03-31",
        ]

    def test_a_hold_that_ends_as_its_lot_expires_comes_back_with_grace(self) -> None:
        after = as_of(self.everything(), scope(), at(self.MOMENT))
        assert after.wallet() == wallet({"2026-04-08": 2, "2026-05-31": 8, "2027-03-31": 4})
        assert after.wallet("cash") == wallet({"2026-04-30": 32})

    def test_earlier_comes_first_whatever_it_is(self) -> None:
        before = replace(self.everything(), holds={"rdm_9": Hold(POINTS, {}, at("2026-04-02"))})
        settled = list(settle(before, scope(warn=(7,)), at("2026-05-02")))
        assert [one.at for one in settled] == sorted(one.at for one in settled)
        assert ids(settled)[-4:] == [
            "timeout:redemption:rdm_9",
            "expiry:points:2026-04-08",
            "warning:cash:2026-04-30/7",
            "expiry:cash:2026-04-30",
        ]


def test_nothing_falls_due_for_a_member_who_was_merged() -> None:
    merged = replace(book({"2026-01-31": 1}), merged_into="mbr_2")
    assert next_due(merged, scope()) is None
    assert list(settle(merged, scope(), at("2027-01-01"))) == []


def test_nothing_falls_due_before_the_first_posting() -> None:
    assert next_due(Book("acme", "mbr_1", "bronze"), scope(warn=(30,))) is None


def test_the_next_due_is_the_earliest_of_all() -> None:
    before = book(
        {"2026-06-30": 1},
        {"2026-03-01/2027-01-31": 1},
        holds={"rdm_1": Hold(POINTS, {}, at("2026-02-14T08:00:00Z"))},
        cash=wallet({"2026-05-31": 1}),
    )
    terms = scope(warn=(30,))
    assert next_due(before, terms) == at("2026-02-14T08:00:00Z")
    for earlier, one in pairwise(settle(before, terms, at("2027-03-01"))):
        assert next_due(earlier.book, terms) in {one.at, earlier.at}
