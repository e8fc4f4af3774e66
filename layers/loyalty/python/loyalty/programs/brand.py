"""How a program looks and which languages it speaks.

``locales`` are its languages, the first one the default: every ``name`` in the document is in that language, and
``translations`` beside it say the same in the others. Whether a language is written from right to left follows from it.
"""

from collections.abc import Iterator
from typing import Annotated, Final, Literal, Protocol, Self, TypeVar, cast

from pydantic import Field, StringConstraints, model_validator

from loyalty.programs.fields import DocumentPart, Name, twice

Language = Literal["en", "id", "it", "ar"]
Direction = Literal["ltr", "rtl"]

RIGHT_TO_LEFT: Final[frozenset[Language]] = frozenset({"ar"})

Colour = Annotated[str, StringConstraints(pattern=r"^#[0-9a-fA-F]{6}$"), Field(examples=["#0b5fff"])]
HttpsUrl = Annotated[
    str,
    StringConstraints(pattern=r"^https://[^\s/?#@]+(/[^\s]*)?$", max_length=2048),
    Field(examples=["https://cdn.example.com/logo.svg"]),
]
Locales = Annotated[tuple[Language, ...], Field(min_length=1, max_length=4)]


class Colours(DocumentPart):
    """Of the brand, as ``#rrggbb``."""

    primary: Colour
    secondary: Colour | None = None


class Brand(DocumentPart):
    """How the program presents itself to members. ``display_name`` takes the place of the program's ``name``."""

    display_name: Name | None = None
    colours: Colours | None = None
    logo_url: HttpsUrl | None = None


class Translations(DocumentPart):
    """A name in the other languages of the program."""

    en: Name | None = None
    id: Name | None = None
    it: Name | None = None
    ar: Name | None = None

    @model_validator(mode="after")
    def _at_least_one(self) -> Self:
        if not self.languages:
            raise ValueError("name at least one language, such as it, or leave translations out")
        return self

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages that there is a text in."""
        return tuple(language for language, text in self if text is not None)


class Named(Protocol):
    """A part of a document that members see by its name."""

    @property
    def name(self) -> str | None:
        """In the program's default language; None where it has none."""

    @property
    def translations(self) -> Translations | None:
        """In the others."""


class NamedPart(Named, Protocol):
    """One that has an id, too."""

    @property
    def id(self) -> str:
        """By which the document's other parts name it."""


V = TypeVar("V")


def direction(language: Language) -> Direction:
    """The direction in which a language is written."""
    return "rtl" if language in RIGHT_TO_LEFT else "ltr"


def name_in(named: Named, language: Language) -> str:
    """The name in a language; in the default language where there is no translation, and nothing where it has none."""
    texts = dict(named.translations or ())
    return texts.get(language) or named.name or ""


def named_parts(value: object, path: str = "") -> Iterator[tuple[str, "NamedPart"]]:
    """The parts of a list that members see by name, and what is in them (perks of tiers), each with its place."""
    for place, part in enumerate(value if isinstance(value, tuple) else ()):
        if isinstance(part, DocumentPart) and hasattr(part, "translations"):
            here = f"{path}{place}."
            yield here, cast("NamedPart", part)
            for inside in ("tiers", "perks"):
                yield from named_parts(getattr(part, inside, ()), f"{here}{inside}.")


def no_language_twice(locales: tuple[Language, ...]) -> tuple[Language, ...]:
    """The locales, if each is named once.

    Raises:
        ValueError: one is named twice.
    """
    if same := twice(list(locales)):
        raise ValueError(f"'{same}' is named twice")
    return locales


def require_known_languages(value: V, locales: tuple[Language, ...] | None) -> V:
    """What a field of the document holds, if all its translations are into languages of the program.

    Args:
        value: translations, or parts with translations.
        locales: of the program; None where they are wrong themselves, which is said there.

    Raises:
        ValueError: one is into another language, or into the default one.
    """
    if locales is None:
        return value
    for who, translations in _translations_in(value):
        for language in translations.languages:
            if language == locales[0]:
                raise ValueError(
                    f"{who}'{language}' is the program's default language, in which its names are written already; "
                    "leave that translation out"
                )
            if language not in locales:
                raise ValueError(
                    f"{who}'{language}' is not among the program's locales, {', '.join(locales)}; add it to locales, or "
                    "leave that translation out"
                )
    return value


def _translations_in(value: object) -> Iterator[tuple[str, Translations]]:
    """Translations, and whose they are for a message."""
    if isinstance(value, Translations):
        yield "", value
    for _, part in named_parts(value):
        if part.translations is not None:
            yield f"'{part.id}': ", part.translations
