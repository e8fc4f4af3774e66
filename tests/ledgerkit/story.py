"""A member of a program, day by day, by the program's own clocks: for tests that read like a calendar."""

from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import count
from typing import Any

from loyalty.accruals.model import BoughtLine
from loyalty.core.money import Money
from loyalty.core.table import Table
from loyalty.ledger.ladders import STATUS
from loyalty.ledger.model import POINTS, Account
from loyalty.programs.model import Program
from tests.ledgerkit.clock import SettableClock
from tests.ledgerkit.world import World


def bought(amount: str, category: str | None = None, quantity: int = 1, **more: Any) -> tuple[str, dict[str, Any]]:
    """A line, its amount still without a currency."""
    return amount, {"category": category, "quantity": quantity, **more}


class Story:
    """One member, who does one thing after the other; each is followed by what its event brings."""

    def __init__(self, table: Table, of: Program, enrolled: str) -> None:
        self.zone = of.document.zone
        self.world = World(table, of=of, clock=SettableClock(self._moment(enrolled))).enroll()
        self._numbers = count(1)

    def at(self, local: str) -> "Story":
        """The clock of the program shows this."""
        self.world.clock.now = self.world.occurred_at = self._moment(local)
        return self

    def did(
        self,
        activity: str,
        amount: str | None = None,
        *lines: tuple[str, dict[str, Any]],
        currency: str = "EUR",
        attributes: Mapping[str, str] | None = None,
        **more: Any,
    ) -> dict[str, int]:
        """Posts an activity; what it earned in each wallet. Activities are numbered ``R-1``, ``R-2`` …"""
        name = f"R-{next(self._numbers)}"
        more |= {key: Money.of(more[key], currency) for key in ("tax", "shipping") if key in more}
        parts = tuple(
            BoughtLine(Money.of(value, currency), line_id=f"L-{place}", **line)
            for place, (value, line) in enumerate(lines, start=1)
        )
        posted = self.world.accrue(
            name,
            amount,
            currency=currency,
            activity=activity,
            lines=parts,
            attributes=attributes or {},
            **more,
        )
        self._wake(posted.entry.entry_id)
        return {
            wallet: -change.postings.get(Account.ISSUED, 0) for wallet, change in posted.entry.movement.changes.items()
        }

    def gave_back(self, of: str, amount: str | None = None, *, currency: str = "EUR", **lines: int) -> int:
        """Reverses an accrual: in part by money or by ``L_1=1``, else what is left; the points that it took."""
        name = f"F-{next(self._numbers)}"
        by_line = {line.replace("_", "-"): quantity for line, quantity in lines.items()}
        everything = amount is None and not by_line
        posted = self.world.refund(name, of, amount, currency=currency, lines=by_line, everything=everything)
        self._wake(posted.entry.entry_id)
        return posted.entry.movement.change().postings.get(Account.ISSUED, 0)

    def redeemed(self, reward: str) -> None:
        """Holds and captures a reward."""
        redemption, _ = self.world.hold(f"key-{next(self._numbers)}", reward)
        self.world.capture(redemption.redemption_id)

    def available(self, wallet: str = POINTS) -> int:
        """What may be spent now."""
        return self.world.now().wallet(wallet).available

    def pending(self) -> int:
        """What waits for the end of its return window."""
        return self.world.now().wallet().pending

    def standing(self, ladder: str = STATUS) -> str:
        """The tier, and through which day it is kept."""
        standing = self.world.now().standing(ladder, self.world.program.scope.ladders[ladder])
        return f"{standing.tier} {standing.valid_until}" if standing.valid_until else standing.tier

    def _wake(self, cause: str) -> None:
        now = self.world.clock()
        self.world.tiers.recalculate(self.world.program, "mbr_1", cause=cause, posted_at=now)

    def _moment(self, local: str) -> datetime:
        return datetime.fromisoformat(local).replace(tzinfo=self.zone).astimezone(UTC)
