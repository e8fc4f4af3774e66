"""What a merge does to the two books, and when it is refused. Pure."""

from datetime import date
from typing import Final

from loyalty.core.clock import local_date
from loyalty.core.errors import MemberMerged
from loyalty.ledger import ladders, movements
from loyalty.ledger.draft import Situation
from loyalty.ledger.ladders import LadderTerms, Reached, Standing, Tallies
from loyalty.ledger.model import Book, Movement, Scope, Wallet
from loyalty.ledger.settlement import tallies_of
from loyalty.merging.errors import MemberHasOpenHolds, MergeLimitExceeded
from loyalty.tiers.change import Change

MAX_ABSORBED: Final = 10
"""Members that one may absorb, directly and through others: each is one more check in whatever is posted from then on."""


def require_free(book: Book) -> None:
    """A member can be absorbed while nothing is on its way.

    Raises:
        MemberHasOpenHolds: points are held for a redemption.
    """
    if book.holds or any(wallet.held for wallet in book.wallets.values()):
        raise MemberHasOpenHolds(
            f"Points of '{book.member_id}' are held for a redemption; capture or release it, then merge."
        )


def require_not_absorbed(survivor: Book, absorbed: Book) -> None:
    """The survivor is not somebody whom the other one has absorbed: books that are read one by one may say so.

    Raises:
        MemberMerged: the survivor was merged into the other one meanwhile.
    """
    if survivor.member_id in absorbed.absorbed:
        raise MemberMerged(
            f"'{survivor.member_id}' was merged into '{absorbed.member_id}'; use that member.",
            member_id=survivor.member_id,
            into=absorbed.member_id,
        )


def movements_of(scope: Scope, survivor: Situation, absorbed: Situation) -> tuple[Movement, Movement]:
    """What the survivor gains and the absorbed loses: all wallets, pending points, debts, what counts towards tiers.

    Raises:
        MergeLimitExceeded: the survivor would have absorbed more than :data:`MAX_ABSORBED` members.
    """
    into, gone = survivor.book, absorbed.book
    taken_over = (gone.member_id, *gone.absorbed)
    if len({*into.absorbed, *taken_over}) > MAX_ABSORBED:
        raise MergeLimitExceeded(f"A member takes over {MAX_ABSORBED} others at most.")
    wallets = {name: wallet for name, wallet in gone.wallets.items() if wallet != Wallet()}
    gains = {name: movements.merge(into.wallet(name), wallet) for name, wallet in wallets.items()}
    losses = {name: movements.empty(wallet) for name, wallet in wallets.items()}
    together = tallies_after(scope, into, gone).counted
    counted = {key: together.get(key, 0) - into.qualifying.get(key, 0) for key in {**into.qualifying, **together}}
    return (
        Movement(gains, movements.without_zeros(counted), absorbed=taken_over),
        Movement(
            losses,
            movements.without_zeros({year: -points for year, points in gone.qualifying.items()}),
            merged_into=into.member_id,
        ),
    )


def tallies_after(scope: Scope, into: Book, gone: Book) -> Tallies:
    """What counts of both together, by the years of whoever enrolled first."""
    days = [day for book in (into, gone) if (day := tallies_of(book, scope).opened_on) is not None]
    opened_on = min(days, default=None)
    own, other = (ladders.rekeyed(book.qualifying, opened_on) for book in (into, gone))
    return Tallies({key: own.get(key, 0) + other.get(key, 0) for key in {**own, **other}}, opened_on)


def standings_after(scope: Scope, survivor: Situation, absorbed: Situation) -> list[Change]:
    """Where the survivor stands then, ladder by ladder, where that changes: the higher of both, or what both earn."""
    into, gone = survivor.book, absorbed.book
    tallies, today = tallies_after(scope, into, gone), local_date(survivor.now, scope.zone)
    found = []
    for ladder, terms in scope.ladders.items():
        before = into.standing(ladder, terms)
        after = _joined(terms, before, gone.standing(ladder, terms))
        reached = tallies.reached(terms, today)
        if terms.rank(reached.tier) > terms.rank(after.earned):
            until = reached.until if terms.keeps_standings else None
            after = ladders.stand(terms, after, Reached(reached.tier, until))
        if after != before:
            found.append(Change(ladder, terms, after))
    return found


def _joined(terms: LadderTerms, one: Standing, other: Standing) -> Standing:
    """The higher earned tier, for the longer where both are the same, and the higher granted one."""
    earned, granted = one, one
    if _height(terms, other.earned, other.valid_until) > _height(terms, one.earned, one.valid_until):
        earned = other
    if _height(terms, other.granted, other.granted_until) > _height(terms, one.granted, one.granted_until):
        granted = other
    return Standing(
        tier=terms.higher([earned.earned, granted.granted]),
        earned=earned.earned,
        valid_until=earned.valid_until,
        kept=earned.kept,
        granted=granted.granted,
        granted_until=granted.granted_until,
    )


def _height(terms: LadderTerms, tier: str | None, until: date | None) -> tuple[int, date]:
    return terms.rank(tier), until or date.min
