"""What a transfer is, and what a program allows. Pure."""

from dataclasses import dataclass
from datetime import datetime

from loyalty.core.errors import WalletNotFound
from loyalty.ledger import movements
from loyalty.ledger.draft import Situation
from loyalty.ledger.model import Account, Balances, Change
from loyalty.programs.model import ProgramDocument, Transfers
from loyalty.transfers.errors import (
    TransferAboveMaximum,
    TransferBelowMinimum,
    TransfersNotOffered,
    WalletNotTransferable,
)


@dataclass(frozen=True, slots=True)
class Transfer:
    """Points that went from one book to another; ``giver`` and ``receiver`` are those on whose books they moved."""

    transfer_id: str
    giver: str
    receiver: str
    points: int
    wallet: str
    posted_at: datetime
    giver_after: Balances
    receiver_after: Balances


def offer(document: ProgramDocument, wallet: str, points: int) -> Transfers:
    """The program's terms for a transfer, which is within them.

    Raises:
        TransfersNotOffered: the program has none.
        WalletNotFound, WalletNotTransferable: it has no such wallet, or none whose points may be given.
        TransferBelowMinimum, TransferAboveMaximum: fewer or more points than it allows in one transfer.
    """
    terms = document.transfers
    if terms is None:
        raise TransfersNotOffered(f"Program '{document.id}' does not offer transfers between members.")
    if wallet not in document.wallet_ids:
        raise WalletNotFound(f"The program has these wallets: {', '.join(document.wallet_ids)}.", pointer="/wallet")
    if wallet not in terms.wallets:
        raise WalletNotTransferable(f"Points may be given from {', '.join(terms.wallets)}.", pointer="/wallet")
    if points < terms.minimum_points:
        raise TransferBelowMinimum(f"A transfer has at least {terms.minimum_points} points.", pointer="/points")
    if points > terms.maximum_points:
        raise TransferAboveMaximum(f"A transfer has at most {terms.maximum_points} points.", pointer="/points")
    return terms


def changes(giver: Situation, receiver: Situation, wallet: str, points: int) -> tuple[Change, Change]:
    """What a transfer does to the wallet of both: the giver's points that expire first, which keep their last day.

    Raises:
        InsufficientPoints: the giver has fewer.
    """
    out = movements.spend(giver.book.wallet(wallet), points, Account.TRANSFERRED)
    lots = {lot: -part for lot, part in out.lots.items()}
    return out, movements.credit(receiver.book.wallet(wallet), Account.TRANSFERRED, lots)
