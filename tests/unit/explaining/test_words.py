"""Entries in words: each kind once, with the numbers and days that a customer would ask about."""

from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from loyalty.core.money import Money
from loyalty.explaining.words import Unit, balance, moment, sentence
from loyalty.ledger.model import Account, Balances, Change, Entry, EntryKey, EntryKind, Facts, Movement

ROME = ZoneInfo("Europe/Rome")
NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
FACTS = Facts(NOW, 3, {"points": "shop", "cashback": "two-percent"})
A, P, H, D = Account.AVAILABLE, Account.PENDING, Account.HELD, Account.DEBT
ISSUED, R, X = Account.ISSUED, Account.REDEEMED, Account.EXPIRED


def told(
    kind: EntryKind, change: Change, facts: Facts = FACTS, *, unit: Unit | None = None, wallet: str = "points"
) -> str:
    entry = Entry(
        "aurora", "mbr_1", EntryKey(kind, "pos", "R-1"), 7, Movement({wallet: change}, tier=_tier(kind)),
        {"points": Balances()}, facts, NOW, "hash",
    )  # fmt: skip
    return sentence(entry, wallet, unit or Unit(), ROME)


def _tier(kind: EntryKind) -> str | None:
    return "silver" if kind is EntryKind.TIER else None


PURCHASE = replace(FACTS, activity="purchase", amount=Money.of("105.00", "USD"))


@pytest.mark.parametrize(
    ("kind", "change", "facts", "expected"),
    [
        (
            EntryKind.ACCRUAL,
            Change({A: 105, ISSUED: -105}, {"2027-11-30": 105}),
            PURCHASE,
            (
                "105 points for 'purchase' of 105.00 USD (pos R-1), by rule 'shop' of program version 3, to be spent through "
                "30 November 2027."
            ),
        ),
        (
            EntryKind.ACCRUAL,
            Change({A: 180, ISSUED: -180}, {"2027-11-30": 180}),
            replace(PURCHASE, rule_points={"points": {"base": 100, "double": 50, "review": 30}}),
            (
                "180 points for 'purchase' of 105.00 USD (pos R-1), by rules 'base' (100 points), 'double' (50 points) and "
                "'review' (30 points) of program version 3, to be spent through 30 November 2027."
            ),
        ),
        (
            EntryKind.ACCRUAL,
            Change(),
            replace(PURCHASE, rules={}),
            "Nothing for 'purchase' of 105.00 USD (pos R-1): no rule of program version 3 counted.",
        ),
        (
            EntryKind.ACCRUAL,
            Change({P: 105, ISSUED: -105}, maturing={"2026-12-06/2027-11-30": 105}),
            PURCHASE,
            (
                "105 points for 'purchase' of 105.00 USD (pos R-1), by rule 'shop' of program version 3: they can be spent "
                "from 6 December 2026 through 30 November 2027."
            ),
        ),
        (
            EntryKind.ACCRUAL,
            Change({A: 60, D: 45, ISSUED: -105}, {"9999-12-31": 60}),
            PURCHASE,
            (
                "105 points for 'purchase' of 105.00 USD (pos R-1), by rule 'shop' of program version 3. 45 points of them "
                "paid what was owed."
            ),
        ),
        (
            EntryKind.REVERSAL,
            Change({A: -15, ISSUED: 20, D: -5}, {"2027-11-30": -15}),
            replace(FACTS, reverses="accrual:pos:R-1", reason="return", amount=Money.of("20.00", "USD")),
            (
                "20 points earned by pos R-1 were taken back after a return of 20.00 USD. 5 points were spent already and are "
                "owed now."
            ),
        ),
        (
            EntryKind.REVERSAL,
            Change({A: -5, ISSUED: 20, X: -15}, {"2027-11-30": -5}),
            replace(FACTS, reverses="accrual:pos:R-1"),
            (
                "20 points earned by pos R-1 were taken back after a refund; 15 points of them had expired before and were "
                "not taken twice."
            ),
        ),
        (
            EntryKind.MATURITY,
            Change({P: -10, A: 10}, {"2027-11-30": 10}, {"2026-12-06/2027-11-30": -10}),
            FACTS,
            "The return window ended: 10 points became spendable, to be spent through 30 November 2027.",
        ),
        (
            EntryKind.WARNING,
            Change(),
            replace(FACTS, lot="2026-11-30", lot_points=1),
            "A reminder: 1 point can be spent through 30 November 2026 and expire then.",
        ),
        (
            EntryKind.EXPIRY,
            Change({A: -7, X: 7}, {"2026-10-31": -7}),
            FACTS,
            "7 points expired: 31 October 2026 was the last day to spend them.",
        ),
        (
            EntryKind.RENEWAL,
            Change(lots={"2026-10-31": -7, "2027-11-30": 7}),
            FACTS,
            "Activity kept 7 points alive, to be spent through 30 November 2027.",
        ),
        (
            EntryKind.HOLD,
            Change({A: -50, H: 50}, {"2027-11-30": -20, "2027-10-31": -30}),
            replace(FACTS, reward_id="coffee", hold_expires_at=NOW),
            (
                "50 points were set aside for 'coffee' until 22 November 2026, 10:30, those that expire first (31 October "
                "2027)."
            ),
        ),
        (
            EntryKind.CAPTURE,
            Change({H: -50, R: 50}),
            replace(FACTS, reward_id="coffee"),
            "50 points were spent on 'coffee'.",
        ),
        (
            EntryKind.CAPTURE,
            Change({H: -50, R: 30, A: 20}, {"2027-11-30": 20}),
            replace(FACTS, reward_id="coffee"),
            "30 points were spent on 'coffee'; 20 points of the hold came back, to be spent through 30 November 2027.",
        ),
        (
            EntryKind.RELEASE,
            Change({H: -50, A: 50}, {"2027-11-30": 30, "2027-12-31": 20}),
            replace(FACTS, reward_id="coffee"),
            "The redemption of 'coffee' was given up: 50 points came back, to be spent through 30 November 2027 or later.",
        ),
        (
            EntryKind.TIMEOUT,
            Change({H: -50, A: 50}, {"9999-12-31": 50}),
            replace(FACTS, redemption_id="rdm_1"),
            "Nobody completed redemption 'rdm_1' in time: 50 points came back.",
        ),
        (
            EntryKind.CANCELLATION,
            Change({R: -50, A: 50}, {"2027-11-30": 50}),
            replace(FACTS, reward_id="coffee"),
            "The redemption of 'coffee' was cancelled: 50 points came back, to be spent through 30 November 2027.",
        ),
        (
            EntryKind.ADJUSTMENT,
            Change({A: 500, Account.ADJUSTED: -500}, {"2027-11-30": 500}),
            replace(FACTS, reason="goodwill", actor="staff-7", approved_by="staff-9"),
            "500 points were added by staff-7, approved by staff-9: goodwill, to be spent through 30 November 2027.",
        ),
        (
            EntryKind.ADJUSTMENT,
            Change({A: -5, Account.ADJUSTED: 5}, {"2027-11-30": -5}),
            replace(FACTS, reason="correction", actor="staff-7"),
            "5 points were taken by staff-7: correction.",
        ),
        (
            EntryKind.TRANSFER_OUT,
            Change({A: -40, Account.TRANSFERRED: 40}, {"2027-11-30": -40}),
            replace(FACTS, other_member="mbr_2"),
            "40 points were given to mbr_2.",
        ),
        (
            EntryKind.TRANSFER_IN,
            Change({A: 40, Account.TRANSFERRED: -40}, {"2027-11-30": 40}),
            replace(FACTS, other_member="mbr_2"),
            "40 points came from mbr_2, to be spent through 30 November 2027.",
        ),
        (
            EntryKind.MERGE_OUT,
            Change({A: -40, Account.TRANSFERRED: 40}, {"2027-11-30": -40}),
            replace(FACTS, other_member="mbr_2"),
            "This membership was merged into mbr_2, which has its balances now.",
        ),
        (
            EntryKind.MERGE_IN,
            Change({A: 40, Account.TRANSFERRED: -40}, {"2027-11-30": 40}),
            replace(FACTS, other_member="mbr_2"),
            "The membership mbr_2 was merged into this one, with its balances.",
        ),
        (
            EntryKind.TIER,
            Change(),
            replace(FACTS, tier_from="bronze"),
            "The tier changed from 'bronze' to 'silver'.",
        ),
    ],
)
def test_an_entry_says_what_it_did(kind: EntryKind, change: Change, facts: Facts, expected: str) -> None:
    assert told(kind, change, facts) == expected


