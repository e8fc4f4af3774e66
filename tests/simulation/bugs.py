"""Bugs that are put into the library on purpose: a simulation that does not find them is too weak.

Each is a context within which the library is wrong. They are named after what goes wrong, and patch no more than that.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from math import floor
from typing import Any, Final
from unittest.mock import patch

from loyalty.accruals import accrual, awaited, early, lapses, reversal, share
from loyalty.accruals.lapses import Lapsed
from loyalty.accruals.records import waiting_delete
from loyalty.accruals.service import AccrualService
from loyalty.core import ids
from loyalty.core.table import Check, Put, Table
from loyalty.ledger import draft, items, keys, movements, pairs, service, settlement
from loyalty.ledger.draft import Draft, Posted
from loyalty.ledger.model import POINTS, Account, Book, Change, Entry, EntryKind, Movement, Wallet
from loyalty.ledger.work import Work
from loyalty.merging import service as merging
from loyalty.programs.earning import Earned
from loyalty.rewards import ending, holding
from loyalty.rewards import service as rewards
from loyalty.rewards.decision import end_decision
from loyalty.rewards.model import Redemption, RedemptionStatus
from loyalty.rewards.pricing import price_of
from loyalty.rewards.store import redemption_of as redemption_of_item
from loyalty.transfers import limits
from tests.simulation.bugs_of_programs import BUGS_OF_PROGRAMS

Bug = Callable[[], AbstractContextManager[Any]]


def _unconditional(made: Callable[..., Put]) -> Callable[..., Put]:
    return lambda *arguments, **named: Put(made(*arguments, **named).item)


def entry_without_condition() -> AbstractContextManager[Any]:
    """An entry is put over one with its identity."""
    return patch.object(draft, "entry_put", _unconditional(items.entry_put))


def book_without_condition() -> AbstractContextManager[Any]:
    """A book is put over whatever another writer made of it."""
    return patch.object(draft, "book_put", _unconditional(items.book_put))


def replay_of_another_request() -> AbstractContextManager[Any]:
    """Whoever uses an identity again with another content is told that it was posted."""

    def replay(earlier: Entry, _: str) -> Posted:
        return Posted(earlier, replayed=True)

    return _both(patch.object(service, "replay", replay), patch.object(pairs, "replay", replay))


def fresh_key_for_each_retry() -> AbstractContextManager[Any]:
    """Each time that a hold is asked for it gets another id, and is posted again."""
    derived, count = ids.redemption_id, iter(range(10**9))

    def fresh(program: str, member: str, client: str, key: str) -> str:
        return derived(program, member, client, f"{key}/{next(count)}")

    return patch.object(rewards, "redemption_id_for", fresh)


def hold_beyond_the_balance() -> AbstractContextManager[Any]:
    """Points are held that are not there."""

    def spend(wallet: Wallet, points: int, to: Account) -> Change:
        taken = movements._take(wallet.lots, points, sorted(wallet.lots))
        return Change(movements._between(Account.AVAILABLE, to, points), {lot: -part for lot, part in taken.items()})

    return patch.object(movements, "spend", spend)


def held_points_stay_available() -> AbstractContextManager[Any]:
    """A hold does not lower the available balance."""
    right = movements.spend

    def spend(wallet: Wallet, points: int, to: Account) -> Change:
        change = right(wallet, points, to)
        return Change(movements._between(Account.ISSUED, to, points)) if to is Account.HELD else change

    return patch.object(movements, "spend", spend)


def days_begin_in_utc() -> AbstractContextManager[Any]:
    """Points expire, mature and are warned of at midnight in Greenwich."""
    return patch.object(settlement, "day_starts", lambda day, _: datetime.combine(day, time(), UTC))


def earned_on_the_day_in_utc() -> AbstractContextManager[Any]:
    """The day on which points are earned is that of Greenwich."""
    return patch.object(accrual, "local_date", lambda moment, _: moment.date())


def each_part_rounded_by_itself() -> AbstractContextManager[Any]:
    """A reversal takes its own share of the points, rounded down, whatever was taken before."""
    right = share.part_of

    def part_of(original: share.Original, before: share.Reversed, refund: Any, *, clamp: bool) -> share.Part:
        part = right(original, before, refund, clamp=clamp)
        own = share._share(original, part.after) - share._share(original, before)
        points = {wallet: floor(points * max(own, Fraction(0))) for wallet, points in original.points.items()}
        taken = {wallet: before.points.get(wallet, 0) + count for wallet, count in points.items()}
        return replace(part, points=points, after=replace(part.after, points=taken))

    return _both(patch.object(reversal, "part_of", part_of), patch.object(early, "part_of", part_of))


def reversal_by_the_rule_of_today() -> AbstractContextManager[Any]:
    """What a reversal does about spent points is what the program says now, not what it said to the accrual."""
    today: list[Any] = []
    built, right = AccrualService.reversal, reversal.taking

    def asked(self: AccrualService, program: Any, *arguments: Any, **named: Any) -> Any:
        today.append(program.document.reversal)
        return built(self, program, *arguments, **named)

    def taking(book: Book, original: share.Original, part: share.Part, expired: Mapping[str, int]) -> Movement:
        facts = replace(original.facts, policy=today[-1]) if today else original.facts
        return right(book, replace(original, facts=facts), part, expired)

    return _both(patch.object(AccrualService, "reversal", asked), patch.object(reversal, "taking", taking))


def captured_after_its_time_out() -> AbstractContextManager[Any]:
    """The hour of a time-out comes, and the redemption does not know."""
    right = redemption_of_item

    def redemption_of(item: Any, now: datetime) -> Redemption:
        found = right(item, now)
        timed_out = found.status is RedemptionStatus.TIMED_OUT
        return replace(found, status=RedemptionStatus.HELD, ended_at=None) if timed_out else found

    return _both(
        patch.object(rewards, "redemption_of", redemption_of),
        patch.object(rewards, "_require_one_moment", lambda _book, _redemption: None),
    )


def capture_leaves_the_hold() -> AbstractContextManager[Any]:
    """What is captured stays among the holds with a time-out."""
    right = ending.Ending.movement

    def movement(self: ending.Ending, *arguments: Any, **named: Any) -> Movement:
        made = right(self, *arguments, **named)
        return replace(made, holds={}) if self.status is RedemptionStatus.CAPTURED else made

    return patch.object(ending.Ending, "movement", movement)


def rest_of_a_capture_is_lost() -> AbstractContextManager[Any]:
    """What of a hold is not captured does not go back."""

    def capture(_: Wallet, held: Mapping[str, int], points: int, **_named: Any) -> Change:
        return Change(movements._between(Account.HELD, Account.REDEEMED, points))

    return patch.object(movements, "capture", capture)


def cancelled_gives_back_everything() -> AbstractContextManager[Any]:
    """A cancellation gives back all that was held, and not only what was captured of it."""
    return patch.object(Redemption, "spent", property(lambda self: dict(self.lots)))


def cancelled_again_and_again() -> AbstractContextManager[Any]:
    """A redemption that was cancelled still counts as captured, and each cancellation is posted under another identity."""
    right, count = ending.Ending.key, iter(range(10**9))

    def key(self: ending.Ending, redemption_id: str) -> Any:
        made = right(self, redemption_id)
        again = made.kind is EntryKind.CANCELLATION
        return replace(made, source_id=f"{redemption_id}/{next(count)}") if again else made

    def of(self: ending.Ending, redemption: Redemption, now: datetime) -> Redemption:
        return redemption if self.status is RedemptionStatus.CANCELLED else ended(self, redemption, now)

    ended = ending.Ending.of
    return _both(patch.object(ending.Ending, "key", key), patch.object(ending.Ending, "of", of))


def given_back_past_the_debt() -> AbstractContextManager[Any]:
    """Points that come back do not pay what is owed."""

    def give_back(_: Wallet, lots: Mapping[str, int], *, source: Account, today: date, grace_days: int) -> Change:
        grace = movements.end_of_month(today + timedelta(days=grace_days)).isoformat()
        alive: dict[str, int] = {}
        for lot, points in lots.items():
            target = lot if lot >= today.isoformat() else grace
            alive[target] = alive.get(target, 0) + points
        return Change(movements._between(source, Account.AVAILABLE, sum(lots.values())), alive)

    return patch.object(movements, "give_back", give_back)


def no_grace() -> AbstractContextManager[Any]:
    """Points that come back after their last day come back to it."""

    def give_back(wallet: Wallet, lots: Mapping[str, int], *, source: Account, **_: Any) -> Change:
        return movements._credit(wallet, source, lots)

    return patch.object(movements, "give_back", give_back)


def matures_a_day_late() -> AbstractContextManager[Any]:
    """Pending points become spendable on the day after."""

    def matures_on(self: Earned, posted_on: date) -> date | None:
        return posted_on + timedelta(days=self.return_days + 1) if self.return_days else None

    return patch.object(Earned, "matures_on", matures_on)


def waiting_reversal_is_kept() -> AbstractContextManager[Any]:
    """A reversal that waited is posted with its accrual, and waits on."""

    def checked(waiting: Any) -> Check:
        gone = right(waiting)
        return Check(gone.model, gone.pk, gone.sk, gone.model.pk.exists())

    right = waiting_delete
    return patch.object(early, "waiting_delete", checked)


def waiting_reversal_is_lost() -> AbstractContextManager[Any]:
    """An accrual does not look at what waits for it."""
    return patch.object(early, "_waiting", lambda *_: [])


def transfer_in_two_transactions() -> AbstractContextManager[Any]:
    """What leaves one book and what comes to the other are written one after the other."""
    right = Work.commit

    def commit(self: Work, writes: Sequence[draft.Write]) -> Any:
        books = [place for place, write in enumerate(writes) if write.operation.key[1] == keys.BOOK_SK]
        if len(books) < 2:
            return right(self, writes)
        return right(self, writes[: books[1]]) or right(self, writes[books[1] :])

    return patch.object(Work, "commit", commit)


def clock_goes_back() -> AbstractContextManager[Any]:
    """A posting is dated by whatever clock its writer has, before an earlier one too."""
    right = Draft.__init__

    def made(self: Draft, scope: Any, book: Book, now: datetime) -> None:
        right(self, scope, replace(book, settled_to=min(now, book.settled_to or now)), now)

    return patch.object(Draft, "__init__", made)


def absorbed_identities_forgotten() -> AbstractContextManager[Any]:
    """What a member posted who was merged into another may be posted there again."""
    right = Draft._append

    def append(self: Draft, *arguments: Any, **named: Any) -> Any:
        absorbed, self.book = self.book.absorbed, replace(self.book, absorbed=())
        entry = right(self, *arguments, **named)
        self.book = replace(self.book, absorbed=tuple(dict.fromkeys([*absorbed, *self.book.absorbed])))
        return entry

    return patch.object(Draft, "_append", append)


def settled_in_another_order() -> AbstractContextManager[Any]:
    """Of what falls due at one moment, lots expire first and holds time out last."""
    return patch.object(settlement, "_ORDER", settlement._ORDER[::-1])


def last_to_expire_first() -> AbstractContextManager[Any]:
    """Points are spent that would have lasted longest."""
    right = movements.spend

    def spend(wallet: Wallet, points: int, to: Account) -> Change:
        right(wallet, points, to)
        taken = movements._take(wallet.lots, points, sorted(wallet.lots, reverse=True))
        return Change(movements._between(Account.AVAILABLE, to, points), {lot: -part for lot, part in taken.items()})

    return patch.object(movements, "spend", spend)


def unprocessed_keys_dropped() -> AbstractContextManager[Any]:
    """What a batch of reads leaves out counts as not there."""

    def get_many(self: Table, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Any]:
        wanted: list[Any] = [{"pk": pk, "sk": sk} for pk, sk in keys]
        answer = self.connection.batch_get_item(self.name, wanted, consistent_read=True)
        return {(raw["pk"]["S"], raw["sk"]["S"]): raw for raw in answer["Responses"].get(self.name, [])}

    return patch.object(Table, "get_many", get_many)


def refused_by_halves() -> AbstractContextManager[Any]:
    """A refusal counts although what it is decided on is not of one moment."""
    return patch.object(Table, "get_together", Table.get_many)


def expired_points_taken_twice() -> AbstractContextManager[Any]:
    """A reversal takes points that expired once more, from what the member has."""
    return patch.object(reversal, "lapsed", lambda *_, **__: Lapsed({}, []))


def renewed_by_the_rule_of_today() -> AbstractContextManager[Any]:
    """Whether points lived on with later ones is what the program says now, not what it said to the accrual."""

    def lapsed(*arguments: Any, original: share.Original, **named: Any) -> Lapsed:
        forgetful = replace(original, facts=replace(original.facts, renewed=()))
        return lapses.lapsed(*arguments, original=forgetful, **named)

    return patch.object(reversal, "lapsed", lapsed)


def not_in_the_due_index() -> AbstractContextManager[Any]:
    """A book is not found by the sweeper while it has nothing but pending points."""
    right = settlement.next_due

    def next_due(book: Book, scope: Any) -> datetime | None:
        pending = any(wallet.maturing for wallet in book.wallets.values())
        return None if pending else right(book, scope)

    return patch.object(items, "next_due", next_due)


def daily_limit_not_counted() -> AbstractContextManager[Any]:
    """What was given away today is forgotten."""
    return patch.object(limits.Daily, "_read", lambda _self, _records: {})


def renewal_forgotten() -> AbstractContextManager[Any]:
    """Spending does not keep the balance alive."""
    return patch.object(holding, "renewal", lambda _wallet, _lot: None)


def redeemed_from_points() -> AbstractContextManager[Any]:
    """Every reward is paid from the main wallet."""
    return patch.object(holding, "price_of", lambda *asked: replace(price_of(*asked), wallet=POINTS))


def given_back_to_points() -> AbstractContextManager[Any]:
    """No redemption remembers its wallet."""
    right = redemption_of_item
    return patch.object(rewards, "redemption_of", lambda item, now: replace(right(item, now), wallet=POINTS))


def given_back_to_the_wallet_of_today() -> AbstractContextManager[Any]:
    """A hold ends in the wallet from which its reward is paid by now."""

    def decision(scope: Any, situation: Any, end: Any, item: Any, ended: Redemption) -> draft.Decision:
        wallet = scope.reward_wallets.get(ended.reward_id, POINTS)
        return end_decision(scope, situation, end, item, replace(ended, wallet=wallet))

    return patch.object(rewards, "end_decision", decision)


def hold_never_times_out() -> AbstractContextManager[Any]:
    """A hold's time-out is written into the redemption, and not into the book."""
    return patch.object(holding, "_timed", lambda _redemption: {})


