"""The checks themselves: cdk-nag fails a synth, cfn-lint covers every template, the locks name no registry."""

import json
import re
from pathlib import Path

import aws_cdk as cdk
import pytest
from aws_cdk import assertions
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs

from infra import ROOT
from infra.app import add_checks, main
from infra.audit import locks
from infra.constructs.nag import acknowledge
from infra.lint import templates
from infra.settings import STAGES


def test_nag_fails_a_synth(tmp_path: Path) -> None:
    app = cdk.App(outdir=str(tmp_path))
    sqs.Queue(cdk.Stack(app, "bad"), "PlainQueue")
    add_checks(app)
    with pytest.raises(RuntimeError, match="ValidationFailed"):
        app.synth()


def test_nag_asks_both_packs_and_takes_a_reason_for_one_finding_on_one_resource(tmp_path: Path) -> None:
    app = cdk.App(outdir=str(tmp_path))
    stack = cdk.Stack(app, "bad")
    acknowledge(s3.Bucket(stack, "Accepted"), "A test's.", "NIST.800.53.R5-S3BucketReplicationEnabled")
    s3.Bucket(stack, "Bad")
    add_checks(app)
    with pytest.raises(RuntimeError, match="ValidationFailed"):
        app.synth()
    report = json.loads((tmp_path / "validation-report.json").read_text())
    found = {
        (violation["ruleName"].rsplit("::", 1)[-1], resource["constructPath"])
        for plugin in report["pluginReports"]
        for violation in plugin["violations"]
        for resource in violation["violatingConstructs"]
    }
    replicated = {path for rule, path in found if rule == "NIST.800.53.R5-S3BucketReplicationEnabled"}
    assert replicated == {"bad/Bad/Resource"}
    assert {path for rule, path in found if rule == "AwsSolutions-S1"} == {"bad/Bad/Resource", "bad/Accepted/Resource"}


def test_what_is_accepted_of_checkov_stands_beside_its_resource() -> None:
    stack = cdk.Stack(cdk.App(), "accepting")
    bucket = s3.Bucket(stack, "Logs")
    acknowledge(bucket, "One.", "CKV_AWS_18", "AwsSolutions-S1")
    acknowledge(bucket, "Two.", "CKV_AWS_21", "CKV_AWS_145")
    (resource,) = assertions.Template.from_stack(stack).find_resources("AWS::S3::Bucket").values()
    assert resource["Metadata"] == {
        "checkov": {
            "skip": [
                {"id": "CKV_AWS_18", "comment": "One."},
                {"id": "CKV_AWS_21", "comment": "Two."},
                {"id": "CKV_AWS_145", "comment": "Two."},
            ]
        }
    }


def test_lint_sees_every_template(assembly: Path) -> None:
    found = templates(assembly)
    assert {region: len(paths) for region, paths in found.items()} == {settings.region: 5 for settings in STAGES}


def test_what_a_deployment_of_all_brings_to_an_account_has_no_local_stage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--out", str(tmp_path)]) == 0
    names = {settings.name for settings in STAGES} - {"local"}
    assert {path.name.removeprefix("assembly-") for path in tmp_path.glob("assembly-*")} == names
    assert "local" not in capsys.readouterr().out.rsplit(":", 1)[1]


def test_lint_says_so_where_there_is_no_assembly(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="make synth"):
        templates(tmp_path)


@pytest.mark.parametrize("lock", locks(), ids=lambda path: path.name)
def test_locks_are_hashed_and_name_no_registry(lock: Path) -> None:
    text = lock.read_text()
    assert not re.search(r"://|--(extra-)?index|--find-links", text)
    entries = [entry for entry in re.sub(r"\\\n\s*", "", text).splitlines() if not entry.startswith("#")]
    pinned = re.compile(r"[a-z0-9][a-z0-9.-]*==[^\s;]+( ; [^\\]+?)?( ?--hash=sha256:[0-9a-f]{64})+")
    assert [entry for entry in entries if not pinned.fullmatch(entry)] == []
    assert entries


def test_the_layers_lock_agrees_with_the_development_lock() -> None:
    def pins(path: Path) -> set[str]:
        return set(re.findall(r"^([a-z0-9-]+==[^\s]+)", path.read_text(), re.MULTILINE))

    assert pins(ROOT / "layers" / "dependencies" / "requirements.txt") <= pins(ROOT / "requirements" / "dev.txt")
