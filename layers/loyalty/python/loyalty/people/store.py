"""People in the table: ``H#{person}`` / ``PERSON``."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from typing import Final

from pynamodb.attributes import BooleanAttribute, UnicodeAttribute

from loyalty.audit.model import PLATFORM, Facts, Line
from loyalty.audit.store import line_put
from loyalty.core.clock import Clock, from_text, to_text
from loyalty.core.table import Item, Put, Table, TextSetAttribute
from loyalty.people.errors import PersonNotFound
from loyalty.people.model import Person

PERSON_SK: Final = "PERSON"


class PersonItem(Item):
    """``H#{person}`` / ``PERSON``. Without programs the sets are absent: the table has no empty ones."""

    programs = TextSetAttribute(null=True)
    approves = TextSetAttribute(null=True)
    added_at = UnicodeAttribute()
    disabled_at = UnicodeAttribute(null=True)
    signed_out_at = UnicodeAttribute(null=True)
    suppliers = BooleanAttribute(null=True)


class PersonStore:
    """Reads are consistent and never cached: who is disabled is out at their next request."""

    def __init__(self, table: Table, clock: Clock) -> None:
        self._table = table
        self._clock = clock

    def find(self, person_id: str) -> Person | None:
        """The person, or None."""
        item = self._table.get(PersonItem, *_key(person_id))
        if item is None:
            return None
        return Person(
            person_id,
            frozenset(item.programs or ()),
            frozenset(item.approves or ()),
            from_text(item.added_at),
            from_text(item.disabled_at) if item.disabled_at else None,
            from_text(item.signed_out_at) if item.signed_out_at else None,
            bool(item.suppliers),
        )

    def add(self, person_id: str, programs: set[str], approves: set[str], *, suppliers: bool = False) -> Person:
        """Says what a person may see and decide, in place of what was said before; a disabled one is back.

        Raises:
            ValueError: they would decide about a program that they do not see.
        """
        if not approves <= programs:
            raise ValueError("a person decides only about programs that they see")
        known = self.find(person_id)
        now = self._clock()
        added_at = known.added_at if known else now
        return self._put(
            Person(
                person_id,
                frozenset(programs),
                frozenset(approves),
                added_at,
                None,
                known.signed_out_at if known else None,
                suppliers,
            ),
            _line("added", person_id, now, before=known, programs=programs, approves=approves, suppliers=suppliers),
        )

    def disable(self, person_id: str) -> Person:
        """Shuts a person out from their next request on, and for good from what was open then, should they be added again.

        What they decided stays, under their id.

        Raises:
            PersonNotFound: nobody was added under that id.
        """
        person = self.find(person_id)
        if person is None:
            raise PersonNotFound(f"Nobody was added under the id '{person_id}'.")
        now = self._clock()
        if person.disabled_at:
            return person
        line = _line("disabled", person_id, now, before=person)
        return self._put(replace(person, disabled_at=now, signed_out_at=now), line)

    def sign_out(self, person_id: str) -> None:
        """Ends every session of a person that began by now."""
        self._table.mark(*_key(person_id), "signed_out_at", to_text(self._clock()), unless=())

    def _put(self, person: Person, line: Put) -> Person:
        item = PersonItem(
            *_key(person.id),
            programs=set(person.programs) or None,
            approves=set(person.approves) or None,
            added_at=to_text(person.added_at),
            disabled_at=to_text(person.disabled_at) if person.disabled_at else None,
            signed_out_at=to_text(person.signed_out_at) if person.signed_out_at else None,
            suppliers=person.suppliers or None,
        )
        self._table.write([Put(item), line])
        return person


def _line(
    what: str,
    person_id: str,
    now: datetime,
    *,
    before: Person | None,
    programs: Collection[str] = (),
    approves: Collection[str] = (),
    suppliers: bool = False,
) -> Put:
    """What the audit trail keeps of a person's rights: those that they had, and have."""
    had = {} if before is None else _rights(before.programs, before.approves, suppliers=before.suppliers)
    has = _rights(programs, approves, suppliers=suppliers)
    return line_put(Line(PLATFORM, f"person.{what}", f"people/{person_id}", now, before=had, after=has))


def _rights(programs: Collection[str], approves: Collection[str], *, suppliers: bool) -> Facts:
    return {"programs": ",".join(sorted(programs)), "approves": ",".join(sorted(approves)), "suppliers": suppliers}


def _key(person_id: str) -> tuple[str, str]:
    return f"H#{person_id}", PERSON_SK
