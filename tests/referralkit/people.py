"""People of the generated population: what an app knows of them when they enroll, and what they do.

Whether somebody cheats is known to the population alone: ids, addresses and amounts are drawn in one way for all.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from loyalty.attribution.likenesses import mailbox_of

START: Final = datetime(2026, 1, 5, tzinfo=UTC)
DAYS: Final = 60
"""In so many days everybody enrolls."""
MINIMUM: Final = 2_000
"""Cents: the least purchase that counts."""


def _words(text: str) -> list[str]:
    return text.split()


_DOMAINS: Final = ("gmail.com",) * 5 + ("outlook.com", "yahoo.com", "icloud.com", "web.de", "orange.fr")
DISPOSABLE: Final = ("mailinator.com", "yopmail.com", "guerrillamail.com")
_FIRST: Final = _words(
    "anna ben carla david elena felix greta hugo irene jonas kira luca marta nils olga paolo rosa sven tina ugo vera walter"
    " xenia yann zoe amir bianca chen dalia emre fatima george hana ivan"
)
_LAST: Final = _words(
    "rossi smith meyer dubois garcia novak silva kowalski jansen nielsen bianchi weber martin lopez svoboda costa wisniewski"
    " bakker hansen ricci fischer petit torres dvorak pereira lewandowski visser larsen moretti becker roux ruiz"
)


@dataclass(frozen=True)
class Person:
    """Somebody, and how they came: what is None an app does not tell."""

    member_id: str
    email: str
    phone: str | None = None
    device: str | None = None
    ip: str | None = None
    payment: str | None = None
    address: str | None = None

    @property
    def disposable(self) -> bool:
        return self.email.rpartition("@")[2] in DISPOSABLE


@dataclass(frozen=True)
class Purchase:
    """What they buy first: how long after they came, for how many cents, and how long afterwards it is given back."""

    after: timedelta
    cents: int
    returned_after: timedelta | None = None


@dataclass(frozen=True)
class Coming:
    """Somebody comes at a moment: by ``referrer``'s code, or by themselves, to name the code ``claims_after`` that."""

    person: Person
    at: datetime
    referrer: str | None = None
    purchase: Purchase | None = None
    claims_after: timedelta | None = None
    pattern: str = ""
    abusive: bool = False


@dataclass(frozen=True)
class Erasing:
    """Somebody is erased."""

    person: Person
    at: datetime


Event = Coming | Erasing


@dataclass
class Draw:
    """Draws people. Their pattern is written on those who come, for the matrix and for nothing else."""

    rng: random.Random
    events: list[Event] = field(default_factory=list)
    _mailboxes: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, seed: int) -> "Draw":
        """The same people for the same seed."""
        return cls(random.Random(seed))  # noqa: S311

    def person(self, **known: str | None) -> Person:
        """A stranger with a device, a network and an address of their own; most pay in a way that is told."""
        drawn: dict[str, Any] = {
            "member_id": f"mbr_{self.rng.getrandbits(128):032x}"[:30],
            "email": self.email(),
            "phone": f"+4479{self.rng.randrange(10**8):08}",
            "device": self.token() if self.rng.random() < 0.9 else None,
            "ip": self.ip(),
            "payment": self.token() if self.rng.random() < 0.6 else None,
            "address": self.address() if self.rng.random() < 0.7 else None,
        }
        return Person(**(drawn | known))

    def email(self) -> str:
        """A mailbox that nobody else has."""
        while True:
            first, last = self.rng.choice(_FIRST), self.rng.choice(_LAST)
            number = self.rng.choice(["", "", str(self.rng.randrange(100)), str(self.rng.randrange(1950, 2010))])
            name = f"{first}{self.rng.choice(['', '.', '_'])}{last}{number}"
            email = f"{name}@{self.rng.choice(_DOMAINS)}"
            if (mailbox := mailbox_of(email)) not in self._mailboxes:
                self._mailboxes.add(mailbox)
                return email

    def token(self) -> str:
        return f"t{self.rng.getrandbits(64):016x}"

    def ip(self) -> str:
        """At home, or behind one of the networks of a few carriers, where very many are."""
        if self.rng.random() < 0.25:
            return f"80.10.{self.rng.randrange(12)}.{self.rng.randrange(1, 255)}"
        return f"{self.rng.randrange(81, 95)}.{self.rng.randrange(256)}.{self.rng.randrange(256)}.{self.rng.randrange(1, 255)}"

    def address(self) -> str:
        return f"{self.rng.randrange(1, 400)} {self.rng.choice(_LAST)} street {self.rng.randrange(10_000, 99_999)}"

    def moment(self, days: float = DAYS) -> datetime:
        """Some moment of the day or evening."""
        hour = min(23.9, max(0.0, self.rng.gauss(15, 4)))
        return START + timedelta(days=int(self.rng.random() * days), hours=hour)

    def minutes(self, least: float, most: float) -> timedelta:
        return timedelta(minutes=self.rng.uniform(least, most))

    def days(self, least: float, most: float) -> timedelta:
        return timedelta(days=self.rng.uniform(least, most))

    def purchase(self) -> Purchase | None:
        """As people buy: some never, some at once, some just enough to be rewarded, and some give it back."""
        if self.rng.random() < 0.15:
            return None
        at_once = self.rng.random() < 0.25
        after = self.minutes(2, 40) if at_once else timedelta(days=min(29.0, self.rng.expovariate(1 / 5)))
        just_enough = self.rng.random() < 0.15
        cents = MINIMUM + (self.rng.randrange(0, 200) if just_enough else int(self.rng.lognormvariate(8.2, 0.9)))
        returned = self.days(1, 25) if self.rng.random() < 0.06 else None
        return Purchase(after, cents, returned)

    def least(self) -> Purchase:
        """As those buy who buy for the reward alone."""
        return Purchase(self.minutes(1, 9), MINIMUM + self.rng.randrange(0, 150))

    def member(self, **known: str | None) -> Coming:
        """Somebody who comes by themselves, before everybody else."""
        coming = Coming(self.person(**known), START - self.days(1, 80))
        self.events.append(coming)
        return coming

    def comes(
        self,
        person: Person,
        at: datetime,
        referrer: str,
        *,
        purchase: Purchase | None,
        pattern: str,
        abusive: bool = False,
    ) -> Coming:
        coming = Coming(person, at, referrer, purchase, None, pattern, abusive)
        self.events.append(coming)
        return coming

    def gaps(self, count: int, mean: timedelta) -> Iterator[timedelta]:
        """Distances as they are by chance."""
        return (mean * self.rng.expovariate(1) for _ in range(count))
