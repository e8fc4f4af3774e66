"""The chain of a day's lines: what is hashed, and how one link follows another. Pure.

::

    day D of a scope                                              day E, begun later
    link 1 ◄── link 2 ◄── … ◄── link n  = head ◄─────────────── link 1 ◄── …
      │          │                │                               │
    line       line             line                            line

A link has the digest of its line and the hash of the link before it; so whoever changes, removes or moves a line has to make
every hash after it anew, on all later days, and in the heads that were exported meanwhile. Lines are linked in the order
in which the table's stream tells them, which need not be that of their moments. A late line is linked to its own day, behind
the link from which the next day began.
"""

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from loyalty.core.table import RawItem

GENESIS: Final = "0" * 64
"""What the first link of a scope follows."""


@dataclass(frozen=True, slots=True)
class Link:
    """A line in its place: ``line`` is its sort key, ``digest`` that of its content; hashes are SHA-256 in hex."""

    number: int
    line: str
    digest: str
    previous: str
    hash: str


@dataclass(frozen=True, slots=True)
class Follows:
    """The link of another day, from which a day went on."""

    day: date
    number: int
    hash: str


@dataclass(frozen=True, slots=True)
class Head:
    """How far the chain of a scope's day is: the number and hash of its last link. None yet: 0, and what it follows."""

    scope: str
    day: date
    number: int
    hash: str
    follows: Follows | None

    @classmethod
    def begun(cls, scope: str, day: date, follows: Follows | None) -> "Head":
        """Of a day without a link."""
        return cls(scope, day, 0, follows.hash if follows else GENESIS, follows)


def digest_of(line: RawItem) -> str:
    """SHA-256 of a stored line, whole, keys and all; the same whether the table gave it or its stream."""
    return _sha256(line)


def hash_of(scope: str, day: date, link: Link) -> str:
    """What the hash of a link has to be: of its place, its line and the link before it."""
    return _sha256([scope, day.isoformat(), link.number, link.line, link.digest, link.previous])


def grown(head: Head, lines: Sequence[tuple[str, str]]) -> tuple[Head, list[Link]]:
    """The head after ``lines``, sort keys and digests, were linked behind it, and their links."""
    links: list[Link] = []
    number, previous = head.number, head.hash
    for line, digest in lines:
        number += 1
        link = Link(number, line, digest, previous, "")
        previous = hash_of(head.scope, head.day, link)
        links.append(Link(number, line, digest, link.previous, previous))
    return Head(head.scope, head.day, number, previous, head.follows), links


def _sha256(value: object) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), default=_binary)
    return hashlib.sha256(text.encode()).hexdigest()


def _binary(value: Any) -> str:
    """No line has such an attribute; one that was put in by somebody is to be found, not to stop the search."""
    return base64.b64encode(bytes(value)).decode()
