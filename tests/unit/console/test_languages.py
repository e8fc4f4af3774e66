"""Words, numbers, money, days; which language somebody gets."""

import json
import re
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from functions.console.totals import sums
from loyalty.abuse.desk import Decision
from loyalty.abuse.model import Severity, State
from loyalty.abuse.watch import Signal
from loyalty.attribution.model import ReferralStatus
from loyalty.attribution.model import Signal as Sign
from loyalty.console import chart, languages, offers
from loyalty.console.chart import top_of
from loyalty.console.languages import choose
from loyalty.core.money import Money
from loyalty.core.table import Table
from loyalty.finance.totals import DayTotals, tally
from loyalty.fulfillment.giving_back import VOID_REFUSED
from loyalty.fulfillment.run import RunStatus
from loyalty.fulfillment.screening import EXPIRED, OVER_BUDGET
from loyalty.fulfillment.trouble import reason_of
from loyalty.reconciliation.model import DifferenceKind
from loyalty.referrals.desk import Decision as AboutReferral
from loyalty.suppliers.model import (
    SupplierAccessDenied,
    SupplierProtocolError,
    SupplierTimeout,
    SupplierUnavailable,
)
from tests.financekit.console import ConsoleRig
from tests.financekit.runs import a_run
from tests.ledgerkit.clock import at

KNOWN = languages.languages()


def test_every_language_says_everything_with_the_same_placeholders() -> None:
    def holes(words: dict[str, str]) -> dict[str, list[str]]:
        return {key: sorted(re.findall(r"\{\w+\}", text)) for key, text in words.items()}

    files = [json.loads((Path(languages.__file__).parent / "words" / f"{code}.json").read_text()) for code in KNOWN]
    assert len(files) == 4
    assert all(holes(one) == holes(files[0]) for one in files)
    assert all(text.strip() for one in files for text in one.values())


def test_statuses_kinds_and_decisions_all_have_names() -> None:
    wanted = {f"status.{one}" for one in RunStatus} | {f"kind.{one}" for one in DifferenceKind}
    wanted |= {f"{kind}.{one}" for one in offers.DECISIONS for kind in ("decision", "done")}
    wanted |= {f"under_way.{one}" for one in ("approve", "reject", "cancel", "reissue", "retry", "release")}
    wanted |= {f"signal.{one}" for one in Signal} | {f"case_state.{one}" for one in State}
    wanted |= {f"severity.{one}" for one in Severity} | {f"case.{one}" for one in Decision}
    wanted |= {f"case.done.{one}" for one in (*Decision, "asked")}
    wanted |= {f"sign.{one}" for one in Sign} | {f"referral_status.{one}" for one in (*ReferralStatus, "waits")}
    wanted |= {f"referral.{one}" for one in AboutReferral} | {
        f"referral.done.{one}" for one in (*AboutReferral, "asked")
    }
    refusals = {
        reason_of(one(""))
        for one in (SupplierUnavailable, SupplierTimeout, SupplierAccessDenied, SupplierProtocolError)
    }
    flags = {"over_threshold", "velocity", "new_member", OVER_BUDGET, EXPIRED, VOID_REFUSED, "cancelling", "rejected"}
    wanted |= {f"reason.{one}" for one in refusals | flags}
    assert wanted <= set(KNOWN["en"].words)
    assert KNOWN["it"].name_of("reason", "some_new_reason") == "some new reason"


@pytest.mark.parametrize(
    ("code", "number", "money", "day", "moment"),
    [
        ("en", "1,234,567.5", "USD\xa01,250.00", "5 Mar 2026", "5 Mar 2026, 09:05 UTC"),
        ("id", "1.234.567,5", "USD\xa01.250,00", "5 Mar 2026", "5 Mar 2026, 09.05 UTC"),
        ("it", "1.234.567,5", "1.250,00\xa0USD", "5 mar 2026", "5 mar 2026, 09:05 UTC"),
        ("ar", "1,234,567.5", "1,250.00\xa0USD", "5 مارس 2026", "5 مارس 2026، \u206809:05 UTC\u2069"),
    ],
)
def test_forms(code: str, number: str, money: str, day: str, moment: str) -> None:
    language = KNOWN[code]
    assert language.number(Decimal("1234567.5")) == number
    assert language.money(Money.of("1250.00", "USD")) == money
    assert (language.day(date(2026, 3, 5)), language.moment(at("2026-03-05T09:05:59Z"))) == (day, moment)


