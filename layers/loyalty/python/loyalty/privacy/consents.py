"""What a member agreed to, and by what they want to be addressed: values, pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from loyalty.programs.privacy import Channel, LegalBasis, Privacy, Purpose


@dataclass(frozen=True, slots=True)
class Decided:
    """What a member last said of one purpose, and when (UTC)."""

    given: bool
    wording: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Consent:
    """One line of the log: never changed. ``channel``: where it was said, such as ``web``; ``client_id``: through whom."""

    consent_id: str
    purpose: str
    given: bool
    wording: str
    language: str
    channel: str
    client_id: str
    at: datetime
    request_hash: str


@dataclass(frozen=True, slots=True)
class Consents:
    """What is in force of a member. ``version`` grows with each line of the log; 0: they never said anything."""

    member_id: str
    version: int = 0
    decided: Mapping[str, Decided] = field(default_factory=dict)
    """By purpose."""


@dataclass(frozen=True, slots=True)
class Preferences:
    """By which channels a member wants to be addressed for a purpose; of one that is not named, by all that it has."""

    member_id: str
    version: int = 0
    channels: Mapping[str, tuple[Channel, ...]] = field(default_factory=dict)
    said_at: datetime | None = None
    """When they were last changed (UTC); None: never."""


def joined_consents(into: Consents, gone: Consents) -> Consents:
    """What is in force of a member who absorbed another one: of each purpose the later answer; of two at once, the no."""
    decided = dict(into.decided)
    for purpose, other in gone.decided.items():
        own = decided.get(purpose)
        if own is None or (other.at, not other.given) > (own.at, not own.given):
            decided[purpose] = other
    return Consents(into.member_id, into.version + gone.version, decided)


def joined_preferences(into: Preferences, gone: Preferences) -> Preferences:
    """What a member wants who absorbed another one: whatever either named; of what both did, as it was said later."""
    moments = [one.said_at for one in (into, gone) if one.said_at is not None]
    own_is_later = gone.said_at is None or (into.said_at is not None and into.said_at >= gone.said_at)
    earlier, later = (gone, into) if own_is_later else (into, gone)
    return Preferences(
        into.member_id,
        into.version + gone.version,
        {**earlier.channels, **later.channels},
        max(moments, default=None),
    )


def allowed(purpose: Purpose, decided: Decided | None, *, restricted: bool = False) -> bool:
    """Whether data may be used for the purpose: by what the member said, or while they say nothing, by its legal basis.

    A yes to a wording that the program does not have any more is none. While processing is restricted, nothing is.
    """
    if restricted:
        return False
    if decided is None:
        return purpose.legal_basis is LegalBasis.LEGITIMATE_INTEREST
    return decided.given and decided.wording in purpose.wordings


def channels_in_force(
    privacy: Privacy, consents: Consents, preferences: Preferences, *, restricted: bool
) -> dict[str, tuple[Channel, ...]]:
    """By purpose, the channels by which the member may be addressed now: none where it is not allowed."""
    return {
        purpose.id: tuple(
            channel
            for channel in purpose.channels
            if channel in preferences.channels.get(purpose.id, purpose.channels)
            and allowed(purpose, consents.decided.get(purpose.id), restricted=restricted)
        )
        for purpose in privacy.purposes
    }
