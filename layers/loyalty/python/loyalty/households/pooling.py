"""Points into a household's pool, and out of it: transfers between a member's book and the pool's."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from loyalty.abuse.holding import require_free
from loyalty.core import ids
from loyalty.core.clock import Clock, local_date
from loyalty.core.errors import MemberNotFound, PointsLimitExceeded
from loyalty.core.table import Operation
from loyalty.households.errors import DailyHouseholdLimitExceeded
from loyalty.households.service import not_found, not_in, offered
from loyalty.households.store import HouseholdStore, household_of_member, membership_check
from loyalty.ledger.draft import Situation
from loyalty.ledger.keys import HOUSEHOLD_SK
from loyalty.ledger.model import POINTS
from loyalty.ledger.service import Ledger
from loyalty.programs.model import MAX_POINTS, Program
from loyalty.transfers.errors import TransferBelowMinimum
from loyalty.transfers.limits import Daily
from loyalty.transfers.model import Transfer
from loyalty.transfers.moving import Move, move

_SOURCE: Final = "household"


@dataclass(frozen=True, slots=True)
class Pooled:
    """Who puts in or takes out how much, and the client's key that it stands for."""

    household_id: str
    member_id: str
    points: int
    client_id: str
    idempotency_key: str


class PoolingService:
    """A household's pool is a book like a member's, to which only its members can move points, and from which too."""

    def __init__(self, ledger: Ledger, store: HouseholdStore, clock: Clock) -> None:
        self._ledger = ledger
        self._store = store
        self._clock = clock

    def contribute(self, program: Program, pooled: Pooled) -> tuple[Transfer, bool]:
        """Moves a member's points into the pool; True where an earlier call with the same key did.

        Raises:
            HouseholdsNotOffered: the program has none.
            TransferBelowMinimum, PointsLimitExceeded: fewer than one point, or more than one posting may hold.
            HouseholdNotFound, MemberNotInHousehold: there is none of that id, or the member is not in it.
            RedemptionsOnHold: the member is on hold.
            InsufficientPoints, IdempotencyKeyReused, MemberNotFound, WalletBusy: see ``move``.
        """

        def rules(member: Situation, _: Situation) -> tuple[Sequence[Operation], Sequence[Operation]]:
            offered(program)
            _require_points(pooled.points)
            membership = _membership(member, pooled.household_id)
            require_free(member.book)  # others could take them out
            return [membership], []

        asked = Move(
            source=_SOURCE,
            transfer_id=_transfer_id(program, pooled, "contribution"),
            giver=pooled.member_id,
            receiver=pooled.household_id,
            points=pooled.points,
            wallet=POINTS,
            request_hash=_request_hash(pooled),
            giver_records=(HOUSEHOLD_SK,),
        )
        return self._moved(program, pooled, lambda: move(self._ledger, program, asked, rules))

    def withdraw(self, program: Program, pooled: Pooled) -> tuple[Transfer, bool]:
        """Moves points of the pool to a member; True where an earlier call with the same key did.

        It counts towards the member's limit of the day (in the program's zone) on which this is called. Where the
        program does not offer households any more, what is in a pool can still be taken out.

        Raises:
            TransferBelowMinimum, PointsLimitExceeded: fewer than one point, or more than one posting may hold.
            HouseholdNotFound, MemberNotInHousehold: there is none of that id, or the member is not in it.
            RedemptionsOnHold: the member is on hold.
            DailyHouseholdLimitExceeded: the member would take out more than the program allows on one day.
            InsufficientPoints, IdempotencyKeyReused, MemberNotFound, WalletBusy: see ``move``.
        """
        today = Daily(_SOURCE, local_date(self._clock(), program.document.zone))

        def rules(_: Situation, member: Situation) -> tuple[Sequence[Operation], Sequence[Operation]]:
            _require_points(pooled.points)
            membership = _membership(member, pooled.household_id)
            require_free(member.book)
            _require_within(program, today.moved(member.records, POINTS), pooled.points)
            return [], [membership, today.put(member.book, member.records, POINTS, pooled.points)]

        asked = Move(
            source=_SOURCE,
            transfer_id=_transfer_id(program, pooled, "withdrawal"),
            giver=pooled.household_id,
            receiver=pooled.member_id,
            points=pooled.points,
            wallet=POINTS,
            request_hash=_request_hash(pooled),
            receiver_records=(HOUSEHOLD_SK, today.sk),
        )
        return self._moved(program, pooled, lambda: move(self._ledger, program, asked, rules))

    def _moved(
        self, program: Program, pooled: Pooled, act: Callable[[], tuple[Transfer, bool]]
    ) -> tuple[Transfer, bool]:
        try:
            return act()
        except MemberNotFound as error:
            if self._store.pool(program.document.id, pooled.household_id) is None:
                raise not_found(pooled.household_id) from error
            raise


def _transfer_id(program: Program, pooled: Pooled, what: str) -> str:
    place = f"{pooled.household_id}/{what}"
    return ids.transfer_id(program.document.id, place, pooled.client_id, pooled.idempotency_key)


def _request_hash(pooled: Pooled) -> str:
    return ids.request_hash({"member": pooled.member_id, "points": pooled.points})


def _require_points(points: int) -> None:
    if points < 1:
        raise TransferBelowMinimum("Move at least one point.", pointer="/points")
    if points > MAX_POINTS:
        raise PointsLimitExceeded(f"One posting moves at most {MAX_POINTS} points.", pointer="/points")


def _membership(member: Situation, household_id: str) -> Operation:
    if household_of_member(member.records.get(HOUSEHOLD_SK)) != household_id:
        raise not_in(household_id, member.book.member_id)
    return membership_check(member.book.program, member.book.member_id, household_id)


def _require_within(program: Program, moved: int, points: int) -> None:
    terms = program.document.households
    if terms is not None and moved + points > terms.daily_points:
        raise DailyHouseholdLimitExceeded(
            f"{max(terms.daily_points - moved, 0)} points may still be withdrawn today; the limit of a member and day "
            f"is {terms.daily_points}.",
            pointer="/points",
        )
