"""How privacy looks from outside, and what is asked of it."""

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints

from loyalty.core.clock import to_text
from loyalty.core.fields import Actor, Locale, RequestBody, ResponseBody
from loyalty.ledger.model import Book
from loyalty.members.erasure import Erasure
from loyalty.privacy.consent_store import Standing
from loyalty.privacy.consenting import Said
from loyalty.privacy.consents import Consent, allowed, channels_in_force
from loyalty.privacy.erasing import Asked
from loyalty.privacy.export_store import Export
from loyalty.privacy.restricting import Restriction
from loyalty.programs.fields import Slug
from loyalty.programs.privacy import MAX_PURPOSES, Channel, LegalBasis, Privacy

_Wording = Annotated[Slug, Field(description="The version of the text that the member saw.", examples=["2026-01"])]
_Purpose = Annotated[Slug, Field(description="Of the program's `privacy.purposes`.", examples=["marketing"])]
_Where = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,31}$"),
    Field(description="Where they said it.", examples=["web"]),
]


class ConsentBody(RequestBody):
    """What a member said of a purpose."""

    purpose: _Purpose
    given: Annotated[bool, Field(strict=True, description="Yes, or no: a withdrawal or an objection.")]
    wording: _Wording
    language: Locale
    channel: _Where

    def said(self) -> Said:
        """What is asked for."""
        return Said(self.purpose, self.given, self.wording, self.language, self.channel)


class ConsentView(ResponseBody):
    """One line of the log."""

    consent_id: str
    purpose: str
    given: bool
    wording: str
    language: str
    channel: str
    at: str

    @classmethod
    def of(cls, one: Consent) -> Self:
        """The view of a line."""
        return cls(
            consent_id=one.consent_id,
            purpose=one.purpose,
            given=one.given,
            wording=one.wording,
            language=one.language,
            channel=one.channel,
            at=to_text(one.at),
        )


class PurposeView(ResponseBody):
    """What is in force of one purpose."""

    purpose: str
    name: str
    legal_basis: LegalBasis
    allowed: Annotated[bool, Field(description="Whether data may be used for it now.")]
    given: Annotated[bool | None, Field(description="What the member last said; null: nothing.")]
    wording: str | None
    at: str | None


class ConsentsView(ResponseBody):
    """What is in force of all purposes of the program."""

    member_id: str
    purposes: list[PurposeView]
    version: Annotated[int, Field(description="Grows with each line of the log.")]

    @classmethod
    def of(cls, standing: Standing, privacy: Privacy) -> Self:
        """The view of what is in force."""
        found = []
        for purpose in privacy.purposes:
            decided = standing.consents.decided.get(purpose.id)
            found.append(
                PurposeView(
                    purpose=purpose.id,
                    name=purpose.name,
                    legal_basis=purpose.legal_basis,
                    allowed=allowed(purpose, decided, restricted=_restricted(standing.book)),
                    given=decided.given if decided else None,
                    wording=decided.wording if decided else None,
                    at=to_text(decided.at) if decided else None,
                )
            )
        return cls(member_id=standing.book.member_id, purposes=found, version=standing.consents.version)


class PreferenceBody(RequestBody):
    """By which channels a member wants to be addressed for a purpose; none: by no one."""

    purpose: _Purpose
    channels: Annotated[tuple[Channel, ...], Field(max_length=len(Channel))]


class PreferencesBody(RequestBody):
    """All that a member wants; for a purpose that is not named, all of its channels."""

    purposes: Annotated[tuple[PreferenceBody, ...], Field(max_length=MAX_PURPOSES)]


class PreferenceView(ResponseBody):
    """Of one purpose."""

    purpose: str
    channels: Annotated[list[Channel], Field(description="What the member wants.")]
    in_force: Annotated[
        list[Channel], Field(description="By what they may be addressed now: none where it is not allowed.")
    ]


class PreferencesView(ResponseBody):
    """What a member wants, and what follows of it now."""

    member_id: str
    purposes: list[PreferenceView]
    version: Annotated[int, Field(description="Grows with each change, 0 before the first; the ETag.")]

    @classmethod
    def of(cls, standing: Standing, privacy: Privacy) -> Self:
        """The view of what a member wants."""
        wanted = standing.preferences.channels
        in_force = channels_in_force(
            privacy, standing.consents, standing.preferences, restricted=_restricted(standing.book)
        )
        return cls(
            member_id=standing.book.member_id,
            purposes=[
                PreferenceView(
                    purpose=one.id,
                    channels=list(wanted.get(one.id, one.channels)),
                    in_force=list(in_force[one.id]),
                )
                for one in privacy.purposes
            ],
            version=standing.preferences.version,
        )


class ExportView(ResponseBody):
    """A copy of a member's data."""

    export_id: str
    member_id: str
    status: Annotated[str, Field(description="`running`, `ready` or `failed`.")]
    asked_at: str
    expires_at: Annotated[str, Field(description="From then on there is no file any more.")]
    size: Annotated[int | None, Field(description="In bytes, once it is ready.")]
    url: Annotated[
        str | None, Field(description="Where it is read, for fifteen minutes from now; null where there is no file.")
    ] = None

    @classmethod
    def of(cls, one: Export, url: str | None = None) -> Self:
        """The view of an export."""
        return cls(
            export_id=one.export_id,
            member_id=one.member_id,
            status=one.status.value,
            asked_at=to_text(one.asked_at),
            expires_at=to_text(one.expires_at),
            size=one.size,
            url=url,
        )


AskedReason = Literal["request", "withdrawn", "retention", "unlawful"]
"""Why somebody may ask; that a backup was restored is for the platform to say."""


class ErasureBody(RequestBody):
    """Why a member is to be erased, and who asks for it."""

    reason: AskedReason
    actor: Actor

    def by(self, client_id: str) -> Asked:
        """Who asks."""
        return Asked(self.actor, client_id)


class HandBody(RequestBody):
    """Who does it."""

    actor: Actor

    def by(self, client_id: str) -> Asked:
        """Who decides."""
        return Asked(self.actor, client_id)


class ErasureView(ResponseBody):
    """Where an erasure stands."""

    member_id: str
    status: Annotated[str, Field(description="`asked`, `approved`, `rejected`, `withdrawn` or `erased`.")]
    reason: str
    asked_by: str
    asked_at: str
    decided_by: str | None
    decided_at: str | None
    begun_at: Annotated[str | None, Field(description="From then on it cannot be withdrawn.")]
    erased_at: str | None
    problem: Annotated[str | None, Field(description="What stopped it; mend that, and approve it again.")]

    @classmethod
    def of(cls, one: Erasure) -> Self:
        """The view of an erasure."""
        return cls(
            member_id=one.member_id,
            status=one.status.value,
            reason=one.reason.value,
            asked_by=one.asked_by,
            asked_at=to_text(one.asked_at),
            decided_by=one.decided_by,
            decided_at=to_text(one.decided_at) if one.decided_at else None,
            begun_at=to_text(one.begun_at) if one.begun_at else None,
            erased_at=to_text(one.erased_at) if one.erased_at else None,
            problem=one.problem,
        )


class RestrictionView(ResponseBody):
    """Whether processing of a member's data is restricted."""

    member_id: str
    restricted: bool
    since: str | None

    @classmethod
    def of(cls, one: Restriction) -> Self:
        """The view of a restriction."""
        return cls(
            member_id=one.member_id, restricted=one.since is not None, since=to_text(one.since) if one.since else None
        )


def _restricted(book: Book) -> bool:
    return book.restricted_at is not None
