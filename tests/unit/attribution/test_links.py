"""Links: made once, drawn, followed by people alone, and leading nowhere but to the program's own page."""

import re
from datetime import date
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import segno

from functions.referral_link.routes import routes
from loyalty.attribution.model import Source
from loyalty.core.http import api
from loyalty.core.table import Table, TransactionRefused
from loyalty.referrals.following import Links, is_followed
from loyalty.referrals.link_store import LinkCount, LinkStore
from loyalty.referrals.sharing import picture_of
from tests.apikit.gateway import Gateway, Reply, proxy_event
from tests.apikit.members import LINKS_URL, Members
from tests.ledgerkit.programs import document
from tests.unit.referrals.test_choosing import EARNING, RULES

LANDING = "https://acme.example/join"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 Safari/604.1"
CAMPAIGNS = [
    {"id": "spring", "name": "Spring", "starts_at": "2026-03-01T00:00", "ends_at": "2026-03-31T00:00"},
    {"id": "winter", "name": "Winter", "starts_at": "2025-12-01T00:00", "ends_at": "2026-03-15T13:00"},
    {"id": "summer", "name": "Summer", "starts_at": "2026-06-01T00:00", "ends_at": "2026-09-01T00:00"},
]
WHOLE = RULES | {"channels": ["link", "whatsapp"], "deep_link": "shop://join?ref={code}#top", "attribution_days": 7}


