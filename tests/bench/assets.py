"""Bytes of what Lambda unpacks for the cloud: the two layers, and each function."""

from pathlib import Path

from infra.bundling import CLOUD, Builder
from tests.bench.figures import Figure


def figures(functions: list[str]) -> list[Figure]:
    """Unpacked sizes; builds what the cache lacks."""
    built = Builder(CLOUD).build(functions)
    assets = {"layer_dependencies": built.dependencies, "layer_loyalty": built.library, **built.functions}
    return [Figure(f"asset_bytes.{name}", _bytes(asset.folder), "bytes") for name, asset in assets.items()]


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
