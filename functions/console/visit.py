"""What every page of the console is given."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from loyalty.console.errors import NoteMissing, NoteRefused
from loyalty.console.languages import Language
from loyalty.console.pages import Pages, Visit
from loyalty.console.web import Answer, Request
from loyalty.core.clock import Clock
from loyalty.finance.views import MAX_NOTE, sayable
from loyalty.people.model import Person


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
        NoteRefused: it is too long, or has characters that cannot be shown.
    """
    try:
        note = sayable((text or "").strip())
    except ValueError:
        raise NoteRefused("The note has control characters.") from None
    if len(note) > MAX_NOTE:
        raise NoteRefused(f"A note may have {MAX_NOTE} characters.")
    if required and not note:
        raise NoteMissing("This decision has to be explained.")
    return note or None
