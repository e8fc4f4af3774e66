"""Members and their profiles: values, pure."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from typing import Any, Final, Self

from loyalty.core.pii import EMAIL, PHONE, Lookups, external_kind, normal_email, normal_phone

MAX_EXTERNAL_IDS: Final = 10
"""Platforms that a member may be a customer of: each is one more item in the transaction that changes them."""


@dataclass(frozen=True, slots=True, repr=False)
class Profile:
    """What a member told of themselves: all of it is personal, hence no ``repr``.

    ``external_ids`` maps a commerce platform to the member's customer id there.
    """

    email: str
    phone: str | None = None
    given_name: str | None = None
    family_name: str | None = None
    locale: str | None = None
    external_ids: Mapping[str, str] = field(default_factory=dict)

    def digests(self, program: str, lookups: Lookups) -> dict[str, str]:
        """By what this person is found: kind of lookup → keyed hash."""
        found = {EMAIL: lookups.email(program, normal_email(self.email))}
        if self.phone is not None:
            found[PHONE] = lookups.phone(program, normal_phone(self.phone))
        for platform, external_id in self.external_ids.items():
            found[external_kind(platform)] = lookups.external(program, platform, external_id)
        return found

    def as_json(self) -> dict[str, Any]:
        """What is sealed: the fields that have a value."""
        return {name: value for name, value in asdict(self).items() if value}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The profile that :meth:`as_json` gave."""
        return cls(**data)


PROFILE_FIELDS: Final = frozenset(one.name for one in fields(Profile))


@dataclass(frozen=True, slots=True)
class Member:
    """A member as the API shows them. ``tier`` is the wallet's; ``version`` grows with each change of the profile.

    ``merged_from`` is the id that was asked for, where that member was merged into this one.
    """

    program: str
    member_id: str
    version: int
    referral_code: str
    tier: str
    profile: Profile
    referred_by: str | None
    created_at: datetime
    merged_from: str | None = None


def pointer_of(kind: str) -> str:
    """Where a request holds what is looked up under ``kind``: ``external:shopify`` → ``/external_ids/shopify``."""
    return f"/{kind.replace('external:', 'external_ids/')}"
