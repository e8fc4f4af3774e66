"""How time goes on between bursts: to where, and to which of the days on which something falls due."""

import random
from collections.abc import Iterator
from datetime import date, datetime, timedelta

from loyalty.ledger.items import book_of
from loyalty.ledger.keys import BOOK_SK, partition
from loyalty.ledger.model import Book
from loyalty.programs.model import Program
from tests.simulation.history import History, Jump
from tests.simulation.naming import PROGRAM
from tests.simulation.oracle.days import ONE_DAY, Calendar, end_of_month
from tests.simulation.simulation import Simulation


def leap(jump: Jump, simulation: Simulation, history: History, program: Program, rng: random.Random) -> None:
    """Lets time be later; it never goes back."""
    time, by = simulation.time, timedelta(seconds=jump.by)
    calendar = Calendar(history.documents[0]["time_zone"])
    today = calendar.date_of(time.now)
    target = time.now + by
    match jump.kind:
        case "midnight":
            target = calendar.start_of(today + ONE_DAY) + by
        case "month":
            target = calendar.start_of(end_of_month(today) + ONE_DAY) + by
        case "due":
            dues = _next_dues(simulation, history)
            target = rng.choice(dues) + by if dues else target
        case "tier":
            days = _tier_days(simulation, history, program, today)
            target = calendar.start_of(rng.choice(days)) + by if days else target
    time.advance(microseconds=max(0, (target - time.now) // timedelta(microseconds=1)))


def _next_dues(simulation: Simulation, history: History) -> list[datetime]:
    """When something falls due next, of one member or another."""
    raws = [simulation.direct.read(partition(PROGRAM, member), BOOK_SK) for member in history.members]
    return sorted(datetime.fromisoformat(raw["due_at"]["S"]) for raw in raws if raw and "due_at" in raw)


def _tier_days(simulation: Simulation, history: History, program: Program, today: date) -> list[date]:
    """Days at whose start a tier of somebody is over, or they are warned of it."""
    ladders, days = program.scope.ladders, set[date]()
    for book in _books(simulation, history):
        for ladder, stand in book.standings.items():
            days |= {stand.granted_until + ONE_DAY} if stand.granted_until else set()
            if stand.valid_until:
                last = stand.valid_until + ONE_DAY * ladders[ladder].grace_days
                days |= {last + ONE_DAY, *(last - ONE_DAY * before for before in ladders[ladder].warn_days)}
    return sorted(day for day in days if day >= today)


def _books(simulation: Simulation, history: History) -> Iterator[Book]:
    for member in history.members:
        raw = simulation.direct.read(partition(PROGRAM, member), BOOK_SK)
        if raw:
            yield book_of(raw)