def waiting_not_counted() -> AbstractContextManager[Any]:
    """A reversal is kept, and the book does not say that one more waits."""

    def put(after: Book, scope: Any, *, read_at_seq: int, read_awaiting: int, read_on_hold: bool) -> Put:
        before = replace(after, awaiting=read_awaiting)
        return items.book_put(
            before, scope, read_at_seq=read_at_seq, read_awaiting=read_awaiting, read_on_hold=read_on_hold
        )

    return patch.object(awaited, "book_put", put)


def merge_forgets_what_waits() -> AbstractContextManager[Any]:
    """A member is merged into another, whose book does not say what waits for both."""

    def decision(*arguments: Any, awaiting: int = 0, **named: Any) -> draft.Decision:
        return replace(draft.Decision(*arguments, **named), awaiting=min(awaiting, 0))

    return patch.object(merging, "Decision", decision)


@contextmanager
def _both(one: AbstractContextManager[Any], other: AbstractContextManager[Any]) -> Iterator[None]:
    with one, other:
        yield


_OF_THE_LEDGER: Final[dict[str, Bug]] = {
    bug.__name__: bug
    for bug in (
        entry_without_condition, book_without_condition, replay_of_another_request, fresh_key_for_each_retry,
        hold_beyond_the_balance, held_points_stay_available, days_begin_in_utc, earned_on_the_day_in_utc,
        each_part_rounded_by_itself, reversal_by_the_rule_of_today, captured_after_its_time_out,
        capture_leaves_the_hold, rest_of_a_capture_is_lost, cancelled_gives_back_everything,
        cancelled_again_and_again, given_back_past_the_debt, no_grace, matures_a_day_late, waiting_reversal_is_kept,
        waiting_reversal_is_lost, transfer_in_two_transactions, clock_goes_back, absorbed_identities_forgotten,
        settled_in_another_order, last_to_expire_first, unprocessed_keys_dropped, refused_by_halves,
        expired_points_taken_twice, renewed_by_the_rule_of_today, not_in_the_due_index, daily_limit_not_counted, renewal_forgotten,
        redeemed_from_points, given_back_to_points, given_back_to_the_wallet_of_today, hold_never_times_out, waiting_not_counted, merge_forgets_what_waits,
    )
}  # fmt: skip
BUGS: Final[Mapping[str, Bug]] = {**_OF_THE_LEDGER, **BUGS_OF_PROGRAMS}
"""By name."""
