"""The file that a user sources to speak to the local cloud from a shell."""

import shlex
from collections.abc import Mapping
from pathlib import Path


def write_env(path: Path, variables: Mapping[str, str]) -> None:
    """Write ``export NAME=value`` lines, readable by their owner only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text("".join(f"export {name}={shlex.quote(value)}\n" for name, value in variables.items()))


def read_env(path: Path) -> dict[str, str]:
    """The variables of a file that ``write_env`` wrote.

    Raises:
        FileNotFoundError: there is none.
    """
    words = shlex.split(path.read_text())
    return dict(word.split("=", 1) for word in words if word != "export")
