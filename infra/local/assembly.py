"""Read a synthesized cloud assembly: its stacks in the order of their dependencies, and their assets."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any, Final

ASSET_MANIFEST: Final = "cdk:asset-manifest"
STACK: Final = "aws:cloudformation:stack"
NESTED: Final = "cdk:cloud-assembly"


class AssemblyError(RuntimeError):
    """The folder is not a cloud assembly, or lacks the stage that was asked for."""


@dataclass(frozen=True)
class Asset:
    """A file that a template expects in a bucket.

    ``source`` is a folder to be zipped where ``zipped`` is set, else a file to be stored as it is.
    """

    source: Path
    zipped: bool
    bucket: str
    key: str


@dataclass(frozen=True)
class Stack:
    """A stack of the assembly, with its template as synthesized."""

    name: str
    region: str
    template: Mapping[str, Any]
    template_bucket: str
    assets: tuple[Asset, ...]
    termination_protection: bool = False
    tags: Mapping[str, str] = field(default_factory=dict)


def located(text: str, account: str, region: str) -> str:
    """``text`` with the placeholders for account, region and partition that an assembly leaves open."""
    known = {"${AWS::AccountId}": account, "${AWS::Region}": region, "${AWS::Partition}": "aws"}
    for placeholder, value in known.items():
        text = text.replace(placeholder, value)
    return text


def read_stage(outdir: Path, stage: str) -> list[Stack]:
    """The stacks of one stage, each after those that it depends on.

    Args:
        outdir: the folder that ``cdk synth`` wrote.
        stage: the stage's name.

    Raises:
        AssemblyError: no assembly is there, or it has no such stage.
    """
    for artifact in _artifacts(outdir).values():
        properties = artifact.get("properties", {})
        if artifact["type"] == NESTED and properties.get("displayName") == stage:
            return read_stacks(outdir / properties["directoryName"])
    raise AssemblyError(f"{outdir} has no stage {stage!r}; synthesize it first")


def read_stacks(folder: Path) -> list[Stack]:
    """The stacks of one assembly folder, each after those that it depends on.

    Raises:
        AssemblyError: no assembly is there.
    """
    artifacts = _artifacts(folder)
    order = TopologicalSorter({name: artifact.get("dependencies", []) for name, artifact in artifacts.items()})
    names = [name for name in order.static_order() if name in artifacts and artifacts[name]["type"] == STACK]
    return [_stack(folder, name, artifacts) for name in names]


def _stack(folder: Path, name: str, artifacts: Mapping[str, Any]) -> Stack:
    artifact = artifacts[name]
    properties = artifact["properties"]
    linked = [*artifact.get("dependencies", []), *properties.get("additionalDependencies", [])]
    manifests = [artifacts[each] for each in linked if each in artifacts and artifacts[each]["type"] == ASSET_MANIFEST]
    return Stack(
        name=properties.get("stackName") or artifact.get("displayName") or name,
        region=artifact["environment"].rsplit("/", 1)[1],
        template=json.loads((folder / properties["templateFile"]).read_text()),
        template_bucket=properties["stackTemplateAssetObjectUrl"].removeprefix("s3://").partition("/")[0],
        assets=tuple(asset for each in manifests for asset in _assets(folder, each["properties"]["file"])),
        termination_protection=bool(properties.get("terminationProtection")),
        tags=properties.get("tags", {}),
    )


def _assets(folder: Path, manifest: str) -> Iterator[Asset]:
    for entry in json.loads((folder / manifest).read_text()).get("files", {}).values():
        source = folder / entry["source"]["path"]
        if source.name.endswith(".template.json"):
            continue  # what is deployed is made from it
        for destination in entry["destinations"].values():
            zipped = entry["source"]["packaging"] == "zip"
            yield Asset(source, zipped, destination["bucketName"], destination["objectKey"])


def _artifacts(folder: Path) -> dict[str, Any]:
    try:
        artifacts: dict[str, Any] = json.loads((folder / "manifest.json").read_text())["artifacts"]
    except FileNotFoundError as error:
        raise AssemblyError(f"{folder} holds no cloud assembly") from error
    return artifacts
