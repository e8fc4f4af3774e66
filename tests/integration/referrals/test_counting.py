"""Many who come at once by one code, on real engines: each is counted once, whoever counts."""

import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from loyalty.attribution.claiming import new_referral
from loyalty.attribution.model import Referral, Verdict
from loyalty.attribution.store import ReferralStore, claim_puts
from loyalty.core.errors import WalletBusy
from loyalty.core.table import Table
from loyalty.referrals.remembering import seen_key, seen_of
from loyalty.referrals.screening import Screener
from tests.engines.fixtures import REGION, TableEngine
from tests.referralkit.playing import with_referrals

pytestmark = pytest.mark.integration

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
PROGRAM = with_referrals()
FRIENDS, WORKERS = 40, 6


def claimed(table: Table, number: int) -> Referral:
    new = new_referral(
        PROGRAM,
        referrer="mbr_ada",
        code="K7WQ4M2X",
        member_id=f"mbr_{number:02}",
        now=NOON + timedelta(minutes=number),
        likenesses={"device": "d1", "network": f"n{number % 3}", "email_like": f"e{number}", "email_stem": "s1"},
    )
    table.write(list(claim_puts(new).values()))
    return replace(new, revision=1)


def until_done(screener: Screener, referral: Referral) -> Referral:
    """As a queue does: what found others in its way is delivered again."""
    while True:
        try:
            return screener.count(PROGRAM, referral)
        except WalletBusy:
            continue


def test_each_is_counted_once_by_many_workers(table: Table, table_engine: TableEngine) -> None:
    told = [claimed(table, number) for number in range(FRIENDS)] * 2
    random.Random(1).shuffle(told)  # noqa: S311 -- the same order every time

    def worker(place: int) -> list[Referral]:
        own: Any = Table(table_engine.table_name, endpoint=table_engine.endpoint_url, region=REGION)
        screener = Screener(own, lambda: NOON)
        return [until_done(screener, referral) for referral in told[place::WORKERS]]

    with ThreadPoolExecutor(WORKERS) as pool:
        counted = [one for done in pool.map(worker, range(WORKERS)) for one in done]
    screener, store = Screener(table, lambda: NOON), ReferralStore(table)
    assert {one.revision for one in counted} == {2}
    assert screener.brought("acme", "mbr_ada") == FRIENDS
    assert all(store.get("acme", f"mbr_{number:02}") in counted for number in range(FRIENDS))
    device = seen_of(table.read(*seen_key("acme", "d1")))
    assert len({one.member_id for one in device.sightings}) == len(device.sightings) == 24
    found = screener.screen(PROGRAM, counted[0])
    assert found.verdict is Verdict.REJECT
    assert found.features["alike_emails"] == FRIENDS - 1
    assert found.features["even_timing"] == 100
