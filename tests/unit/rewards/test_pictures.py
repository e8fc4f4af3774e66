"""Pictures are known by their content, stored once, and seen through links that end."""

import hashlib
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
from moto import mock_aws
from typer.testing import CliRunner

from loyalty.cli.app import app
from loyalty.rewards.pictures import MAX_PICTURE_BYTES, PictureRefused, S3Pictures, picture_key

PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)
JPEG = b"\xff\xd8\xff\xe0" + bytes(20)
WEBP = b"RIFF\x10\x00\x00\x00WEBPVP8 " + bytes(20)


@pytest.mark.parametrize(("content", "ending"), [(PNG, "png"), (JPEG, "jpg"), (WEBP, "webp")])
def test_a_key_is_the_hash_of_the_content_and_what_it_is(content: bytes, ending: str) -> None:
    assert picture_key(content) == f"{hashlib.sha256(content).hexdigest()}.{ending}"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<svg onload='alert(1)'/>",
        b"GIF89a" + bytes(20),
        b"RIFF\x10\x00\x00\x00WAVE",
        PNG + bytes(MAX_PICTURE_BYTES),
    ],
    ids=["nothing", "svg", "gif", "sound", "too large"],
)
def test_what_is_no_picture_or_too_large_is_refused(content: bytes) -> None:
    with pytest.raises(PictureRefused):
        picture_key(content)


def test_a_link_is_signed_for_an_hour_by_the_fourth_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-south-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    link = urlsplit(S3Pictures("bucket").link("a.png"))
    asked = parse_qs(link.query)
    assert (link.scheme, asked["X-Amz-Expires"], asked["X-Amz-Algorithm"]) == ("https", ["3600"], ["AWS4-HMAC-SHA256"])
    assert "bucket" in f"{link.netloc}{link.path}"


def test_the_command_stores_a_picture_and_prints_its_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-south-1")
    file = tmp_path / "mug.gif"  # whatever it is called
    file.write_bytes(PNG)
    with mock_aws():
        s3 = boto3.client("s3", region_name="eu-south-1")
        s3.create_bucket(Bucket="pics", CreateBucketConfiguration={"LocationConstraint": "eu-south-1"})
        command = ["rewards", "picture", "put", str(file), "--bucket", "pics", "--json"]
        result, again = (CliRunner().invoke(app, command) for _ in range(2))
        assert (result.exit_code, again.output) == (0, result.output), result.output
        (stored,) = s3.list_objects_v2(Bucket="pics")["Contents"]
        assert stored["Key"] == picture_key(PNG)
        assert stored["Key"] in result.output
        assert s3.head_object(Bucket="pics", Key=stored["Key"])["ContentType"] == "image/png"
