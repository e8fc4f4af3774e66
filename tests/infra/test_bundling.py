"""Assets: the same bytes from scratch each time, bytecode that is valid, and nothing missing that the functions use."""

import _imp
import shutil
import struct
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from infra.bundling import CLOUD, LOCAL, Assets, Builder
from infra.bundling.build import CACHE
from infra.bundling.bytecode import PYODIDE
from infra.bundling.dependencies import BOTOCORE_SERVICES
from infra.functions import FUNCTIONS

MAGIC_314 = bytes.fromhex("2b0e0d0a")
"""CPython 3.14's, 3627 little-endian and a line end."""
UNCHECKED_HASH = 0b01
AARCH64 = 183
MAX_UNZIPPED_BYTES = 250 * 1024 * 1024
"""Lambda's limit for a function with its layers."""


def _build(cache: Path) -> Assets:
    compiler = f"pyodide-{PYODIDE}"
    if (CACHE / compiler).is_dir():  # verified when it was fetched; only the assets are to be made anew
        shutil.copytree(CACHE / compiler, cache / compiler)
    return Builder(CLOUD, cache=cache).build(FUNCTIONS)


@pytest.fixture(scope="module")
def twice(tmp_path_factory: pytest.TempPathFactory) -> tuple[Assets, Assets]:
    return _build(tmp_path_factory.mktemp("first")), _build(tmp_path_factory.mktemp("elsewhere-and-later"))


def _folders(assets: Assets) -> dict[str, Path]:
    functions = {name: asset.folder for name, asset in assets.functions.items()}
    return {"dependencies": assets.dependencies.folder, "library": assets.library.folder, **functions}


def _facts(folder: Path) -> dict[str, tuple[int, float, bytes]]:
    """Mode, date and content of everything in a folder."""
    return {
        path.relative_to(folder).as_posix(): (
            path.stat().st_mode,
            path.stat().st_mtime,
            path.read_bytes() if path.is_file() else b"",
        )
        for path in folder.rglob("*")
    }


def test_two_builds_are_the_same_in_every_byte(twice: tuple[Assets, Assets]) -> None:
    first, second = twice
    assert first.dependencies.folder != second.dependencies.folder
    for name, folder in _folders(first).items():
        assert _facts(folder) == _facts(_folders(second)[name]), name
    assert [first.dependencies.hash, first.library.hash] == [second.dependencies.hash, second.library.hash]


def test_every_module_has_valid_bytecode_of_the_clouds_python(twice: tuple[Assets, Assets]) -> None:
    key = struct.unpack("<I", MAGIC_314)[0]
    seen = 0
    for folder in _folders(twice[0]).values():
        for source in folder.rglob("*.py"):
            compiled = source.parent / "__pycache__" / f"{source.stem}.cpython-314.pyc"
            header = compiled.read_bytes()[:16]
            assert header[:4] == MAGIC_314, source
            assert struct.unpack("<I", header[4:8])[0] == UNCHECKED_HASH, source
            assert header[8:16] == _imp.source_hash(key, source.read_bytes()), source
            seen += 1
        assert not list(folder.rglob("*.cpython-311.pyc"))
    assert seen > 500


def test_extensions_are_for_the_clouds_processor(twice: tuple[Assets, Assets]) -> None:
    extensions = list(twice[0].dependencies.folder.rglob("*.so"))
    assert len(extensions) >= 3
    for extension in extensions:
        header = extension.read_bytes()[:20]
        assert header[:4] == b"\x7fELF"
        assert struct.unpack("<H", header[18:20])[0] == AARCH64, extension


