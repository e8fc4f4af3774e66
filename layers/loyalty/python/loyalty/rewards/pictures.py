"""Pictures of rewards: a port, and S3 behind it. A picture's key is the hash of its content, so nothing under it changes."""

import hashlib
from functools import cached_property
from typing import Any, Final, Protocol

from loyalty.core import aws
from loyalty.core.errors import Unacceptable

LINK_SECONDS: Final = 3600
"""For which a link to a picture is good; shorter where the credentials that signed it end before."""
MAX_PICTURE_BYTES: Final = 2 * 1024 * 1024
MEDIA_TYPES: Final = {"png": "image/png", "jpg": "image/jpeg", "webp": "image/webp"}


class PictureRefused(Unacceptable):
    """No picture that apps show, or one that is too large."""

    code = "picture_refused"


class PictureLinks(Protocol):
    """Makes links by which a reader without credentials sees a picture for a while."""

    def link(self, key: str) -> str:
        """The link to the picture under a key, whether there is one or not."""


class S3Pictures:
    """Pictures in a bucket. Links are made without asking S3."""

    def __init__(self, bucket: str, client: Any = None) -> None:
        self._bucket = bucket
        self._given = client

    @cached_property
    def client(self) -> Any:
        """The S3 client; touching it at cold start keeps its making out of the first request."""
        return self._given or aws.client("s3")

    def link(self, key: str) -> str:
        """See :class:`PictureLinks`."""
        link: str = self.client.generate_presigned_url(
            "get_object", Params={"Bucket": self._bucket, "Key": key}, ExpiresIn=LINK_SECONDS
        )
        return link

    def put(self, content: bytes) -> str:
        """Stores a picture and gives its key; the same content again is the same picture.

        Raises:
            PictureRefused: see :func:`picture_key`.
        """
        key = picture_key(content)
        self.client.put_object(
            Bucket=self._bucket,
            Key=key,
            Body=content,
            ContentType=MEDIA_TYPES[key.rpartition(".")[2]],
            CacheControl="private, max-age=31536000, immutable",
            ChecksumAlgorithm="SHA256",
        )
        return key


def picture_key(content: bytes) -> str:
    """The key that a picture has: its hash, and the ending of what its first bytes show that it is.

    Raises:
        PictureRefused: more than two megabytes, or neither PNG nor JPEG nor WebP, whatever its file is called.
    """
    if len(content) > MAX_PICTURE_BYTES:
        raise PictureRefused(f"A picture may have {MAX_PICTURE_BYTES:,} bytes, and this one has more; make it smaller.")
    kind = _kind(content)
    if kind is None:
        raise PictureRefused("This is neither PNG nor JPEG nor WebP; convert it to one of these.")
    return f"{hashlib.sha256(content).hexdigest()}.{kind}"


def _kind(content: bytes) -> str | None:
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if content.startswith(b"\xff\xd8\xff"):
        return "jpg"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "webp"
    return None