@pytest.mark.parametrize(
    ("name", "url", "says"),
    [
        ("deep_link", "javascript://shop/%0aalert(1)//{code}", "no app opens it"),
        ("deep_link", "data://text/html,{code}", "no app opens it"),
        ("deep_link", "file:///etc/{code}", "no app opens it"),
        ("deep_link", "http://shop.example/join/{code}", "no app opens it"),
        ("deep_link", "JavaScript://shop/{code}", "pattern"),
        ("deep_link", "shop://join", "once"),
        ("landing_url", "http://shop.example/join", "pattern"),
        ("landing_url", "https://shop.example/join\r\nSet-Cookie: a=b", "pattern"),
        ("landing_url", "javascript:alert(1)", "pattern"),
    ],
)
def test_a_document_leads_to_a_page_or_an_app_and_to_nothing_that_runs(name: str, url: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        document(referrals=WHOLE | {name: url}, earn_rules=EARNING)


def test_a_link_of_the_web_or_of_an_app_is_a_deep_link() -> None:
    for url in ("shop://join?ref={code}", "https://shop.example/open/{code}", "intent://join/{code}#Intent;end"):
        assert document(referrals=WHOLE | {"deep_link": url}, earn_rules=EARNING).referrals is not None


class Stage:
    """Members who share, and a browser that follows their links."""

    def __init__(self, members: Members) -> None:
        self.members = members
        self.publish(referrals=WHOLE, earn_rules=EARNING, campaigns=CAMPAIGNS, time_zone="Europe/Rome")
        self.ada = members.enroll("ada@example.com")
        self.path = f"/v1/programs/acme/members/{self.ada['member_id']}/referral-links"
        self.code = self.ada["referral_code"]
        self.links = Links(members.programs, members.code_store, members.links, members.clock)

    def publish(self, **changes: Any) -> None:
        version = self.members.programs.version("acme")
        self.members.programs.publish(document(**changes), expected_version=version, actor="test")

    def share(self, channel: str = "whatsapp", campaign: str | None = "spring") -> Reply:
        return self.members.call("POST", self.path, {"channel": channel, "campaign": campaign})

    def follow(self, path: str, query: dict[str, str] | None = None, method: str = "GET", **headers: str) -> Reply:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        gateway = Gateway(api(routes(self.links)))
        return gateway.send(
            proxy_event(method, path, query=query, headers={"User-Agent": PHONE, **given}, client_id=None)
        )

    def clicks(self) -> list[dict[str, Any]]:
        return [raw for raw in self.members.table.scan() if raw["sk"]["S"] == "CLICK"]

    def counted(self, day: date = date(2026, 3, 15)) -> list[LinkCount]:
        return list(self.members.links.counts("acme", day))


@pytest.fixture
def stage(table: Table) -> Stage:
    return Stage(Members(table, time_zone="Europe/Rome"))


def led_to(reply: Reply) -> tuple[str, dict[str, str]]:
    """The page that a reply leads to, and its query."""
    assert (reply.status, reply.text) == (302, "")
    address = urlsplit(reply.headers["Location"])
    return f"{address.scheme}://{address.netloc}{address.path}", dict(parse_qsl(address.query))


def test_a_link_is_made_once_for_each_campaign_and_channel(stage: Stage) -> None:
    first = stage.share()
    assert (first.status, first.headers["Idempotent-Replayed"]) == (201, "false")
    assert first.json == {
        "url": f"{LINKS_URL}/r/acme/{stage.code}?c=spring&ch=whatsapp",
        "deep_link": f"shop://join?ref={stage.code}&campaign=spring&channel=whatsapp#top",
        "campaign": "spring",
        "channel": "whatsapp",
        "shared_at": "2026-03-15T12:00:00.000Z",
    }
    stage.members.clock.advance(hours=1)
    again = stage.share()
    assert (again.json, again.headers["Idempotent-Replayed"]) == (first.json, "true")
    plain = stage.share("link", None).json
    assert plain["url"] == f"{LINKS_URL}/r/acme/{stage.code}?ch=link"
    shown = stage.members.call("GET", stage.path).json
    assert shown == {
        "member_id": stage.ada["member_id"],
        "code": stage.code,
        "reason": "valid",
        "links": [plain, first.json],
    }
    assert stage.counted() == [
        LinkCount(date(2026, 3, 15), Source(None, "link"), 1, 0),
        LinkCount(date(2026, 3, 15), Source("spring", "whatsapp"), 1, 0),
    ]


def test_links_have_the_code_that_the_member_shows_and_campaigns_that_are_left(stage: Stage) -> None:
    stage.share()
    stage.share("whatsapp", "summer")
    stage.members.call("PUT", stage.path.replace("-links", "-code"), {"code": "ADASHOP"})
    stage.members.clock.set("2026-05-01T00:00:00Z")
    shown = stage.members.call("GET", stage.path).json
    assert (shown["code"], shown["reason"]) == ("ADASHOP", "expired")  # after 30 days
    assert [one["url"] for one in shown["links"]] == [f"{LINKS_URL}/r/acme/ADASHOP?c=summer&ch=whatsapp"]


@pytest.mark.parametrize(
    ("channel", "campaign", "code", "pointer"),
    [
        ("fax", None, "referral_channel_unknown", "/channel"),
        ("link", "autumn", "referral_campaign_unknown", "/campaign"),
        ("link", "winter", "referral_campaign_over", "/campaign"),  # 13:00 in Rome is now
    ],
)
def test_what_no_link_is_made_for(stage: Stage, channel: str, campaign: str | None, code: str, pointer: str) -> None:
    before = stage.members.items()
    problem = stage.share(channel, campaign).problem(422, code)
    assert problem["errors"][0]["pointer"] == pointer
    query = {"channel": channel} | ({"campaign": campaign} if campaign else {})
    stage.members.call.send(proxy_event("GET", f"{stage.path}/qr", query=query)).problem(422, code)
    assert stage.members.items() == before


def test_a_program_without_referrals_makes_no_links(members: Members) -> None:
    ada = members.enroll("ada@example.com")
    path = f"/v1/programs/acme/members/{ada['member_id']}/referral-links"
    members.call("POST", path, {"channel": "link"}).problem(422, "referrals_not_offered")
    members.call("GET", path).problem(422, "referrals_not_offered")


def test_whether_somebody_is_there_is_said_before_what_the_program_has(members: Members) -> None:
    """Another program's member is as one that never was, whatever this one offers."""
    path = f"/v1/programs/acme/members/mbr_{'0' * 26}/referral-links"
    members.call("POST", path, {"channel": "link"}).problem(404, "member_not_found")
    members.call("GET", path).problem(404, "member_not_found")
    members.call.send(proxy_event("GET", f"{path}/qr", query={"channel": "link"})).problem(404, "member_not_found")


def test_nobody_who_is_gone_gets_a_link(stage: Stage) -> None:
    nobody = stage.path.replace(stage.ada["member_id"], f"mbr_{'0' * 26}")
    stage.members.call("POST", nobody, {"channel": "link"}).problem(404, "member_not_found")

    class Late(LinkStore):
        """The member is erased between reading and writing."""

        def share(self, share: Any, day: date) -> bool:
            table = stage.members.table
            table.mark(f"M#acme#{stage.ada['member_id']}", "MEMBER", "erased_at", "2026-03-15T12:00:00.000Z", unless=())
            return super().share(share, day)

    before = stage.members.items()
    stage.members.sharing._store = Late(stage.members.table, draw=lambda _: 0)
    stage.members.call("POST", stage.path, {"channel": "link"}).problem(410, "member_erased")
    assert stage.members.items().keys() == before.keys()


def test_a_link_leads_to_the_page_and_the_click_is_kept(stage: Stage) -> None:
    url = urlsplit(stage.share().json["url"])
    reply = stage.follow(url.path, dict(parse_qsl(url.query)))
    page, query = led_to(reply)
    click_id = query.pop("click")
    assert (page, query) == (
        LANDING,
        {"ref": stage.code, "utm_source": "whatsapp", "utm_medium": "referral", "utm_campaign": "spring"},
    )
    assert reply.headers["Cache-Control"] == "no-store"
    assert not {name for name in reply.headers if name.lower() == "set-cookie"}
    click = stage.members.links.clicked("acme", click_id)
    assert click is not None
    assert (click.code, click.member_id) == (stage.code, stage.ada["member_id"])
    assert (click.source, click.at) == (Source("spring", "whatsapp"), stage.members.clock())
    (raw,) = stage.clicks()
    assert int(raw["ttl"]["N"]) == int(stage.members.clock().timestamp()) + 7 * 86_400
    assert set(raw) == {"pk", "sk", "code", "member_id", "campaign", "channel", "at", "ttl"}
    assert stage.counted() == [LinkCount(date(2026, 3, 15), Source("spring", "whatsapp"), 1, 1)]


def test_days_are_the_programs(stage: Stage) -> None:
    stage.members.clock.set("2026-03-15T23:30:00Z")  # half past midnight in Rome
    stage.follow(f"/r/acme/{stage.code}")
    stage.follow(f"/r/acme/{stage.code}")
    assert stage.counted() == []
    assert stage.counted(date(2026, 3, 16)) == [LinkCount(date(2026, 3, 16), Source(None, None), 0, 2)]


@pytest.mark.parametrize(
    "code", ["K7WQ4M2X2", "ZZZZZZZZ", "nonsense!", "K7WQ4M2X3", "https:example.org", "..", "\u00e9t\u00e9"]
)
def test_a_code_that_leads_nowhere_leads_to_the_page_without_it(stage: Stage, code: str) -> None:
    before = stage.members.items()
    assert led_to(stage.follow(f"/r/acme/{code}", {"c": "spring"})) == (LANDING, {})
    assert stage.members.items() == before


def test_a_code_that_has_expired_leads_to_the_page_without_it(stage: Stage) -> None:
    stage.members.clock.advance(days=30)
    assert led_to(stage.follow(f"/r/acme/{stage.code}")) == (LANDING, {})
    assert stage.clicks() == []


def test_what_the_program_does_not_have_is_left_out(stage: Stage) -> None:
    for query in (
        {"c": "autumn", "ch": "fax"},
        {"c": "winter"},
        {"c": "x" * 5000, "ch": "https://evil.example"},
        {"ref": "EVIL", "url": "https://evil.example"},
    ):
        page, found = led_to(stage.follow(f"/r/acme/{stage.code}", query))
        assert page == LANDING
        assert (set(found), found["ref"]) == ({"ref", "click", "utm_medium"}, stage.code)
    assert [one.source for one in stage.counted()] == [Source(None, None)]


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("HEAD", {}),
        ("GET", {"Purpose": "prefetch"}),
        ("GET", {"Sec_Purpose": "prefetch;prerender"}),
        ("GET", {"X_Moz": "prefetch"}),
        ("GET", {"User_Agent": "facebookexternalhit/1.1"}),
        ("GET", {"User_Agent": "WhatsApp/2.23.20"}),
        ("GET", {"User_Agent": "Mozilla/5.0 (compatible; Googlebot/2.1)"}),
        ("GET", {"User_Agent": "Slackbot-LinkExpanding 1.0"}),
    ],
)
def test_who_is_no_person_is_led_there_and_not_counted(stage: Stage, method: str, headers: dict[str, str]) -> None:
    before = stage.members.items()
    page, query = led_to(stage.follow(f"/r/acme/{stage.code}", None, method, **headers))
    assert (page, query) == (LANDING, {"ref": stage.code, "utm_medium": "referral"})
    assert stage.members.items() == before


