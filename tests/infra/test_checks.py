"""The checks themselves: cdk-nag fails a synth, cfn-lint covers every template, the locks name no registry."""

import re
from pathlib import Path

import aws_cdk as cdk
import pytest
from aws_cdk import aws_sqs as sqs

from infra import ROOT
from infra.app import add_checks, main
from infra.lint import templates
from infra.settings import STAGES

LOCKS = [*(ROOT / "requirements").glob("*.txt"), ROOT / "layers" / "dependencies" / "requirements.txt"]


def test_nag_fails_a_synth(tmp_path: Path) -> None:
    app = cdk.App(outdir=str(tmp_path))
    sqs.Queue(cdk.Stack(app, "bad"), "PlainQueue")
    add_checks(app)
    with pytest.raises(RuntimeError, match="ValidationFailed"):
        app.synth()


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


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_locks_are_hashed_and_name_no_registry(lock: Path) -> None:
    text = lock.read_text()
    assert not re.search(r"://|--(extra-)?index|--find-links", text)
    pins = re.findall(r"^[a-z0-9][^\s]*==[^\s]+.*\\$", text, re.MULTILINE)
    lines = [line for line in text.splitlines() if line and line[0] not in "# "]
    assert len(pins) == len(lines) > 0


def test_the_layers_lock_agrees_with_the_development_lock() -> None:
    def pins(path: Path) -> set[str]:
        return set(re.findall(r"^([a-z0-9-]+==[^\s]+)", path.read_text(), re.MULTILINE))

    assert pins(ROOT / "layers" / "dependencies" / "requirements.txt") <= pins(ROOT / "requirements" / "dev.txt")