def test_minor_units_are_the_currencys() -> None:
    said = [KNOWN["en"].money(Money.of("1500", currency)) for currency in ("JPY", "IDR", "KWD")]
    assert said == ["JPY\xa01,500", "IDR\xa01,500.00", "KWD\xa01,500.000"]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (3599, "59 min"),
        (3600, "1 h"),
        (90061, "1 d 1 h"),
        (86460, "1 d 1 min"),
    ],
)
def test_ages(seconds: int, said: str) -> None:
    assert KNOWN["en"].age(timedelta(seconds=seconds)) == said


@pytest.mark.parametrize(
    ("chosen", "accepted", "code"),
    [
        (None, "", "en"),
        (None, "it-IT,it;q=0.9,en;q=0.8", "it"),
        (None, "fr-FR, ar;q=0.3, id;q=0.5", "id"),
        (None, "it;q=0, ar;q=0.1", "ar"),
        (None, "de;q=x, *", "en"),
        ("ar", "it", "ar"),
        ("xx", "it", "it"),
    ],
)
def test_which_language_somebody_gets(chosen: str | None, accepted: str, code: str) -> None:
    assert choose(chosen, accepted).code == code


def test_a_language_is_chosen_by_a_link_and_kept(table: Table) -> None:
    rig = ConsoleRig(table)
    answer = rig.get("/console/acme/runs?show=open&lang=ar")
    assert (answer.status, answer.headers["Location"]) == (303, "/live/console/acme/runs?show=open")
    assert '<html lang="ar" dir="rtl">' in rig.get("/console", answer.cookie()).text
    assert rig.get("/console/%0d%0aevil/x?lang=ar").status == 404
    assert rig.get("/console/..;/x?lang=ar").status == 404


@pytest.mark.parametrize(
    ("most", "top"), [(0, 2), (2, 2), (3, 4), (5, 10), (10, 10), (11, 20), (41, 100), (1999, 2000)]
)
def test_the_axis_ends_at_an_even_number(most: int, top: int) -> None:
    assert top_of(most) == top


def test_bars_are_as_high_as_their_days_and_mirrored_where_one_reads_from_the_right() -> None:
    runs = [a_run(n, "2026-03-01", status=RunStatus.FULFILLED, ended_at="2026-03-01T01:00:00Z") for n in range(6)]
    refused = a_run(9, "2026-03-01", status=RunStatus.REFUSED, ended_at="2026-03-01T01:00:00Z")
    days = [
        DayTotals(date(2026, 3, 1), tally([*runs, refused, refused]), closed=True),
        DayTotals(date(2026, 3, 2), (), closed=True),
    ]
    left, right = chart.draw(days, KNOWN["en"]), chart.draw(days, KNOWN["ar"])
    first, second = left.bars
    assert first.issued_height == pytest.approx(3 * first.not_issued_height, abs=0.02)
    assert first.not_issued_y + first.not_issued_height == pytest.approx(first.issued_y)
    assert second.issued_height == 0
    assert first.x < second.x
    assert right.bars[0].x == pytest.approx(left.width - first.x - first.width)


def test_sums_of_days_are_exact() -> None:
    def day(cost: str) -> DayTotals:
        run = a_run(
            1, "2026-03-01", status=RunStatus.FULFILLED, supplier="tango", cost=cost, ended_at="2026-03-01T01:00:00Z"
        )
        return DayTotals(date(2026, 3, 1), tally([run]), closed=True)

    (line,) = sums(line for one in (day("0.10 USD"), day("0.20 USD"), day("1.005 KWD")) for line in one.lines)
    assert (line.issued, str(line.value), [str(one) for one in line.cost]) == (
        3,
        "75.00 USD",
        ["1.005 KWD", "0.30 USD"],
    )
