"""The file that a user sources."""

import subprocess
from pathlib import Path

from infra.local.envfile import read_env, write_env


def test_values_survive_a_shell_and_a_reader(tmp_path: Path) -> None:
    variables = {"LOYALTY_CLIENT_SECRET": "a+b/c=='\"$x `y`", "LOYALTY_API": "http://127.0.0.1:4566/x"}
    path = tmp_path / "sub" / "env"
    write_env(path, variables)
    assert read_env(path) == variables
    assert path.stat().st_mode & 0o777 == 0o600
    shown = subprocess.run(
        ["bash", "-c", f'source {path}; printf %s "$LOYALTY_CLIENT_SECRET"'], capture_output=True, text=True, check=True
    )
    assert shown.stdout == variables["LOYALTY_CLIENT_SECRET"]
