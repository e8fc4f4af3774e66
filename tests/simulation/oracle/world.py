"""All members, and what a command does to them at a moment: a list of entries, or a refusal by name."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol

from tests.simulation.oracle.commands import Refused
from tests.simulation.oracle.ladders import STATUS
from tests.simulation.oracle.member import PlainMember
from tests.simulation.oracle.rules import Rules
from tests.simulation.oracle.standings import PlainStandings

Number = tuple[str, str, str]
"""A wallet, what sort of number of it, and which."""


class Names(Protocol):
    """Ids that the platform derives from what clients send."""

    def redemption(self, member: str, key: str) -> str: ...

    def adjustment(self, member: str, key: str) -> str: ...

    def transfer(self, member: str, key: str) -> str: ...

    def tier_grant(self, member: str, key: str) -> str: ...


@dataclass(frozen=True, slots=True)
class Step:
    """An entry that a command makes: to whom, under which identity, and what it has to tell."""

    member: str
    identity: str
    facts: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class When:
    """When and by which version of the program something is decided. ``day`` is that of the caller's clock.

    ``dropped``: tallies that an accrual may take away, those being over. ``unseen``: points of a campaign's budget that
    were given back so late that who decided did not see them; below zero, that were taken so late.
    """

    at: datetime
    rules: Rules
    day: date | None = None
    dropped: frozenset[str] = frozenset()
    unseen: Mapping[str, int] = field(default_factory=dict)

    @property
    def today(self) -> date:
        return self.rules.calendar.date_of(self.at)


class Replayed(Exception):
    """It was posted before, under this identity, and changes nothing."""

    def __init__(self, identity: str) -> None:
        super().__init__(identity)
        self.identity = identity


Act = Callable[[], None]


class PlainWorld:
    """The members of one program."""

    def __init__(self, rules: Mapping[int, Rules], names: Names) -> None:
        self.rules = rules
        self.names = names
        self.members: dict[str, PlainMember] = {}
        self.spent: Counter[str] = Counter()
        """Of the budgets of campaigns."""
        self.kept: dict[tuple[str, str], dict[str, object]] = {}
        """Contents of what was given back of purchases that have not come by event, by source and id of the purchase."""

    def copy(self, *only: str) -> "PlainWorld":
        """A world that may go another way; with ``only`` these members, and whoever they were merged with, are in it."""
        other = PlainWorld(self.rules, self.names)
        other.spent = Counter(self.spent)
        other.kept = {purchase: dict(refunds) for purchase, refunds in self.kept.items()}
        wanted = {relative for member_id in only for relative in self.relatives(member_id)} or set(self.members)
        other.members = {name: member.copy() if name in wanted else member for name, member in self.members.items()}
        return other

    def enroll(self, member_id: str, at: datetime) -> None:
        first = self.rules[1].ladder(STATUS).first()
        self.members[member_id] = PlainMember(member_id, at, PlainStandings({STATUS: first}))

    def member(self, member_id: str) -> PlainMember:
        """The member of that id.

        Raises:
            Refused: there is none.
        """
        if member_id not in self.members:
            raise Refused("member_not_found")
        return self.members[member_id]

    def chain(self, member_id: str) -> list[PlainMember]:
        """The member, whom they were merged into, and so on to whoever is left."""
        found = [self.member(member_id)]
        while found[-1].merged_into is not None:
            found.append(self.members[found[-1].merged_into])
        return found

    def root(self, member_id: str) -> PlainMember:
        """Who the member is by now."""
        return self.chain(member_id)[-1]

    def relatives(self, member_id: str) -> list[str]:
        """Everybody who is the same by now; whoever is left first."""
        if member_id not in self.members:
            return []
        root = self.root(member_id)
        return [root.member_id, *sorted(root.absorbed)]

    def settle(self, member_id: str, rules: Rules, until: datetime) -> None:
        """Lets everything due happen."""
        member = self.members[member_id]
        while (due := member.next_due(rules, until)) is not None:
            member.happen(due, rules)

    def require_new(self, member_id: str, identity: str, content: object) -> None:
        """Says what was posted before, by the member or whoever is the same by now.

        Raises:
            Replayed: this very thing.
            Refused: something else of that identity.
        """
        for name in dict.fromkeys([member_id, *self.relatives(member_id)]):
            posted = self.members[name].posted
            if identity in posted:
                if posted[identity] != content:
                    raise Refused("entry_exists_with_different_request")
                raise Replayed(identity)

    def picture(self, member_id: str) -> Counter[Number]:
        """Every number of a member that an entry may change."""
        member = self.members[member_id]
        found: Counter[Number] = Counter()
        for name, wallet in member.wallets.items():
            for (kind, what), number in wallet.picture().items():
                found[name, kind, what] = number
        for key, number in member.standings.tallies.items():
            found["", "qualifying", key] = number
        return found


Steps = Iterator[Step]