def test_a_person_is_one_whatever_their_browser_is_called() -> None:
    assert is_followed("GET", {"user-agent": PHONE, "sec-purpose": ""})
    assert is_followed(
        "GET", {"user-agent": "Mozilla/5.0 (Linux; Android 13; CUBOT X70) Chrome/120.0 Mobile Safari/537.36"}
    )
    assert is_followed("GET", {})


@pytest.mark.parametrize("program", ["nobody", "other"])
def test_a_program_that_brings_nobody_is_not_found(stage: Stage, program: str) -> None:
    stage.follow(f"/r/{program}/{stage.code}").problem(404, "program_not_found")


def test_another_programs_code_leads_nowhere(stage: Stage) -> None:
    earning = document(
        id="other",
        time_zone="Europe/Rome",
        referrals=RULES | {"landing_url": "https://other.example"},
        earn_rules=EARNING,
    )
    stage.members.programs.publish(earning, expected_version=1, actor="test")
    assert led_to(stage.follow(f"/r/other/{stage.code}")) == ("https://other.example", {})


class Broken(LinkStore):
    """Cannot do one of its two writes."""

    def __init__(self, table: Table, which: str) -> None:
        super().__init__(table, draw=lambda _: 0)
        self._which = which

    def click(self, *parts: Any, **named: Any) -> None:
        if self._which == "click":
            raise TransactionRefused({}, ["TransactionConflict"], contended=True)
        super().click(*parts, **named)

    def count_click(self, *_: Any) -> None:
        raise TimeoutError


