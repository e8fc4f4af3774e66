"""Parts of books and entries as they are stored: nested maps, without what says nothing."""

from collections.abc import Mapping
from typing import Any, Final

from loyalty.core.money import Money
from loyalty.ledger.model import Account, Balances, Change, Line

_BALANCES: Final = ("available", "pending", "held", "debt")


def line_document(line: Line) -> dict[str, Any]:
    """A line of an activity as it is stored."""
    excluded = {"excluded": 1} if line.excluded else {}
    return {"quantity": line.quantity, "amount": str(line.amount), **filled(points=line.points), **excluded}


def line_of(line: Mapping[str, Any]) -> Line:
    """The line that :func:`line_document` wrote."""
    return Line(line["quantity"], Money.parse(line["amount"]), line.get("points", {}), bool(line.get("excluded")))


def balances_document(balances: Balances) -> dict[str, Any]:
    """The balances that are not zero."""
    return {name: getattr(balances, name) for name in _BALANCES if getattr(balances, name)}


def change_document(change: Change) -> dict[str, Any]:
    """What an entry changes in a wallet, as it is stored."""
    return filled(postings=change.postings, lots=change.lots, maturing=change.maturing)


def filled(**maps: Mapping[Any, int]) -> dict[str, Any]:
    """Those of the maps that have anything."""
    return {name: numbers for name, numbers in maps.items() if numbers}


def change_of(numbers: Mapping[str, Any]) -> Change:
    """The change that :func:`change_document` wrote."""
    postings = {Account(name): points for name, points in numbers.get("postings", {}).items()}
    return Change(postings, numbers.get("lots", {}), numbers.get("maturing", {}))
