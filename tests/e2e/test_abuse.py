"""Signs of abuse on the deployed platform: a spike is flagged, points stay, people release; enumeration is counted."""

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any, Final

import pytest

from infra.local.cloud import LocalCloud
from loyalty.core.ids import new_member_id
from loyalty.programs.abuse import Abuse
from tests.e2e.partner import Partner, eventually, new_email
from tests.e2e.traces import events, overhear

pytestmark = pytest.mark.e2e

RULES: Final = Abuse()
STAFF: Final = ("risk.read", "risk.release", "redemptions.write", "members.merge")


@pytest.fixture(scope="module")
def desks(cloud: LocalCloud) -> tuple[Partner, Partner]:
    """Two clients of the business's staff, which two people use."""
    made = [cloud.new_client(f"desk-{number}", STAFF, [cloud.program]) for number in range(2)]
    first, second = (Partner(cloud, cloud.token(client_id=one, client_secret=secret)) for one, secret in made)
    return first, second


def decide(desk: Partner, member_id: str, what: str, actor: str) -> tuple[int, dict[str, Any]]:
    body = {"actor": actor, "reason": "called_back"}
    answer = desk.call("POST", f"/members/{member_id}/risk/{what}", body)
    return answer.status_code, answer.json()


def flagged(desk: Partner, member_id: str) -> dict[str, Any]:
    """The member's case, once there is one."""

    def look() -> dict[str, Any] | None:
        answer = desk.call("GET", f"/members/{member_id}/risk")
        case: dict[str, Any] = answer.json()
        return case if answer.status_code == 200 else None

    return eventually(f"a case of {member_id}", look)


def together(calls: list[Callable[[], object]]) -> list[object]:
    with ThreadPoolExecutor(4) as threads:
        return list(threads.map(lambda call: call(), calls))


def test_a_spike_is_flagged_held_by_hand_and_released_by_two_people(
    partner: Partner, desks: tuple[Partner, Partner], overheard: str
) -> None:
    member_id = partner.enroll()["member_id"]
    bound = RULES.accrual_spike.count
    for _ in range(bound):  # one after the other: many at once are too many writers of one wallet
        partner.accrue(member_id, "10.00")
    case = flagged(desks[0], member_id)
    assert (case["state"], case["on_hold"], case["severity"]) == ("open", False, "low"), "a number alone holds nobody"
    (signal,) = case["signals"]
    assert (signal["signal"], signal["counted"], signal["bound"]) == ("many_accruals", bound, bound)
    status, held = decide(desks[0], member_id, "hold", "staff-1")
    assert (status, held["on_hold"], held["severity"]) == (200, True, "high")

    refused = partner.hold(member_id, "coffee")
    assert (refused.status_code, refused.json()["code"]) == (409, "redemptions_on_hold")
    assert "accrual" not in refused.text
    before = partner.wallet(member_id)["available"]
    partner.accrue(member_id, "10.00")
    assert partner.wallet(member_id)["available"] > before

    listed = desks[0].call("GET", "/risk-cases?limit=100").json()["items"]
    assert member_id in [one["member_id"] for one in listed]
    assert decide(desks[0], member_id, "release", "staff-1")[0] == 202
    assert decide(desks[0], member_id, "release", "staff-2")[0] == 422, "the same client is no second pair of eyes"
    assert partner.hold(member_id, "coffee").status_code == 409
    status, released = decide(desks[1], member_id, "release", "staff-2")
    assert (status, released["state"], released["on_hold"]) == (200, "released", False)
    assert partner.hold(member_id, "coffee").status_code == 201

    told = events(partner.cloud, overheard, member_id, {"member.flagged", "member.released"})
    risk = {(one["detail-type"], one["detail"]["on_hold"]) for one in told if "on_hold" in one["detail"]}
    assert risk == {("member.flagged", False), ("member.flagged", True), ("member.released", False)}


def test_redemptions_after_a_new_address_put_the_member_on_hold(
    partner: Partner, desks: tuple[Partner, Partner]
) -> None:
    member_id = partner.enroll()["member_id"]
    partner.accrue(member_id, "1000.00")
    changed = partner.call("PATCH", f"/members/{member_id}", {"email": new_email()})
    assert changed.status_code == 200
    for _ in range(RULES.redemptions_after_change.redemptions):
        assert partner.hold(member_id, "coffee").status_code == 201
    case = flagged(desks[0], member_id)
    assert [one["signal"] for one in case["signals"]] == ["redemptions_after_change"]
    assert partner.hold(member_id, "coffee").status_code == 409
    status, confirmed = decide(desks[0], member_id, "confirm", "staff-1")
    assert (status, confirmed["state"], confirmed["on_hold"]) == (200, "confirmed", True)


def test_by_hand_and_by_who_may(partner: Partner, desks: tuple[Partner, Partner], cloud: LocalCloud) -> None:
    member_id = partner.enroll()["member_id"]
    assert decide(desks[0], member_id, "hold", "staff-1")[0] == 200
    plain = Partner(cloud, cloud.token("redemptions.write"))
    assert plain.call("GET", f"/members/{member_id}/risk").status_code == 403
    nobody = new_member_id(datetime.now(UTC))
    assert desks[0].call("GET", f"/members/{nobody}/risk").json()["code"] == "member_not_found"


@pytest.mark.parametrize(
    ("path", "body", "signal"),
    [
        ("/members/{nobody}", None, "members_not_found"),
        ("/members/{nobody}/wallet", None, "members_not_found"),
        ("/referrals/validate", {"referral_code": "ZZZZZZZZ"}, "codes_unknown"),
    ],
)
def test_a_client_that_enumerates_is_suspected(
    cloud: LocalCloud, overheard: str, path: str, body: object, signal: str
) -> None:
    scopes = ["members.read", "wallet.read", "referrals.read"]
    client_id, secret = cloud.new_client(f"curious-{uuid.uuid4().hex[:6]}", scopes, [cloud.program])
    curious = Partner(cloud, cloud.token(client_id=client_id, client_secret=secret))
    method = "GET" if body is None else "POST"
    bound = RULES.misses_of_client.members

    def miss() -> int:
        place = path.format(nobody=new_member_id(datetime.now(UTC)))
        return curious.call(method, place, body).status_code

    # A window may end among them, so there are enough for two; and a few more, for the last shard.
    assert set(together([miss for _ in range(2 * bound + 20)])) == {404 if body is None else 200}
    told = overhear(cloud, overheard, "a suspicion", lambda heard: any(_is_about(one, client_id) for one in heard))
    event = next(one for one in told if _is_about(one, client_id))
    assert event["detail"]["signal"] == signal
    assert event["detail"]["counted"] >= event["detail"]["bound"] == bound


def _is_about(event: dict[str, Any], client_id: str) -> bool:
    return event["detail-type"] == "client.suspected" and bool(event["detail"]["client_id"] == client_id)