@pytest.mark.parametrize(("which", "has_click"), [("click", False), ("count", True)])
def test_whoever_follows_a_link_goes_on_though_it_cannot_be_written(
    stage: Stage,
    which: str,
    has_click: bool,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    members = stage.members
    stage.links = Links(members.programs, members.code_store, Broken(members.table, which), members.clock)
    page, query = led_to(stage.follow(f"/r/acme/{stage.code}"))
    assert (page, query["ref"], "click" in query) == (LANDING, stage.code, has_click)
    assert len(stage.clicks()) == has_click
    assert '"ClicksNotWritten":[1.0]' in capsys.readouterr().out
    assert "click not written, or not counted" in caplog.text


def test_a_thousand_clicks_are_items_of_their_own_and_four_counts(stage: Stage) -> None:
    shards = iter(range(1000))
    store = LinkStore(stage.members.table, draw=lambda of: next(shards) % of)
    stage.links = Links(stage.members.programs, stage.members.code_store, store, stage.members.clock)
    for _ in range(40):
        stage.follow(f"/r/acme/{stage.code}")
    assert len({raw["pk"]["S"] for raw in stage.clicks()}) == 40
    counts = [raw for raw in stage.members.table.scan() if raw["sk"]["S"].startswith("LINKS#")]
    assert sorted((raw["pk"]["S"], raw["clicks"]["N"]) for raw in counts) == [
        (f"V#acme#2026-03-15#{shard:02}", "10") for shard in range(4)
    ]
    assert {int(raw["ttl"]["N"]) for raw in counts} == {1_808_092_800}  # 2027-04-19, 400 days later
    assert [one.clicks for one in stage.counted()] == [40]


def _modules(svg: str) -> set[tuple[int, int]]:
    """Column and row of each dark module, the margin left out, as an SVG's path draws them: lines of whole modules."""
    (path,) = re.findall(r' d="([^"]+)"', svg)
    dark, x, y = set(), 0.0, 0.0
    for command, numbers in re.findall(r"([Mmh])([-\d. ]+)", path):
        parts = [float(one) for one in re.findall(r"-?(?:\d+\.?\d*|\.\d+)", numbers)]
        if command == "h":
            dark |= {(round(x) + step - 4, int(y) - 4) for step in range(round(parts[0]))}
            x += parts[0]
        else:
            x, y = (parts[0], parts[1]) if command == "M" else (x + parts[0], y + parts[1])
    return dark


def test_a_link_is_drawn_module_by_module(stage: Stage) -> None:
    query = {"channel": "whatsapp", "campaign": "spring"}
    before = stage.members.items()
    reply = stage.members.call.send(proxy_event("GET", f"{stage.path}/qr", query=query))
    assert (reply.status, reply.headers["Content-Type"]) == (200, "image/svg+xml")
    assert stage.members.items() == before
    code = segno.make(stage.share().json["url"], error="m", micro=False)
    drawn = {(x, y) for y, row in enumerate(code.matrix) for x, module in enumerate(row) if module}
    assert _modules(reply.text) == drawn
    side = code.symbol_size(scale=8, border=4)[0]
    assert f'width="{side}" height="{side}"' in reply.text
    assert "<script" not in reply.text


def test_a_picture_of_another_text_is_another_picture() -> None:
    assert picture_of(f"{LINKS_URL}/r/acme/A") != picture_of(f"{LINKS_URL}/r/acme/C")
