"""What machine and interpreter an asset is built for."""

import platform
import sys
from dataclasses import dataclass
from typing import Final

PYTHON: Final = "3.14"
"""The cloud's runtime: the newest that all regions, SnapStart on arm64 and all our wheels support."""


@dataclass(frozen=True)
class Target:
    """Where an asset will run.

    Args:
        name: short, for folder names.
        python: version of the interpreter, as uv understands it.
        wheels: platform tag of the wheels, or None for this machine's own.
    """

    name: str
    python: str
    wheels: str | None

    @property
    def identity(self) -> str:
        """What of the target decides the bytes of an asset; part of the asset's hash."""
        if self.wheels:
            return f"{self.name} {self.python} {self.wheels}"
        return f"{self.name} {sys.version} {platform.machine()} {platform.platform()}"


CLOUD: Final = Target("cloud", PYTHON, "aarch64-manylinux_2_28")  # Lambda's own system has glibc 2.34
LOCAL: Final = Target("local", f"{sys.version_info.major}.{sys.version_info.minor}", None)
"""The local cloud runs handlers in this very interpreter, whatever the template's runtime says."""
