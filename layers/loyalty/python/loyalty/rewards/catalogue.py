"""The catalogue: which rewards there are now, and, of a member, which of them they may redeem and can pay."""

from collections.abc import Iterator
from dataclasses import dataclass

from loyalty.core.clock import Clock, local_date
from loyalty.core.errors import LoyaltyError, MemberNotFound, RewardNotFound
from loyalty.core.table import Table
from loyalty.ledger.keys import partition
from loyalty.ledger.model import Book
from loyalty.ledger.settlement import as_of
from loyalty.ledger.store import LedgerStore
from loyalty.programs.model import Program, Reward
from loyalty.programs.rewards import RewardType
from loyalty.rewards.availability import closed, elsewhere, withheld
from loyalty.rewards.holding import limit_reached
from loyalty.rewards.limits import LIMITS_SK, Taken, bounds_for, counted
from loyalty.rewards.pictures import PictureLinks
from loyalty.rewards.pricing import cheapest, too_few


@dataclass(frozen=True, slots=True)
class Asked:
    """Which part of the catalogue; None: all. ``country`` is where the reader is."""

    reward_type: RewardType | None = None
    country: str | None = None
    tier: str | None = None
    available: bool | None = None


@dataclass(frozen=True, slots=True)
class Member:
    """What decides for one member: the book as it is now, and what was redeemed under limits."""

    book: Book
    taken: tuple[Taken, ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """A reward, and what speaks against redeeming it now."""

    reward: Reward
    reasons: tuple[LoyaltyError, ...]


@dataclass(frozen=True, slots=True)
class ShownToMember(Shown):
    """The same for one member; ``affordable``: there are the points for it, in its wallet. Whoever reads it can infer the balance."""

    affordable: bool


class Catalogue:
    """Reads of it. Nothing that it says is a promise: a hold decides anew."""

    def __init__(self, table: Table, clock: Clock, pictures: PictureLinks) -> None:
        self.pictures = pictures
        self._table = table
        self._books = LedgerStore(table)
        self._clock = clock

    def rewards(self, program: Program, asked: Asked) -> list[Shown]:
        """The rewards that were asked for, in the order of the program document. Says nothing of any member."""
        shown = (self._shown(program, reward, asked) for reward in program.document.rewards)
        return [one for one in shown if _is_asked_for(one, asked)]

    def reward(self, program: Program, reward_id: str, asked: Asked) -> Shown:
        """One of them.

        Raises:
            RewardNotFound: the catalogue has none of that id.
        """
        reward = program.document.reward(reward_id)
        if reward is None:
            raise RewardNotFound(f"Program '{program.document.id}' has no reward '{reward_id}'.")
        return self._shown(program, reward, asked)

    def of_member(
        self, program: Program, member_id: str, asked: Asked, *, affordable: bool | None = None
    ) -> list[ShownToMember]:
        """The rewards that were asked for, as a member meets them; ``affordable``: only those, or only the others.

        Raises:
            MemberNotFound: the program has no such member.
        """
        member = self._member(program, member_id)
        shown = (self._shown_to(program, reward, asked, member) for reward in program.document.rewards)
        return [one for one in shown if _is_asked_for(one, asked) and affordable in (None, one.affordable)]

    def _member(self, program: Program, member_id: str) -> Member:
        document = program.document
        book = self._books.current(document.id, member_id)
        if book is None:
            raise MemberNotFound.of(document.id, member_id)
        family = [(partition(document.id, one), LIMITS_SK) for one in (book.member_id, *book.absorbed)]
        found = self._table.get_many(family)
        taken = tuple(Taken.read(found.get(key)) for key in family)
        return Member(as_of(book, program.scope, self._clock()), taken)

    def _shown(self, program: Program, reward: Reward, asked: Asked) -> Shown:
        reasons = [*filter(None, (closed(program.document, reward, self._clock()),))]
        if asked.country is not None:
            reasons += filter(None, (elsewhere(reward, asked.country),))
        return Shown(reward, tuple(reasons))

    def _shown_to(self, program: Program, reward: Reward, asked: Asked, member: Member) -> ShownToMember:
        reasons = [*self._shown(program, reward, asked).reasons, *self._withheld(program, reward, member)]
        short = too_few(member.book, cheapest(reward), reward.wallet)
        return ShownToMember(reward, (*reasons, *filter(None, [short])), short is None)

    def _withheld(self, program: Program, reward: Reward, member: Member) -> Iterator[LoyaltyError]:
        document, now = program.document, self._clock()
        yield from withheld(document, program.scope, reward, member.book, now)
        today = local_date(now, document.zone)
        for bound in bounds_for(document, reward, quantity=1, points=cheapest(reward), day=today):
            if counted(member.taken, bound.key, now) + bound.asked > bound.limit:
                yield limit_reached(bound)


def _is_asked_for(shown: Shown, asked: Asked) -> bool:
    reward = shown.reward
    of_type = asked.reward_type in (None, reward.type)
    there = asked.country is None or not reward.countries or asked.country in reward.countries
    for_tier = asked.tier is None or not reward.tiers or asked.tier in reward.tiers
    open_now = asked.available in (None, not shown.reasons)
    return of_type and there and for_tier and open_now
