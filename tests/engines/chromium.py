"""Headless Chromium and the accessibility checker axe: fetched from npm at test time, never kept in the repository.

The browser comes packed with brotli, which node unpacks.
"""

import os
import shutil
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.engines.npm import NpmPackage, Unavailable, alone, fetched

CHROMIUM: Final = NpmPackage(
    "@sparticuz/chromium@147.0.0",
    "4ZKeAQQa8up2mt675qSitztLdbQrlf8BKdC5naeap+5Mv1OV1OlJdPoU+EJC/p5sQUJUQmN4r+q5+EhaaOUHpQ==",
)
ARABIC: Final = NpmPackage(
    "dejavu-fonts-ttf@2.37.3",
    "f1hd7jJbeQa1VWcw+K2KrTXS50zTMaHpVC4XIKJpNcDeYR5ajMtj/iLlQDYNvLOKamUB3ARVVCf79lNwNVztSQ==",
)
"""The packed browser's own font has no Arabic letters."""
AXE: Final = NpmPackage(
    "axe-core@4.14.1",
    "FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ==",
)
ARGUMENTS: Final = ("--no-sandbox", "--disable-gpu", "--no-zygote")
"""A test's browser visits pages of ours on loopback alone: it goes without the sandbox that needs rights of its own."""
PARTS: Final = ("chromium.br", "al2023.tar.br", "fonts.tar.br", "swiftshader.tar.br")
FONTS: Final = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>{folder}</dir><cachedir>{folder}/cache</cachedir></fontconfig>
"""
"""The browser sees these fonts alone: a page is the same picture on every machine."""
_UNPACK: Final = """
const fs = require("fs"), zlib = require("zlib");
fs.writeFileSync(process.argv[2], zlib.brotliDecompressSync(fs.readFileSync(process.argv[1])));
"""


@dataclass(frozen=True)
class Browser:
    """What it takes to start the browser."""

    executable: Path
    libraries: Path
    fonts: Path

    @property
    def environment(self) -> dict[str, str]:
        """Its libraries stand behind those of the machine: they are for machines that have none."""
        known = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        return known | {"LD_LIBRARY_PATH": str(self.libraries), "FONTCONFIG_PATH": str(self.fonts)}


def browser() -> Browser:
    """The unpacked browser, fetched if the cache lacks it.

    Raises:
        Unavailable: npm or node is missing, or the package cannot be fetched.
    """
    if not sys.platform.startswith("linux"):
        raise Unavailable("the packed Chromium is built for Linux")
    folder = CHROMIUM.folder / "unpacked"
    with alone(CHROMIUM):
        if not (folder / ".complete").exists():
            fonts = fetched(ARABIC) / "ttf"
            _unpack(fetched(CHROMIUM) / "bin", folder)
            for name in ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf"):
                shutil.copyfile(fonts / name, folder / "fonts" / "fonts" / name)
            (folder / ".complete").touch()
        # Each time: the folder may have been unpacked under another path, and without a font the browser dies.
        (folder / "fonts" / "fonts.conf").write_text(FONTS.format(folder=(folder / "fonts" / "fonts").resolve()))
    return Browser(folder / "chromium", folder / "al2023" / "lib", folder / "fonts")


def axe_script() -> Path:
    """The checker's script.

    Raises:
        Unavailable: as of :func:`browser`.
    """
    with alone(AXE):
        return fetched(AXE) / "axe.min.js"


def _unpack(packed: Path, folder: Path) -> None:
    node = shutil.which("node")
    if node is None:
        raise Unavailable("node is missing, which unpacks Chromium")
    folder.mkdir(exist_ok=True)
    for name in PARTS:
        target = folder / name.removesuffix(".br")
        subprocess.run([node, "-e", _UNPACK, str(packed / name), str(target)], check=True, capture_output=True)
        if target.suffix == ".tar":
            # The browser looks for its graphics libraries beside itself.
            inside = folder if target.stem == "swiftshader" else folder / target.stem
            with tarfile.open(target) as files:
                files.extractall(inside, filter="data")
            target.unlink()
    (folder / "chromium").chmod(0o755)
