"""Attributes of items: whole numbers, moments, money, maps and sets of one sort. pynamodb's own numbers are floats."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pynamodb.attributes import Attribute, UnicodeSetAttribute

from loyalty.core.clock import from_text, to_text
from loyalty.core.money import Money


class IntegerAttribute(Attribute[int]):
    """A whole number, and nothing else: points and sequence numbers never pass through a float."""

    attr_type = "N"

    def serialize(self, value: Any) -> str:
        """As DynamoDB takes it."""
        if type(value) is not int:
            raise TypeError(f"{self.attr_name} holds whole numbers, not {type(value).__name__}")
        return str(value)

    def deserialize(self, value: str) -> int:
        """As DynamoDB gave it."""
        return int(value)


class MomentAttribute(Attribute[datetime]):
    """A moment, as RFC 3339 in UTC with milliseconds: moments sort as their texts do."""

    attr_type = "S"

    def serialize(self, value: Any) -> str:
        """As DynamoDB takes it."""
        return to_text(value)

    def deserialize(self, value: str) -> datetime:
        """As DynamoDB gave it."""
        return from_text(value)


class MoneyAttribute(Attribute[Money]):
    """An exact amount with its currency, such as ``105.00 USD``."""

    attr_type = "S"

    def serialize(self, value: Any) -> str:
        """As DynamoDB takes it."""
        if not isinstance(value, Money):
            raise TypeError(f"{self.attr_name} holds money, not {type(value).__name__}")
        return str(value)

    def deserialize(self, value: str) -> Money:
        """As DynamoDB gave it."""
        return Money.parse(value)


class IntegerMapAttribute(Attribute[dict[str, int]]):
    """A map from names to whole numbers, such as lots or postings."""

    attr_type = "M"

    def serialize(self, value: Any) -> dict[str, dict[str, str]]:
        """As DynamoDB takes it."""
        if any(type(number) is not int for number in value.values()):
            raise TypeError(f"{self.attr_name} holds whole numbers")
        return {name: {"N": str(number)} for name, number in value.items()}

    def deserialize(self, value: Mapping[str, Mapping[str, str]]) -> dict[str, int]:
        """As DynamoDB gave it."""
        return {name: int(number["N"]) for name, number in value.items()}


class TextMapAttribute(Attribute[dict[str, str]]):
    """A map from names to texts."""

    attr_type = "M"

    def serialize(self, value: Any) -> dict[str, dict[str, str]]:
        """As DynamoDB takes it."""
        return {name: {"S": text} for name, text in value.items()}

    def deserialize(self, value: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
        """As DynamoDB gave it."""
        return {name: text["S"] for name, text in value.items()}


class TextSetAttribute(UnicodeSetAttribute):
    """A set of texts, sent in their order: the same item is the same request in every process."""

    def serialize(self, value: Any) -> list[str]:
        """As DynamoDB takes it."""
        return sorted(value)


Document = dict[str, Any]
"""Names to whole numbers, texts, or documents again."""


class DocumentAttribute(Attribute[Document]):
    """A nested map of whole numbers and texts, and nothing else."""

    attr_type = "M"

    def serialize(self, value: Any) -> dict[str, dict[str, Any]]:
        """As DynamoDB takes it."""
        return {str(name): self._typed(part) for name, part in value.items()}

    def deserialize(self, value: Mapping[str, Mapping[str, Any]]) -> Document:
        """As DynamoDB gave it."""
        return {name: self._plain(typed) for name, typed in value.items()}

    def _typed(self, part: Any) -> dict[str, Any]:
        if type(part) is int:
            return {"N": str(part)}
        if isinstance(part, str):
            return {"S": str(part)}
        if isinstance(part, Mapping):
            return {"M": self.serialize(part)}
        raise TypeError(f"{self.attr_name} holds whole numbers and texts, not {type(part).__name__}")

    def _plain(self, typed: Mapping[str, Any]) -> Any:
        ((kind, part),) = typed.items()
        if kind == "N":
            return int(part)
        return self.deserialize(part) if kind == "M" else str(part)
