"""A program with referrals, and links of its members that were followed."""

from datetime import timedelta
from typing import Any, Final

from loyalty.attribution.clicks import click_put
from loyalty.attribution.codes import code_digest
from loyalty.attribution.links import Click
from loyalty.attribution.model import Referral, Source
from loyalty.attribution.store import ReferralStore
from loyalty.core.table import Update
from loyalty.members.items import LookupItem, lookup_key
from tests.apikit.gateway import Reply, proxy_event
from tests.apikit.members import Members
from tests.ledgerkit.programs import BASE, document

MEMBERS: Final = "/v1/programs/acme/members"
RULES: Final[dict[str, Any]] = {
    "landing_url": "https://acme.example/join",
    "channels": ["link", "whatsapp", "till"],
    "attribution_days": 10,
    "claim_days": 7,
    "code_days": 100,
    "code_uses": 3,
}
EARNING: Final[list[dict[str, Any]]] = [
    *BASE["earn_rules"],
    {"id": "brings", "activity": "referral", "fixed_points": 500, "campaign": "summer"},
    {"id": "brought", "activity": "referred", "fixed_points": 250},
]
CAMPAIGNS: Final = [
    {"id": "summer", "name": "Summer", "starts_at": "2026-01-01T00:00", "ends_at": "2026-12-31T00:00"},
]


class Referring:
    """Members of a program with referrals."""

    def __init__(self, members: Members, **rules: Any) -> None:
        self.members = members
        self.call = members.call
        self.publish(**rules)

    def publish(self, **rules: Any) -> None:
        """The next version, with other rules of referrals."""
        programs = self.members.programs
        version = programs.current("acme").version
        changed = document(referrals=RULES | rules, earn_rules=EARNING, campaigns=CAMPAIGNS)
        programs.publish(changed, expected_version=version, actor="test")
        self.members.clock.advance(seconds=120)  # so long a version is remembered

    def enroll(self, name: str, **fields: Any) -> Reply:
        return self.call("POST", MEMBERS, {"email": f"{name}@example.com", **fields})

    def member(self, name: str, **fields: Any) -> dict[str, str]:
        """One who enrolled."""
        return self.members.enroll(f"{name}@example.com", **fields)

    def brought(self, member: dict[str, str], **query: str) -> Reply:
        """Whom a member brought."""
        return self.call.send(proxy_event("GET", f"{MEMBERS}/{member['member_id']}/referrals", query=query or None))

    def referral(self, member: dict[str, str]) -> Referral | None:
        return ReferralStore(self.members.table).get("acme", member["member_id"])

    def followed(self, member: dict[str, str], number: int, *, ago: timedelta = timedelta(), **source: str) -> str:
        """A link of a member that somebody followed some time ago: its click's id, made of ``number``."""
        click_id = f"clk_{number:026}"
        click = Click(
            "acme", click_id, member["referral_code"], member["member_id"], Source(**source), self.members.clock() - ago
        )
        self.members.table.write([click_put(click, keep=timedelta(days=10))])
        return click_id

    def exhausted(self, member: dict[str, str], uses: int) -> None:
        """Marks a member's code as one by which so many came."""
        key = lookup_key("acme", code_digest(member["referral_code"]))
        self.members.table.write([Update(LookupItem, *key, [LookupItem.uses.set(uses)])])
