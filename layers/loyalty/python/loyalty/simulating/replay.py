"""One version of a program, and everything that happened, one after the other: what it gives and where members stand.

It decides by the same functions as the platform: what is earned, what counts, what falls due, who rises. Only what a
transaction needs is missing. Books have the points of the period alone; nobody spends them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from loyalty.accruals.accrual import Effect, with_points
from loyalty.accruals.firsts import count_key, earner
from loyalty.accruals.limits import given_back, less
from loyalty.accruals.reversal import taking
from loyalty.accruals.share import Original, Part, Reversed, part_of
from loyalty.accruals.times import require_enrolled
from loyalty.accruals.told import segments_of
from loyalty.core.clock import local_date
from loyalty.core.errors import LoyaltyError
from loyalty.ledger import ladders, movements
from loyalty.ledger.draft import Situation
from loyalty.ledger.ladders import STATUS, uncounted
from loyalty.ledger.model import Book, Entry, EntryKind, Movement, ReversalPolicy, Scope
from loyalty.ledger.movements import parse_bucket
from loyalty.ledger.settlement import settle
from loyalty.merging.decision import movements_of, standings_after
from loyalty.programs.deeds import Deed
from loyalty.programs.earning import counts_first, earn, lot_for
from loyalty.programs.model import Program
from loyalty.simulating.counts import Counts, used_by
from loyalty.simulating.model import Identity, Kept, Opening, refund_of
from loyalty.tiers.change import Change
from loyalty.tiers.grants import END_OF_GRANT
from loyalty.tiers.service import changes


@dataclass(frozen=True, slots=True)
class Given:
    """What an activity earned, by wallet and by rule, of a member on a tier. ``refusal``: the error that refused it."""

    tier: str
    points: Mapping[str, int] = field(default_factory=dict)
    rules: Mapping[str, int] = field(default_factory=dict)
    refusal: str | None = None


class Replay:
    """The replay of a period under one version."""

    def __init__(self, program: Program, opening: Opening) -> None:
        self.program = program
        self.counts = Counts()
        self.books = dict(opening.books)
        self._scope = _unwarned(program.scope)
        self._kept = dict(opening.kept)
        self._refused: set[Identity] = set()
        self._expired: dict[tuple[str, str], list[str]] = {}
        for (member_id, _), kept in self._kept.items():
            self.counts.add(member_id, less(kept.original.facts.used, given_back(kept.original, kept.taken)))
        asked = {rule.activity for rule in program.document.earn_rules if counts_first(program.document, rule.activity)}
        for (member_id, activity), times in opening.times.items():
            if activity in asked:
                self._begin_count(member_id, count_key(activity), times)

    def accrue(self, entry: Entry, deed: Deed, *, may_be_reversed: bool) -> Given:
        """What the activity of an entry earns, posted when it was."""
        book, document = self._settled(entry.member_id, entry.posted_at), self.program.document
        identity, tier = (entry.member_id, entry.entry_id), book.tier
        self.books[entry.member_id] = book
        try:
            require_enrolled(deed.occurred_at, book.opened_at, document.limits.backdating_days)
            room = self.counts.room(document, deed, (book.member_id, *book.absorbed))
            member = earner(book, deed.activity, segments_of(entry.facts))
            outcome = earn(document, deed, member, room)
        except LoyaltyError as refusal:
            self._refused.add(identity)
            return Given(tier, refusal=refusal.code)
        effect = Effect.of(self.program, deed, outcome, Situation(book, {}, entry.posted_at))
        self.books[entry.member_id] = effect.book
        used = used_by(outcome)
        self.counts.add(entry.member_id, used)
        if may_be_reversed:
            facts = replace(
                entry.facts,
                lines=with_points(entry.facts.lines, deed.lines, outcome),
                used=used,
                policy=ReversalPolicy.ALLOW_NEGATIVE,  # what was spent is not known here, and takes nothing from points
            )
            self._kept[identity] = Kept(Original(entry.member_id, entry.key, facts, effect.movement), Reversed())
        rules = {f"{one.wallet}/{rule}": points for one in outcome.earned for rule, points in one.rules.items()}
        return Given(tier, {one.wallet: one.points for one in outcome.earned}, rules)

    def reverse(self, entry: Entry) -> Mapping[str, int]:
        """What a reversal takes of what the replay gave, by wallet; nothing of what was given before the period."""
        book = self._settled(entry.member_id, entry.posted_at)
        self.books[entry.member_id] = book
        identity = self._home(book, entry.facts.reverses or "")
        if identity in self._refused:
            return {}
        kept = self._kept.get(identity)
        part = part_of(kept.original, kept.taken, refund_of(entry), clamp=True) if kept else None
        if kept is not None and part is not None:
            before, after = given_back(kept.original, kept.taken), given_back(kept.original, part.after)
            self.counts.add(identity[0], less(before, after))
            self._kept[identity] = replace(kept, taken=part.after)
        if kept is None or part is None or kept.before:
            taken = {key: -number for key, number in entry.movement.qualifying.items()}
            movement = Movement(qualifying=uncounted(book.qualifying, taken))
            self._apply(entry.member_id, movement)
            return {}
        self._apply(entry.member_id, taking(book, kept.original, part, self._gone(entry, kept.original, part)))
        return {wallet: points for wallet, points in part.points.items() if points}

    def wake(self, member_id: str, posted_at: datetime, *, refunded: bool) -> None:
        """Raises a member to what was earned, and lowers them where a ladder says so: what follows on what was posted."""
        book = self._settled(member_id, posted_at)
        self.books[member_id] = book
        for change in changes(self._scope, Situation(book, {}, posted_at), posted_at, refunded=refunded):
            self._apply(member_id, change.movement(self.books[member_id]))

    def grant(self, entry: Entry) -> None:
        """Grants a tier as staff did, or ends a grant; not one that this version does not have."""
        ladder = entry.facts.ladder or STATUS
        terms, given = self._scope.ladders.get(ladder), entry.movement.standings.get(ladder)
        book = self._settled(entry.member_id, entry.posted_at)
        self.books[entry.member_id] = book
        if terms is None:
            return
        standing = book.standing(ladder, terms)
        if entry.key.source == END_OF_GRANT and standing.granted is not None:
            after = ladders.ungranted(standing)
        elif given is not None and given.granted and given.granted in terms.tiers and given.granted_until:
            after = ladders.grant(terms, standing, given.granted, given.granted_until)
        else:
            return
        self._apply(entry.member_id, Change(ladder, terms, after).movement(book))

    def merge(self, entry: Entry) -> None:
        """Makes one member of two, as it happened; not with one whose book cannot be read."""
        now, absorbed = entry.posted_at, entry.facts.other_member or ""
        if absorbed not in self.books:
            return
        into, gone = (Situation(self._settled(one, now), {}, now) for one in (entry.member_id, absorbed))
        gains, losses = movements_of(self._scope, into, gone)
        stands = standings_after(self._scope, into, gone)
        opened = [book.opened_at for book in (into.book, gone.book) if book.opened_at is not None]
        self.books[absorbed] = movements.apply(gone.book, losses, settled_to=gone.book.settled_to or now)
        self.books[entry.member_id] = replace(into.book, opened_at=min(opened, default=None))
        for movement in (gains, *(change.movement(into.book) for change in stands)):
            self._apply(entry.member_id, movement)

    def spend(self, entry: Entry) -> None:
        """Renews the points of the wallet that somebody spent of, where activity does that. Nothing is spent here."""
        document = self.program.document
        book = self._settled(entry.member_id, entry.posted_at)
        self.books[entry.member_id] = book
        spent = [name for name, change in entry.movement.changes.items() if change.postings]
        for wallet in (name for name in spent if name in document.wallet_ids):
            expiry = document.expiry_of(wallet)
            lot = lot_for(expiry, local_date(entry.posted_at, self._scope.zone))
            change = movements.renew(book.wallet(wallet), lot) if expiry.renewed_by_activity else None
            if change is not None:
                self._apply(entry.member_id, Movement({wallet: change}))

    def end(self, moment: datetime) -> None:
        """Writes down what fell due until the end of the period: points expired, tiers were reviewed."""
        for member_id in self.books:
            self.books[member_id] = self._settled(member_id, moment)

    def liability(self) -> dict[str, int]:
        """Points that were given and not taken back, and that have not expired, by wallet."""
        found: dict[str, int] = {}
        for book in self.books.values():
            for name, wallet in book.wallets.items():
                found[name] = found.get(name, 0) + wallet.available + wallet.pending - wallet.debt
        return found

    def _settled(self, member_id: str, now: datetime) -> Book:
        book = self.books[member_id]
        for one in settle(book, self._scope, now):
            if one.key.kind is EntryKind.EXPIRY:
                self._expired.setdefault((member_id, one.key.source), []).append(one.key.source_id)
            book = one.book
        return replace(book, settled_to=max(now, book.settled_to or now))

    def _apply(self, member_id: str, movement: Movement) -> None:
        book = self.books[member_id]
        if book.settled_to is None:
            raise AssertionError("a book that was not settled")
        self.books[member_id] = movements.apply(book, movement, settled_to=book.settled_to)

    def _home(self, book: Book, entry_id: str) -> Identity:
        """Where the accrual of a reversal is: with the member, or with one of those who were merged into them."""
        family = [(member_id, entry_id) for member_id in (book.member_id, *book.absorbed)]
        return next((one for one in family if one in self._kept or one in self._refused), family[0])

    def _gone(self, entry: Entry, original: Original, part: Part) -> dict[str, int]:
        """Of the points that are taken, those that have expired before: nobody spends here, so all or none of a wallet."""
        members = (entry.member_id, original.member_id)
        found: dict[str, int] = {}
        for wallet, points in part.points.items():
            change = original.movement.change(wallet)
            lots = [*change.lots, *(parse_bucket(key)[1] for key in change.maturing)]
            over = [lot for member_id in members for lot in self._expired.get((member_id, wallet), ())]
            renewed = self.program.document.expiry_of(wallet).renewed_by_activity
            if any(gone == lot or (renewed and gone > lot) for lot in lots for gone in over):
                found[wallet] = points
        return found

    def _begin_count(self, member_id: str, key: str, times: int) -> None:
        book = self.books[member_id]
        if times > 0 and key not in book.qualifying and book.merged_into is None:
            self.books[member_id] = replace(book, qualifying={**book.qualifying, key: times})


def _unwarned(scope: Scope) -> Scope:
    """Without warnings: they move nothing."""
    terms = {wallet: replace(one, warn_days=()) for wallet, one in scope.terms.items()}
    return replace(
        scope, terms=terms, ladders={name: replace(one, warn_days=()) for name, one in scope.ladders.items()}
    )
