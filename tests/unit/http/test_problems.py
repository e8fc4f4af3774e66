"""Every error has one status, one code and one title, and the tree that is drawn is the tree that exists."""

import importlib
import importlib.util
import pkgutil
from collections.abc import Iterator

import pytest

import loyalty
from loyalty.core import errors, problems

for package in pkgutil.iter_modules(loyalty.__path__, "loyalty."):
    if importlib.util.find_spec(f"{package.name}.errors"):
        importlib.import_module(f"{package.name}.errors")


def kinds(kind: type[errors.LoyaltyError] = errors.LoyaltyError) -> Iterator[type[errors.LoyaltyError]]:
    for one in kind.__subclasses__():
        yield one
        yield from kinds(one)


HTTP = [kind for kind in kinds() if kind is not errors.Rejected]


@pytest.mark.parametrize("kind", HTTP)
def test_every_error_is_a_client_problem_or_passes(kind: type[errors.LoyaltyError]) -> None:
    error = (
        errors.MemberMerged("Do this.", member_id="a", into="b") if kind is errors.MemberMerged else kind("Do this.")
    )
    error.pointer = "/field"
    problem = problems.of(error)
    body = problem.body("r-1")
    assert 400 <= body["status"] < 500 or kind is errors.Unavailable
    assert body["code"] == kind.code
    assert body["type"] == f"urn:problem-type:loyalty:{kind.code}"
    assert body["errors"] == [{"pointer": "/field", "code": kind.code, "detail": "Do this."}]


def test_codes_are_unique() -> None:
    codes = [kind.code for kind in HTTP]
    assert len(codes) == len(set(codes))


def test_the_drawn_tree_names_every_error() -> None:
    drawn = (errors.__doc__ or "").replace(",", " ").split()
    ours = [kind.__name__ for kind in kinds() if kind.__module__ == errors.__name__]
    assert [name for name in ours if name not in drawn] == []


def test_a_path_that_names_nothing_comes_before_a_header_and_a_header_before_fields() -> None:
    body = {"loc": ("body", "email"), "type": "missing", "msg": "Field required", "input": None}
    header = {"loc": ("header", "idempotency-key"), "type": "missing", "msg": "Field required", "input": None}
    path = {"loc": ("path", "member_id"), "type": "string_pattern_mismatch", "msg": "x", "input": "x"}
    assert problems.of_validation([body, header, path]).code == "member_not_found"
    assert problems.of_validation([body, header]).code == "idempotency_key_required"
    assert problems.of_validation([body]).code == "invalid"


@pytest.mark.parametrize(
    ("loc", "kind", "pointer"),
    [
        (("email",), "missing", "/email"),
        (("zoe@mail",), "extra_forbidden", ""),
        (("zoe",), "extra_forbidden", ""),
        (("lines", 3, "zoe@mail"), "extra_forbidden", "/lines/3"),
        (("external_ids", "shopify"), "string_type", "/external_ids/shopify"),
        (("external_ids", "zoe@mail"), "string_type", "/external_ids"),
        (("external_ids", "393331234567"), "string_type", "/external_ids"),
        (("external_ids", "zoe@mail", "[key]"), "string_pattern_mismatch", "/external_ids"),
        (("external_ids", "393331234567", "[key]"), "string_too_long", "/external_ids"),
    ],
)
def test_a_name_that_the_caller_made_up_is_not_repeated(loc: tuple[str | int, ...], kind: str, pointer: str) -> None:
    (field,) = problems.of_validation([{"loc": ("body", *loc), "type": kind, "msg": "x", "input": 1}]).fields
    assert field.pointer == pointer


def test_wrong_fields_are_named_once_and_up_to_a_limit() -> None:
    found = [
        {"loc": ("body", "lines", number // 2, "sku"), "type": "string_type", "msg": "x", "input": 1}
        for number in range(1000)
    ]
    named = [field.pointer for field in problems.of_validation(found).fields]
    assert named == [f"/lines/{number}/sku" for number in range(problems.MAX_FIELDS)]


def test_a_message_that_repeats_the_input_is_not_passed_on() -> None:
    told = {
        "loc": ("body", "name"),
        "type": "value_error",
        "msg": "Value error, no such thing as Zoe",
        "input": "Zoe Q",
    }
    repeated = told | {"msg": "Value error, no such thing as Zoe Q"}
    assert problems.of_validation([told]).fields[0].detail == "no such thing as Zoe."
    assert problems.of_validation([repeated]).fields[0].detail == "Send a valid value."
