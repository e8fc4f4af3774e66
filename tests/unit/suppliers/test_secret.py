import json

import pytest

from loyalty.suppliers.model import SupplierAccessDenied
from loyalty.suppliers.secret import SecretApiKey


class FakeSecrets:
    def __init__(self, *texts: str) -> None:
        self._texts = list(texts)
        self.reads = 0

    def get_secret_value(self, *, SecretId: str) -> dict[str, str]:  # noqa: N803
        assert SecretId == "arn:secret"
        self.reads += 1
        return {"SecretString": self._texts[min(self.reads, len(self._texts)) - 1]}


def test_the_secret_is_read_once_until_it_is_refused() -> None:
    secrets = FakeSecrets('{"api_key": "first"}', '{"api_key": "second"}')
    key = SecretApiKey("arn:secret", secrets)
    assert secrets.reads == 0
    assert [key.read(), key.read()] == ["first", "first"]
    assert secrets.reads == 1
    key.forget()
    assert key.read() == "second"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "planted",
        "[]",
        '"planted"',
        "{}",
        json.dumps({"api_key": ""}),
        json.dumps({"api_key": 7}),
        json.dumps({"api_key": "planted\r\nHost: elsewhere"}),
        json.dumps({"api_key": "plantéd"}),
        json.dumps({"client_secret": "planted"}),
    ],
)
def test_a_secret_without_a_key_is_named_and_not_repeated(text: str) -> None:
    with pytest.raises(SupplierAccessDenied, match="api_key") as caught:
        SecretApiKey("arn:secret", FakeSecrets(text)).read()
    assert "plant" not in str(caught.value)
    assert caught.value.__suppress_context__
