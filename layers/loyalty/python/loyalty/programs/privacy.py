"""What a program uses personal data for beyond its own running."""

from enum import StrEnum
from typing import Annotated, Final, Self

from pydantic import Field, model_validator

from loyalty.programs.fields import DocumentPart, Name, Slug

MAX_PURPOSES: Final = 20
MAX_WORDINGS: Final = 50


class LegalBasis(StrEnum):
    """On what a purpose rests. What the program itself needs, its contract with the member, is no purpose to ask for."""

    CONSENT = "consent"
    """Nothing is done until the member has said yes."""
    LEGITIMATE_INTEREST = "legitimate_interest"
    """It may be done until the member objects: a withdrawal."""


class Channel(StrEnum):
    """By which a member may be addressed."""

    EMAIL = "email"
    SMS = "sms"
    PUSH = "push"
    POST = "post"
    PHONE = "phone"


class Purpose(DocumentPart):
    """Something that members are asked for, such as marketing.

    ``wordings`` are the versions of the text that they agree to, the latest last; a version that somebody agreed to stays.
    ``channels``: by which they may be addressed for it; none: it addresses nobody.
    """

    id: Slug
    name: Name
    legal_basis: LegalBasis = LegalBasis.CONSENT
    wordings: Annotated[tuple[Slug, ...], Field(min_length=1, max_length=MAX_WORDINGS)]
    channels: Annotated[tuple[Channel, ...], Field(max_length=len(Channel))] = ()

    @model_validator(mode="after")
    def _nothing_twice(self) -> Self:
        for name, values in (("wordings", self.wordings), ("channels", self.channels)):
            if len(set(values)) != len(values):
                raise ValueError(f"{name} names one twice; leave it out once")
        return self


class Privacy(DocumentPart):
    """``purposes`` of personal data that members decide on."""

    purposes: Annotated[tuple[Purpose, ...], Field(max_length=MAX_PURPOSES)] = ()

    @model_validator(mode="after")
    def _ids_are_unique(self) -> Self:
        ids = [one.id for one in self.purposes]
        if twice := next((one for one in ids if ids.count(one) > 1), None):
            raise ValueError(f"two purposes have the id '{twice}'; give one of them another")
        return self

    def purpose(self, purpose_id: str) -> Purpose | None:
        """The purpose of that id, or None."""
        return next((one for one in self.purposes if one.id == purpose_id), None)
