"""Upload the assets of an assembly to the buckets where its templates look for them."""

import hashlib
import io
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from infra.local.assembly import Asset, located
from infra.local.ministack import ACCOUNT

if TYPE_CHECKING:
    import boto3

ZIP_DATE: Final = (1980, 1, 1, 0, 0, 0)


def upload_assets(
    session: "boto3.Session", endpoint: str, assets: Sequence[Asset], report: Callable[[str], None]
) -> int:
    """Put every asset that its bucket lacks; an asset's key is the hash of its content. Returns how many.

    Args:
        session: holds credentials and the region.
        endpoint: URL of the local cloud.
        assets: what the templates refer to; a bucket that is missing is made.
        report: gets a line for each upload.
    """
    s3: Any = session.client("s3", endpoint_url=endpoint)
    assets = [replace(asset, bucket=located(asset.bucket, ACCOUNT, session.region_name)) for asset in assets]
    for bucket in sorted({asset.bucket for asset in assets}):
        _ensure_bucket(s3, bucket, session.region_name)
    missing = [asset for asset in dict.fromkeys(assets) if not _holds(s3, asset)]
    for asset in missing:
        body = zipped(asset.source) if asset.zipped else asset.source.read_bytes()
        report(f"asset {asset.key[:12]}  {len(body) / 1e6:.1f} MB")
        s3.put_object(Bucket=asset.bucket, Key=asset.key, Body=body)
    return len(missing)


def upload_template(session: "boto3.Session", endpoint: str, bucket: str, body: str) -> str:
    """Put a template into a bucket, since CloudFormation takes no large one in a request. Returns its URL."""
    s3: Any = session.client("s3", endpoint_url=endpoint)
    bucket = located(bucket, ACCOUNT, session.region_name)
    _ensure_bucket(s3, bucket, session.region_name)
    key = f"{hashlib.sha256(body.encode()).hexdigest()}.json"
    s3.put_object(Bucket=bucket, Key=key, Body=body.encode())
    return f"{endpoint}/{bucket}/{key}"


def zipped(folder: Path) -> bytes:
    """The files of ``folder`` as a zip, the same bytes for the same content.

    Compressed lightly: ministack writes its state, layers included, at every stop and reads it at every start.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), ZIP_DATE)
                entry.external_attr = (path.stat().st_mode & 0o777) << 16
                archive.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED, compresslevel=1)
    return buffer.getvalue()


def _ensure_bucket(s3: Any, bucket: str, region: str) -> None:
    try:
        s3.head_bucket(Bucket=bucket)
    except ClientError as error:
        if error.response["Error"]["Code"] not in {"404", "NoSuchBucket"}:
            raise
        where = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        s3.create_bucket(Bucket=bucket, **where)


def _holds(s3: Any, asset: Asset) -> bool:
    try:
        s3.head_object(Bucket=asset.bucket, Key=asset.key)
    except ClientError as error:
        if error.response["Error"]["Code"] in {"404", "NoSuchKey"}:
            return False
        raise
    return True
