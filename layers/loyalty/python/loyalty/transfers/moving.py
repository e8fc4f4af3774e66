"""Moving points between two books in one transaction; gifts and households' pools go through here."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from loyalty.core.errors import EntryExistsWithDifferentRequest, IdempotencyKeyReused, MemberMerged
from loyalty.core.table import Operation
from loyalty.ledger.draft import Decision, Situation
from loyalty.ledger.model import EntryKey, EntryKind, Facts, Movement
from loyalty.ledger.pairs import Side
from loyalty.ledger.service import Ledger
from loyalty.programs.model import Program
from loyalty.transfers.errors import TransferToSelf
from loyalty.transfers.model import Transfer, changes

Rules = Callable[[Situation, Situation], tuple[Sequence[Operation], Sequence[Operation]]]
"""Of giver and receiver: raises what the program refuses, and gives the records that go with each one's entry."""


@dataclass(frozen=True, slots=True)
class Move:
    """What is to be moved, and what is read with either book. ``source`` and ``transfer_id`` are its identity."""

    source: str
    transfer_id: str
    giver: str
    receiver: str
    points: int
    wallet: str
    request_hash: str
    giver_records: Sequence[str] = ()
    receiver_records: Sequence[str] = ()


def move(ledger: Ledger, program: Program, asked: Move, rules: Rules) -> tuple[Transfer, bool]:
    """Moves the points, once; True where an earlier call did.

    Whoever was merged into another gives or receives as that member.

    Raises:
        TransferToSelf: both are one member.
        InsufficientPoints: the giver has fewer points.
        IdempotencyKeyReused: the same key was used with another content.
        MemberNotFound, WalletBusy, RecordChanged: see :meth:`Ledger.post_pair`; whatever ``rules`` raises.
    """
    moving = asked
    while True:
        if moving.giver == moving.receiver:
            raise TransferToSelf("The giver and the receiver are the same member.", pointer="/to_member_id")
        try:
            return _posted(ledger, program, moving, rules)
        except MemberMerged as merged:
            giver, receiver = (
                merged.into if member_id == merged.member_id else member_id
                for member_id in (moving.giver, moving.receiver)
            )
            moving = replace(moving, giver=giver, receiver=receiver)
        except EntryExistsWithDifferentRequest as error:
            raise IdempotencyKeyReused("This Idempotency-Key was used for another transfer; send a new key.") from error


def _posted(ledger: Ledger, program: Program, moving: Move, rules: Rules) -> tuple[Transfer, bool]:
    def decide(giver: Situation, receiver: Situation) -> tuple[Decision, Decision]:
        given, received = rules(giver, receiver)
        out, into = changes(giver, receiver, moving.wallet, moving.points)
        facts = Facts(occurred_at=giver.now, program_version=program.version)
        return (
            Decision(Movement({moving.wallet: out}), replace(facts, other_member=moving.receiver), given),
            Decision(Movement({moving.wallet: into}), replace(facts, other_member=moving.giver), received),
        )

    sides = (
        Side(moving.giver, _key(EntryKind.TRANSFER_OUT, moving), moving.giver_records),
        Side(moving.receiver, _key(EntryKind.TRANSFER_IN, moving), moving.receiver_records),
    )
    out, into = ledger.post_pair(program.scope, sides, moving.request_hash, decide)
    transfer = Transfer(
        transfer_id=moving.transfer_id,
        giver=out.entry.member_id,
        receiver=into.entry.member_id,
        points=moving.points,
        wallet=moving.wallet,
        posted_at=out.entry.posted_at,
        giver_after=out.entry.after[moving.wallet],
        receiver_after=into.entry.after[moving.wallet],
    )
    return transfer, out.replayed


def _key(kind: EntryKind, moving: Move) -> EntryKey:
    return EntryKey(kind, moving.source, moving.transfer_id)