def test_what_ships(twice: tuple[Assets, Assets]) -> None:
    assets = twice[0]
    library = assets.library.folder / "python"
    assert (library / "loyalty_contract.py").is_file()
    assert not (library / "loyalty" / "cli").exists()
    packages = {path.name for path in (assets.dependencies.folder / "python").iterdir()}
    assert {"botocore", "pynamodb", "pydantic", "aws_lambda_powertools", "cryptography"} <= packages
    assert not {"boto3", "aws_cdk", "pytest", "bin"} & packages
    assert [path.suffix for path in (assets.dependencies.folder / "python" / "cel_expr_python").iterdir()] == [".so"]
    models = {
        path.name for path in (assets.dependencies.folder / "python" / "botocore" / "data").iterdir() if path.is_dir()
    }
    assert models == BOTOCORE_SERVICES
    for name, asset in assets.functions.items():
        assert (asset.folder / "functions" / name / "handler.py").is_file()


def test_licences_ship_with_the_packages(twice: tuple[Assets, Assets]) -> None:
    for info in (twice[0].dependencies.folder / "python").glob("*.dist-info"):
        assert (info / "METADATA").is_file()
        assert not (info / "RECORD").exists()
        assert [path for path in info.rglob("*") if path.name.upper().startswith(("LICEN", "COPYING"))], info.name


def test_size_stays_below_lambdas_limit(twice: tuple[Assets, Assets]) -> None:
    shared = _size(twice[0].dependencies.folder) + _size(twice[0].library.folder)
    largest = max(_size(asset.folder) for asset in twice[0].functions.values())
    assert shared + largest < MAX_UNZIPPED_BYTES / 2


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def test_a_second_build_is_the_first_ones(tmp_path: Path) -> None:
    builder = Builder(LOCAL, cache=tmp_path)
    first = builder.build(["wallet"]).dependencies.folder.stat().st_ctime_ns
    assert builder.build(["wallet"]).dependencies.folder.stat().st_ctime_ns == first


_CLIENTS: Final = f"""
import botocore.session
session = botocore.session.get_session()
for region in ("eu-south-1", "me-central-1", "ap-southeast-3", "us-gov-west-1", "cn-north-1", "xx-new-1"):
    for service in {sorted(BOTOCORE_SERVICES)!r}:
        made = session.create_client(service, region_name=region, aws_access_key_id="x", aws_secret_access_key="x")
        model = made.meta.service_model
        shapes = [(name, sorted(model.operation_model(name).input_shape.members)) for name in model.operation_names]
        print(service, made.meta.endpoint_url, made.meta.partition, shapes)
"""
"""Tells where each client would call, and with what."""


def test_the_pruned_layer_is_enough(tmp_path: Path) -> None:
    """Every client that functions make, made by this interpreter from the local layers alone: as from the whole library."""
    assets = Builder(LOCAL).build(["wallet"])
    script = tmp_path / "probe.py"
    script.write_text(
        f"""
import sys
sys.path = [path for path in sys.path if "site-packages" not in path]
sys.path[:0] = [{str(assets.dependencies.folder / "python")!r}, {str(assets.library.folder / "python")!r}]
import cryptography.hazmat.primitives.ciphers.aead, email_validator, pydantic, pynamodb.models
import aws_lambda_powertools.event_handler, aws_lambda_powertools.metrics, aws_lambda_powertools.utilities.batch
import loyalty, loyalty_contract
from loyalty.programs.conditions import require_valid
require_valid("local.weekday == 'sunday' && member.first")
{_CLIENTS}
"""
    )
    shown = subprocess.run([sys.executable, "-I", str(script)], check=True, capture_output=True, text=True).stdout
    whole = subprocess.run([sys.executable, "-c", _CLIENTS], check=True, capture_output=True, text=True).stdout
    assert shown == whole
    assert "https://dynamodb.cn-north-1.amazonaws.com.cn" in shown


def test_a_function_without_a_handler_is_refused(tmp_path: Path) -> None:
    (tmp_path / "functions" / "empty").mkdir(parents=True)
    with pytest.raises(FileNotFoundError, match=r"handler\.py"):
        Builder(LOCAL, cache=tmp_path / "cache", functions=tmp_path / "functions").build(["empty"])
