"""A program that rewards signups and knows segments, at the deployed API."""

import pytest

from tests.e2e.partner import Partner, eventually, new_email, unique

pytestmark = pytest.mark.e2e


class Meridian:
    """The program that the partner is bound to beside its own."""

    def __init__(self, partner: Partner) -> None:
        self.partner = partner
        self.members = f"{partner.cloud.api_url}/v1/programs/meridian/members"

    def enroll(self) -> str:
        answer = self.partner.call("POST", self.members, {"email": new_email()})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["member_id"])

    def entries(self, member_id: str) -> list[tuple[str, int]]:
        """Identities and points, oldest first."""
        answer = self.partner.call("GET", f"{self.members}/{member_id}/entries")
        assert answer.status_code == 200, answer.text
        return [(entry["entry_id"], entry["points"]) for entry in reversed(answer.json()["items"])]

    def review(self, member_id: str, now: str) -> int:
        body = {"activity": "review", "source": "shop", "source_id": unique(), "occurred_at": now, "channel": "online"}
        preview = self.partner.call("POST", f"{self.members}/{member_id}/accruals/preview", body)
        posted = self.partner.call("POST", f"{self.members}/{member_id}/accruals", body)
        assert (posted.status_code, preview.json()["points"]) == (201, posted.json()["points"]), posted.text
        return int(posted.json()["points"])


@pytest.fixture
def meridian(partner: Partner) -> Meridian:
    return Meridian(partner)


def test_who_enrolls_gets_points_for_it_once(meridian: Meridian) -> None:
    member_id = meridian.enroll()
    signup = (f"accrual:enrollment:{member_id}", 100)
    eventually("the signup", lambda: signup in meridian.entries(member_id) or None)
    changed = meridian.partner.call("PATCH", f"{meridian.members}/{member_id}", {"given_name": "Ada"})
    assert changed.status_code == 200
    other = meridian.enroll()  # enrolled later, told later: by then the change was told too
    eventually("another signup", lambda: meridian.entries(other) or None)
    assert meridian.entries(member_id) == [signup]


def test_who_enrolls_where_nothing_rewards_it_gets_nothing(partner: Partner, meridian: Meridian) -> None:
    member_id = partner.enroll()["member_id"]
    other = meridian.enroll()
    eventually("a signup that was told later", lambda: meridian.entries(other) or None)
    assert partner.entries(member_id) == []


def test_who_is_staff_earns_twice_as_much(meridian: Meridian, now: str) -> None:
    member_id = meridian.enroll()
    path = f"{meridian.members}/{member_id}/segments"
    assert meridian.review(member_id, now) == 25
    before = meridian.partner.call("GET", path)
    staff = {"segments": [{"id": "staff"}]}
    put = meridian.partner.call("PUT", path, staff, If_Match=before.headers["ETag"])
    assert (put.status_code, put.json()["segments"]) == (200, [{"id": "staff", "until": None}])
    assert meridian.review(member_id, now) == 50
    stale = meridian.partner.call("PUT", path, {"segments": []}, If_Match=before.headers["ETag"])
    assert (stale.status_code, stale.json()["code"]) == (412, "precondition_failed")
    unknown = meridian.partner.call("PUT", path, {"segments": [{"id": "stuff"}]})
    assert (unknown.status_code, unknown.json()["code"]) == (422, "segment_unknown")
    assert meridian.partner.call("PUT", path, {"segments": []}).status_code == 200
    assert meridian.review(member_id, now) == 25


def test_without_its_scope_nobody_is_put_into_segments(meridian: Meridian) -> None:
    member_id = meridian.enroll()
    reader = Partner(meridian.partner.cloud, meridian.partner.cloud.token("members.read"))
    path = f"{meridian.members}/{member_id}/segments"
    assert reader.call("GET", path).status_code == 200
    assert reader.call("PUT", path, {"segments": []}).status_code in {401, 403}
