"""What a request or an event says of a purchase beside its amount: the same through the API and on the bus."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Final, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from loyalty.accruals.model import PLATFORM_SOURCES
from loyalty.core.fields import MoneyBody, OneLine, RequestBody, Source, SourceId
from loyalty.core.money import Money
from loyalty.programs.deeds import BoughtLine
from loyalty.programs.fields import Slug

MAX_LINES: Final = 200
MAX_ATTRIBUTES: Final = 20

Quantity = Annotated[int, Field(strict=True, ge=1, le=1_000_000)]
AttributeName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]


def _not_ours(source: str) -> str:
    if source in PLATFORM_SOURCES:
        raise ValueError("Send a name for your own system; this one is the platform's")
    return source


PartnerSource = Annotated[Source, AfterValidator(_not_ours)]
"""The system that an activity comes from; not the platform itself."""


class LineBody(RequestBody):
    """One line of what was bought."""

    line_id: Annotated[SourceId | None, Field(description="By which the line may be given back; unique here.")] = None
    sku: OneLine | None = None
    product: OneLine | None = None
    category: OneLine | None = None
    quantity: Quantity = 1
    amount: Annotated[
        MoneyBody, Field(description="What was paid for all of it, less the discounts that are the line's own.")
    ]
    gift_card: Annotated[bool, Field(strict=True, description="Whether it is a gift card.")] = False
    discount: Annotated[MoneyBody | None, Field(description="What these discounts took off.")] = None

    @model_validator(mode="after")
    def _one_currency(self) -> Self:
        if self.discount is not None and self.discount.currency != self.amount.currency:
            raise ValueError("Send amount and discount in one currency")
        return self

    def told(self, pointer: str) -> dict[str, object]:
        """As it is hashed: 5.0 is 5.00, and a field that it leaves out, or that is yet to come, changes nothing."""
        fields = self.model_dump(exclude={"amount", "discount"}, exclude_defaults=True)
        more = {} if self.discount is None else {"discount": str(self.discount.to_money(f"{pointer}/discount"))}
        return fields | more | {"amount": str(self.amount.to_money(f"{pointer}/amount"))}

    def bought(self, pointer: str) -> BoughtLine:
        """The line.

        Raises:
            UnknownCurrency, TooManyDecimals: an amount is none.
        """
        return BoughtLine(
            amount=self.amount.to_money(f"{pointer}/amount"),
            quantity=self.quantity,
            line_id=self.line_id,
            sku=self.sku,
            product=self.product,
            category=self.category,
            gift_card=self.gift_card,
            discount=self.discount.to_money(f"{pointer}/discount") if self.discount else None,
        )


class PurchaseBody(RequestBody):
    """What may decide, beside its kind, what an activity earns."""

    amount: Annotated[MoneyBody | None, Field(description="What earns points, where the rule is by amount.")] = None
    lines: Annotated[
        tuple[LineBody, ...],
        Field(
            max_length=MAX_LINES,
            description="What was bought, so that lines can be given back. Where they do not add up to `amount`, the "
            "difference is spread over them in proportion.",
        ),
    ] = ()
    tax: Annotated[MoneyBody | None, Field(description="The part of `amount` that is tax.")] = None
    shipping: Annotated[MoneyBody | None, Field(description="The part of `amount` that is for shipping.")] = None
    store: Annotated[Slug | None, Field(description="Which shop it was.")] = None
    attributes: Annotated[
        dict[AttributeName, OneLine],
        Field(max_length=MAX_ATTRIBUTES, description="Whatever else the program's conditions ask for."),
    ] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _parts_of_the_amount(self) -> Self:
        parts = [part for part in (self.tax, self.shipping) if part is not None]
        if not parts:
            return self
        if self.amount is None or any(part.currency != self.amount.currency for part in parts):
            raise ValueError("Send tax and shipping as parts of amount, in its currency")
        if sum(Decimal(part.value) for part in parts) > Decimal(self.amount.value):
            raise ValueError("Send tax and shipping as parts of amount: together at most all of it")
        return self

    def bought(self) -> tuple[BoughtLine, ...]:
        """The lines.

        Raises:
            UnknownCurrency, TooManyDecimals: an amount is none.
        """
        return tuple(line.bought(f"/lines/{place}") for place, line in enumerate(self.lines))

    def money(self, name: str) -> Money | None:
        """One of its amounts.

        Raises:
            UnknownCurrency, TooManyDecimals: it is none.
        """
        body: MoneyBody | None = getattr(self, name)
        return body.to_money(f"/{name}") if body else None

    def told(self) -> list[dict[str, object]] | dict[str, object]:
        """As it is hashed: the lines alone where there is nothing else, as ever."""
        lines = [line.told(f"/lines/{place}") for place, line in enumerate(self.lines)]
        amounts = {name: str(money) for name in ("tax", "shipping") if (money := self.money(name)) is not None}
        others: Mapping[str, object] = {"store": self.store, "attributes": dict(self.attributes)}
        more = {**amounts, **{name: value for name, value in others.items() if value}}
        return {"lines": lines, **more} if more else lines
