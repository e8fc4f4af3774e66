"""Books in which something is to fall due."""

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from loyalty.ledger.model import POINTS, Book, Hold, Scope, Terms, Wallet
from tests.ledgerkit.clock import at

BEGIN = at("2026-01-10T12:00:00Z")


def scope(zone: str = "UTC", *, warn: tuple[int, ...] = (), grace: int = 30) -> Scope:
    terms = Terms(grace_days=grace, warn_days=warn)
    return Scope("acme", 1, ZoneInfo(zone), {POINTS: terms, "cash": terms})


def wallet(
    lots: Mapping[str, int] | None = None, maturing: Mapping[str, int] | None = None, *, held: int = 0
) -> Wallet:
    lots, maturing = lots or {}, maturing or {}
    return Wallet(sum(lots.values()), sum(maturing.values()), held, 0, lots, maturing)


def book(
    lots: Mapping[str, int] | None = None,
    maturing: Mapping[str, int] | None = None,
    *,
    holds: Mapping[str, Hold] | None = None,
    since: datetime = BEGIN,
    **wallets: Wallet,
) -> Book:
    held = sum(hold.points for hold in (holds or {}).values())
    return Book(
        "acme",
        "mbr_1",
        "bronze",
        settled_to=since,
        wallets={POINTS: wallet(lots, maturing, held=held), **wallets},
        holds=holds or {},
    )
