"""A bucket in memory."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from loyalty.core.files import FileChanged, FileNotStored, Stored


class MemoryFiles:
    """Files by key. ``reads`` counts the bytes that were handed out."""

    def __init__(self) -> None:
        self.stored: dict[str, bytes] = {}
        self.reads = 0

    def put(self, key: str, path: Path, content_type: str) -> None:
        assert content_type
        self.stored[key] = path.read_bytes()

    def look(self, key: str) -> Stored:
        if key not in self.stored:
            raise FileNotStored(f"Nothing lies under {key}.")
        content = self.stored[key]
        return Stored(key, len(content), hashlib.md5(content, usedforsecurity=False).hexdigest())

    def read(self, file: Stored, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        if self.look(file.key) != file:
            raise FileChanged(f"Something else lies under {file.key}.")
        part = self.stored[file.key][start:end]
        self.reads += len(part)
        for at in range(0, len(part), 1000):
            yield part[at : at + 1000]

    def link(self, key: str, *, seconds: int) -> str:
        return f"memory:{key}?{seconds}"

    def upload_link(self, key: str, *, seconds: int) -> str:
        return f"memory:{key}?put={seconds}"

    def text(self, key: str) -> str:
        return self.stored[key].decode()
