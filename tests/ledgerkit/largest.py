"""The largest purchase that a request may tell of, and a program that leaves as much in its entry as one can."""

from typing import Any

from loyalty.accruals.bodies import MAX_ATTRIBUTES, MAX_LINES

WHAT_FITS = 16
"""Characters of four bytes in each word of each of the most lines, so that the entry keeps them all: no more fit."""
WALLETS = [{"id": "w" * 63 + str(number), "name": "W", "expiry": {"policy": "never"}} for number in range(4)]


def largest(words: int = 100) -> dict[str, Any]:
    """A request as large as the API takes it, of characters of four bytes; ``words``: how many in each word of a line."""
    wide, word = "😀" * 100, "😀" * words

    def line(place: int) -> dict[str, Any]:
        value = f"{9 * 10**14 + place}.99"
        money = {"value": value, "currency": "EUR"}
        return {
            "line_id": f"{place:0128}", "sku": word, "product": word, "category": word, "quantity": 1_000_000,
            "amount": money, "gift_card": True, "discount": money,
        }  # fmt: skip

    return {
        "activity": "a" * 64, "source": "s" * 32, "source_id": "i" * 128, "occurred_at": "2026-03-15T12:00:00.123Z",
        "channel": "c" * 64, "amount": {"value": "900000000000000.99", "currency": "EUR"}, "store": "s" * 64,
        "tax": {"value": "100000000000000.99", "currency": "EUR"},
        "shipping": {"value": "100000000000000.99", "currency": "EUR"},
        "lines": [line(place) for place in range(MAX_LINES)],
        "attributes": {f"{'a' * 37}_{place:02}": wide for place in range(MAX_ATTRIBUTES)},
    }  # fmt: skip


def generous() -> dict[str, Any]:
    """Rules that leave as much in an entry as they can: each has given, in each wallet, and each line unevenly.

    Ten caps and three budgets, of which all 16 shards are needed, are as many as one activity may use.
    """
    names = ["points", *(wallet["id"] for wallet in WALLETS)]
    campaigns = [
        {
            "id": "c" * 63 + str(number), "name": "C", "starts_at": "2026-01-01T00:00", "ends_at": "2027-01-01T00:00",
            "budget_points": 10_000_000,
        }
        for number in range(3)
    ]  # fmt: skip
    caps = [{"per": per, "points": 1_000_000_000} for per in ("day", "week", "month", "year", "ever")]
    rules: list[dict[str, Any]] = [
        {"id": f"{'r' * 61}{place:03}", "activity": "a" * 64, "wallet": name, "points_per_line": 49_999}
        for place, name in enumerate(names * 20)
    ]
    for place in (0, 1):
        rules[place]["caps"] = caps
    for place, campaign in enumerate(campaigns, start=2):
        rules[place]["campaign"] = campaign["id"]
    return {"earn_rules": rules, "wallets": WALLETS, "campaigns": campaigns}
