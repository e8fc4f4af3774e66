"""Static files under names that carry their hash: kept by browsers for a year, and never out of date."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

_FOLDER: Final = Path(__file__).with_name("static")
_TYPES: Final[Mapping[str, str]] = {".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class StaticFile:
    """One file as it is served."""

    name: str
    content_type: str
    text: str


@cache
def static_files() -> Mapping[str, StaticFile]:
    """Every static file, by the name in the repository: ``console.css``."""
    found = {}
    for path in sorted(_FOLDER.iterdir()):
        text = path.read_text(encoding="utf-8")
        digest = hashlib.sha256(text.encode()).hexdigest()[:16]
        found[path.name] = StaticFile(f"{path.stem}.{digest}{path.suffix}", _TYPES[path.suffix], text)
    return found
