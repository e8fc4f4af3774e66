"""The process that runs ministack: ``python -m infra.local.server``.

It reads what to do from the environment that the launcher sets, wraps ministack and hands over to
ministack's own ``main``, which serves until SIGTERM.
"""

import os
import sys
from pathlib import Path

from ministack import app  # type: ignore[import-untyped]

from infra.local import ministack_patches
from infra.local.parents import end_with

ENV_PARENT = "LOYALTY_LOCAL_PARENT"
"""Process id of the starter; when set, the server ends with it."""

ENV_CONCURRENCY = "LOYALTY_LOCAL_CONCURRENCY"
"""Invocations of one function that run at the same time."""

ENV_LAYERS = "LOYALTY_LOCAL_LAYERS"
"""Folder that Lambda layers are unpacked to."""

ENV_CALLS = "LOYALTY_LOCAL_CALLS"
"""File that the calls of roles are written to."""

DEFAULT_CONCURRENCY = "8"


def main() -> None:
    """Serve until SIGTERM. The environment decides port, address, state and enforcement."""
    concurrency = int(os.environ.get(ENV_CONCURRENCY, DEFAULT_CONCURRENCY))
    ministack_patches.apply(concurrency, Path(os.environ[ENV_LAYERS]), Path(os.environ[ENV_CALLS]))
    parent = os.environ.pop(ENV_PARENT, "")
    if parent:
        end_with(int(parent))
    sys.argv = ["ministack"]
    app.main()


if __name__ == "__main__":
    main()
