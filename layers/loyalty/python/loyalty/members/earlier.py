"""Enrollments as an earlier version took them: so that a request which it answered gets that answer again, and no other.

The rules of ``core.contacts`` are for who is new. Whoever enrolled before them has a profile as it was made then, and the hash
of their request with it. Only what had a normal form then is looked for: without one there is nothing to find anybody by.
"""

from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from loyalty.attribution.codes import CodeText
from loyalty.core.fields import ExternalId, Locale, OneLine, RequestBody, Source
from loyalty.core.pii import MAX_EMAIL, normal_email, normal_phone
from loyalty.members.model import MAX_EXTERNAL_IDS, Profile


def _email(text: str) -> str:
    normal_email(text)
    return text.strip()


class EarlierBody(RequestBody):
    """What the first version took. It never changes; the next stricter rule adds another one beside it."""

    email: Annotated[str, StringConstraints(min_length=3, max_length=MAX_EMAIL), AfterValidator(_email)]
    phone: Annotated[str, StringConstraints(max_length=32), AfterValidator(normal_phone)] | None = None
    given_name: OneLine | None = None
    family_name: OneLine | None = None
    locale: Locale | None = None
    referral_code: CodeText | None = None
    external_ids: Annotated[dict[Source, ExternalId], Field(default_factory=dict, max_length=MAX_EXTERNAL_IDS)]

    def profile(self) -> Profile:
        """The profile that it made of a request."""
        return Profile(**self.model_dump(exclude={"referral_code"}))
