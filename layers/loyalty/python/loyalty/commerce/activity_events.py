"""``activity.recorded``: how systems of the operator's own tell of what a member did, on the same bus.

Any event source but ``loyalty`` may send it. The schema is strict: an unknown field is a misunderstanding.
"""

from typing import Annotated, Any, Final, Self

from pydantic import StringConstraints, field_validator, model_validator

from loyalty.commerce.fields import money, read, usable_email
from loyalty.commerce.model import CustomerRef, MemberActivity
from loyalty.core.fields import MemberId, MoneyBody, ProgramId, RequestBody, Source, SourceId, UtcDatetime
from loyalty.programs.model import Slug

DETAIL_TYPE: Final = "activity.recorded"


class ExternalId(RequestBody):
    """A member's id on another platform."""

    platform: Source
    id: SourceId


class ActivityRecorded(RequestBody):
    """The detail of the event. ``source`` and ``source_id`` are the activity's identity, for ever."""

    program: ProgramId
    member_id: MemberId | None = None
    email: Annotated[str, StringConstraints(strict=True, max_length=254)] | None = None
    external_id: ExternalId | None = None
    activity: Slug
    source: Source
    source_id: SourceId
    occurred_at: UtcDatetime
    channel: Slug
    amount: MoneyBody | None = None

    @field_validator("email")
    @classmethod
    def _an_address(cls, email: str | None) -> str | None:
        if email is not None and usable_email(email) is None:
            raise ValueError("is not an email address")
        return email

    @model_validator(mode="after")
    def _one_member(self) -> Self:
        if [self.member_id, self.email, self.external_id].count(None) != 2:
            raise ValueError("exactly one of member_id, email and external_id names the member")
        return self


def parse(detail: Any) -> MemberActivity:
    """The activity that the event tells of.

    Raises:
        Rejected: ``malformed_payload``.
    """
    event = read(ActivityRecorded, detail, DETAIL_TYPE)
    customer = None
    if event.external_id is not None:
        customer = CustomerRef(event.external_id.platform, event.external_id.id)
    elif event.email is not None:
        customer = CustomerRef(event.source, email=usable_email(event.email))
    return MemberActivity(
        program=event.program,
        activity=event.activity,
        source=event.source,
        source_id=event.source_id,
        occurred_at=event.occurred_at,
        channel=event.channel,
        member_id=event.member_id,
        customer=customer,
        amount=None if event.amount is None else money(event.amount.value, event.amount.currency),
    )
