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
