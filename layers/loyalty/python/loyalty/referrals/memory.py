"""What is remembered of members for screening: when they come, when they are counted, when they are erased.

::

    count      read the likenesses' SEEN, a shard of COUNTS, the referral      1 round trip
               write what changes of them, the referral as counted             1 round trip, exactly once
    remember   read the profile; the likenesses' SEEN; write what changes      3
    forget     read the profile and the referral; as above                     3

None of it grows with how many a referrer brought, or how many have a likeness.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Final

from loyalty.attribution.likenesses import DISPOSABLE_EMAIL, EMAIL_LIKE, EMAIL_STEM, PAYMENT
from loyalty.attribution.model import Referral
from loyalty.attribution.store import referral_of, referral_put, shard_of
from loyalty.core.clock import Clock, from_text, to_text
from loyalty.core.retrying import Retries
from loyalty.core.table import Operation, RawItem, Table
from loyalty.ledger.keys import partition
from loyalty.programs.model import Program
from loyalty.programs.referrals import Screening
from loyalty.referrals.facts import PHONE
from loyalty.referrals.remembering import (
    Key,
    counts_key,
    counts_keys,
    counts_of,
    counts_put,
    hour_key,
    one_more_in_hour,
    seen_key,
    seen_of,
    seen_write,
)
from loyalty.referrals.sightings import STEM_HEX, Claim, Counts, Sighting, together
from loyalty_contract import MEMBER_SK, REFERRAL_SK

_RETRIES: Final = Retries(
    8, base=0.01, cap=0.3, busy="This referrer has many new members at the moment; the same is tried again."
)
_LIKENESSES: Final = "likenesses"
"""The attribute of a member's profile: kinds of likenesses → digests."""
_OUTLIVE: Final = frozenset({EMAIL_LIKE, PHONE, PAYMENT})
"""Of who was erased these tell that they come back. A device, an address or a network may be others' as well."""

Found = Mapping[Key, RawItem]


