"""No secret is in the repository, in a template or in a function's environment; a planted one is found."""

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from infra import ROOT
from tests.infra.secrets import in_template, in_text, tracked
from tests.infra.templates import Templates, read_templates

KNOWN: Final[Mapping[str, str]] = {
    "tests/e2e/test_partner_api.py": "a token signed by nobody, which must be refused",
    "tests/unit/cli/test_staff_commands.py": "the password of a person in a test's own pool",
    "tests/contract/suppliers/test_xoxoday.py": "a planted token, which must not be logged",
}
"""Files with something that looks like a secret, and what it is."""

PLANTED: Final = {
    "AWS key": "key = '" + "AKIA" + "Q3EXAMPLE7XKD2PL'",
    "private key": "-----BEGIN " + "RSA PRIVATE KEY-----\nMIIE",
    "client secret": "client_" + "secret: 'w8Yq7b5zKx0c'",
    "token of Cognito": "1k2j3h4g5f6d7s8a9q0w1e2r3" + "t4y5u6i7o8p9a0s1d2f3g4h5j6",
    "key of a supplier": "TEST_" + "Zx8-q2LmN0pRsTuVwXyZ1234567890_abcd",
    "JSON web token": "eyJhbGciOiJIUzI1NiJ9" + ".eyJzdWIiOiIxIn0" + ".c2lnbmF0dXJl",
    "GitHub token": "ghp_" + "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8",
    "registry token": "//registry.example/:_auth" + "Token=" + "npm_A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8",
    "password in a URL": "https://ada:" + "Zx8q2LmN0p@example.com/",
}


def test_no_file_of_the_repository_holds_a_secret() -> None:
    names = tracked(ROOT)
    assert len(names) > 500
    found = {}
    for name in names:
        secrets = list(in_text((ROOT / name).read_text(errors="replace")))
        if secrets:
            found[name] = secrets
    assert set(found) == set(KNOWN), {name: kinds for name, kinds in found.items() if name not in KNOWN}
    assert [len(secrets) for secrets in found.values()] == [1] * len(KNOWN)


@pytest.mark.parametrize("text", PLANTED.values(), ids=PLANTED)
def test_a_planted_secret_is_found(text: str) -> None:
    assert list(in_text(f"first line\n{text}\nlast line"))


def test_templates_and_environments_hold_no_secret(stage: Templates) -> None:
    assert len(list(stage.each("AWS::Lambda::Function"))) > 20
    found = {name: list(in_template(template)) for name, template in stage.stacks.items()}
    assert found == {name: [] for name in stage.stacks}


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("w8Yq7b5zKx0cV6n4M2l9", "looks like a key"),
        ({"Fn::Join": ["", ['{"key":"', "w8Yq7b5zKx0cV6n4M2l9", '"}']]}, "looks like a key"),
        ({"Fn::GetAtt": ["Client", "ClientSecret"]}, "neither its name nor its ARN"),
        ({"Fn::Sub": "${Secret}"}, "no reference"),
        ("{{resolve:secretsmanager:supplier:SecretString:key}}", "would write the secret out"),
        (PLANTED["AWS key"], "AWS Access Key"),
    ],
)  # fmt: skip
def test_a_secret_in_an_environment_is_found(assembly: Path, value: Any, told: str) -> None:
    template = copy.deepcopy(read_templates(assembly, "local").stacks["api"])
    function = next(one for one in template["Resources"].values() if one["Type"] == "AWS::Lambda::Function")
    function["Properties"]["Environment"]["Variables"]["LOYALTY_TABLE"] = value
    assert any(told in text for text in in_template(template))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"Resources": {"S": {"Type": "AWS::SecretsManager::Secret", "Properties": {"SecretString": "x"}}}}, "S: the value"),
        ({"Parameters": {"P": {"Type": "String", "NoEcho": True, "Default": "x"}}, "Resources": {}}, "P: a parameter"),
    ],
)  # fmt: skip
def test_a_secret_elsewhere_in_a_template_is_found(change: dict[str, Any], told: str) -> None:
    (text,) = in_template(change)
    assert text.startswith(told)
