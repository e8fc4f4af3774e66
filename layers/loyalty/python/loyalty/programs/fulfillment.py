"""What a program asks of the fulfilment of its gift cards: when a person approves, how much may be spent, what looks odd."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from loyalty.core.money import Money
from loyalty.programs.amounts import Amount, Amounts
from loyalty.programs.fields import DocumentPart


class Velocity(DocumentPart):
    """What of one member's gift cards is a risk: more than ``cards``, or more than ``value``, held for within ``days`` days.

    The days are of 24 hours, back from the moment of the hold; that hold counts with the others. Released, refused and
    cancelled ones do not. ``value`` compares cards of its own currency.
    """

    days: Annotated[int, Field(strict=True, ge=1, le=366)]
    cards: Annotated[int, Field(strict=True, ge=1, le=10_000)] | None = None
    value: Amount | None = None

    @model_validator(mode="after")
    def _says_how_many_or_how_much(self) -> Self:
        if self.cards is None and self.value is None:
            raise ValueError("say of how many cards, or of how much value, more is a risk")
        return self


class Fulfillment(DocumentPart):
    """``approve_above``: what one redemption may be worth, by currency, without a person's approval; others need none.

    Who is to approve has ``approval_hours``, and is reminded after ``reminder_hours``; then the points go back.
    ``monthly_budget``: what may be ordered by currency in a month of the program; a currency that is not named has no
    budget. ``velocity``: flags, any of which asks for an approval. ``new_member_days``: as does a card for somebody who
    is a member for less than so many days.
    """

    approve_above: Amounts = ()
    approval_hours: Annotated[int, Field(strict=True, ge=1, le=720)] = 72
    reminder_hours: Annotated[int, Field(strict=True, ge=1, le=720)] = 24
    monthly_budget: Amounts = ()
    velocity: Annotated[tuple[Velocity, ...], Field(max_length=5)] = ()
    new_member_days: Annotated[int, Field(strict=True, ge=1, le=366)] | None = None

    @model_validator(mode="after")
    def _reminds_before_the_deadline(self) -> Self:
        if self.reminder_hours >= self.approval_hours:
            raise ValueError(
                f"reminder_hours ({self.reminder_hours}) must be below approval_hours ({self.approval_hours}): after "
                "these the points go back"
            )
        return self

    def needs_approval(self, value: Money) -> bool:
        """Whether a redemption of that worth is above the threshold of its currency."""
        limit = self._of(self.approve_above, value.currency)
        return limit is not None and value.amount > limit.amount

    def budget(self, currency: str) -> Money | None:
        """What may be ordered in one month of the program; None: any amount."""
        return self._of(self.monthly_budget, currency)

    @staticmethod
    def _of(amounts: tuple[Amount, ...], currency: str) -> Money | None:
        return next((amount.money for amount in amounts if amount.currency == currency), None)
