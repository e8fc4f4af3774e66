"""Links to files: signed for the region's own host and by version 4, since neither is redirected nor refused."""

from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest

from infra.settings import CLOUD_STAGES, StageSettings
from loyalty.core import aws
from loyalty.core.files import Bucket
from loyalty.rewards.pictures import S3Pictures

NAME = "loyalty-files-123456789012"


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    aws.client.cache_clear()
    yield
    aws.client.cache_clear()


def links() -> list[str]:
    bucket = Bucket(NAME, aws.client("s3"))
    return [
        bucket.link("bulk/a.csv", seconds=60),
        bucket.upload_link("bulk/a.csv", seconds=60),
        S3Pictures(NAME).link("bulk/a.csv"),
    ]


@pytest.mark.parametrize("stage", CLOUD_STAGES, ids=lambda stage: stage.name)
def test_a_link_is_signed_for_its_region_s_own_host(stage: StageSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The host of all regions redirects those opened after March 2019, and the signature is of the host."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", stage.region)
    for link in map(urlsplit, links()):
        assert (link.netloc, link.path) == (f"{NAME}.s3.{stage.region}.amazonaws.com", "/bulk/a.csv")
        asked = parse_qs(link.query)
        assert asked["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
        assert asked["X-Amz-Credential"][0].split("/")[2] == stage.region
        assert asked["X-Amz-SignedHeaders"] == ["host"], "whoever follows it sends nothing else"


def test_a_link_to_an_address_has_the_bucket_in_its_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the local cloud's: it is an address, which has no names under it."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")
    for link in map(urlsplit, links()):
        assert (link.netloc, link.path) == ("127.0.0.1:4566", f"/{NAME}/bulk/a.csv")
        assert parse_qs(link.query)["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
