"""Many who want one code, and many who follow one link, on real engines."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest

from loyalty.attribution.model import Source
from loyalty.members.errors import MemberChanged
from loyalty.referrals.errors import CodeTaken
from loyalty.referrals.following import Links
from loyalty.referrals.link_store import LinkCount, LinkStore
from loyalty.referrals.sharing import Shared
from tests.apikit.members import Members
from tests.ledgerkit.programs import document
from tests.unit.referrals.test_choosing import EARNING, RULES

pytestmark = pytest.mark.integration
THREADS = 8


@pytest.fixture
def acme(members: Members) -> Members:
    members.programs.publish(document(referrals=RULES, earn_rules=EARNING), expected_version=1, actor="test")
    return members


def test_one_of_many_gets_a_code_and_every_code_leads_to_whom_it_names(acme: Members) -> None:
    program = acme.programs.current("acme")
    wanting = [acme.enroll(f"p{number}@example.com")["member_id"] for number in range(THREADS)]

    def choose(place: int) -> str | None:
        member_id, code = wanting[place % THREADS], ("SUMMER", "5UMMER", "WINTER")[place % 3]
        try:
            return acme.codes.choose(program, member_id, code).code
        except (CodeTaken, MemberChanged):
            return None

    with ThreadPoolExecutor(THREADS) as pool:
        got = list(pool.map(choose, range(THREADS * 6)))
    assert {code for code in got if code} <= {"SUMMER", "5UMMER", "WINTER"}
    stored = [acme.store.get("acme", one) for one in wanting]
    given = {
        found.code: found.member_id
        for one in stored
        if one
        for found in acme.code_store.given_codes("acme", one.codes).values()
    }
    assert given == {code: one.member_id for one in stored if one for code in one.codes}
    lookups = {raw["code"]["S"] for (pk, _), raw in acme.items().items() if "#referral#" in pk}
    assert lookups == given.keys()
    assert len(lookups & {"SUMMER", "5UMMER"}) == 1
    assert "WINTER" in lookups


def test_a_link_that_is_asked_for_by_many_at_once_is_one(acme: Members) -> None:
    program, ada = acme.programs.current("acme"), acme.enroll()["member_id"]

    def share(_: int) -> Shared:
        return acme.sharing.share(program, ada, None, "link")

    with ThreadPoolExecutor(THREADS) as pool:
        made = list(pool.map(share, range(24)))
    assert len({one.link for one in made}) == 1
    assert [one.replayed for one in made].count(False) == 1
    assert list(acme.links.counts("acme", date(2026, 3, 15))) == [
        LinkCount(date(2026, 3, 15), Source(None, "link"), 1, 0)
    ]


def test_no_click_on_a_hot_link_is_lost(acme: Members) -> None:
    code = acme.enroll()["referral_code"]
    drawn = iter(range(10_000))
    links = Links(acme.programs, acme.code_store, LinkStore(acme.table, draw=lambda of: next(drawn) % of), acme.clock)
    with ThreadPoolExecutor(THREADS) as pool:
        led = set(pool.map(lambda _: links.follow("acme", code, campaign=None, channel=None, counts=True), range(200)))
    clicks = {pk for pk, sk in acme.items() if sk == "CLICK"}
    assert len(led) == len(clicks) == 200
    assert [one.clicks for one in acme.links.counts("acme", date(2026, 3, 15))] == [200]
