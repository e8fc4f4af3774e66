"""Cases in the console: who sees them, who decides what about them, and what a form that is out of date does."""

import re

import pytest

from loyalty.abuse.watch import Kind
from loyalty.core.table import Table
from tests.financekit.console import ConsoleRig
from tests.ledgerkit.moves import ADA, BOB, CLEO
from tests.unit.abuse.watched import ANN, Watched

CASES, CASE = "/console/acme/cases", f"/console/acme/cases/{ADA}"


class Office:
    """Ada is on hold for a spike, Bob is flagged for reveals, Cleo has no case. Ann and Ben decide, Carl reads."""

    def __init__(self, table: Table) -> None:
        self.watched = Watched(table)
        self.watched.spike()
        for number in range(3):
            self.watched.see(self.watched.note(Kind.REVEAL, f"red_1:{number}"), member=BOB)
        self.rig = ConsoleRig(table)
        self.rig.people.add("ann", {"acme"}, {"acme"})
        self.rig.people.add("ben", {"acme"}, {"acme"})
        self.rig.people.add("carl", {"acme"}, set())
        self.rig.people.add("dora", {"other"}, {"other"})

    def get(self, who: str, path: str) -> tuple[int, str]:
        _, cookie = self.rig.session(who)
        shown = self.rig.get(path, cookie)
        return shown.status, shown.text

    def decide(
        self, who: str, decision: str, reason: str = "called_back", *, revision: str | None = None, path: str = CASE
    ) -> tuple[int, str]:
        session, cookie = self.rig.session(who)
        asked = revision or self.revision(path)
        form = {"csrf": session.csrf, "decision": decision, "reason": reason, "revision": asked}
        shown = self.rig.post(path, cookie, form)
        return shown.status, shown.headers.get("Location", shown.text)

    def revision(self, path: str = CASE) -> str:
        found = re.search(r'name="revision" value="(\d+)"', self.get("ann", path)[1])
        return found[1] if found else "0"

    def buttons(self, who: str, path: str = CASE) -> list[str]:
        return re.findall(r'name="decision" value="(\w+)"', self.get(who, path)[1])


@pytest.fixture
def office(table: Table) -> Office:
    return Office(table)


def test_open_cases_are_listed_the_oldest_first_and_each_has_its_evidence(office: Office) -> None:
    status, text = office.get("carl", CASES)
    assert status == 200
    assert re.findall(r'/acme/cases/(mbr_\w+)"', text) == [ADA, BOB]
    assert "Many purchases or activities" in text
    status, text = office.get("carl", CASE)
    assert (status, "The member is on hold." in text, "You may look at this program" in text) == (200, True, True)
    assert office.buttons("carl") == []


@pytest.mark.parametrize(
    ("who", "path"),
    [("dora", CASES), ("dora", CASE), ("ann", f"{CASES}/{CLEO}"), ("ann", f"{CASES}/mbr_nobody"), ("ann", f"{CASE}/more")],
)  # fmt: skip
def test_what_is_not_there_or_not_theirs_is_no_page(office: Office, who: str, path: str) -> None:
    assert office.get(who, path)[0] == 404


def test_a_release_takes_two_people_and_each_is_told_what_they_may(office: Office) -> None:
    assert office.buttons("ann") == ["release", "confirm"]
    status, location = office.decide("ann", "release")
    assert (status, location.endswith(f"/acme/cases/{ADA}?done=1")) == (303, True)
    _, text = office.get("ann", f"{CASE}?done=1")
    assert "You asked for the release." in text
    assert "somebody else has to agree" in text
    assert office.buttons("ann") == ["confirm"]
    status, text = office.decide("ann", "release", revision=office.revision())
    assert (status, office.watched.case().state) == (303, "open"), "her own second word changes nothing"
    assert "person:ann asked for the release" in office.get("ben", CASE)[1]
    assert office.decide("ben", "release")[0] == 303
    case = office.watched.case()
    assert (case.state, case.on_hold, case.decided and case.decided.by.actor) == ("released", False, "person:ben")
    assert "You released the member." in office.get("ben", f"{CASE}?done=1")[1]
    assert "You released the member." not in office.get("ann", f"{CASE}?done=1")[1], "it was not she"
    assert office.buttons("ann") == []
    assert sorted(office.watched.lines())[-2:] == ["risk.release_proposed", "risk.released"]


def test_one_person_through_two_doors_is_one(office: Office) -> None:
    """Ann asked for the release through a client of the API; in the console she is the same."""
    office.watched.cases.release("acme", ADA, ANN, "called_back", second_person=True)
    assert office.buttons("ann") == ["confirm"]
    status, text = office.decide("ann", "release")
    assert status >= 400
    assert "somebody else" in text
    assert office.watched.case().on_hold


def test_who_is_flagged_is_put_on_hold_or_confirmed(office: Office) -> None:
    path = f"{CASES}/{BOB}"
    assert office.buttons("ben", path) == ["hold", "release", "confirm"]
    assert office.decide("ben", "hold", "looks_sold", path=path)[0] == 303
    assert (office.watched.case(BOB).on_hold, office.buttons("ben", path)) == (True, ["release", "confirm"])
    assert office.decide("ann", "confirm", "sold_codes", path=path)[0] == 303
    assert office.watched.case(BOB).state == "confirmed"
    assert office.buttons("ann", path) == ["release"]
    assert BOB not in office.get("ann", CASES)[1]


def test_a_form_that_came_twice_is_done_once_and_one_that_is_out_of_date_is_not(office: Office) -> None:
    before = office.revision()
    assert office.decide("ann", "confirm", revision=before)[0] == 303
    assert office.decide("ann", "confirm", revision=before)[0] == 303
    status, text = office.decide("ben", "release", revision=before)
    assert status >= 400
    assert "The case has changed since this page was shown." in text
    assert (office.watched.case().state, office.watched.case().proposed) == ("confirmed", None)


@pytest.mark.parametrize("reason", ["", "Not a code", "x" * 65])
def test_a_reason_is_a_code(office: Office, reason: str) -> None:
    status, text = office.decide("ann", "confirm", reason)
    assert (status, 'aria-invalid="true"' in text) == (422, True)
    assert "Write the reason as a code" in text
    assert office.watched.case().state == "open"


@pytest.mark.parametrize(("who", "decision"), [("carl", "release"), ("ann", "forget")])
def test_who_may_not_decide_or_what_is_no_decision_does_nothing(office: Office, who: str, decision: str) -> None:
    assert office.decide(who, decision)[0] == 404
    assert office.watched.case().revision == 1
