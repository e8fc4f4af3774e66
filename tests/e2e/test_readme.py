"""What the README tells a newcomer to type works as printed."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.local.cloud import LocalCloud
from infra.local.envfile import write_env

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]


def documents(text: str) -> Iterator[dict[str, Any]]:
    """The JSON documents that stand one after the other."""
    while text := text.strip():
        document, end = json.JSONDecoder().raw_decode(text)
        yield document
        text = text[end:]


def test_the_curl_lines_work_as_printed(cloud: LocalCloud, tmp_path: Path) -> None:
    (block,) = [
        block
        for block in re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
        if "curl" in block
    ]
    assert block.startswith("source .local/env\n")
    write_env(tmp_path / ".local" / "env", cloud.variables)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    accrual, redemption, wallet, statement = documents(done.stdout)
    assert accrual["points"] == 105
    assert redemption["status"] == "held"
    assert (wallet["available"], wallet["held"]) == (55, 50)
    assert [entry["points"] for entry in statement["items"]] == [-50, 105]
