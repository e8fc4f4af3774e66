"""The proof of one member, and of members who are one person."""

from collections.abc import Iterable, Mapping

from loyalty.core.table import RawItem
from loyalty.ledger.keys import BOOK_SK, HOUSEHOLD_SK
from loyalty.ledger.model import Account, Scope
from loyalty.ledger.verify.again import check_again
from loyalty.ledger.verify.book import check_book
from loyalty.ledger.verify.counts import check_caps
from loyalty.ledger.verify.days import Days
from loyalty.ledger.verify.dues import MissedCheck, check_settling
from loyalty.ledger.verify.family import Family
from loyalty.ledger.verify.holds import check_holds
from loyalty.ledger.verify.index import check_index
from loyalty.ledger.verify.kept import Case, Household
from loyalty.ledger.verify.limits import check_limits
from loyalty.ledger.verify.lots import check_lots
from loyalty.ledger.verify.read import Partition, read
from loyalty.ledger.verify.records import check_adjustments, check_lapses, check_waiting
from loyalty.ledger.verify.replay import State, replay
from loyalty.ledger.verify.report import Finding, Problem, Problems, ScopesOf, scopes_unknown
from loyalty.ledger.verify.reversals import check_reversals
from loyalty.ledger.verify.rules import check_rules
from loyalty.ledger.verify.sums import SumsCheck
from loyalty.ledger.verify.tiers import check_tier

_RECORDS = (
    check_reversals,
    check_lapses,
    check_waiting,
    check_holds,
    check_adjustments,
    check_again,
    check_caps,
    check_limits,
)


def audit_member(pk: str, items: Iterable[RawItem], scopes_of: ScopesOf = scopes_unknown) -> list[Finding]:
    """Every difference within one member's partition, as of a member who is nobody else too."""
    partition = read(pk, items)
    scopes = scopes_of(partition.program)
    return audit_partition(partition, scopes) + audit_family(Family([partition], scopes))


def audit_partition(one: Partition, scopes: Mapping[int, Scope]) -> list[Finding]:
    """What is wrong in a member's entries and book, whoever else they may be."""
    return [problem.in_member(one.program, one.member_id) for problem in (*one.problems, *_check(one, scopes))]


def audit_family(family: Family) -> list[Finding]:
    """What is wrong in the records beside the entries, wherever among members who are one person they are."""
    first = family.partitions[0]
    return [problem.in_member(first.program, first.member_id) for check in _RECORDS for problem in check(family)]


def is_alone(one: Partition) -> bool:
    """Whether nobody was merged into the member, nor the member into anybody."""
    return one.book is None or not (one.book.absorbed or one.book.merged_into)


def _check(one: Partition, scopes: Mapping[int, Scope]) -> Problems:
    days = Days.of(scopes)
    sums, missed, state = SumsCheck(days, scopes), MissedCheck(days, scopes), State(tier=one.first_tier)
    for step in replay(one.entries, one.first_tier):
        yield from check_rules(step)
        yield from sums.check(step)
        yield from check_lots(step)
        yield from check_settling(step, days)
        yield from check_tier(step, scopes, days)
        yield from missed.check(step)
        state = step.after
    if not one.has_book:
        yield Problem("wallet_missing", BOOK_SK, f"{len(one.entries)} entries, no wallet")
    if one.book is not None:
        yield from check_book(one.book, state)
        yield from check_index(one.book, one.indexed, scopes, days)
        if one.book.settled_to is not None:
            yield from missed.check_end(state, one.book.settled_to)
    yield from _check_household(one, state)
    yield from _check_on_hold(one)


def _check_household(one: Partition, state: State) -> Problems:
    for _, household in one.of(Household):
        left = [sums.of(account) for sums in state.wallets.values() for account in (Account.AVAILABLE, Account.PENDING)]
        if household.closed and (household.members or any(left)):
            yield Problem(
                "household_closed_with_points", HOUSEHOLD_SK, "it is closed, and somebody or something is left"
            )


def _check_on_hold(one: Partition) -> Problems:
    """Of a member who was merged into another, the case is that one's; of one who was erased, it is deleted.

    Either way the book is closed as it was.
    """
    if one.book is None or one.book.merged_into is not None or one.book.erased_at is not None:
        return
    says = any(case.on_hold for _, case in one.of(Case))
    if one.book.on_hold != says:
        detail = f"it is {'on hold' if one.book.on_hold else 'free'}, and its case says {'on hold' if says else 'free'}"
        yield Problem("wallet_on_hold_wrong", BOOK_SK, detail)
