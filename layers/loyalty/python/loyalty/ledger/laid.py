"""What the first of two postings writes, for the second in the same transaction: both may be about one item.

A transaction has one operation for each item. What the second does to an item that it found as the first leaves it goes in the
place of the first's, under the first's condition: that is about what is stored.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from loyalty.core.table import Check, Delete, Operation, Put, RawItem
from loyalty.ledger.work import Key


class Laid:
    """The operations of postings so far, by the keys of their items."""

    def __init__(self) -> None:
        self._operations: dict[Key, Operation] = {}

    @property
    def items(self) -> Mapping[Key, RawItem | None]:
        """What they leave of the items that they write; None of what they delete."""
        return {
            key: operation.item.serialize() if isinstance(operation, Put) else None
            for key, operation in self._operations.items()
            if isinstance(operation, Put | Delete)
        }

    def over(self, operations: Sequence[Operation], found: Collection[Key]) -> tuple[list[Operation], set[Key]]:
        """The operations of the next posting, with what earlier ones do to the same items; and the keys of those items.

        ``found``: those that the next one found as the earlier ones leave them.

        Raises:
            AssertionError: both write an item, and the second did not find it so.
        """
        same = {operation.key for operation in operations} & self._operations.keys()
        joined = [
            _joined(self._operations[one.key], one, found=one.key in found) if one.key in same else one
            for one in operations
        ]
        self._operations |= {operation.key: operation for operation in joined}
        return joined, same


def _joined(first: Operation, second: Operation, *, found: bool) -> Operation:
    if isinstance(first, Check):
        both = first.condition if second.condition is None else first.condition & second.condition
        return replace(second, condition=both)
    if not found:
        raise AssertionError(
            f"two postings are about {first.key}, and the second did not find it as the first leaves it"
        )
    if isinstance(second, Check):
        return first  # it holds of what the first leaves: that is what it was decided on
    return replace(second, condition=first.condition)
