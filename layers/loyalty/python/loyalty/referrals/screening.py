"""Screening: what is remembered of a new referral, and what speaks against one.

::

    count    read the likenesses' SEEN, a shard of COUNTS, the referral            1 round trip
             write what changes of them, the referral as counted                   1 round trip, exactly once
    screen   the referrer, the likenesses, all COUNTS of both, the program's hour  1 round trip
             some of the others whom the referrer brought, the ancestors, COUNTS
             of the first whom they brought themselves, if that was at once        1, and 1 for each ancestor behind the second

Neither grows with how many a referrer brought. ``screen`` writes nothing: whoever asked keeps what it says.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Final

from loyalty.core.clock import Clock, from_text, to_text
from loyalty.core.retrying import Retries
from loyalty.core.table import Operation, RawItem, Table
from loyalty.ledger.keys import partition
from loyalty.programs.model import Program
from loyalty.programs.referrals import Qualifying, Screening
from loyalty.referrals.facts import DEPTH, OTHERS, PHONE, Facts, at_once
from loyalty.referrals.features import features_of
from loyalty.referrals.likenesses import DISPOSABLE_EMAIL, EMAIL_LIKE, EMAIL_STEM, PAYMENT
from loyalty.referrals.model import Referral, Screened
from loyalty.referrals.remembering import (
    Key,
    counts_key,
    counts_keys,
    counts_of,
    counts_put,
    hour_key,
    in_hour,
    one_more_in_hour,
    seen_key,
    seen_of,
    seen_write,
)
from loyalty.referrals.scoring import screened
from loyalty.referrals.sightings import Claim, Counts, Sighting, nearest, together
from loyalty.referrals.store import referral_of, referral_put, shard_of
from loyalty_contract import MEMBER_SK, REFERRAL_SK

_RETRIES: Final = Retries(
    8, base=0.01, cap=0.3, busy="This referrer has many new members at the moment; the same is tried again."
)
LIKENESSES: Final = "likenesses"
"""The attribute of a member's profile: kinds of likenesses → digests."""
_OUTLIVE: Final = frozenset({EMAIL_LIKE, PHONE, PAYMENT})
"""Of who was erased these tell that they come back. A device, an address or a network may be others' as well."""

_Found = Mapping[Key, RawItem]


@dataclass(frozen=True, slots=True)
class _Around:
    """Who stands around a referral: see :class:`Facts`."""

    others: Sequence[Referral]
    ancestors: Sequence[Referral]
    below: Sequence[Claim]


