"""What members read and see of a reward: texts in the languages of the program, and pictures."""

from collections.abc import Iterator
from typing import Annotated, Final, Self

from pydantic import Field, StringConstraints, model_validator

from loyalty.programs.brand import Language
from loyalty.programs.fields import DocumentPart

PICTURE_KEY: Final = r"^[0-9a-f]{64}\.(png|jpg|webp)$"

Text = Annotated[str, StringConstraints(min_length=1, max_length=2000)]
PictureKey = Annotated[str, StringConstraints(pattern=PICTURE_KEY), Field(examples=[f"{'0123456789abcdef' * 4}.png"])]
"""A file of the pictures' bucket, by the hash of its content: what is shown under a key never changes."""


class Texts(DocumentPart):
    """A text in the other languages of the program."""

    en: Text | None = None
    id: Text | None = None
    it: Text | None = None
    ar: Text | None = None

    @model_validator(mode="after")
    def _at_least_one(self) -> Self:
        if not dict(_filled(self)):
            raise ValueError("write the text in at least one language, such as it, or leave translations out")
        return self


class Prose(DocumentPart):
    """A text of some sentences: ``text`` in the program's default language, ``translations`` in the others."""

    text: Text
    translations: Texts | None = None

    def read(self, language: Language) -> str:
        """The text in a language; in the default one where there is no translation."""
        return dict(_filled(self.translations)).get(language) or self.text


class Pictures(DocumentPart):
    """Keys of pictures: the ``default`` one, and others for readers of a language."""

    default: PictureKey
    en: PictureKey | None = None
    id: PictureKey | None = None
    it: PictureKey | None = None
    ar: PictureKey | None = None

    def seen(self, language: Language) -> str:
        """The key of the picture for a language."""
        return dict(_filled(self)).get(language) or self.default


def languages(part: Texts | Pictures | None) -> tuple[str, ...]:
    """The languages that there is something for, but for the default one."""
    return tuple(name for name, _ in _filled(part) if name != "default")


def _filled(part: Texts | Pictures | None) -> Iterator[tuple[str, str]]:
    for name, value in part or ():
        if value is not None:
            yield name, value
