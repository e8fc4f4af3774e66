"""Following a link: where it leads, and that somebody did."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Final, Protocol

from loyalty.attribution.codes import GivenCode, Reason, normal_code, usable
from loyalty.attribution.links import Click, known_source, landing_url
from loyalty.core.clock import Clock
from loyalty.core.errors import ProgramNotFound
from loyalty.core.ids import new_click_id
from loyalty.core.telemetry import count, logger
from loyalty.programs.model import Program
from loyalty.programs.referrals import Referrals
from loyalty.referrals.link_store import LinkStore
from loyalty_contract import CLICKS_NOT_WRITTEN

_AHEAD: Final = ("purpose", "sec-purpose", "x-purpose", "x-moz")
"""Headers by which browsers and apps say that nobody has followed the link yet."""
_AHEAD_SAYS: Final = ("prefetch", "prerender", "preview")
_NOBODY: Final = re.compile(
    r"(?<!cu)bot\b|crawl|spider|preview|facebookexternalhit|whatsapp/|embedly|slurp|curl/|wget/|python-|headless"
)
"""How programs that follow links say what they are. A CUBOT is a telephone."""


class Codes(Protocol):
    """Finds whose a code is."""

    def given_code(self, program: str, code: str, *digests: str) -> tuple[GivenCode | None, Mapping[str, str]]:
        """See :meth:`loyalty.referrals.code_store.CodeStore.given_code`."""


class Programs(Protocol):
    """Gives what is in force."""

    def current(self, program: str) -> Program:
        """The program. Raises ProgramNotFound: there is none."""


class Links:
    """Answers whoever follows a link. It knows neither who that is nor where they are, and asks for neither."""

    def __init__(self, programs: Programs, codes: Codes, store: LinkStore, clock: Clock) -> None:
        self._programs = programs
        self._codes = codes
        self._store = store
        self._clock = clock

    def follow(
        self, program_id: str, code_text: str, *, campaign: str | None, channel: str | None, counts: bool
    ) -> str:
        """Where a link leads. ``counts``: a person followed it, which is written down; else nothing is.

        A code that may not be used leads to the same page, without it: whoever follows the link is not told why. The program's
        document alone says which page.

        Raises:
            ProgramNotFound: there is no such program, or it has no referrals.
        """
        program = self._programs.current(program_id)
        rules = program.document.referrals
        if rules is None:
            raise ProgramNotFound("There is nothing to join here.")
        now = self._clock()
        source = known_source(program.document, campaign, channel, now)
        code = normal_code(code_text)
        given = None if code is None else self._codes.given_code(program_id, code)[0]
        if given is None or usable(given, rules, now) is not Reason.VALID:
            count("LinksUnusable")
            return landing_url(rules, source)
        if not counts:
            return landing_url(rules, source, code=given.code)
        click = Click(program_id, new_click_id(), given.code, given.member_id, source, now)
        written = self._written(click, program, rules)
        return landing_url(rules, source, code=given.code, click_id=click.click_id if written else None)

    def _written(self, click: Click, program: Program, rules: Referrals) -> bool:
        """Whether the click was written down. Who followed the link goes on either way, and whether it was counted or not."""
        written = False
        try:
            self._store.click(click, keep=timedelta(days=rules.attribution_days))
            written = True
            self._store.count_click(click, click.at.astimezone(program.document.zone).date())
        except Exception as error:  # noqa: BLE001 - whatever it is, where the link leads is known
            count(CLICKS_NOT_WRITTEN)
            label = {"program": click.program, "written": written, "error": type(error).__name__}
            logger.error("click not written, or not counted", extra=label)
        return written


def is_followed(method: str, headers: Mapping[str, str]) -> bool:
    """Whether a person follows the link, as far as the request says: no HEAD, no look ahead, no program that says so."""
    said = {name.lower(): value.lower() for name, value in headers.items()}
    ahead = any(word in said.get(name, "") for name in _AHEAD for word in _AHEAD_SAYS)
    return method == "GET" and not ahead and not _NOBODY.search(said.get("user-agent", ""))
