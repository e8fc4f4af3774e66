"""What a program takes for a sign of abuse, and what then happens by itself."""

from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field

from loyalty.programs.fields import DocumentPart, PositivePoints

MOST_COUNTED: Final = 100
"""Of one member in a window: what is kept of them is bounded."""
_Hours = Annotated[int, Field(strict=True, ge=1, le=48)]
_Minutes = Annotated[int, Field(strict=True, ge=5, le=1440)]
_OfMember = Annotated[int, Field(strict=True, ge=2, le=MOST_COUNTED)]
_OfClient = Annotated[int, Field(strict=True, ge=5, le=1_000_000)]


class Then(StrEnum):
    """What a signal does: nothing, a case for a person, or a case and a hold on redemption until a person has decided."""

    NOTHING = "nothing"
    FLAG = "flag"
    HOLD = "hold"


class AccrualSpike(DocumentPart):
    """One member earns too often or too much within ``hours``, counted back from each accrual, by our clock.

    ``count`` accruals are many, whatever they gave: that does ``count_then``, which holds nobody unless a program says so, for a
    till, an import or a busy member look the same, and points do not leave by their number. ``points`` (None: any number) are too
    many, and so is ``times_usual`` as much as the member earned in the same time before, on average of 28 days, once it is
    ``unusual_from`` points and they earned on a week of those days (None: no comparison): these do ``then``. Points that are
    pending do not count before they can be spent at once.
    """

    hours: _Hours = 24
    count: _OfMember = MOST_COUNTED
    count_then: Then = Then.FLAG
    points: PositivePoints | None = None
    times_usual: Annotated[int, Field(strict=True, ge=2, le=10_000)] | None = 50
    unusual_from: PositivePoints = 10_000
    then: Then = Then.HOLD


class AfterChange(DocumentPart):
    """A member's e-mail address or phone changed, and within ``hours`` they redeem.

    ``redemptions`` that were held, or one of ``points`` (None: any number), are too many.
    """

    hours: _Hours = 24
    redemptions: Annotated[int, Field(strict=True, ge=1, le=MOST_COUNTED)] = 3
    points: PositivePoints | None = None
    then: Then = Then.HOLD


class MemberReveals(DocumentPart):
    """Cards and codes of one member are shown ``count`` times within ``hours``."""

    hours: _Hours = 1
    count: _OfMember = 20
    then: Then = Then.FLAG


class TransferFan(DocumentPart):
    """One member gives points to, or gets them from, ``members`` others within ``hours``."""

    hours: _Hours = 24
    members: _OfMember = 10
    then: Then = Then.FLAG


class ClientReveals(DocumentPart):
    """One client is shown ``count`` cards and codes in a window of ``minutes``, which begin with the day in UTC."""

    minutes: _Minutes = 60
    count: _OfClient = 1_000


class ClientMisses(DocumentPart):
    """One client asks for what is not there, in a window of ``minutes``, which begin with the day in UTC.

    ``members`` that there are not, referral ``codes`` that nobody has, ``enrollments`` of who is enrolled already.
    """

    minutes: _Minutes = 60
    members: _OfClient = 100
    codes: _OfClient = 100
    enrollments: _OfClient = 100


class Abuse(DocumentPart):
    """Signs of abuse: of members, which may put them on hold, and of clients, which raise an alarm."""

    accrual_spike: AccrualSpike = AccrualSpike()
    redemptions_after_change: AfterChange = AfterChange()
    reveals_of_member: MemberReveals = MemberReveals()
    transfers: TransferFan = TransferFan()
    reveals_by_client: ClientReveals = ClientReveals()
    misses_of_client: ClientMisses = ClientMisses()
