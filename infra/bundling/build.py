"""Builds the assets of one target and keeps them under the hash of everything that went into them."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from infra import ROOT
from infra.bundling import bytecode, dependencies
from infra.bundling.targets import Target

LIBRARY: Final = ROOT / "layers" / "loyalty" / "python"
FUNCTIONS: Final = ROOT / "functions"
CACHE: Final = ROOT / ".cache"

IGNORED: Final = frozenset({"__pycache__", "tests", ".DS_Store"})
NOT_SHIPPED: Final = frozenset({"loyalty/cli"})
"""Parts of the library that run on an operator's machine only."""

LAYER_PATH: Final = "/opt/python"
FUNCTION_PATH: Final = "/var/task"
EPOCH: Final = 315_532_800
"""1980-01-01T00:00:00Z, in seconds: the oldest date that a zip can hold."""


@dataclass(frozen=True)
class Asset:
    """A built folder and the hash of its inputs."""

    folder: Path
    hash: str


@dataclass(frozen=True)
class Assets:
    """All that Lambda runs of one target."""

    dependencies: Asset
    library: Asset
    functions: Mapping[str, Asset]


@dataclass(frozen=True)
class _Plan:
    name: str
    content: str  # subfolder of the asset that holds the code: layers have one
    runs_at: str
    inputs: str  # hash
    fill: Callable[[Path], None]


class Builder:
    """Builds assets from sources into a cache; what is in the cache is not built again.

    Args:
        target: where the assets will run.
        cache: holds the built assets and the compiler; concurrent builders may share it.
        functions: folder with one folder per function.
    """

    def __init__(self, target: Target, *, cache: Path = CACHE, functions: Path = FUNCTIONS) -> None:
        self._target = target
        self._cache = cache
        self._functions = functions
        self._recipe = _digest(
            [target.identity, bytecode.PYODIDE_SHA512, *(_file_hash(path) for path in _recipe_files())]
        )

    def build(self, functions: Iterable[str]) -> Assets:
        """Build both layers and the named functions, in one run of the compiler.

        Raises:
            FileNotFoundError: a named function has no ``handler.py``.
            subprocess.CalledProcessError: a download failed or a file does not compile.
        """
        names = sorted(functions)
        plans = [self._dependencies(), self._library(), *(self._function(name) for name in names)]
        built = self._make(plans)
        return Assets(built[0], built[1], dict(zip(names, built[2:], strict=True)))

    def _dependencies(self) -> _Plan:
        inputs = _digest([self._recipe, _file_hash(dependencies.LOCK)])
        return _Plan("dependencies", "python", LAYER_PATH, inputs, lambda to: dependencies.install(self._target, to))

    def _library(self) -> _Plan:
        files = _sources(LIBRARY)
        return _Plan("loyalty", "python", LAYER_PATH, self._tree(LIBRARY, files), lambda to: _copy(LIBRARY, files, to))

    def _function(self, name: str) -> _Plan:
        folder = self._functions / name
        if not (folder / "handler.py").is_file():
            raise FileNotFoundError(f"{folder} has no handler.py")
        files = _sources(folder)
        inputs = _digest([self._tree(folder, files), _file_hash(FUNCTIONS / "__init__.py")])

        def fill(to: Path) -> None:
            shutil.copyfile(FUNCTIONS / "__init__.py", to / "__init__.py")
            _copy(folder, files, to / name)

        # Under the same path as in the repository, so that `functions.<name>.routes` is one name everywhere.
        return _Plan(f"function-{name}", "functions", f"{FUNCTION_PATH}/functions", inputs, fill)

    def _tree(self, folder: Path, files: Iterable[str]) -> str:
        return _digest([self._recipe, *(f"{file} {_file_hash(folder / file)}" for file in files)])

    def _make(self, plans: Iterable[_Plan]) -> list[Asset]:
        wanted = [(plan, self._folder(plan)) for plan in plans]
        missing = [(plan, folder) for plan, folder in wanted if not folder.is_dir()]
        if missing:
            self._cache.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=self._cache) as scratch:
                for plan, _ in missing:
                    code = Path(scratch) / plan.name / plan.content
                    code.mkdir(parents=True)
                    plan.fill(code)
                jobs = [
                    bytecode.Job(f"{scratch}/{plan.name}/{plan.content}".rstrip("/"), plan.runs_at)
                    for plan, _ in missing
                ]
                bytecode.compile_all(self._target, jobs, self._cache)
                for plan, folder in missing:
                    _normalise(Path(scratch) / plan.name)
                    _publish(Path(scratch) / plan.name, folder)
        return [Asset(folder, plan.inputs) for plan, folder in wanted]

    def _folder(self, plan: _Plan) -> Path:
        return self._cache / "assets" / self._target.name / f"{plan.name}-{plan.inputs[:16]}"


def _recipe_files() -> list[Path]:
    """The build's own code: a change of it is a change of every asset."""
    return sorted(path for path in Path(__file__).parent.iterdir() if path.suffix in {".py", ".mjs"})


def _sources(folder: Path) -> list[str]:
    found = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return sorted(
        path.as_posix()
        for path in found
        if not IGNORED & set(path.parts) and not any(path.is_relative_to(part) for part in NOT_SHIPPED)
    )


def _copy(source: Path, files: Iterable[str], to: Path) -> None:
    for file in files:
        (to / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / file, to / file)


def _normalise(folder: Path) -> None:
    """Give every file and folder the same date and permissions."""
    for path in [*folder.rglob("*"), folder]:
        path.chmod(0o755 if path.is_dir() else 0o644)
        os.utime(path, (EPOCH, EPOCH))


def _publish(built: Path, folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        built.rename(folder)
    except OSError:
        if not folder.is_dir():
            raise
        # another builder was first with the same inputs, and so with the same bytes


def _file_hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _digest(parts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
