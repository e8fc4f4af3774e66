"""Posting: the one way in which the ledger is written.

::

    read the wallet (and what else decides)          1 round trip
    decide                                           pure
    write wallet + entry (+ a record) or nothing     1 round trip
        the entry exists  → its first result, or a named error where the request differs
        the wallet moved  → wait a little, start again
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from loyalty.core.backoff import jitter
from loyalty.core.clock import Clock, local_date
from loyalty.core.errors import EntryExistsWithDifferentRequest, LoyaltyError, MemberNotFound, RecordChanged, WalletBusy
from loyalty.core.table import Operation, RawItem, Table, TransactionRefused
from loyalty.ledger import movements
from loyalty.ledger.model import Entry, EntryKey, EntryKind, Facts, Movement, Scope, Wallet
from loyalty.ledger.store import WALLET_SK, LedgerStore, entry_of, entry_put, partition, wallet_of, wallet_put

ATTEMPTS: Final = 12
"""Times that one posting is tried while other writers get in first."""
_BACKOFF_BASE_SECONDS: Final = 0.01
_BACKOFF_CAP_SECONDS: Final = 0.3


@dataclass(frozen=True, slots=True)
class Situation:
    """What a decision is made on: the wallet without its expired lots, the records asked for, and the moment (UTC)."""

    wallet: Wallet
    records: Mapping[str, RawItem]
    """By sort key; a record that does not exist is not in it."""
    now: datetime


@dataclass(frozen=True, slots=True)
class Decision:
    """What to post, and the records of their own that open or move with it."""

    movement: Movement
    facts: Facts
    operations: Sequence[Operation] = ()


@dataclass(frozen=True, slots=True)
class Posted:
    """An entry, and whether this call wrote it (False) or an earlier one did (``replayed``)."""

    entry: Entry
    replayed: bool


class Ledger:
    """Posts entries to members' wallets, exactly once for each identity."""

    def __init__(self, table: Table, clock: Clock, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._table = table
        self._store = LedgerStore(table)
        self._clock = clock
        self._sleep = sleep

    def post(
        self,
        scope: Scope,
        member_id: str,
        key: EntryKey,
        request_hash: str,
        decide: Callable[[Situation], Decision | None],
        *,
        records: Sequence[str] = (),
    ) -> Posted | None:
        """Posts what ``decide`` makes of the situation; None where it decides that there is nothing to post.

        ``records`` are sort keys in the member's partition, read together with the wallet. ``decide`` is pure and may
        be asked several times.

        Raises:
            MemberNotFound: the member has no wallet in this program.
            EntryExistsWithDifferentRequest: the identity was posted with another request.
            WalletBusy: other writers got in first :data:`ATTEMPTS` times.
            RecordChanged: one of the decision's own operations does not hold, even after deciding anew.
            LoyaltyError: whatever ``decide`` refuses with, unless the entry had been posted before.
        """
        record_moved = False
        for attempt in range(ATTEMPTS):
            situation, expiry = self._read(scope, member_id, records)
            try:
                decision = decide(situation)
            except LoyaltyError:
                # A repeated request may find its own effect in the way: its first result counts, not the refusal.
                earlier = self._store.entry(scope.program, member_id, key)
                if earlier is None:
                    raise
                return _replay(earlier, request_hash)
            if decision is None:
                return None
            after = movements.apply(situation.wallet, decision.movement)
            entry = _entry(after, situation.now, key, decision, request_hash)
            operations = [wallet_put(after, situation.now, entries=1 + len(expiry)), entry_put(entry)]
            try:
                self._table.write([*operations, *map(entry_put, expiry), *decision.operations])
            except TransactionRefused as refusal:
                if (earlier_raw := refusal.failed.get(1)) is not None:
                    return _replay(entry_of(earlier_raw), request_hash)
                wallet_moved = 0 in refusal.failed or refusal.contended
                if not wallet_moved and record_moved:
                    raise RecordChanged(
                        "A record that this depends on is not as it must be, and stays so; read it again."
                    ) from refusal
                record_moved = not wallet_moved
                self._sleep(jitter(attempt, base=_BACKOFF_BASE_SECONDS, cap=_BACKOFF_CAP_SECONDS))
            else:
                return Posted(entry, replayed=False)
        raise WalletBusy("This wallet has many writers at the moment; send the same request again.")

    def _read(self, scope: Scope, member_id: str, records: Sequence[str]) -> tuple[Situation, list[Entry]]:
        """The situation, and the entries that write down what expired before it."""
        pk, now = partition(scope.program, member_id), self._clock()
        if records:
            found = {sk: raw for (_, sk), raw in self._table.get_many([(pk, s) for s in (WALLET_SK, *records)]).items()}
            raw = found.pop(WALLET_SK, None)
        else:
            found, raw = {}, self._table.read(pk, WALLET_SK)
        if raw is None:
            raise MemberNotFound(f"There is no member '{member_id}' in program '{scope.program}'.")
        wallet = wallet_of(raw)
        movement = movements.expire(wallet, local_date(now, scope.zone))
        if movement is None:
            return Situation(wallet, found, now), []
        key = EntryKey(EntryKind.EXPIRY, "wallet", str(wallet.seq + 1))
        decision = Decision(movement, Facts(occurred_at=now, program_version=scope.version))
        after = movements.apply(wallet, movement)
        return Situation(after, found, now), [_entry(after, now, key, decision, request_hash="-")]


def _entry(after: Wallet, now: datetime, key: EntryKey, decision: Decision, request_hash: str) -> Entry:
    """The entry that left the wallet as ``after``."""
    return Entry(
        program=after.program,
        member_id=after.member_id,
        key=key,
        seq=after.seq,
        movement=decision.movement,
        available=after.available,
        pending=after.pending,
        held=after.held,
        facts=decision.facts,
        posted_at=now,
        request_hash=request_hash,
    )


def _replay(earlier: Entry, request_hash: str) -> Posted:
    if earlier.request_hash != request_hash:
        raise EntryExistsWithDifferentRequest(
            f"'{earlier.entry_id}' was posted before with another content. Send the first content again to get its "
            "result, or a new source_id for a new entry."
        )
    return Posted(earlier, replayed=True)
