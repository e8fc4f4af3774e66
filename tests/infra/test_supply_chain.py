"""What ships, by the bill of materials; that all that is fetched is pinned; what the audit and checkov say of a run."""

import json
import re
import stat
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packaging.requirements import Requirement

from infra import ROOT, audit, checkov, sbom
from infra.bundling.dependencies import LOCK
from tests.engines import chromium, dynamodb_local
from tests.engines.npm import NpmPackage
from tests.infra.secrets import tracked

SHA = "a" * 64


def test_the_bill_of_materials_is_valid_and_names_all_that_ships_and_no_more() -> None:
    packages = sbom.shipped()
    text = sbom.bill(packages)
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    bill = json.loads(text)
    named = {one["purl"]: one for one in bill["components"]}
    lock = LOCK.read_text()
    assert set(named) == {f"pkg:pypi/{pin.replace('==', '@')}" for pin in re.findall(r"^\S+==\S+", lock, re.MULTILINE)}
    hashes = {each["content"] for one in named.values() for each in one["externalReferences"][0]["hashes"]}
    assert hashes == set(re.findall(r"sha256:([0-9a-f]{64})", lock))
    assert not {"serialNumber", "timestamp"} & (set(bill) | set(bill["metadata"]))
    assert sbom.bill(list(reversed(packages))) == text


def test_what_ships_is_what_the_project_needs() -> None:
    graph = {one["ref"]: one.get("dependsOn", []) for one in json.loads(sbom.bill(sbom.shipped()))["dependencies"]}
    reached, waiting = set(), ["loyalty-platform"]
    while waiting:
        one = waiting.pop()
        if one not in reached:
            reached.add(one)
            waiting += graph[one]
    assert reached == set(graph)


def test_every_licence_that_ships_is_allowed() -> None:
    assert {one.name: sbom.not_allowed(one.licence) for one in sbom.shipped()} == {
        one.name: set() for one in sbom.shipped()
    }


@pytest.mark.parametrize(
    ("expression", "refused"),
    [
        ("MIT", set()),
        ("GPL-3.0-only OR MIT", set()),
        ("GPL-3.0-only AND MIT", {"GPL-3.0-only"}),
        ("(AGPL-3.0-only AND SSPL-1.0) OR LGPL-3.0-only", {"LGPL-3.0-only"}),
        ("Apache-2.0 WITH LLVM-exception", {"Apache-2.0 WITH LLVM-exception"}),
    ],
)
def test_a_licence_is_allowed_where_its_terms_can_be_chosen(expression: str, refused: set[str]) -> None:
    assert sbom.not_allowed(expression) == refused


def test_what_does_not_run_on_the_functions_machine_does_not_ship() -> None:
    lock = (
        f"a==1 \\\n    --hash=sha256:{SHA}\nb==2 ; sys_platform == 'win32' \\\n    --hash=sha256:{SHA}\n"
        f"c==3 ; python_version < '3.12' \\\n    --hash=sha256:{SHA}\n"
    )
    assert list(sbom.locked(lock)) == [(Requirement("a==1"), (SHA,))]


def test_a_package_that_is_not_the_locked_version_is_not_described(tmp_path: Path) -> None:
    lock = tmp_path / "lock.txt"
    lock.write_text(f"six==0.1 \\\n    --hash=sha256:{SHA}\n")
    with pytest.raises(LookupError, match=r"six .* is installed, 0.1 is locked"):
        sbom.shipped(lock)


def test_every_package_from_npm_is_pinned_with_its_digest() -> None:
    pinned = [
        one for module in (chromium, dynamodb_local) for one in vars(module).values() if isinstance(one, NpmPackage)
    ]
    assert len(pinned) == 4
    for package in pinned:
        assert re.fullmatch(r"(@[\w-]+/)?[\w-]+@\d+\.\d+\.\d+", package.name)
        assert re.fullmatch(r"[A-Za-z0-9+/]{86}==", package.sha512)


