"""Segments of a member as partner apps assign and read them."""

from typing import Any

import pytest

from loyalty.core.table import Table, TransactionRefused
from loyalty.members.errors import MemberChanged
from loyalty.segments.model import MAX_ASSIGNED, Assignment
from loyalty.segments.service import ATTEMPTS, SegmentService
from loyalty.segments.store import SegmentStore
from tests.apikit.gateway import Gateway, Reply
from tests.apikit.members import Members
from tests.ledgerkit.programs import SEGMENTS, document

STAFF: dict[str, str | None] = {"id": "staff", "until": "2026-12-31"}
NOBODY = "/v1/programs/acme/members/mbr_00000000000000000000000000/segments"


@pytest.fixture
def members(table: Table) -> Members:
    """A program that declares segments, and one that declares none."""
    found = Members(table)
    found.programs.publish(document(segments=SEGMENTS), expected_version=1, actor="test")
    found.clock.advance(minutes=5)
    return found


@pytest.fixture
def path(members: Members) -> str:
    """Of a member who was put into nothing yet."""
    return f"/v1/programs/acme/members/{members.enroll()['member_id']}/segments"


def put(members: Members, path: str, *segments: object, **headers: str) -> Reply:
    return members.call("PUT", path, {"segments": list(segments)}, **headers)


def test_who_is_put_into_segments_is_in_these_and_no_others(members: Members, path: str) -> None:
    nothing = members.call("GET", path)
    assert (nothing.status, nothing.headers["ETag"]) == (200, '"0"')
    assert nothing.json == {
        "member_id": path.split("/")[-2], "segments": [], "version": 0, "merged_from": None,
    }  # fmt: skip
    first = put(members, path, {"id": "vip"}, STAFF, If_Match='"0"')
    assert (first.status, first.headers["ETag"]) == (200, '"1"')
    assert first.json["segments"] == [STAFF, {"id": "vip", "until": None}]
    assert members.call("GET", path).json == first.json
    second = put(members, path, {"id": "founder"}, If_Match='"1"')
    assert (second.json["segments"], second.headers["ETag"]) == ([{"id": "founder", "until": None}], '"2"')
    assert put(members, path).json["segments"] == members.call("GET", path).json["segments"] == []


def test_the_same_again_changes_nothing(members: Members, path: str) -> None:
    put(members, path, STAFF, {"id": "vip"})
    before = members.items()
    again = put(members, path, {"id": "vip", "until": None}, STAFF)
    assert (again.status, again.headers["ETag"]) == (200, '"1"')
    assert put(members, path, STAFF, {"id": "vip"}, If_Match='"1"').status == 200
    assert members.items() == before


def test_what_somebody_else_changed_is_not_overwritten(members: Members, path: str) -> None:
    put(members, path, STAFF)
    before = members.items()
    put(members, path, {"id": "vip"}, If_Match='"0"').problem(412, "precondition_failed")
    put(members, path, STAFF, If_Match='"2"').problem(412, "precondition_failed")
    assert members.items() == before
    assert put(members, path, {"id": "vip"}, If_Match="*").headers["ETag"] == '"2"'


@pytest.mark.parametrize(
    ("segments", "code", "pointer"),
    [
        ([{"id": "stuff"}], "segment_unknown", "/segments/0/id"),
        ([STAFF, {"id": "stuff"}], "segment_unknown", "/segments/1/id"),
        ([STAFF, {"id": "vip"}, {"id": "staff"}], "segment_repeated", "/segments/2/id"),
        ([{"id": "Staff"}], "invalid", "/segments/0/id"),
        ([{"id": None}], "invalid", "/segments/0/id"),
        ([{}], "invalid", "/segments/0/id"),
        ([{"id": "staff", "until": "2026-02-30"}], "invalid", "/segments/0/until"),
        ([{"id": "staff", "until": "2026-12-31T00:00:00Z"}], "invalid", "/segments/0/until"),
        ([{"id": "staff", "until": 1798675200}], "invalid", "/segments/0/until"),
        ([{"id": "staff", "from": "2026-01-01"}], "invalid", "/segments/0"),
        ([{"id": f"s{number}"} for number in range(MAX_ASSIGNED + 1)], "invalid", "/segments"),
        ("staff", "invalid", "/segments"),
        (None, "invalid", "/segments"),
    ],
)
def test_what_cannot_be_is_refused_with_its_place(
    members: Members, path: str, segments: Any, code: str, pointer: str
) -> None:
    before = members.items()
    problem = members.call("PUT", path, {"segments": segments}).problem(422, code)
    assert [field["pointer"] for field in problem["errors"]] == [pointer]
    assert members.items() == before


def test_an_unknown_segment_is_told_which_there_are(members: Members, path: str) -> None:
    detail = put(members, path, {"id": "stuff"}).json["detail"]
    assert detail == "The program has these segments: founder, staff, vip."
    members.programs.clients.bind("both", {"acme", "other"})
    other = Gateway(members.app, "both")
    enrolled = other("POST", "/v1/programs/other/members", {"email": "ada@example.com"})
    refused = other("PUT", f"{enrolled.headers['Location']}/segments", {"segments": [{"id": "staff"}]})
    assert refused.problem(422, "segment_unknown")["detail"] == "The program declares no segments."


def test_nobody_has_no_segments(members: Members, path: str) -> None:
    before = members.items()
    put(members, NOBODY, STAFF).problem(404, "member_not_found")
    members.call("GET", NOBODY).problem(404, "member_not_found")
    stranger = Gateway(members.app, "stranger")
    stranger("GET", path).problem(404, "program_not_found")
    stranger("PUT", path, {"segments": []}).problem(404, "program_not_found")
    assert members.items() == before


def test_who_is_changed_all_the_time_is_given_up(members: Members, path: str) -> None:
    class Busy(SegmentStore):
        tries = 0

        def replace(self, *_: object) -> None:
            self.tries += 1
            raise TransactionRefused({}, ["TransactionConflict"], contended=True)

    busy = Busy(members.table)
    service = SegmentService(busy, members.clock, sleep=lambda _seconds: None)
    with pytest.raises(MemberChanged):
        service.assign(members.programs.current("acme"), path.split("/")[-2], [Assignment("staff")])
    assert busy.tries == ATTEMPTS


def test_the_log_names_the_member_and_the_version_and_no_segment(
    members: Members, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    put(members, path, STAFF)
    (said,) = [vars(record) for record in caplog.records if record.msg == "segments"]
    assert (said["member_id"], said["version"]) == (path.split("/")[-2], 1)
    assert "staff" not in repr(said)