def test_a_wallet_in_a_currency_speaks_of_money() -> None:
    change = Change({A: 250, ISSUED: -250}, {"9999-12-31": 250})
    text = told(EntryKind.ACCRUAL, change, PURCHASE, unit=Unit("EUR"), wallet="cashback")
    assert text.startswith("2.50 EUR for 'purchase' of 105.00 USD (pos R-1), by rule 'two-percent'")


@pytest.mark.parametrize(
    ("balances", "expected"),
    [
        (Balances(105), "105 points can be spent."),
        (
            Balances(1_000, 20, 30),
            "1,000 points can be spent; 20 points wait for the end of a return window; 30 points are set aside for redemptions.",
        ),
        (Balances(-5), "The balance is -5 points: later points bring it up first."),
        (Balances(0, debt=5), "0 points can be spent; 5 points are owed and are paid by the next points."),
    ],
)
def test_balances_in_words(balances: Balances, expected: str) -> None:
    assert balance(balances, Unit()) == expected


def test_a_currency_without_decimals_and_one_with_three() -> None:
    assert (Unit("JPY").amount(250), Unit("KWD").amount(-1)) == ("250 JPY", "-0.001 KWD")


def test_a_moment_is_told_by_the_programs_clocks() -> None:
    assert moment(datetime(2026, 12, 31, 23, 30, tzinfo=UTC), ROME) == "1 January 2027, 00:30"
