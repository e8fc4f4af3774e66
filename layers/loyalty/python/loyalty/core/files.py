"""Files in a bucket: the port that features write reports to and read lists from, and S3 behind it."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from botocore.exceptions import ClientError

from loyalty.core.errors import Conflict, Missing

_PART: Final = 64 * 1024
_GONE: Final = frozenset({"404", "NoSuchKey", "NotFound"})


class FileNotStored(Missing):
    """Nothing lies under that key."""

    code = "file_not_stored"


class FileChanged(Conflict):
    """Something else lies there than what was looked at."""

    code = "file_changed"


@dataclass(frozen=True, slots=True)
class Stored:
    """A file as it lies in the bucket; ``etag`` tells one content from another."""

    key: str
    size: int
    etag: str


class Files(Protocol):
    """A bucket."""

    def put(self, key: str, path: Path, content_type: str) -> None:
        """Stores a file whole, in the place of what was there."""

    def look(self, key: str) -> Stored:
        """What is stored under a key.

        Raises:
            FileNotStored: nothing.
        """

    def read(self, file: Stored, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """The bytes from ``start`` until before ``end``, part after part.

        Raises:
            FileNotStored, FileChanged: it is not there any more, or another one is.
        """

    def link(self, key: str, *, seconds: int) -> str:
        """A URL by which anybody reads the file, for so long."""

    def upload_link(self, key: str, *, seconds: int) -> str:
        """A URL to which anybody may PUT the file, for so long."""


class FilesToForget(Files, Protocol):
    """A bucket with files of members, who may be erased."""

    def keys(self, folder: str) -> Iterator[str]:
        """The keys of all files that begin with ``folder``, in their order."""

    def remove(self, folder: str) -> int:
        """Deletes every version of all files whose keys begin with ``folder``; how many."""


class Bucket:
    """S3. Only the objects that it is granted; encryption and TLS are the bucket's own business.

    Args:
        name: of the bucket.
        s3: a client.
    """

    def __init__(self, name: str, s3: Any) -> None:
        self._name = name
        self._client = s3

    def put(self, key: str, path: Path, content_type: str) -> None:
        """See :meth:`Files.put`."""
        with path.open("rb") as body:
            self._client.put_object(Bucket=self._name, Key=key, Body=body, ContentType=content_type)

    def look(self, key: str) -> Stored:
        """See :meth:`Files.look`."""
        try:
            answer = self._client.head_object(Bucket=self._name, Key=key)
        except ClientError as error:
            raise _named(error, key) from error
        return Stored(key, int(answer["ContentLength"]), str(answer["ETag"]))

    def read(self, file: Stored, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """See :meth:`Files.read`."""
        last = file.size if end is None else end
        if last <= start:
            return
        try:
            answer = self._client.get_object(Bucket=self._name, Key=file.key, Range=f"bytes={start}-{last - 1}")
        except ClientError as error:
            raise _named(error, file.key) from error
        # Compared here, since not every engine takes the request's own condition seriously.
        if answer["ETag"] != file.etag:
            raise FileChanged(f"'{file.key}' is another file than the one that was looked at; begin again with it.")
        with closing(answer["Body"]) as body:
            yield from body.iter_chunks(_PART)

    def keys(self, folder: str) -> Iterator[str]:
        """See :meth:`FilesToForget.keys`."""
        for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=self._name, Prefix=folder):
            yield from (one["Key"] for one in page.get("Contents", ()))

    def remove(self, folder: str) -> int:
        """See :meth:`FilesToForget.remove`.

        One by one: a role that may delete versions, and nothing else, may not send a list of them.
        """
        removed = 0
        for page in self._client.get_paginator("list_object_versions").paginate(Bucket=self._name, Prefix=folder):
            for one in [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]:
                self._client.delete_object(Bucket=self._name, Key=one["Key"], VersionId=one["VersionId"])
                removed += 1
        return removed

    def link(self, key: str, *, seconds: int) -> str:
        """See :meth:`Files.link`."""
        return self._signed("get_object", key, seconds)

    def upload_link(self, key: str, *, seconds: int) -> str:
        """See :meth:`Files.upload_link`."""
        return self._signed("put_object", key, seconds)

    def _signed(self, method: str, key: str, seconds: int) -> str:
        params = {"Bucket": self._name, "Key": key}
        return str(self._client.generate_presigned_url(method, Params=params, ExpiresIn=seconds))


def _named(error: ClientError, key: str) -> Exception:
    if error.response["Error"]["Code"] in _GONE:
        return FileNotStored(f"There is no file '{key}'; send it first.")
    return error
