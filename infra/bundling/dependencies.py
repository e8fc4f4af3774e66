"""The dependency layer: the wheels of the runtime lock, without what no function of ours reads."""

import gzip
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

from infra import ROOT
from infra.bundling.targets import Target

LOCK: Final = ROOT / "layers" / "dependencies" / "requirements.txt"

BOTOCORE_SERVICES: Final = frozenset({"dynamodb", "events", "kms", "s3", "secretsmanager", "sqs", "stepfunctions"})
"""The services that functions call. botocore's models of the 400 others would be most of the layer."""

ENDPOINT_PREFIXES: Final = frozenset({"dynamodb", "events", "kms", "s3", "secretsmanager", "sqs", "states", "sts"})
"""The same as ``endpoints.json`` names them; STS is where web identities are exchanged for credentials."""

INSTALLER_RECORDS: Final = frozenset({"INSTALLER", "RECORD", "REQUESTED", "direct_url.json", "uv_cache.json"})
"""Notes of the installer on its own run; METADATA and licences stay, since packages read the one and law asks the other."""

UNUSED_FOLDERS: Final = frozenset({"bin", "tests", "__pycache__", "sboms"})
UNUSED_EXTENSIONS: Final = "cel_expr_python/ext"
"""Libraries of functions beyond CEL's own, twice the size of its core; our conditions declare none of them."""
UNUSED_SUFFIXES: Final = frozenset({".pyi"})


def install(target: Target, folder: Path) -> None:
    """Install the locked wheels for ``target`` into ``folder`` and prune them.

    Raises:
        subprocess.CalledProcessError: uv could not; its own words are on standard error.
    """
    where = ["--python-platform", target.wheels] if target.wheels else []
    uv = Path(sys.executable).parent / "uv"
    command = [
        str(uv), "pip", "install", "--quiet", "--target", str(folder), "--python", sys.executable,
        "--python-version", target.python, *where, "--only-binary", ":all:", "--require-hashes", "--no-deps",
        "--link-mode", "copy", "--no-config", "--requirement", str(LOCK),
    ]  # fmt: skip
    subprocess.run(command, check=True, env={**os.environ, "UV_COMPILE_BYTECODE": "0"})  # noqa: S603 - fixed words, no shell
    prune(folder)


def prune(folder: Path) -> None:
    """Remove from an installed tree what the functions never read and what differs from run to run."""
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir():
            if path.name in UNUSED_FOLDERS:
                shutil.rmtree(path)
        elif path.suffix in UNUSED_SUFFIXES or (path.parent.suffix == ".dist-info" and path.name in INSTALLER_RECORDS):
            path.unlink()
    shutil.rmtree(folder / UNUSED_EXTENSIONS)
    (folder / ".lock").unlink(missing_ok=True)
    for service in (folder / "botocore" / "data").iterdir():
        if service.is_dir() and service.name not in BOTOCORE_SERVICES:
            shutil.rmtree(service)
    slim(folder / "botocore" / "data")


def slim(data: Path) -> None:
    """Rewrite botocore's data without what costs every cold start to parse and is never asked for.

    Endpoints of services that are not called (an unknown one falls back to its partition's defaults), and the
    documentation of those that are: together four fifths of what is parsed to make a client.
    """
    endpoints = data / "endpoints.json"
    known = json.loads(endpoints.read_bytes())
    for one in known["partitions"]:
        one["services"] = {name: said for name, said in one["services"].items() if name in ENDPOINT_PREFIXES}
    _write(endpoints, known)
    for packed in sorted(data.rglob("service-2.json.gz")):
        model = json.loads(gzip.decompress(packed.read_bytes()))
        # botocore asks for the texts of these few, of S3 alone.
        kept = {name: model[name] for name in ("clientContextParams",) if name in model}
        _write(packed.with_suffix(""), _undocumented(model) | kept)
        packed.unlink()


def _undocumented(model: Any) -> Any:
    """A service's model without its texts; a shape's member may have the name ``documentation``, and stays."""
    if isinstance(model, dict):
        return {
            name: _undocumented(value)
            for name, value in model.items()
            if name != "documentation" or not isinstance(value, str)
        }
    return [_undocumented(one) for one in model] if isinstance(model, list) else model


def _write(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, separators=(",", ":")), encoding="utf-8")
