"""Whether what limits count of redemptions is what the redemptions beside it say."""

from collections import Counter
from collections.abc import Iterator, Mapping

from loyalty.ledger.keys import LIMITS_SK
from loyalty.ledger.model import EntryKind
from loyalty.ledger.verify.family import Family
from loyalty.ledger.verify.kept import Limited, Redeemed
from loyalty.ledger.verify.replay import redemption_of
from loyalty.ledger.verify.report import Problem, Problems
from loyalty_contract import REDEMPTION_PREFIX

_NOTHING = Limited({}, {})


def check_limits(family: Family) -> Problems:
    """What is wrong with the counts of limits, in each member's own partition."""
    timed_out = {redemption_of(entry) for entry in family.entries(EntryKind.TIMEOUT)}
    limits = {member_id: record for member_id, _, record in family.records(Limited)}
    redeemed: dict[str, dict[str, Redeemed]] = {}
    for member_id, sk, record in family.records(Redeemed):
        if record.counted:
            redeemed.setdefault(member_id, {})[sk.removeprefix(REDEMPTION_PREFIX)] = record
    for member_id in {**limits, **redeemed}:
        wrong = _differences(limits.get(member_id, _NOTHING), redeemed.get(member_id, {}), timed_out)
        for detail in wrong:
            yield Problem("limits_wrong", LIMITS_SK, detail, member_id)


def _differences(limits: Limited, redeemed: Mapping[str, Redeemed], timed_out: set[str]) -> Iterator[str]:
    open_ones = {key: one for key, one in redeemed.items() if one.status == "held" and one.expires_at is not None}
    expected: Counter[str] = Counter()
    for key, one in redeemed.items():
        if one.status == "captured" or (one.status == "held" and key not in open_ones):
            expected.update(one.counted)
    # A window that is over may have been left out; those of the last hold and of no end were not over when it was made.
    last = max(redeemed.values(), key=lambda one: one.held_at, default=None)
    kept = {key for key in expected if key.endswith("/ever") or (last is not None and key in last.counted)}
    for key in sorted(kept | limits.used.keys()):
        if limits.used.get(key, 0) != expected[key]:
            yield f"{key}: it counts {limits.used.get(key, 0)}, and redemptions say {expected[key]}"
    for key in sorted(open_ones.keys() | limits.holds.keys()):
        if key not in open_ones:
            yield f"it has an open hold '{key}', which is none"
        elif key not in limits.holds and key not in timed_out:
            yield f"the open hold '{key}' is not in it"
        elif key in limits.holds and limits.holds[key] != open_ones[key].counted:
            yield f"of '{key}' it counts {dict(limits.holds[key])}, and the redemption says {dict(open_ones[key].counted)}"
