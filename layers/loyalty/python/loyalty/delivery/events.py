"""``redemption.held`` as it comes from the bus, as far as delivery needs it."""

from pydantic import BaseModel, ConfigDict, ValidationError

from loyalty.core.errors import Rejected
from loyalty.core.fields import MemberId, ProgramId, RedemptionId


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class Held(_Part):
    """Whose redemption was held."""

    program: ProgramId
    member_id: MemberId
    redemption_id: RedemptionId


class _Envelope(_Part):
    detail: Held


def held(body: str) -> Held:
    """The redemption of the event in a message's body.

    Raises:
        Rejected: the body is no such event, and never will be.
    """
    try:
        return _Envelope.model_validate_json(body).detail
    except ValidationError as error:
        where = dict.fromkeys(".".join(map(str, each["loc"])) or "body" for each in error.errors())
        raise Rejected("malformed_event", f"not a redemption.held event: {', '.join(where)}") from None
