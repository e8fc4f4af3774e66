"""Reading a cloud assembly and packing its assets."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from infra.local.assembly import AssemblyError, located, read_stage
from infra.local.assets import zipped
from infra.local.deploy import without_bootstrap


def _artifact(name: str, *needs: str) -> dict[str, Any]:
    return {
        "type": "aws:cloudformation:stack",
        "environment": "aws://unknown-account/eu-south-1",
        "dependencies": [f"{name}.assets", *needs],
        "properties": {
            "templateFile": f"{name}.template.json",
            "stackName": f"loyalty-{name}",
            "stackTemplateAssetObjectUrl": "s3://cdk-${AWS::AccountId}/abc.json",
        },
    }


@pytest.fixture
def outdir(tmp_path: Path) -> Path:
    folder = tmp_path / "assembly-local"
    folder.mkdir()
    nested = {"type": "cdk:cloud-assembly", "properties": {"directoryName": folder.name, "displayName": "local"}}
    (tmp_path / "manifest.json").write_text(json.dumps({"artifacts": {"a": nested}}))
    artifacts: dict[str, Any] = {"Api": _artifact("Api", "Data"), "Data": _artifact("Data")}
    for name in ("Api", "Data"):
        artifacts[f"{name}.assets"] = {"type": "cdk:asset-manifest", "properties": {"file": f"{name}.assets.json"}}
        (folder / f"{name}.template.json").write_text(json.dumps({"Resources": {}}))
        files = {
            "code": {
                "source": {"path": "../asset.1", "packaging": "zip"},
                "destinations": {"d": {"bucketName": "cdk-${AWS::AccountId}", "objectKey": "1.zip"}},
            },
            "template": {
                "source": {"path": f"{name}.template.json", "packaging": "file"},
                "destinations": {"d": {"bucketName": "cdk", "objectKey": "2.json"}},
            },
        }
        (folder / f"{name}.assets.json").write_text(json.dumps({"files": files}))
    (folder / "manifest.json").write_text(json.dumps({"artifacts": artifacts}))
    return tmp_path


def test_stacks_come_after_those_that_they_depend_on(outdir: Path) -> None:
    stacks = read_stage(outdir, "local")
    assert [stack.name for stack in stacks] == ["loyalty-Data", "loyalty-Api"]
    assert stacks[0].region == "eu-south-1"
    assert stacks[0].template_bucket == "cdk-${AWS::AccountId}"


def test_assets_are_files_other_than_templates(outdir: Path) -> None:
    (asset,) = read_stage(outdir, "local")[0].assets
    assert (asset.zipped, asset.bucket, asset.key) == (True, "cdk-${AWS::AccountId}", "1.zip")
    assert located(asset.bucket, "000000000000", "eu-south-1") == "cdk-000000000000"


def test_an_unknown_stage_and_an_empty_folder_are_named(outdir: Path) -> None:
    with pytest.raises(AssemblyError, match="no stage 'moon'"):
        read_stage(outdir, "moon")
    with pytest.raises(AssemblyError, match="holds no cloud assembly"):
        read_stage(outdir / "nowhere", "local")


def test_zip_is_the_same_bytes_for_the_same_content(tmp_path: Path) -> None:
    first, second = tmp_path / "1", tmp_path / "2"
    for folder, names in ((first, "ab"), (second, "ba")):
        (folder / "sub").mkdir(parents=True)
        for name in names:
            (folder / "sub" / name).write_text(name)
    assert zipped(first) == zipped(second)
    with zipfile.ZipFile(io.BytesIO(zipped(first))) as archive:
        assert archive.namelist() == ["sub/a", "sub/b"]


def test_the_check_for_a_bootstrap_stack_is_dropped_and_other_parameters_stay() -> None:
    template = {
        "Parameters": {
            "BootstrapVersion": {"Type": "AWS::SSM::Parameter::Value<String>"},
            "SupplierUrl": {"Type": "String"},
        },
        "Rules": {"CheckBootstrapVersion": {}},
        "Resources": {},
    }
    assert without_bootstrap(template) == {"Parameters": {"SupplierUrl": {"Type": "String"}}, "Resources": {}}
