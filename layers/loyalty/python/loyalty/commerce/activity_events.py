"""``activity.recorded``: how systems of the operator's own tell of what a member did, on the same bus.

Any event source but ``loyalty`` may send it. The schema is strict: an unknown field is a misunderstanding.
"""

from typing import Annotated, Any, Final, Self

from pydantic import BaseModel, ConfigDict, StringConstraints, field_validator, model_validator

from loyalty.commerce.fields import AmountText, CurrencyText, Moment, money, read, usable_email
from loyalty.commerce.model import CustomerRef, MemberActivity
from loyalty.programs.model import ProgramId, Slug

DETAIL_TYPE: Final = "activity.recorded"

_Id = Annotated[str, StringConstraints(strict=True, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}$")]
_MemberId = Annotated[str, StringConstraints(strict=True, pattern=r"^mbr_[0-9a-z]{26}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class ExternalId(_Strict):
    """A member's id on another platform."""

    platform: Slug
    id: _Id


class Amount(_Strict):
    """``value`` in major units, as a decimal in a string."""

    value: AmountText
    currency: CurrencyText


class ActivityRecorded(_Strict):
    """The detail of the event. ``source`` and ``source_id`` are the activity's identity, for ever."""

    program: ProgramId
    member_id: _MemberId | None = None
    email: Annotated[str, StringConstraints(strict=True, max_length=254)] | None = None
    external_id: ExternalId | None = None
    activity: Slug
    source: Slug
    source_id: _Id
    occurred_at: Moment
    channel: Slug
    amount: Amount | None = None

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
