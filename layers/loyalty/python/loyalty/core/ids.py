"""Identifiers: opaque, prefixed by what they name, safe in URLs and keys."""

import hashlib
import json
import secrets
from datetime import datetime
from typing import Final

_CROCKFORD: Final = "0123456789abcdefghjkmnpqrstvwxyz"


def _crockford(number: int, length: int) -> str:
    digits = []
    for _ in range(length):
        number, digit = divmod(number, 32)
        digits.append(_CROCKFORD[digit])
    return "".join(reversed(digits))


def new_member_id(now: datetime) -> str:
    """``mbr_`` and 26 characters: 48 bits of milliseconds, 80 random bits (the ULID layout, in lower case)."""
    milliseconds = int(now.timestamp() * 1000)
    return f"mbr_{_crockford(milliseconds, 10)}{_crockford(secrets.randbits(80), 16)}"


def first_member_id(moment: datetime) -> str:
    """Where ids of members who enroll from ``moment`` on begin, to the millisecond: all given before sort before it."""
    return f"mbr_{_crockford(int(moment.timestamp() * 1000), 10)}{_crockford(0, 16)}"


def random_text(alphabet: str, length: int) -> str:
    """So many characters of an alphabet, each at random, and none to be guessed."""
    return "".join(secrets.choice(alphabet) for _ in range(length))


def new_click_id() -> str:
    """``clk_`` and 26 characters, all random: it says neither when nor by whom."""
    return f"clk_{random_text(_CROCKFORD, 26)}"


def redemption_id(program: str, member_id: str, client_id: str, idempotency_key: str) -> str:
    """The redemption that one idempotency key of one client stands for: same key, same id, for ever."""
    return _derived("rdm", program, member_id, client_id, idempotency_key)


def adjustment_id(program: str, member_id: str, client_id: str, idempotency_key: str) -> str:
    """The adjustment that one idempotency key of one client stands for."""
    return _derived("adj", "adj", program, member_id, client_id, idempotency_key)


def transfer_id(program: str, place: str, client_id: str, idempotency_key: str) -> str:
    """The transfer that one idempotency key of one client stands for. ``place`` is where it was asked for."""
    return _derived("trf", "trf", program, place, client_id, idempotency_key)


def tier_grant_id(program: str, member_id: str, client_id: str, idempotency_key: str) -> str:
    """The grant of a tier, or its end, that one idempotency key of one client stands for."""
    return _derived("tgr", "tgr", program, member_id, client_id, idempotency_key)


def household_id(program: str, member_id: str, client_id: str, idempotency_key: str) -> str:
    """The household of this first member that one idempotency key of one client stands for."""
    return _derived("hsh", "hsh", program, member_id, client_id, idempotency_key)


def restock_id(program: str, reward_id: str, client_id: str, idempotency_key: str) -> str:
    """The restock that one idempotency key of one client stands for."""
    return _derived("rst", "rst", program, reward_id, client_id, idempotency_key)


def consent_id(program: str, member_id: str, client_id: str, idempotency_key: str) -> str:
    """The line of the log of consents that one idempotency key of one client stands for."""
    return _derived("cns", "cns", program, member_id, client_id, idempotency_key)


def export_id(program: str, member_id: str, client_id: str, idempotency_key: str) -> str:
    """The export of a member's data that one idempotency key of one client stands for."""
    return _derived("exp", "exp", program, member_id, client_id, idempotency_key)


def is_household(member_id: str) -> bool:
    """Whether this stands for a household's pool, which has a book like a member's."""
    return member_id.startswith("hsh_")


def request_hash(request: object) -> str:
    """128 bits, in hex, that tell one request from another; blind to the order of keys.

    ``request`` is what ``json`` can write: floats are refused, since two writers may print them differently.
    """
    canonical = json.dumps(_no_floats(request), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    # JSON may carry half a surrogate pair, which plain UTF-8 cannot; a hash of it is as good as any.
    return hashlib.sha256(canonical.encode(errors="surrogatepass")).hexdigest()[:32]


def _derived(prefix: str, *parts: str) -> str:
    digest = hashlib.sha256("\x00".join(parts).encode()).digest()
    return f"{prefix}_{_crockford(int.from_bytes(digest[:16]), 26)}"


def _no_floats(value: object) -> object:
    if isinstance(value, float):
        raise TypeError("a request to be hashed holds a float")
    if isinstance(value, dict):
        return {key: _no_floats(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_no_floats(item) for item in value]
    return value
