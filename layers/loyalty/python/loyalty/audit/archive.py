"""The exported trail: a bucket whose files nobody can change or delete for years.

::

    heads/{scope}/{day}/{number}-{hash}.json      that the chain of the day had this link, when it was exported
    days/{scope}/{day}/{number}-{hash}.jsonl.gz   the day's first ``number`` links, each with its line, a line of JSON each

A name says what its file is of: a chain that was made anew has other hashes, so other names, and the former ones stay.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Protocol

from botocore.exceptions import ClientError

from loyalty.audit.chain import Head

HEADS: Final = "heads"
DAYS: Final = "days"
_NO_LOCK: Final = "ObjectLockConfigurationNotFoundError"
_NEVER_LOCKED: Final = frozenset({"NoSuchObjectLockConfiguration", "InvalidRequest"})
"""The version has no lock, or the bucket gives none."""
_NAME: Final = re.compile(r"(heads|days)/([^/]+)/(\d{4}-\d\d-\d\d)/(\d{8})-([0-9a-f]{64})\.(json|jsonl\.gz)")


@dataclass(frozen=True, slots=True)
class Exported:
    """A file of the archive, by what its name says. ``hidden_at``: when a mark of deletion was put over it, in UTC."""

    kind: str
    scope: str
    day: date
    number: int
    hash: str
    key: str
    version: str | None = None
    hidden_at: datetime | None = None


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

    def locked_until(self, file: Exported) -> datetime | None:
        """Until when nobody may take that version out; None: it was never locked."""

    def retention(self) -> timedelta | None:
        """For how long a file is locked that is put now; None: for ever, as far as the bucket says."""


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
        hidden: dict[str, datetime] = {}
        found: list[Exported] = []
        while True:
            page = self._s3.list_object_versions(Bucket=self._name, Prefix=prefix, **more)
            marks = page.get("DeleteMarkers", ())
            hidden |= {one["Key"]: one["LastModified"] for one in marks if one["IsLatest"]}
            found.extend(
                file
                for one in page.get("Versions", ())
                if (file := exported(one["Key"], one.get("VersionId"))) is not None
            )
            if not page.get("IsTruncated"):
                break
            more = {"KeyMarker": page["NextKeyMarker"], "VersionIdMarker": page["NextVersionIdMarker"]}
        for file in found:
            yield replace(file, hidden_at=hidden.get(file.key))

    def read(self, file: Exported) -> Iterator[bytes]:
        """See :meth:`Archive.read`; that very version."""
        version = {"VersionId": file.version} if file.version else {}
        answer = self._s3.get_object(Bucket=self._name, Key=file.key, **version)
        yield from answer["Body"].iter_chunks(64 * 1024)

    def locked_until(self, file: Exported) -> datetime | None:
        """See :meth:`Archive.locked_until`."""
        version = {"VersionId": file.version} if file.version else {}
        try:
            answer = self._s3.get_object_retention(Bucket=self._name, Key=file.key, **version)
        except ClientError as error:
            if error.response["Error"]["Code"] not in _NEVER_LOCKED:
                raise
            return None
        until: datetime = answer["Retention"]["RetainUntilDate"]
        return until

    def retention(self) -> timedelta | None:
        """See :meth:`Archive.retention`: what the bucket gives every file. Ours says days; a year of another has 365 at least."""
        try:
            answer = self._s3.get_object_lock_configuration(Bucket=self._name)
        except ClientError as error:
            if error.response["Error"]["Code"] != _NO_LOCK:
                raise
            return None
        given = answer["ObjectLockConfiguration"].get("Rule", {}).get("DefaultRetention", {})
        days = given.get("Days", 0) + 365 * given.get("Years", 0)
        return timedelta(days=days) if days else None


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
