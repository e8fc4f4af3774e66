"""The composition roots: what a function is told is enough to make it, and it answers."""

import importlib
import json

import pytest

from tests.apikit.gateway import CONTEXT, proxy_event

PROGRAM = "/v1/programs/acme"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-south-1")
    for name in ("STAGE", "TABLE", "PII_KEY", "LOOKUP_KEY", "LINKS_URL"):
        monkeypatch.setenv(f"LOYALTY_{name}", name.lower())


@pytest.mark.parametrize(
    ("function", "method", "path"),
    [
        ("enrollment", "GET", f"{PROGRAM}/members/mbr_01k9t3v5q8w2x4y6z8a0b2c4d6"),
        ("enrollment", "POST", f"{PROGRAM}/members"),
        ("referral_validation", "POST", f"{PROGRAM}/referrals/validate"),
        ("program", "GET", PROGRAM),
        ("program", "POST", f"{PROGRAM}/versions/1/rollback"),
    ],
)
def test_a_function_serves_its_routes(function: str, method: str, path: str) -> None:
    handler = importlib.import_module(f"functions.{function}.handler").handler
    answer = handler(proxy_event(method, path, body='{"email": 1, "referral_code": 1}', client_id=None), CONTEXT)
    assert json.loads(answer["body"])["code"] == ("invalid" if method == "POST" else "unauthenticated")
