"""Items of the table, and what a transaction does to them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pynamodb.attributes import UnicodeAttribute
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.models import Model

from loyalty_contract import PARTITION_KEY, SORT_KEY


class Item(Model):
    """Every item of the table has these two keys."""

    pk = UnicodeAttribute(hash_key=True, attr_name=PARTITION_KEY)
    sk = UnicodeAttribute(range_key=True, attr_name=SORT_KEY)


RawItem = dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Put:
    """Writes ``item`` whole, if ``condition`` holds for the stored one.

    ``shared``: members write it side by side, so that it may change at any moment; whoever finds it changed reads it again.
    """

    item: Item
    condition: Condition | None = None
    shared: bool = False

    @property
    def key(self) -> tuple[str, str]:
        """The item's keys."""
        return self.item.pk, self.item.sk


@dataclass(frozen=True, slots=True)
class Delete:
    """Deletes the item, if ``condition`` holds for it."""

    model: type[Item]
    pk: str
    sk: str
    condition: Condition | None = None

    @property
    def key(self) -> tuple[str, str]:
        """The item's keys."""
        return self.pk, self.sk


@dataclass(frozen=True, slots=True)
class Check:
    """Writes nothing, but the transaction fails unless ``condition`` holds."""

    model: type[Item]
    pk: str
    sk: str
    condition: Condition

    @property
    def key(self) -> tuple[str, str]:
        """The item's keys."""
        return self.pk, self.sk


@dataclass(frozen=True, slots=True)
class Update:
    """Changes attributes of an item, which need not exist, if ``condition`` holds for the stored one.

    ``shared``: as of a :class:`Put`.
    """

    model: type[Item]
    pk: str
    sk: str
    actions: Sequence[Action]
    condition: Condition | None = None
    shared: bool = False

    @property
    def key(self) -> tuple[str, str]:
        """The item's keys."""
        return self.pk, self.sk


Operation = Put | Delete | Check | Update


class TransactionRefused(Exception):
    """DynamoDB cancelled the transaction; nothing was written.

    ``failed`` has, for each operation whose condition did not hold, its place in the call and the stored item (None
    where there is none). ``contended`` says that another transaction held one of the items: try again.
    """

    def __init__(self, failed: dict[int, RawItem | None], codes: Sequence[str], *, contended: bool) -> None:
        super().__init__(f"transaction cancelled: {', '.join(codes)}")
        self.failed = failed
        self.contended = contended
