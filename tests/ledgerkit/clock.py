"""A clock that stands where a test sets it."""

from datetime import UTC, datetime, timedelta


class SettableClock:
    """Callable like the system clock; ``set`` and ``advance`` move it."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **by: float) -> None:
        self.now += timedelta(**by)

    def set(self, text: str) -> None:
        self.now = at(text)


def at(text: str) -> datetime:
    """``2026-03-01T12:00:00Z`` or ``2026-03-01`` (midnight) in UTC."""
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
