"""Exact amounts by line. Pure.

A purchase's lines share one unit (a cent, a point and what rates and multipliers make of it), so that nearly all of the
arithmetic is that of whole numbers.
"""

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from math import lcm
from typing import Final

Place = int | None
"""A line, by its place; None: what is of no line."""

_ONE: Final = Fraction(1)


@dataclass(frozen=True, slots=True)
class Portions:
    """So many times ``unit`` for each place; none is negative."""

    numbers: Mapping[Place, int]
    unit: Fraction = _ONE

    @property
    def total(self) -> Fraction:
        """All of them."""
        return self.unit * sum(self.numbers.values())

    @property
    def places(self) -> frozenset[Place]:
        """Of which there is any."""
        return frozenset(place for place, number in self.numbers.items() if number)

    @property
    def exact(self) -> dict[Place, Fraction]:
        """Each by itself."""
        return {place: self.unit * number for place, number in self.numbers.items()}

    def times(self, factor: Fraction) -> "Portions":
        """Each that many times."""
        return replace(self, unit=self.unit * factor)

    def only(self, places: Container[Place]) -> "Portions":
        """Those of some places."""
        return replace(self, numbers={place: number for place, number in self.numbers.items() if place in places})


NONE: Final = Portions({})


def added(portions: Iterable[Portions]) -> Portions:
    """The sum for each place."""
    all_of_them = [one for one in portions if one.numbers]
    if not all_of_them:
        return NONE
    denominator = lcm(*(one.unit.denominator for one in all_of_them))
    numbers: dict[Place, int] = {}
    for one in all_of_them:
        units = one.unit.numerator * (denominator // one.unit.denominator)
        for place, number in one.numbers.items():
            numbers[place] = numbers.get(place, 0) + units * number
    return Portions(numbers, Fraction(1, denominator))
