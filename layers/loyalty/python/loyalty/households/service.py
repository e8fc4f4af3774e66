"""Households: founding one, coming and going."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from loyalty.core import ids
from loyalty.core.clock import Clock, from_text, to_text
from loyalty.core.errors import HouseholdNotFound, MemberErased, MemberMerged, MemberNotFound
from loyalty.core.retrying import Retries
from loyalty.core.table import TransactionRefused
from loyalty.households.errors import (
    HouseholdClosed,
    HouseholdFull,
    HouseholdHasPoints,
    HouseholdsNotOffered,
    MemberInHousehold,
    MemberNotInHousehold,
)
from loyalty.households.model import Household
from loyalty.households.store import HouseholdStore, Joining, Pool
from loyalty.ledger.model import Balances, Book
from loyalty.ledger.service import following
from loyalty.ledger.settlement import as_of
from loyalty.programs.model import Households, Program

_RETRIES: Final = Retries(
    8, base=0.01, cap=0.3, busy="This household has many writers at the moment; send the same request again."
)
"""A change of a household is tried while others change it, or post to its members' books."""


@dataclass(frozen=True, slots=True)
class Found:
    """A household and its book as of now."""

    household: Household
    book: Book


class HouseholdService:
    """Who is in which household. A member is in one at a time; whoever was merged into another joins as that member."""

    def __init__(self, store: HouseholdStore, clock: Clock, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._store = store
        self._clock = clock
        self._sleep = sleep

    def create(self, program: Program, member_id: str, *, client_id: str, idempotency_key: str) -> tuple[Found, bool]:
        """The household, with this first member, that the client's key stands for; True where an earlier call made it.

        Raises:
            HouseholdsNotOffered: the program has none.
            MemberInHousehold: the member is in another one.
            MemberNotFound: there is no such member.
            WalletBusy: others kept writing what it needs.
        """
        offered(program)
        household_id = ids.household_id(program.document.id, member_id, client_id, idempotency_key)

        def create(head: str) -> tuple[Found, bool]:
            now = self._now()
            household = Household(program.document.id, household_id, head, now, {head: now})
            created, replayed = _RETRIES.of(lambda: self._created(program, household), self._sleep)
            return Found(created, Book(created.program, household_id, _entry_tier(program))), replayed

        return following(member_id, create)

    def read(self, program: Program, household_id: str) -> Found:
        """The household and its points as of now.

        Raises:
            HouseholdNotFound: there is none of that id.
        """
        found = self._pool(program, household_id)
        return self._found(program, found.household, found.book)

    def of_member(self, program: Program, member_id: str) -> Found:
        """The household that the member is in.

        Raises:
            MemberNotFound: there is no such member.
            HouseholdNotFound: they are in none.
        """

        def find(holder: str) -> Found:
            book, household_id = self._store.of_member(program.document.id, holder)
            _require_open(book, program, holder)
            if household_id is None:
                raise HouseholdNotFound(f"'{holder}' is in no household.")
            return self.read(program, household_id)

        return following(member_id, find)

    def join(self, program: Program, household_id: str, member_id: str) -> Found:
        """Adds a member; nothing happens where they are in it already.

        Raises:
            HouseholdNotFound, HouseholdClosed: there is none of that id, or nobody is in it any more.
            HouseholdsNotOffered: the program has none.
            HouseholdFull: it has as many members as the program allows.
            MemberInHousehold: the member is in another one.
            MemberNotFound: there is no such member.
            WalletBusy: others kept writing what it needs.
        """

        def join(joiner: str) -> Found:
            joining = self._store.joining(program.document.id, household_id, joiner)
            if joining.pool is None:
                raise not_found(household_id)
            before = joining.pool.household
            after = _joined(program, joining, before, joiner, self._now())
            if after is not before:
                self._store.join(after, joiner)
            return self._found(program, after, joining.pool.book)

        return following(member_id, lambda joiner: _RETRIES.of(lambda: join(joiner), self._sleep))

    def leave(self, program: Program, household_id: str, member_id: str) -> Found:
        """Takes a member out; their points in the pool stay there. The last one to go closes the household.

        Raises:
            HouseholdNotFound: there is none of that id.
            MemberNotInHousehold: the member is not in it.
            HouseholdHasPoints: nobody would be left, but points would.
            WalletBusy: others kept writing what it needs.
        """

        def leave() -> Found:
            found, now = self._pool(program, household_id), self._now()
            if member_id not in found.household.members:
                raise not_in(household_id, member_id)
            after = found.household.left_by(member_id, now)
            left = as_of(found.book, program.scope, now).wallet().balances
            if after.closed_at and left != Balances():
                raise HouseholdHasPoints(
                    f"'{member_id}' is the last in '{household_id}', which has {left.available} points; withdraw them "
                    "first."
                )
            self._store.leave(after, member_id, pool=found.book)
            return self._found(program, after, found.book)

        return _RETRIES.of(leave, self._sleep)

    def _found(self, program: Program, household: Household, book: Book) -> Found:
        return Found(household, as_of(book, program.scope, self._now()))

    def _pool(self, program: Program, household_id: str) -> Pool:
        found = self._store.pool(program.document.id, household_id)
        if found is None:
            raise not_found(household_id)
        return found

    def _created(self, program: Program, household: Household) -> tuple[Household, bool]:
        try:
            self._store.create(household, _entry_tier(program))
        except TransactionRefused:
            standing = self._store.joining(household.program, household.household_id, household.head)
            if standing.pool is not None:
                created_at = standing.pool.household.created_at
                return replace(household, created_at=created_at, members={household.head: created_at}), True
            _require_open(standing.book, program, household.head)
            _require_free(standing, household.head)
            raise
        return household, False

    def _now(self) -> datetime:
        return from_text(to_text(self._clock()))


def offered(program: Program) -> Households:
    """The program's terms for households.

    Raises:
        HouseholdsNotOffered: it has none.
    """
    if program.document.households is None:
        raise HouseholdsNotOffered(f"Program '{program.document.id}' does not offer households.")
    return program.document.households


def _entry_tier(program: Program) -> str:
    """A book has a tier; a pool's never changes."""
    return program.document.tiers[0].id


def not_found(household_id: str) -> HouseholdNotFound:
    """Says that there is no such household."""
    return HouseholdNotFound(f"There is no household '{household_id}'.")


def not_in(household_id: str, member_id: str) -> MemberNotInHousehold:
    """Says that the member is not in the household."""
    return MemberNotInHousehold(f"'{member_id}' is not in household '{household_id}'.")


def _joined(program: Program, joining: Joining, household: Household, member_id: str, now: datetime) -> Household:
    """The household with the member in it; unchanged where they are already."""
    _require_open(joining.book, program, member_id)
    if member_id in household.members:
        return household
    if joining.present == household.household_id:
        # One read of two items shows what another call writes item by item: the same call, perhaps.
        raise TransactionRefused({}, ("household not seen as its member is",), contended=True)
    _require_free(joining, member_id)
    if household.closed_at is not None:
        raise HouseholdClosed(f"Everybody has left '{household.household_id}'; found a new household.")
    most = offered(program).members
    if len(household.members) >= most:
        raise HouseholdFull(f"A household has {most} members at most.")
    return household.joined_by(member_id, now)


def _require_open(book: Book | None, program: Program, member_id: str) -> None:
    if book is None:
        raise MemberNotFound.of(program.document.id, member_id)
    if book.merged_into is not None:
        raise MemberMerged(
            f"'{member_id}' was merged into '{book.merged_into}'.", member_id=member_id, into=book.merged_into
        )
    if book.erased_at is not None:
        raise MemberErased.of(member_id)


def _require_free(joining: Joining, member_id: str) -> None:
    if joining.present is not None:
        raise MemberInHousehold(f"'{member_id}' is in a household already; leave that one first.")
