"""The generated files are current, valid, and true to the code and the gateway."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from infra import generate
from infra.constructs.gateway_problems import GATEWAY_PROBLEMS
from infra.examples import PROBLEM, REQUESTS, RESPONSES
from infra.openapi import GATEWAY_CODES, ROOT, codes_by_status, document
from infra.routes import ROUTES
from loyalty.core import problems
from loyalty.programs.model import ProgramDocument


@pytest.fixture(scope="module")
def openapi() -> dict[str, Any]:
    return document()


def operations(openapi: dict[str, Any]) -> dict[str, dict[str, Any]]:
    found = [operation for path in openapi["paths"].values() for operation in path.values()]
    return {operation["operationId"]: operation for operation in found}


def test_files_in_the_repository_are_current() -> None:
    assert list(generate.differences(generate.generated(), ROOT)) == []


def test_the_document_is_valid_openapi(openapi: dict[str, Any]) -> None:
    OpenAPIV31SpecValidator(openapi).validate()


def test_every_route_has_one_operation_with_its_scope(openapi: dict[str, Any]) -> None:
    assert len(operations(openapi)) == len(ROUTES)
    for route in ROUTES:
        operation = openapi["paths"][route.path][route.method.lower()]
        assert operation["security"] == ([{"oauth2": [f"loyalty/{route.scope}"]}] if route.scope else [])
        assert operation["summary"]


@pytest.mark.parametrize("side", ["request", "response"])
def test_examples_fit_their_schemas(openapi: dict[str, Any], side: str) -> None:
    examples = REQUESTS if side == "request" else RESPONSES
    seen = set()
    for name, operation in operations(openapi).items():
        answers = {status: one.get("content", {}) for status, one in operation["responses"].items() if status < "300"}
        asked = {"": operation.get("requestBody", {}).get("content", {})}
        for status, content in (asked if side == "request" else answers).items():
            for body in content.values():
                example = f"{name} {status}" if f"{name} {status}" in examples else name
                if example in seen and "example" not in body:
                    continue  # a second status of the same schema
                schema = body["schema"] | {"components": openapi["components"]}
                jsonschema.validate(body["example"], schema, cls=jsonschema.Draft202012Validator)
                seen.add(example)
    assert seen == set(examples)


def test_the_example_problem_is_one_that_the_code_would_write() -> None:
    missing = [{"loc": ("body", "amount", "value"), "type": "string_type", "msg": "", "input": 1}]
    assert problems.of_validation(missing).body(str(PROBLEM["instance"]).removeprefix("urn:request:")) == PROBLEM


def test_idempotency_key_is_required_where_points_move_without_a_business_identity(openapi: dict[str, Any]) -> None:
    parameters = operations(openapi)["post_redemption"]["parameters"]
    assert [one["required"] for one in parameters if one["name"] == "Idempotency-Key"] == [True]


def test_who_was_erased_may_be_named_in_a_path_or_in_the_body_of_what_a_household_does(openapi: dict[str, Any]) -> None:
    home = "/v1/programs/{program}/households"
    pooling = (f"{home}/{{household_id}}/{what}" for what in ("members", "contributions", "withdrawals"))
    for path in (home, *pooling, "/v1/programs/{program}/members/{member_id}/accruals"):
        assert "410" in openapi["paths"][path]["post"]["responses"], path


def test_problems_list_what_the_gateway_says_and_nothing_that_it_does_not() -> None:
    documented = {(status, code) for status, codes in codes_by_status().items() for code in codes}
    said = {(problem.status, problem.code) for problem in GATEWAY_PROBLEMS.values()}
    assert said <= documented
    assert {(status, code) for status, codes in GATEWAY_CODES.items() for code in codes} <= said


def test_the_sample_program_fits_the_program_schema() -> None:
    program = json.loads((ROOT / "events/programs/aurora.json").read_text())
    schema = json.loads((ROOT / "docs/program.schema.json").read_text())
    jsonschema.validate(program, schema, cls=jsonschema.Draft202012Validator)
    ProgramDocument.model_validate(program)


def test_every_event_has_a_schema() -> None:
    names = {path.stem for path in (ROOT / "docs/events").glob("*.json")}
    assert names == set(generate.EVENT_MODELS)


def test_check_names_each_difference_and_write_removes_it(tmp_path: Path) -> None:
    files = {"docs/a.json": "1\n", "docs/events/b.json": "2\n"}
    generate.write(files, tmp_path)
    assert list(generate.differences(files, tmp_path)) == []
    (tmp_path / "docs/a.json").write_text("old\n")
    (tmp_path / "docs/events/gone.json").write_text("{}\n")
    changed = files | {"docs/new.md": "3\n"}
    texts = list(generate.differences(changed, tmp_path))
    assert [text.splitlines()[0] for text in texts] == [
        "docs/a.json: not current",
        "docs/new.md: missing",
        "docs/events/gone.json: no longer generated",
    ]
    assert "+1" in texts[0]
    assert "-old" in texts[0]
    generate.write(changed, tmp_path)
    assert list(generate.differences(changed, tmp_path)) == []
