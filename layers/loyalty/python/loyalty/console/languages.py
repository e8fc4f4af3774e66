"""The console's languages: words, and how numbers, money, days and ages are written. Days and times are UTC.

The forms are those of the Unicode CLDR for en-GB, id-ID, it-IT and ar-AE with Western digits; a browser test compares.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Final

from loyalty.core.money import MINOR_UNITS, Money

_WORDS: Final = Path(__file__).with_name("words")
_NO_BREAK: Final = "\N{NO-BREAK SPACE}"
_ISOLATE: Final = "\N{FIRST STRONG ISOLATE}"
_END_OF_ISOLATE: Final = "\N{POP DIRECTIONAL ISOLATE}"


@dataclass(frozen=True, slots=True)
class Language:
    """One language of the console."""

    code: str
    name: str
    """In itself: a list of languages is for people who read one of them."""
    direction: str
    decimal: str
    group: str
    currency_first: bool
    time_separator: str
    months: tuple[str, ...]
    words: Mapping[str, str]

    def say(self, key: str, **values: object) -> str:
        """A text by its key, with its placeholders filled.

        Where one reads from the right, what is filled in keeps its own direction: a code must not be turned around.
        """
        return self.words[key].format(**{name: self._apart(str(value)) for name, value in values.items()})

    def name_of(self, kind: str, code: str) -> str:
        """What a status, step, outcome or reason is called; a code that has no name is shown as it is."""
        return self.words.get(f"{kind}.{code}") or code.replace("_", " ")

    def codes(self, kind: str) -> list[str]:
        """Every code of a kind that has a name."""
        return [key.partition(".")[2] for key in self.words if key.startswith(f"{kind}.")]

    def names_of(self, kind: str, codes: str) -> str:
        """What several codes, as they are written with commas between them, are called."""
        return self.together([self.name_of(kind, code) for code in codes.split(", ")])

    def together(self, names: Sequence[str]) -> str:
        """Several names in a row."""
        return (", " if self.direction == "ltr" else "\N{ARABIC COMMA} ").join(names)

    def number(self, value: int | Decimal) -> str:
        """A number with its groups of three."""
        whole, _, fraction = f"{value:,f}".partition(".") if isinstance(value, Decimal) else (f"{value:,}", "", "")
        return whole.replace(",", self.group) + (self.decimal + fraction if fraction else "")

    def money(self, money: Money) -> str:
        """An amount with its currency's code, and all of its minor units."""
        amount = self.number(money.amount.quantize(Decimal(1).scaleb(-MINOR_UNITS[money.currency])))
        parts = (money.currency, amount) if self.currency_first else (amount, money.currency)
        return _NO_BREAK.join(parts)

    def day(self, day: date) -> str:
        """``22 Nov 2026``."""
        return f"{day.day} {self.months[day.month - 1]} {day.year}"

    def short_day(self, day: date) -> str:
        """``22 Nov``."""
        return f"{day.day} {self.months[day.month - 1]}"

    def moment(self, moment: datetime) -> str:
        """``22 Nov 2026, 09:30 UTC``."""
        comma, clock = "," if self.direction == "ltr" else "\N{ARABIC COMMA}", f"{self.time(moment)} UTC"
        return f"{self.day(moment.astimezone(UTC).date())}{comma} {self._apart(clock)}"

    def time(self, moment: datetime) -> str:
        """``09:30``."""
        utc = moment.astimezone(UTC)
        return f"{utc.hour:02d}{self.time_separator}{utc.minute:02d}"

    def age(self, span: timedelta) -> str:
        """The two largest parts of a span of time: ``3 d 4 h``."""
        seconds = max(0, int(span.total_seconds()))
        if seconds < 60:
            return self.say("age.seconds", n=seconds)
        minutes = seconds // 60
        parts = (("days", minutes // 1440), ("hours", minutes // 60 % 24), ("minutes", minutes % 60))
        said = [self.say(f"age.{unit}", n=number) for unit, number in parts if number]
        return " ".join(said[:2])

    def _apart(self, text: str) -> str:
        return text if self.direction == "ltr" or not text else f"{_ISOLATE}{text}{_END_OF_ISOLATE}"


def _language(
    code: str,
    name: str,
    *,
    marks: tuple[str, str],
    months: str,
    direction: str = "ltr",
    currency_first: bool = True,
    at: str = ":",
) -> Language:
    words: Mapping[str, str] = json.loads((_WORDS / f"{code}.json").read_text(encoding="utf-8"))
    decimal, group = marks
    return Language(code, name, direction, decimal, group, currency_first, at, tuple(months.split()), words)


@cache
def languages() -> Mapping[str, Language]:
    """Every language by its code, the default one first."""
    found = (
        _language("en", "English", marks=(".", ","), months="Jan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec"),
        _language(
            "id", "Bahasa Indonesia", marks=(",", "."), at=".", months="Jan Feb Mar Apr Mei Jun Jul Agu Sep Okt Nov Des"
        ),
        _language(
            "it", "Italiano", marks=(",", "."), currency_first=False,
            months="gen feb mar apr mag giu lug ago set ott nov dic",
        ),
        _language(
            "ar", "العربية", marks=(".", ","), direction="rtl", currency_first=False,
            months="يناير فبراير مارس أبريل مايو يونيو يوليو أغسطس سبتمبر أكتوبر نوفمبر ديسمبر",
        ),
    )  # fmt: skip
    return {one.code: one for one in found}


def choose(chosen: str | None, accepted: str) -> Language:
    """The language that a person chose; else the best of ``Accept-Language``; else the first."""
    known = languages()
    if chosen is not None and chosen in known:
        return known[chosen]
    wanted: list[tuple[float, str]] = []
    for part in accepted[:500].split(","):
        tag, _, quality = part.partition(";q=")
        try:
            wanted.append((float(quality or 1), tag.strip().lower().partition("-")[0]))
        except ValueError:
            continue
    for weight, code in sorted(wanted, key=lambda one: -one[0]):
        if weight > 0 and code in known:
            return known[code]
    return next(iter(known.values()))
