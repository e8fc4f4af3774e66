"""``activity.recorded``: how systems of the operator's own tell of what a member did, on the same bus.

Any event source but ``loyalty`` may send it. The schema is strict: an unknown field is a misunderstanding.
"""

from dataclasses import dataclass
from typing import Annotated, Any, Final, Self

from pydantic import StringConstraints, field_validator, model_validator

from loyalty.accruals.bodies import PartnerSource, PurchaseBody
from loyalty.commerce.fields import malformed, read, usable_email
from loyalty.commerce.model import CustomerRef, MemberActivity
from loyalty.core.errors import TooManyDecimals, UnknownCurrency
from loyalty.core.fields import MemberId, ProgramId, RequestBody, Source, SourceId, UtcDatetime
from loyalty.core.money import Money
from loyalty.programs.deeds import BoughtLine
from loyalty.programs.model import Slug

DETAIL_TYPE: Final = "activity.recorded"


class ExternalId(RequestBody):
    """A member's id on another platform."""

    platform: Source
    id: SourceId


class ActivityRecorded(PurchaseBody):
    """The detail of the event. ``source`` and ``source_id`` are the activity's identity, for ever."""

    program: ProgramId
    member_id: MemberId | None = None
    email: Annotated[str, StringConstraints(strict=True, max_length=254)] | None = None
    external_id: ExternalId | None = None
    activity: Slug
    source: PartnerSource
    source_id: SourceId
    occurred_at: UtcDatetime
    channel: Slug

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
    try:
        purchase = _Purchase.of(event)
    except (UnknownCurrency, TooManyDecimals) as refusal:
        raise malformed(f"{DETAIL_TYPE}: {refusal.pointer} is no amount of a currency of ISO 4217") from None
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
        amount=purchase.amount,
        lines=purchase.lines,
        tax=purchase.tax,
        shipping=purchase.shipping,
        store=event.store,
        attributes=event.attributes,
        details=purchase.details,
    )


@dataclass(frozen=True, slots=True)
class _Purchase:
    amount: Money | None
    lines: tuple[BoughtLine, ...]
    tax: Money | None
    shipping: Money | None
    details: object

    @classmethod
    def of(cls, event: ActivityRecorded) -> Self:
        return cls(event.money("amount"), event.bought(), event.money("tax"), event.money("shipping"), event.told())
