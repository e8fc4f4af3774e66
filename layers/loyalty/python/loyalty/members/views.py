"""How members look from outside, and what may be sent of them."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Self

from pydantic import Field, ModelWrapValidatorHandler, PrivateAttr, ValidationError, model_validator

from loyalty.attribution.clicks import MAX_CLICKS, ClickText
from loyalty.attribution.codes import CodeText
from loyalty.attribution.signals import SignalsBody
from loyalty.attribution.touches import Came
from loyalty.core.clock import to_text
from loyalty.core.fields import Email, ExternalId, Locale, PersonName, Phone, RequestBody, ResponseBody, Source
from loyalty.members.earlier import EarlierBody
from loyalty.members.model import MAX_EXTERNAL_IDS, Member, Profile
from loyalty.programs.fields import Slug

_EXTERNAL_IDS = "The member's customer id on each commerce platform."


class EnrollmentBody(RequestBody):
    """A person who wants to take part. Sent again unchanged, it gives its first result."""

    _earlier: EarlierBody | None = PrivateAttr(default=None)
    _refused: ValidationError | None = PrivateAttr(default=None)

    email: Email
    phone: Phone | None = None
    given_name: PersonName | None = None
    family_name: PersonName | None = None
    locale: Locale | None = None
    referral_code: CodeText | None = None
    referral_channel: Annotated[Slug | None, Field(description="Where they got the code: one of the program's.")] = None
    referral_campaign: Annotated[Slug | None, Field(description="With which campaign.")] = None
    referral_clicks: Annotated[
        tuple[ClickText, ...],
        Field(max_length=MAX_CLICKS, description="Links of members that they followed; a code counts before them."),
    ] = ()
    signals: Annotated[
        SignalsBody | None, Field(description="Against cheating; kept as keyed hashes alone, and never told again.")
    ] = None
    external_ids: Annotated[
        dict[Source, ExternalId],
        Field(
            default_factory=dict,
            max_length=MAX_EXTERNAL_IDS,
            description=_EXTERNAL_IDS,
            examples=[{"shopify": "207119551"}],
        ),
    ]

    @model_validator(mode="wrap")
    @classmethod
    def _or_as_before(cls, data: Any, taken: ModelWrapValidatorHandler["EnrollmentBody"]) -> "EnrollmentBody":
        """Also what only an earlier version took: whether somebody enrolled with it is for the table to say."""
        try:
            earlier = EarlierBody.model_validate(data)
        except ValidationError:
            return taken(data)
        try:
            body = taken(data)
        except ValidationError as refused:
            body = cls.model_construct(**earlier.model_dump())
            body._refused = refused  # noqa: SLF001 - its own
        body._earlier = earlier  # noqa: SLF001 - its own
        return body

    @property
    def earlier(self) -> Profile | None:
        """The profile that an earlier version made of the same request; None: it took none of this."""
        return None if self._earlier is None else self._earlier.profile()

    @property
    def refused(self) -> Sequence[Mapping[str, Any]]:
        """What of it is not taken any more, as pydantic says it; nobody new enrolls with it."""
        errors = [] if self._refused is None else self._refused.errors(include_url=False)
        return [{**error, "loc": ("body", *error["loc"])} for error in errors]

    @model_validator(mode="after")
    def _source_of_a_code(self) -> Self:
        if self.referral_code is None and (self.referral_channel or self.referral_campaign):
            raise ValueError("Send referral_channel and referral_campaign with the referral_code that they are of")
        return self

    def came(self) -> Came:
        """How they came."""
        signals = None if self.signals is None else self.signals.to_signals()
        return Came(self.referral_clicks, self.referral_channel, self.referral_campaign, signals)


class ChangesBody(RequestBody):
    """The fields to change, and no others; null removes a value."""

    email: Annotated[Email, Field(default=None)]
    phone: Phone | None = None
    given_name: PersonName | None = None
    family_name: PersonName | None = None
    locale: Locale | None = None
    external_ids: Annotated[
        dict[Source, ExternalId | None],
        Field(
            default_factory=dict,
            max_length=MAX_EXTERNAL_IDS,
            description=f"{_EXTERNAL_IDS} Platforms that are not named keep theirs.",
        ),
    ]


class MemberView(ResponseBody):
    """A member."""

    member_id: str
    referral_code: Annotated[str, Field(description="The member's own, for those whom they bring.")]
    tier: str
    email: str
    phone: str | None
    given_name: str | None
    family_name: str | None
    locale: str | None
    external_ids: dict[str, str]
    referred_by: Annotated[str | None, Field(description="Id of the member by whose code or link they enrolled.")]
    created_at: str
    version: Annotated[int, Field(description="Grows with each change; the ETag.")]
    merged_from: Annotated[
        str | None, Field(description="The id that was asked for, where that member was merged into this one.")
    ] = None

    @classmethod
    def of(cls, member: Member) -> Self:
        """The view of a member."""
        profile = member.profile
        return cls(
            member_id=member.member_id,
            referral_code=member.referral_code,
            tier=member.tier,
            email=profile.email,
            phone=profile.phone,
            given_name=profile.given_name,
            family_name=profile.family_name,
            locale=profile.locale,
            external_ids=dict(profile.external_ids),
            referred_by=member.referred_by,
            created_at=to_text(member.created_at),
            version=member.version,
            merged_from=member.merged_from,
        )