def test_npm_is_asked_for_packages_in_two_places_alone() -> None:
    asking = {
        str(path.relative_to(ROOT))
        for folder in ("infra", "tests", "functions", "layers")
        for path in (ROOT / folder).rglob("*.py")
        if re.search(r'"pack",|"npx"|"npm", "i', path.read_text())
    }
    assert asking - {"tests/infra/test_supply_chain.py"} == {"infra/bundling/bytecode.py", "tests/engines/npm.py"}


VULNERABLE = {"name": "a", "version": "1", "vulns": [{"id": "X-1", "aliases": ["CVE-1"], "fix_versions": ["2"]}]}
SKIPPED = {"name": "b", "skip_reason": "not found"}
CLEAN = {"name": "c", "version": "1", "vulns": []}


@pytest.mark.parametrize(
    ("known", "code", "told"),
    [
        ([CLEAN], 0, "1 packages, none"),
        ([CLEAN, VULNERABLE], audit.FOUND, "a 1: X-1, CVE-1; mended in 2"),
        ([CLEAN, SKIPPED], audit.COULD_NOT_ASK, "not checked, b: not found"),
        ([SKIPPED, VULNERABLE], audit.FOUND, "a 1: X-1"),
        ([], audit.COULD_NOT_ASK, "no package at all"),
    ],
)
def test_an_audit_that_skipped_something_proves_nothing(known: list[dict[str, Any]], code: int, told: str) -> None:
    got, texts = audit.verdict(known, "osv")
    assert got == code
    assert texts[0].startswith(told) or told in texts[0]


@pytest.mark.parametrize(
    ("script", "code", "told"),
    [
        (f"echo '{json.dumps({'dependencies': [CLEAN]})}'", 0, "none with a known vulnerability"),
        (f"echo '{json.dumps({'dependencies': [VULNERABLE]})}'; exit 1", audit.FOUND, "CVE-1"),
        ("echo 'Failed to resolve' >&2; exit 1", audit.COULD_NOT_ASK, "NOT AUDITED"),
    ],
)
def test_the_audit_ends_with_a_code_of_its_own_where_nobody_answers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], script: str, code: int, told: str
) -> None:
    assert audit.main([str(_executable(tmp_path, script)), "--lock", str(LOCK)]) == code
    said = capsys.readouterr()
    assert told in said.out + said.err


def test_the_audit_is_of_every_lock() -> None:
    texts = [ROOT / name for name in tracked(ROOT) if name.endswith(".txt")]
    assert set(audit.locks()) == {path for path in texts if "--hash=sha256:" in path.read_text(errors="replace")}


def _report(**results: Any) -> dict[str, Any]:
    empty: dict[str, Any] = {"passed_checks": [], "failed_checks": [], "skipped_checks": [], "parsing_errors": []}
    return {"results": empty | results, "summary": {"resource_count": 3, "checkov_version": "0"}}


def _check(comment: str = "") -> dict[str, Any]:
    result = {"result": "FAILED", "suppress_comment": comment}
    return {"file_path": "/t", "resource": "R", "check_id": "CKV_1", "check_name": "is it", "check_result": result}


@pytest.mark.parametrize(
    ("report", "told"),
    [
        (_report(), []),
        (_report(failed_checks=[_check()]), ["/t R: CKV_1 is it"]),
        (_report(skipped_checks=[_check("since it is so")]), []),
        (_report(skipped_checks=[_check(" ")]), ["/t R: CKV_1 is skipped without a reason"]),
        (_report(parsing_errors=["/t"]), ["/t: checkov cannot read it"]),
    ],
)
def test_what_checkov_says_is_told(report: dict[str, Any], told: list[str]) -> None:
    assert list(checkov.findings(report, 3)) == told


def test_a_run_of_checkov_that_read_less_than_the_templates_is_no_proof() -> None:
    assert list(checkov.findings(_report(), 4)) == ["checkov looked at 3 resources of 4"]


def test_checkov_without_a_report_fails(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="broken"):
        checkov.run(_executable(tmp_path, "echo broken >&2"), [])


def _executable(folder: Path, script: str) -> Path:
    path = folder / "tool"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path
