"""Round trips that a referral adds to an enrollment, by each way in which somebody may come, and those of a code named afterwards."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

from loyalty.attribution.clicks import MAX_CLICKS
from loyalty.attribution.likenesses import Signals
from loyalty.attribution.touches import Came
from loyalty.members.model import Profile
from tests.apikit.members import Members
from tests.bench.engine import Running
from tests.bench.figures import Figure
from tests.ledgerkit.calls import recorded
from tests.unit.referrals.rig import Referring

_SIGNALS: Final = Signals("device-one-1", "203.0.113.7", "payment-one-1", "Main St 1, Rome")


def of_coming(running: Running) -> Iterator[Figure]:
    """At most one is added, whatever is sent."""
    table = running.table("coming")
    acme = Referring(Members(table))
    program, service = acme.members.programs.current("acme"), acme.members.service
    ada, late = acme.member("ada"), acme.member("late")
    code, clicks = ada["referral_code"], [acme.followed(ada, number) for number in range(MAX_CLICKS)]
    people = (Profile(f"person{number}@example.com") for number in range(100))

    def trips(run: Callable[[], object]) -> int:
        with recorded(table.client) as calls:
            run()
        return len(calls.names)

    alone = trips(partial(service.enroll, program, next(people), came=Came(signals=_SIGNALS)))
    yield Figure("referral.enrollment_without.round_trips", alone, "calls", 1)
    ways = {
        "by_code": partial(service.enroll, referral_code=code, came=Came(signals=_SIGNALS)),
        "by_links": partial(service.enroll, came=Came(clicks, signals=_SIGNALS)),
        "by_both": partial(service.enroll, referral_code=code, came=Came(clicks, signals=_SIGNALS)),
    }
    for way, enroll in ways.items():
        added = trips(partial(enroll, program, next(people))) - alone
        yield Figure(f"referral.enrollment_{way}.round_trips_added", added, "calls", 1)
    claim = partial(acme.members.claims.claim, program, late["member_id"], code)
    yield Figure("referral.claim.round_trips", trips(claim), "calls", 2)
    brought = partial(acme.members.claims.brought, program, ada["member_id"], limit=25)
    yield Figure("referral.list_of_friends.calls", trips(brought), "calls", 18)
    running.drop(table)
