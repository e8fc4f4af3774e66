"""What is read for one referral, to say what speaks against it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from loyalty.attribution.model import Referral
from loyalty.programs.referrals import Qualifying
from loyalty.referrals.sightings import Claim, Counts, Seen

PHONE: Final = "phone"
"""The kind of likeness that a phone number is: the digest by which its owner is found. No two have it at once."""
OTHERS: Final = 24
"""So many of those whom the referrer brought are looked at, the nearest in time."""
DEPTH: Final = 5
"""So far is followed who brought whom."""
AT_ONCE: Final = timedelta(hours=1)
"""So soon who was brought brings the next, in a chain."""

Found = tuple[int, Sequence[str]]
"""What is counted, and ids of whom it is about."""
NOTHING: Final[Found] = (0, ())


@dataclass(frozen=True, slots=True)
class Facts:
    """What was read.

    Args:
        referral: whom it is about.
        qualifying: what is enough, by the program.
        referrer: the referrer's own likenesses, by kind.
        seen: who had those of who was brought, by kind.
        counts: whom the referrer brought.
        brought: the last claims by the code of who was brought.
        brought_by_them: those by the code of the first of these, if that one came at once.
        ancestors: the referral of the referrer, of who had brought them, and so on.
        others: referrals of some whom the referrer brought as well.
        in_program: how many referrals the program has in that hour.
    """

    referral: Referral
    qualifying: Qualifying = field(default_factory=Qualifying)
    referrer: Mapping[str, str] = field(default_factory=dict)
    seen: Mapping[str, Seen] = field(default_factory=dict)
    counts: Counts = field(default_factory=Counts)
    brought: Sequence[Claim] = ()
    brought_by_them: Sequence[Claim] = ()
    ancestors: Sequence[Referral] = ()
    others: Sequence[Referral] = ()
    in_program: int = 0

    def who_had(self, kind: str) -> Seen:
        """Who had that likeness of who was brought."""
        return self.seen.get(kind, Seen())

    def but_them(self, members: Iterable[str]) -> list[str]:
        """Without who was brought, nobody twice."""
        return [one for one in dict.fromkeys(members) if one != self.referral.member_id]


def at_once(claims: Sequence[Claim], moment: datetime) -> Claim | None:
    """The first who was brought, if that was within the hour after a moment."""
    return next((one for one in claims if timedelta() <= one.at - moment <= AT_ONCE), None)


def counted(members: Iterable[str]) -> Found:
    """As many as there are."""
    ids = list(members)
    return len(ids), ids
