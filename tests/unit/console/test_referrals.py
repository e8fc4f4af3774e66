"""Referrals in the console: who sees what waits, who decides what about it, and what a form that is out of date does."""

import re

import pytest

from loyalty.core.table import Table
from tests.financekit.console import ConsoleRig
from tests.ledgerkit.moves import ADA, BOB, CLEO
from tests.unit.referrals.reviewed import ANN, REJECT, Reviewed

LIST, BOBS = "/console/acme/referrals", f"/console/acme/referrals/{BOB}"


class Office:
    """Bob was brought by Ada, has bought, and waits for a person. Ann and Ben decide, Carl reads."""

    def __init__(self, table: Table, *, two: bool = True) -> None:
        self.reviewed = Reviewed(table, four_eyes={"referrals": two})
        self.reviewed.come()
        self.rig = ConsoleRig(table, clock=self.reviewed.clock)
        self.rig.people.add("ann", {"acme"}, {"acme"})
        self.rig.people.add("ben", {"acme"}, {"acme"})
        self.rig.people.add("carl", {"acme"}, set())
        self.rig.people.add("dora", {"other"}, {"other"})

    def get(self, who: str, path: str = BOBS) -> tuple[int, str]:
        _, cookie = self.rig.session(who)
        shown = self.rig.get(path, cookie)
        return shown.status, shown.text

    def decide(
        self, who: str, decision: str, reason: str = "called_back", *, revision: str | None = None, path: str = BOBS
    ) -> tuple[int, str]:
        session, cookie = self.rig.session(who)
        asked = revision or self.revision(path)
        form = {"csrf": session.csrf, "decision": decision, "reason": reason, "revision": asked}
        shown = self.rig.post(path, cookie, form)
        return shown.status, shown.headers.get("Location", shown.text)

    def revision(self, path: str = BOBS) -> str:
        found = re.search(r'name="revision" value="(\d+)"', self.get("ben", path)[1])
        return found[1] if found else str(self.reviewed.stored().revision)

    def buttons(self, who: str, path: str = BOBS) -> list[str]:
        return re.findall(r'name="decision" value="(\w+)"', self.get(who, path)[1])


@pytest.fixture
def office(table: Table) -> Office:
    return Office(table)


def test_what_waits_is_listed_and_each_has_what_speaks_against_it(office: Office) -> None:
    status, text = office.get("carl", LIST)
    assert (status, re.findall(r'/acme/referrals/(mbr_\w+)"', text)) == (200, [BOB])
    assert "The referrer&#39;s device" in text or "The referrer's device" in text
    status, text = office.get("carl")
    assert (status, "You may look at this program" in text, ADA in text) == (200, True, True)
    assert "by version 1: the same" in text
    assert office.buttons("carl") == []


@pytest.mark.parametrize(
    ("who", "path"),
    [("dora", LIST), ("dora", BOBS), ("ann", f"{LIST}/{CLEO}"), ("ann", f"{LIST}/mbr_nobody"), ("ann", f"{BOBS}/more")],
)  # fmt: skip
def test_what_is_not_there_or_not_theirs_is_no_page(office: Office, who: str, path: str) -> None:
    assert office.get(who, path)[0] == 404


def test_an_approval_takes_two_people_and_then_both_are_rewarded(office: Office) -> None:
    assert office.buttons("ann") == ["approve", "reject"]
    status, location = office.decide("ann", "approve")
    assert (status, location.endswith(f"/acme/referrals/{BOB}?done=1")) == (303, True)
    _, text = office.get("ann", f"{BOBS}?done=1")
    assert "You asked for it. Somebody else has to agree." in text
    assert office.buttons("ann") == ["reject"]
    assert office.decide("ann", "approve", revision=office.revision())[0] == 303
    assert office.reviewed.stored().decisions == (), "her own second word changes nothing"
    assert "person:ann asked for it" in office.get("ben")[1]
    assert office.decide("ben", "approve")[0] == 303
    assert "You approved the referral." in office.get("ben", f"{BOBS}?done=1")[1]
    assert "You approved" not in office.get("ann", f"{BOBS}?done=1")[1], "it was not she"
    assert office.get("ann", LIST)[1].count(BOB) == 0
    assert office.reviewed.wake().after.status == "rewarded"
    assert office.buttons("ann") == ["revoke"]


