"""Renders pages: templates that escape what they are given, with the words of a language."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from loyalty.console import chart, timeline
from loyalty.console.assets import static_files
from loyalty.console.languages import Language, languages
from loyalty.console.session import Session
from loyalty.console.web import with_query
from loyalty.people.model import Person

_TEMPLATES: Final = Path(__file__).with_name("templates")


@dataclass(frozen=True, slots=True)
class Visit:
    """Who looks, in which language, and at what. ``session`` and ``person`` are None before somebody signs in."""

    language: Language
    path: str
    query: Mapping[str, str]
    session: Session | None = None
    person: Person | None = None
    program: str | None = None
    section: str | None = None

    @property
    def programs(self) -> Sequence[str]:
        """What they may look at."""
        return sorted(self.person.programs) if self.person else ()


class Pages:
    """Every page of the console.

    Args:
        console_url: where the console is reached, without a slash at its end: links begin with its path.
    """

    def __init__(self, console_url: str) -> None:
        self.root = urlsplit(console_url).path.rstrip("/")

    def render(self, template: str, visit: Visit, **values: Any) -> str:
        """A page as HTML."""
        language = visit.language
        return self._environment.get_template(template).render(
            visit=visit, say=language.say, lang=language, self_link=self._self_link(visit), **values
        )

    def path(self, *parts: str) -> str:
        """The path of a page of the console, as browsers see it."""
        return "/".join((self.root, *parts))

    def _self_link(self, visit: Visit) -> Callable[..., str]:
        def link(**changes: str | None) -> str:
            return with_query(visit.query, **changes)

        return link

    @cached_property
    def _environment(self) -> Environment:
        """Made once. A template is compiled when it is first asked for: at import, all of them would be half of a cold start."""
        environment = Environment(
            loader=FileSystemLoader(_TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        environment.globals.update(
            path=self.path,
            languages=languages(),
            asset=lambda name: self.path("static", static_files()[name].name),
            draw_timeline=timeline.draw,
            step_title=timeline.title_of,
            step_note=timeline.note_of,
            draw_chart=chart.draw,
        )
        return environment
