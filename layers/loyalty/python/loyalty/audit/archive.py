"""The exported trail: a bucket whose files nobody can change or delete for years.

::

    heads/{scope}/{day}/{number}-{hash}.json      that the chain of the day had this link, when it was exported
    days/{scope}/{day}/{number}-{hash}.jsonl.gz   the day's first ``number`` links, each with its line, a line of JSON each

A name says what its file is of: a chain that was made anew has other hashes, so other names, and the former ones stay.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final, Protocol

from loyalty.audit.chain import Head

HEADS: Final = "heads"
DAYS: Final = "days"
_NAME: Final = re.compile(r"(heads|days)/([^/]+)/(\d{4}-\d\d-\d\d)/(\d{8})-([0-9a-f]{64})\.(json|jsonl\.gz)")


@dataclass(frozen=True, slots=True)
class Exported:
    """A file of the archive, by what its name says. ``hidden``: somebody put a mark of deletion over it."""

    kind: str
    scope: str
    day: date
    number: int
    hash: str
    key: str
    version: str | None = None
    hidden: bool = False


class Archive(Protocol):
    """A bucket with versions."""

    def has(self, key: str) -> bool:
        """Whether a file is there."""

    def put(self, key: str, path: Path, content_type: str) -> None:
        """Stores a file."""

    def files(self, prefix: str) -> Iterator[Exported]:
        """Every version of every file of the trail below ``prefix``, hidden ones too."""

    def read(self, file: Exported) -> Iterator[bytes]:
        """Its bytes, part after part."""


class BucketArchive:
    """S3.

    Args:
        name: of the bucket.
        s3: a client.
    """

    def __init__(self, name: str, s3: Any) -> None:
        self._name = name
        self._s3 = s3

    def has(self, key: str) -> bool:
        """See :meth:`Archive.has`; asked of the list, so that nothing has to be read for it."""
        answer = self._s3.list_objects_v2(Bucket=self._name, Prefix=key, MaxKeys=1)
        return any(one["Key"] == key for one in answer.get("Contents", ()))

    def put(self, key: str, path: Path, content_type: str) -> None:
        """See :meth:`Archive.put`. How long it is locked is the bucket's own business; S3 wants a checksum for that."""
        with path.open("rb") as body:
            self._s3.put_object(
                Bucket=self._name, Key=key, Body=body, ContentType=content_type, ChecksumAlgorithm="SHA256"
            )

    def files(self, prefix: str) -> Iterator[Exported]:
        """See :meth:`Archive.files`."""
        more: dict[str, str] = {}
        hidden: set[str] = set()
        found: list[Exported] = []
        while True:
            page = self._s3.list_object_versions(Bucket=self._name, Prefix=prefix, **more)
            hidden.update(one["Key"] for one in page.get("DeleteMarkers", ()) if one["IsLatest"])
            found.extend(
                file
                for one in page.get("Versions", ())
                if (file := exported(one["Key"], one.get("VersionId"))) is not None
            )
            if not page.get("IsTruncated"):
                break
            more = {"KeyMarker": page["NextKeyMarker"], "VersionIdMarker": page["NextVersionIdMarker"]}
        for file in found:
            yield Exported(
                file.kind, file.scope, file.day, file.number, file.hash, file.key, file.version, file.key in hidden
            )

    def read(self, file: Exported) -> Iterator[bytes]:
        """See :meth:`Archive.read`; that very version."""
        version = {"VersionId": file.version} if file.version else {}
        answer = self._s3.get_object(Bucket=self._name, Key=file.key, **version)
        yield from answer["Body"].iter_chunks(64 * 1024)


def head_key(head: Head) -> str:
    """Where an exported head lies."""
    return f"{HEADS}/{_place(head)}.json"


def day_key(head: Head) -> str:
    """Where a day lies that was exported when its chain had this head."""
    return f"{DAYS}/{_place(head)}.jsonl.gz"


def exported(key: str, version: str | None = None) -> Exported | None:
    """What a name says; None: it is none of the trail's."""
    said = _NAME.fullmatch(key)
    if said is None:
        return None
    kind, scope, day, number, link_hash, _ = said.groups()
    return Exported(kind, scope, date.fromisoformat(day), int(number), link_hash, key, version)


def _place(head: Head) -> str:
    return f"{head.scope}/{head.day.isoformat()}/{head.number:08d}-{head.hash}"