def test_one_person_through_two_doors_is_one(office: Office) -> None:
    """Ann asked through a client of the API; in the console she is the same."""
    office.reviewed.reviews.approve(office.reviewed.program, BOB, ANN, "called_back")
    assert office.buttons("ann") == ["reject"]
    assert office.decide("ann", "approve")[0] == 422
    assert office.reviewed.stored().decisions == ()


def test_who_rejected_it_does_not_decide_on_the_appeal(table: Table) -> None:
    office = Office(table, two=False)
    assert office.decide("ann", "reject", "looks_made_up")[0] == 303
    assert "You rejected the referral." in office.get("ann", f"{BOBS}?done=1")[1]
    assert office.buttons("ben") == []
    assert office.reviewed.reviews.appeal("acme", BOB, "is_my_sister", "app")[1]
    assert "somebody else decides" in office.get("ann")[1]
    assert office.buttons("ann") == []
    assert office.decide("ann", "approve", revision=office.revision())[0] == 422
    assert office.decide("ben", "approve")[0] == 303
    assert office.reviewed.wake().after.status == "rewarded"


def test_a_reward_is_revoked_by_two_and_taken_back_from_both(office: Office) -> None:
    office.decide("ann", "approve")
    office.decide("ben", "approve")
    office.reviewed.wake()
    assert office.decide("ben", "revoke", "sold_codes")[0] == 303
    assert office.buttons("ben") == []
    assert office.decide("ann", "revoke", "sold_codes")[0] == 303
    assert "You revoked the referral." in office.get("ann", f"{BOBS}?done=1")[1]
    assert office.reviewed.wake().after.status == "reversed"
    assert office.reviewed.balances() == (0, 0)


def test_what_the_score_rejected_is_shown_and_nobody_decides_until_it_is_appealed(office: Office) -> None:
    office.reviewed.come(CLEO, features=REJECT)
    path = f"{LIST}/{CLEO}"
    assert "Rejected" in office.get("ann", path)[1]
    assert office.buttons("ann", path) == []
    assert CLEO not in office.get("ann", LIST)[1]
    assert office.reviewed.reviews.appeal("acme", CLEO, "is_my_sister", "app")[1]
    assert office.buttons("ann", path) == ["approve", "reject"]


def test_a_form_that_came_twice_is_done_once_and_one_that_is_out_of_date_is_not(office: Office) -> None:
    before = office.revision()
    assert office.decide("ann", "reject", revision=before)[0] == 303
    assert office.decide("ann", "reject", revision=before)[0] == 303
    status, text = office.decide("ben", "approve", revision=before)
    assert status >= 400
    assert "The referral has changed since this page was shown." in text
    assert [one.actor for one in office.reviewed.stored().decisions] == ["person:ann"]


@pytest.mark.parametrize("reason", ["", "Not a code", "x" * 65])
def test_a_reason_is_a_code(office: Office, reason: str) -> None:
    status, text = office.decide("ann", "reject", reason)
    assert (status, 'aria-invalid="true"' in text) == (422, True)
    assert office.reviewed.stored().decisions == ()


@pytest.mark.parametrize(("who", "decision"), [("carl", "approve"), ("ann", "forget")])
def test_who_may_not_decide_or_what_is_no_decision_does_nothing(office: Office, who: str, decision: str) -> None:
    before = office.reviewed.stored()
    assert office.decide(who, decision)[0] == 404
    assert office.reviewed.stored() == before
