"""Pages of what people decide about with a reason: cases of suspected abuse, and referrals that wait."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Protocol

from functions.console.runs import replace_section
from functions.console.visit import Here, Refusal, reason_of, why
from loyalty.abuse.model import Person
from loyalty.console.errors import FieldRefused, PageNotFound, PageOutdated
from loyalty.console.web import Answer, see_other
from loyalty.core import problems
from loyalty.core.errors import Conflict, Invalid, Missing, Stale, Unacceptable


class Decidable(Protocol):
    """What is decided about: its revision changes with it."""

    @property
    def revision(self) -> int:
        """A form of another one is out of date."""


@dataclass(frozen=True, slots=True)
class Matter:
    """A kind of thing: the section and template of its pages, and what its words in the language files begin with.

    ``decisions`` has, for each decision that a form may send, the last words that say that the form was sent before.
    """

    section: str
    words: str
    decisions: Mapping[str, Collection[str]]

    def page(self, here: Here, refusal: Refusal | None, word: str | None, **values: Any) -> Answer:
        """The page of one; ``word``: what the person decided about it last, ``refusal``: why their form did nothing."""
        message, told = self._words_of(here, refusal) if refusal else (None, None)
        return replace_section(here, self.section).page(
            f"{self.words}.html",
            status=problems.of(refusal).status if refusal else HTTPStatus.OK,
            done=word if here.request.query.get("done") == "1" else None,
            message=message,
            detail=told,
            reason=here.request.form.get("reason", "") if refusal else "",
            reason_wrong=isinstance(refusal, FieldRefused),
            **values,
        )

    def decide(
        self,
        here: Here,
        member_id: str,
        *,
        read: Callable[[], tuple[Decidable, str | None]],
        act: Callable[[str, Person, str], None],
        refused: Callable[[Refusal], Answer],
    ) -> Answer:
        """One decision of a form; its result is shown by the page.

        Args:
            here: who sent the form.
            member_id: whose page it is.
            read: what is decided about, as it is, and what the person decided about it last.
            act: carries out a decision, of whom, with a reason.
            refused: the page that says why it was not.
        """
        form, person = here.request.form, here.person
        decision = form.get("decision", "")
        if decision not in self.decisions or not person.may_decide(here.program):
            raise PageNotFound("There is no such decision for this person.")
        shown = see_other(here.pages.path(here.program, self.section, member_id) + "?done=1")
        try:
            about, word = read()
            reason = reason_of(form.get("reason", ""))
            if form.get("revision") != str(about.revision):
                if word in self.decisions[decision]:  # the form came twice, by a double click
                    return shown
                raise PageOutdated("What is decided about has changed since the page was shown.")
            act(decision, Person(person.actor), reason)
        except Missing:
            raise
        except (Conflict, Invalid, Stale, Unacceptable) as refusal:
            return refused(refusal)
        return shown

    def _words_of(self, here: Here, refusal: Refusal) -> tuple[str, str | None]:
        if isinstance(refusal, PageOutdated):
            return here.language.say(f"{self.words}.changed"), None
        return why(here, refusal)
