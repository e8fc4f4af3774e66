"""Screening: what speaks against a referral, from what is remembered of those around it.

::

    the referrer, the likenesses, all COUNTS of both, the program's hour           1 round trip
    some of the others whom the referrer brought, the ancestors, COUNTS of the
    first whom they brought themselves, if that was at once                        1 for each ancestor, 4 at most

It does not grow with how many a referrer brought, and writes nothing: whoever asked keeps what it says.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from loyalty.attribution.model import Referral, Screened
from loyalty.attribution.store import referral_of
from loyalty.core.clock import from_text, to_text
from loyalty.core.table import RawItem
from loyalty.ledger.keys import partition
from loyalty.programs.model import Program
from loyalty.programs.referrals import Qualifying
from loyalty.referrals.facts import DEPTH, OTHERS, Facts, at_once
from loyalty.referrals.features import features_of
from loyalty.referrals.memory import Memory, all_counts, likenesses_in, remembered, screening_of, seen_keys
from loyalty.referrals.remembering import Key, counts_keys, hour_key, in_hour, seen_of
from loyalty.referrals.scoring import screened
from loyalty.referrals.sightings import Claim, Counts, Seen, nearest
from loyalty_contract import MEMBER_SK, REFERRAL_SK


@dataclass(frozen=True, slots=True)
class _Around:
    """Who stands around a referral: see :class:`Facts`."""

    others: Sequence[Referral]
    ancestors: Sequence[Referral]
    below: Sequence[Claim]


class Screener(Memory):
    """Remembers members, and says what speaks against one who was brought."""

    def screen(self, program: Program, referral: Referral) -> Screened:
        """What speaks against the referral now, by the program's rules; what an earlier screening found stays found.

        Raises:
            Unavailable: the table was too busy to answer.
        """
        name, friend, referrer = referral.program, referral.member_id, referral.referrer
        member = (partition(name, referrer), MEMBER_SK)
        above = (partition(name, referrer), REFERRAL_SK)
        hour = hour_key(name, friend, referral.claimed_at)
        seen = seen_keys(name, referral.likenesses)
        counts = [*counts_keys(name, referrer), *counts_keys(name, friend)]
        found = self._table.get_many([member, above, hour, *seen.values(), *counts])
        by_referrer = all_counts(found, name, referrer)
        brought = all_counts(found, name, friend).claims
        below = at_once(brought, referral.claimed_at)
        around = self._around(referral, by_referrer, found.get(above), below)
        facts = Facts(
            referral=referral,
            qualifying=_qualifying(program),
            referrer=likenesses_in(found.get(member)),
            seen={kind: _of_late(seen_of(found.get(key)), program, kind, referral) for kind, key in seen.items()},
            counts=by_referrer,
            brought=brought,
            brought_by_them=around.below,
            ancestors=around.ancestors,
            others=around.others,
            in_program=in_hour(found.get(hour)),
        )
        features, members = features_of(facts)
        now = from_text(to_text(self._clock()))
        return screened(features, screening_of(program), version=program.version, at=now, members=members)

    def _around(self, referral: Referral, counts: Counts, above: RawItem | None, below: Claim | None) -> "_Around":
        """Others whom the referrer brought, in the order of time; who brought the referrer, and so on; who came below."""
        name = referral.program
        claims = [one for one in counts.claims if one.member_id != referral.member_id]
        near = [_referral_key(name, one.member_id) for one in nearest(claims, referral.claimed_at, OTHERS)]
        links = [] if below is None else counts_keys(name, below.member_id)
        found: dict[Key, RawItem] = {}
        ancestors = [] if above is None else [referral_of(above)]
        wanted = {*near, *links}
        passed = {referral.member_id, referral.referrer}
        while True:
            up = ancestors[-1].referrer if ancestors and len(ancestors) < DEPTH else None
            higher = None if up is None or up in passed else _referral_key(name, up)
            keys = sorted({*wanted, *([higher] if higher else [])} - found.keys())
            found |= self._table.get_many(keys)
            wanted = set()
            if higher is None or higher not in found:
                break
            ancestors.append(referral_of(found[higher]))
            passed.add(ancestors[-1].member_id)
        return _Around(
            [referral_of(found[key]) for key in near if key in found],
            ancestors,
            () if below is None else all_counts(found, name, below.member_id).claims,
        )


def _of_late(seen: Seen, program: Program, kind: str, referral: Referral) -> Seen:
    """Without what is still stored, and longer ago than is remembered."""
    remember = remembered(program, kind)
    return seen if remember is None else seen.since(referral.claimed_at - remember)


def _referral_key(program: str, member_id: str) -> Key:
    return partition(program, member_id), REFERRAL_SK


def _qualifying(program: Program) -> Qualifying:
    rules = program.document.referrals
    return Qualifying() if rules is None else rules.qualifying
