"""What every page of the console is given."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from http import HTTPStatus
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from loyalty.abuse.views import Reason
from loyalty.console.errors import FieldRefused, NoteMissing, NoteRefused, NoteTooLong, PageOutdated
from loyalty.console.languages import Language
from loyalty.console.pages import Pages, Visit
from loyalty.console.web import Answer, Request
from loyalty.core.clock import Clock
from loyalty.core.errors import Conflict, Invalid, LoyaltyError, Stale, Unacceptable
from loyalty.finance.views import MAX_NOTE, sayable
from loyalty.people.model import Person

_WORDS: Final[Mapping[type[LoyaltyError], str]] = {
    NoteMissing: "run.note_missing",
    NoteRefused: "run.note_bad",
    PageOutdated: "run.changed",
}
_REASON: Final = TypeAdapter[str](Reason)
Refusal = Conflict | Invalid | Stale | Unacceptable
"""What a page tells beside its form; everything else is a page of its own."""


@dataclass(frozen=True, slots=True)
class Here:
    """A page of a program that a person looks at."""

    pages: Pages
    visit: Visit
    request: Request
    clock: Clock

    @property
    def program(self) -> str:
        """The program of the page."""
        if self.visit.program is None:
            raise ValueError("this page is of no program")
        return self.visit.program

    @property
    def person(self) -> Person:
        """Who looks."""
        if self.visit.person is None:
            raise ValueError("nobody is signed in")
        return self.visit.person

    @property
    def language(self) -> Language:
        """In which language."""
        return self.visit.language

    def page(self, template: str, *, status: int = HTTPStatus.OK, **values: Any) -> Answer:
        """The page as an answer."""
        return Answer(status, self.pages.render(template, self.visit, now=self.clock(), **values))


def Guest(language: Language) -> Visit:  # noqa: N802 - stands for a Visit
    """A visit of nobody."""
    return Visit(language, "", {})


def note_of(text: str | None, *, required: bool) -> str | None:
    """The note of a form, as it is kept.

    Raises:
        NoteMissing: there is none, and the decision has to be explained.
        NoteTooLong: it has more than :data:`MAX_NOTE` characters.
        NoteRefused: it has characters that cannot be shown.
    """
    try:
        note = sayable((text or "").strip())
    except ValueError:
        raise NoteRefused("The note has control characters.") from None
    if len(note) > MAX_NOTE:
        raise NoteTooLong(f"A note may have {MAX_NOTE} characters.")
    if required and not note:
        raise NoteMissing("This decision has to be explained.")
    return note or None


def reason_of(text: str) -> str:
    """A reason as it is kept: a code.

    Raises:
        FieldRefused: it is none.
    """
    try:
        return _REASON.validate_python(text.strip())
    except ValidationError:
        raise FieldRefused("A reason is a code.", words="case.reason_bad") from None


def day_of(text: str) -> date:
    """A day as forms send it.

    Raises:
        FieldRefused: it is none.
    """
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise FieldRefused("A day is written as 2026-11-22.", words="filter.day") from None


def why(here: Here, refusal: Refusal, note: str = "") -> tuple[str, str | None]:
    """A refusal in the reader's words, and where these do not tell all, its own."""
    say = here.language.say
    if isinstance(refusal, FieldRefused):
        return say(refusal.words), None
    if isinstance(refusal, NoteTooLong):
        count = here.language.number(len(sayable(note.strip())))
        return say("run.note_long", count=count, most=here.language.number(MAX_NOTE)), None
    if (words := _WORDS.get(type(refusal))) is not None:
        return say(words), None
    return say("error.bad" if isinstance(refusal, Invalid) else "error.conflict"), refusal.detail
