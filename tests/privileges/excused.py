"""Grants that no call in the local cloud can use, each with its reason. One that is used, or that nobody has, fails the comparison."""

from typing import Final

EXCUSED: Final = ()