class Screener:
    """Remembers new members, and says what speaks against a referral.

    Args:
        table: where it is remembered.
        clock: gives the present moment.
        sleep: waits.
    """

    def __init__(self, table: Table, clock: Clock, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._table = table
        self._clock = clock
        self._sleep = sleep

    def count(self, program: Program, referral: Referral) -> Referral:
        """Remembers who was brought and counts them for the referrer, once; the referral as it is stored then.

        Raises:
            WalletBusy: others keep writing the same; the same may be asked again.
            AssertionError: there is no such referral.
        """
        return _RETRIES.of(partial(self._count, program, referral), self._sleep)

    def _count(self, program: Program, referral: Referral) -> Referral:
        name, member_id = referral.program, referral.member_id
        mine = (partition(name, member_id), REFERRAL_SK)
        shard = counts_key(name, referral.referrer, shard_of(member_id))
        seen = _seen_keys(name, referral.likenesses)
        found = self._table.get_many([mine, shard, *seen.values()])
        before = referral_of(found[mine])
        if before.counted:
            return before
        after = replace(before, counted=True)
        claim = Claim(
            member_id,
            before.claimed_at,
            before.likenesses.get(EMAIL_STEM, ""),
            before.flags.get(DISPOSABLE_EMAIL, 0) > 0,
        )
        sighting = Sighting(member_id, before.claimed_at, before.referrer)
        self._table.write(
            [
                referral_put(before, after),
                counts_put(shard, counts_of(found.get(shard)).with_one(claim)),
                one_more_in_hour(hour_key(name, member_id, before.claimed_at), before.claimed_at),
                *_sightings(_screening(program), seen.values(), found, sighting),
            ]
        )
        return replace(after, revision=before.revision + 1)

    def remember(self, program: Program, likenesses: Mapping[str, str], sighting: Sighting) -> None:
        """Remembers somebody who came without a code: they may come again with one. Said again, it changes nothing.

        Raises:
            WalletBusy: as :meth:`count`.
        """
        keys = list(_seen_keys(program.document.id, likenesses).values())

        def change() -> None:
            puts = _sightings(_screening(program), keys, self._table.get_many(keys), sighting)
            if puts:
                self._table.write(puts)

        _RETRIES.of(change, self._sleep)

    def forget(
        self, program: Program, member_id: str, likenesses: Mapping[str, str], referral: Referral | None
    ) -> None:
        """Takes somebody who is erased out of what is remembered; that somebody was erased stays as long as the program says.

        ``referral``: the one by which they came themselves. Said again, it changes nothing but how long that stays.

        Raises:
            WalletBusy: as :meth:`count`.
        """
        _RETRIES.of(partial(self._forget, program, member_id, likenesses, referral), self._sleep)

    def _forget(
        self, program: Program, member_id: str, likenesses: Mapping[str, str], referral: Referral | None
    ) -> None:
        rules, name = _screening(program), program.document.id
        now = from_text(to_text(self._clock()))
        keys = _seen_keys(name, likenesses)
        shard = None if referral is None else counts_key(name, referral.referrer, shard_of(member_id))
        found = self._table.get_many([*keys.values(), *([shard] if shard else [])])
        operations: list[Operation] = []
        for kind, key in keys.items():
            before = seen_of(found.get(key))
            keep = timedelta(days=rules.remember_erased_days if kind in _OUTLIVE else 0)
            after = before.without(member_id, now, keep)
            if after != before:
                operations.append(seen_write(key, after, timedelta(days=rules.remember_days)))
        if shard is not None and shard in found:
            counts = counts_of(found[shard])
            if counts.without_stem(member_id) != counts:
                operations.append(counts_put(shard, counts.without_stem(member_id)))
        if operations:
            self._table.write(operations)

    def brought(self, program: str, referrer: str) -> int:
        """How many a member brought, as far as they are counted: by this a code is exhausted. One round trip."""
        return self._counts(self._table.get_many(counts_keys(program, referrer)), program, referrer).total

    def screen(self, program: Program, referral: Referral) -> Screened:
        """What speaks against the referral now, by the program's rules; what an earlier screening found stays found.

        A program without referrals is screened by the defaults: there are codes all the same.

        Raises:
            Unavailable: the table was too busy to answer.
        """
        name, friend, referrer = referral.program, referral.member_id, referral.referrer
        member = (partition(name, referrer), MEMBER_SK)
        above = (partition(name, referrer), REFERRAL_SK)
        hour = hour_key(name, friend, referral.claimed_at)
        seen = _seen_keys(name, referral.likenesses)
        counts = [*counts_keys(name, referrer), *counts_keys(name, friend)]
        found = self._table.get_many([member, above, hour, *seen.values(), *counts])
        by_referrer = self._counts(found, name, referrer)
        remembered = referral.claimed_at - timedelta(days=_screening(program).remember_days)
        brought = self._counts(found, name, friend).claims
        below = at_once(brought, referral.claimed_at)
        around = self._around(referral, by_referrer, found.get(above), below)
        facts = Facts(
            referral=referral,
            qualifying=_qualifying(program),
            referrer=_likenesses(found.get(member)),
            seen={kind: seen_of(found.get(key)).since(remembered) for kind, key in seen.items()},
            counts=by_referrer,
            brought=brought,
            brought_by_them=around.below,
            ancestors=around.ancestors,
            others=around.others,
            in_program=in_hour(found.get(hour)),
        )
        features, members = features_of(facts)
        now = from_text(to_text(self._clock()))
        return screened(features, _screening(program), version=program.version, at=now, members=members)

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
            () if below is None else self._counts(found, name, below.member_id).claims,
        )

    @staticmethod
    def _counts(found: _Found, program: str, referrer: str) -> Counts:
        return together(counts_of(found.get(key)) for key in counts_keys(program, referrer))


def _sightings(screening: Screening, keys: Iterable[Key], found: _Found, sighting: Sighting) -> list[Operation]:
    remember = timedelta(days=screening.remember_days)
    after = {key: seen_of(found.get(key)).with_one(sighting, remember) for key in keys}
    return [seen_write(key, one, remember) for key, one in after.items() if one is not None]


def _seen_keys(program: str, likenesses: Mapping[str, str]) -> dict[str, Key]:
    """Where the likenesses are remembered, by kind; those that are remembered by the referrer's counts are not."""
    return {kind: seen_key(program, digest) for kind, digest in sorted(likenesses.items()) if kind != EMAIL_STEM}


def _referral_key(program: str, member_id: str) -> Key:
    return partition(program, member_id), REFERRAL_SK


def _likenesses(raw: RawItem | None) -> dict[str, str]:
    """Of a member's profile; none of who is erased or came before there were any."""
    if raw is None:
        return {}
    return {kind: text["S"] for kind, text in raw.get(LIKENESSES, {}).get("M", {}).items()}


def _qualifying(program: Program) -> Qualifying:
    rules = program.document.referrals
    return Qualifying() if rules is None else rules.qualifying


def _screening(program: Program) -> Screening:
    rules = program.document.referrals
    return Screening() if rules is None else rules.screening
