"""Who is signed in, for how long, and that a form came from a page of theirs."""

import hmac
import secrets
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final, Self

from loyalty.console.cookies import Cookies, Sealer
from loyalty.core.clock import Clock
from loyalty.people.model import Person
from loyalty.people.store import PersonStore

SESSION: Final = "session"
IDLE: Final = timedelta(minutes=30)
"""Without a page for so long, a session is over."""
LONGEST: Final = timedelta(hours=8)
"""Whatever happens, after so long it is over."""
_RENEWED_AFTER: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Session:
    """What the cookie says: the person's id, the name to greet them by, when it began and was last used (ms)."""

    person_id: str
    name: str
    began: int
    seen: int
    csrf: str

    @classmethod
    def begin(cls, person_id: str, name: str, now: datetime) -> Self:
        """A new session."""
        moment = _milliseconds(now)
        return cls(person_id, name[:100], moment, moment, secrets.token_urlsafe(16))

    def owns(self, token: str | None) -> bool:
        """Whether a form's token is this session's."""
        return token is not None and hmac.compare_digest(self.csrf.encode(), token.encode())


class Sessions:
    """Reads and writes sessions. The person is looked up at every request, so that whoever was disabled is out at once."""

    def __init__(self, sealer: Sealer, cookies: Cookies, people: PersonStore, clock: Clock) -> None:
        self._sealer = sealer
        self._cookies = cookies
        self._people = people
        self._clock = clock

    def find(self, cookie_header: str) -> tuple[Session, Person] | None:
        """The session of a request and its person; None where there is none any more."""
        content = self._sealer.open(SESSION, self._cookies.read(cookie_header, SESSION))
        if content is None:
            return None
        session = Session(**content)
        if self._clock() >= _moment(session.began) + LONGEST:
            return None
        person = self._people.find(session.person_id)
        if person is None or person.disabled_at is not None:
            return None
        if person.signed_out_at is not None and _moment(session.began) <= person.signed_out_at:
            return None
        return session, person

    def cookie(self, session: Session) -> str:
        """The header that keeps a session, good for :data:`IDLE` from now, and never beyond :data:`LONGEST`."""
        now = self._clock()
        left = min(IDLE, _moment(session.began) + LONGEST - now)
        kept = replace(session, seen=_milliseconds(now))
        return self._cookies.set(SESSION, self._sealer.seal(SESSION, asdict(kept), left), left)

    def renewal(self, session: Session) -> str | None:
        """The header that keeps a session that is used; None where it was written a moment ago."""
        return self.cookie(session) if self._clock() - _moment(session.seen) >= _RENEWED_AFTER else None

    def end(self, session: Session) -> str:
        """Ends every session of the person that began by now; the header that forgets this one."""
        self._people.sign_out(session.person_id)
        return self._cookies.clear(SESSION)


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, tz=UTC)