class Memory:
    """Remembers members within bounds.

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
        seen = seen_keys(name, referral.likenesses)
        found = self._table.get_many([mine, shard, *seen.values()])
        if mine not in found:
            raise AssertionError(f"there is no referral of '{member_id}'")
        before = referral_of(found[mine])
        if before.counted:
            return before
        after = replace(before, counted=True)
        stem = before.likenesses.get(EMAIL_STEM, "")[:STEM_HEX]
        claim = Claim(member_id, before.claimed_at, stem, before.flags.get(DISPOSABLE_EMAIL, 0) > 0)
        sighting = Sighting(member_id, before.claimed_at, before.referrer)
        self._table.write(
            [
                referral_put(before, after),
                counts_put(shard, counts_of(found.get(shard)).with_one(claim)),
                one_more_in_hour(hour_key(name, member_id, before.claimed_at), before.claimed_at),
                *_sightings(program, seen, found, sighting),
            ]
        )
        return replace(after, revision=before.revision + 1)

    def remember(self, program: Program, member_id: str) -> None:
        """Remembers somebody who enrolled, without a code too: they may come again with one. Again, it changes nothing.

        Raises:
            WalletBusy: as :meth:`count`.
        """
        raw = self._table.read(partition(program.document.id, member_id), MEMBER_SK)
        seen = seen_keys(program.document.id, likenesses_in(raw))
        if raw is None or not seen:
            return
        sighting = Sighting(member_id, from_text(raw["created_at"]["S"]))

        def change() -> None:
            operations = _sightings(program, seen, self._table.get_many(list(seen.values())), sighting)
            if operations:
                self._table.write(operations)

        _RETRIES.of(change, self._sleep)

    def forget(self, program: Program, member_id: str) -> None:
        """Takes somebody out of what is remembered, before their profile is erased: it says what they were like.

        So does the referral by which they came, with an address that they may have changed since, and the profile of each that they
        had before; it forgets that in the same
        transaction, so that no count that comes at that moment brings anything back. That somebody was erased who had that
        mailbox, phone or payment stays for as long as the program says. Once the profile is a stub it does nothing.

        Raises:
            WalletBusy: as :meth:`count`.
        """
        _RETRIES.of(partial(self._forget, program, member_id), self._sleep)

    def _forget(self, program: Program, member_id: str) -> None:
        name = program.document.id
        profile, mine = (partition(name, member_id), MEMBER_SK), (partition(name, member_id), REFERRAL_SK)
        read = self._table.get_many([profile, mine])
        referral = referral_of(read[mine]) if mine in read else None
        known = [*likenesses_ever(read.get(profile)), *(() if referral is None else referral.likenesses.items())]
        keys = sorted({(kind, seen_key(name, digest)) for kind, digest in known if kind != EMAIL_STEM})
        shard = None if referral is None else counts_key(name, referral.referrer, shard_of(member_id))
        found = self._table.get_many([*(key for _, key in keys), *([shard] if shard else [])])
        operations: list[Operation] = []
        for kind, key in keys:
            before = seen_of(found.get(key))
            keep = screening_of(program).remember_erased_days if kind in _OUTLIVE else 0
            after = before.without(member_id, from_text(to_text(self._clock())), timedelta(days=keep))
            operations += [] if after == before else [seen_write(key, after, remembered(program, kind))]
        counts = counts_of(found.get(shard)) if shard is not None else Counts()
        if shard is not None and counts.without_stem(member_id) != counts:
            operations.append(counts_put(shard, counts.without_stem(member_id)))
        if referral is not None and (referral.likenesses or referral.flags):
            operations.append(referral_put(referral, replace(referral, likenesses={}, flags={})))
        if operations:
            self._table.write(operations)

    def brought(self, program: str, referrer: str) -> int:
        """How many a member brought, as far as they are counted: by this a code is exhausted. One round trip."""
        return all_counts(self._table.get_many(counts_keys(program, referrer)), program, referrer).total

    def exhausted(self, program: Program, referral: Referral) -> int | None:
        """How many the referrer brought, where that is as many as a code may bring; None: the code may be used on.

        To be asked once a referral is counted. A program without such a bound costs no read, any other one round trip.
        """
        rules = program.document.referrals
        if rules is None or rules.code_uses is None:
            return None
        brought = self.brought(referral.program, referral.referrer)
        return brought if brought >= rules.code_uses else None


def all_counts(found: Found, program: str, referrer: str) -> Counts:
    """Whom a member brought, of all shards that were read."""
    return together(counts_of(found.get(key)) for key in counts_keys(program, referrer))


def seen_keys(program: str, likenesses: Mapping[str, str]) -> dict[str, Key]:
    """Where likenesses are remembered, by kind; the one that the referrer's counts have is not."""
    return {kind: seen_key(program, digest) for kind, digest in sorted(likenesses.items()) if kind != EMAIL_STEM}


def likenesses_in(raw: RawItem | None) -> dict[str, str]:
    """Of a member's profile; none of who is erased. Who enrolled before there were any has a phone, perhaps."""
    if raw is None:
        return {}
    phone = raw.get("lookups", {}).get("M", {}).get(PHONE)
    told = {kind: text["S"] for kind, text in raw.get(_LIKENESSES, {}).get("M", {}).items()}
    return told | ({} if phone is None else {PHONE: phone["S"]})


def likenesses_ever(raw: RawItem | None) -> list[tuple[str, str]]:
    """Kinds and digests of a member's profile, and of addresses and phones that they had before."""
    before = {} if raw is None else raw.get("likenesses_before", {}).get("M", {})
    return [*likenesses_in(raw).items(), *((name.partition("#")[2], text["S"]) for name, text in before.items())]


def screening_of(program: Program) -> Screening:
    """The program's rules; those by default where it has no referrals: there are codes all the same."""
    rules = program.document.referrals
    return Screening() if rules is None else rules.screening


def remembered(program: Program, kind: str) -> timedelta | None:
    """How long it is remembered who had a likeness. A mailbox is nobody else's ever, so as long as they are members."""
    return None if kind == EMAIL_LIKE else timedelta(days=screening_of(program).remember_days)


def _sightings(program: Program, seen: Mapping[str, Key], found: Found, sighting: Sighting) -> list[Operation]:
    """What changes of who had these likenesses."""
    operations: list[Operation] = []
    for kind, key in seen.items():
        remember = remembered(program, kind)
        after = seen_of(found.get(key)).with_one(sighting, remember)
        operations += [] if after is None else [seen_write(key, after, remember)]
    return operations
