"""How an explained balance looks from outside."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import Field

from loyalty.core.clock import to_text
from loyalty.core.fields import ResponseBody
from loyalty.explaining.service import Explained
from loyalty.explaining.words import Unit, balance, moment, sentence
from loyalty.ledger.model import POINTS, Entry, EntryKind, Scope
from loyalty.ledger.views import UnitWalletView


class StepView(ResponseBody):
    """One entry behind the balance."""

    entry_id: str
    seq: int
    kind: str
    posted_at: str
    occurred_at: str
    points: Annotated[int, Field(description="Change of the available balance.")]
    available: Annotated[int, Field(description="Available balance after it.")]
    rule: str | None = None
    program_version: int
    lots: Annotated[dict[str, int], Field(description="Change of each lot, by its last day.")]
    text: Annotated[str, Field(description="In words, in the program's zone.")]


class ExplainedView(UnitWalletView):
    """A wallet as it was at a moment, and why."""

    at: str
    seq: Annotated[int, Field(description="Number of the latest entry at that time.")]
    text: Annotated[str, Field(description="The balance in words.")]
    steps: Annotated[list[StepView], Field(description="Entries that made it, newest first.")]
    next_cursor: Annotated[str | None, Field(description="Send it as `cursor` for older steps; null: there are none.")]

    @classmethod
    def of(
        cls, explained: Explained, wallet: str, unit: Unit, scope: Scope, *, at: datetime, next_cursor: str | None
    ) -> Self:
        """The view of one wallet of an explained book."""
        shown = UnitWalletView.of_wallet(explained.book.wallet(wallet), wallet, scope)
        return cls(
            **shown.model_dump(),
            at=to_text(at),
            seq=explained.book.seq,
            text=f"{moment(at, scope.zone)}: {balance(explained.book.wallet(wallet), unit)}",
            steps=[
                StepView(
                    entry_id=entry.entry_id,
                    seq=entry.seq,
                    kind=entry.key.kind,
                    posted_at=to_text(entry.posted_at),
                    occurred_at=to_text(entry.facts.occurred_at),
                    points=entry.movement.change(wallet).points,
                    available=entry.after[wallet].available,
                    rule=entry.facts.rules.get(wallet),
                    program_version=entry.facts.program_version,
                    lots=dict(entry.movement.change(wallet).lots),
                    text=sentence(entry, wallet, unit, scope.zone),
                )
                for entry in explained.entries
                if wallet in entry.movement.changes or (wallet == POINTS and _told_in_no_wallet(entry))
            ],
            next_cursor=next_cursor,
        )


def _told_in_no_wallet(entry: Entry) -> bool:
    """Whether an entry that moves nothing is worth a word: a tier that changed, an activity that earned nothing."""
    return not entry.movement.changes and bool(entry.tier_to or entry.key.kind is EntryKind.ACCRUAL)
