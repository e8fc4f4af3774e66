"""Bytecode that is valid whatever date a file has: ``.pyc`` files with an unchecked hash.

Lambda unpacks files with dates of its own, which makes the usual timestamped bytecode stale at each cold start. The
cloud's interpreter need not be on the building machine: CPython as WebAssembly, of the same minor version and so of
the same bytecode magic number, compiles for it. The local cloud's interpreter is this one.
"""

import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from infra import NODE
from infra.bundling.targets import Target

PYODIDE: Final = "314.0.7"
"""Carries CPython 3.14.2."""
PYODIDE_SHA512: Final = "0YvXxEhfEdpLfb/XkM2BFAeMROq0iMUX2bzzH9pOttyMcWkwq+HbE5uyuGD82LN7y2q+SNvi/6V5JEsOlD2R1A=="

COMPILER: Final = Path(__file__).with_name("compile.mjs")
NPM: Final = NODE.parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"


class IntegrityError(RuntimeError):
    """A download is not the file whose hash is pinned here."""


@dataclass(frozen=True)
class Job:
    """A folder to compile, and where its files will stand when they run (for tracebacks)."""

    folder: str
    runs_at: str


def compile_all(target: Target, jobs: Sequence[Job], cache: Path) -> None:
    """Write the ``.pyc`` beside every ``.py`` of every job.

    Args:
        target: whose interpreter will read the bytecode.
        jobs: compiled in one run, since starting the compiler takes two seconds.
        cache: folder for the compiler's download.

    Raises:
        IntegrityError: the compiler's download is not the pinned one.
        subprocess.CalledProcessError: a file does not compile.
    """
    if not jobs:
        return
    if target.wheels:
        folder = _pyodide(cache)
        work = json.dumps([asdict(job) for job in jobs])
        subprocess.run([str(NODE), str(COMPILER), str(folder), work], check=True)  # noqa: S603 - our own words, no shell
        return
    for job in jobs:
        command = [
            sys.executable, "-m", "compileall", "-q", "-f", "-s", job.folder, "-p", job.runs_at,
            "--invalidation-mode", "unchecked-hash", job.folder,
        ]  # fmt: skip
        subprocess.run(command, check=True, env={**os.environ, "PYTHONHASHSEED": "0"})  # noqa: S603 - our own words, no shell


def _pyodide(cache: Path) -> Path:
    folder = cache / f"pyodide-{PYODIDE}"
    if folder.is_dir():
        return folder
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as scratch:
        command = [str(NODE), str(NPM), "pack", "--silent", f"pyodide@{PYODIDE}", "--pack-destination", scratch]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - our own words, no shell
        package = next(Path(scratch).glob("*.tgz"))
        found = base64.b64encode(hashlib.sha512(package.read_bytes()).digest()).decode()
        if found != PYODIDE_SHA512:
            raise IntegrityError(f"{package.name} has SHA-512 {found}; {PYODIDE_SHA512} is pinned")
        with tarfile.open(package) as archive:
            archive.extractall(scratch, filter="data")
        shutil.rmtree(folder, ignore_errors=True)
        (Path(scratch) / "package").rename(folder)
    return folder
