"""The folder in which mutants are made: a copy of the package and of the tests that try them."""

import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

REPOSITORY: Final = Path(__file__).parents[2]
FOLDER: Final = REPOSITORY / "build" / "mutation"
MUTANTS: Final = FOLDER / "mutants"
PACKAGE: Final = "loyalty/ledger"
TESTS: Final = "tests/unit/ledger"
_SURVIVED: Final = (0, 33)
"""What mutmut notes where all tests passed, and where there was none."""

_COPIED: Final = {
    "layers/loyalty/python": "src",
    "tests/ledgerkit": "tests/ledgerkit",
    "tests/mutation": "tests/mutation",
    "tests/simulation": "tests/simulation",
    TESTS: TESTS,
}
_FIXTURES: Final = "tests/mutation/memory.py"
_SETTINGS: Final = f"""
[tool.pytest.ini_options]
addopts = ["--import-mode=importlib", "--strict-markers", "--strict-config", "-p", "no:cacheprovider"]
pythonpath = ["."]
filterwarnings = ["error"]

[tool.mutmut]
source_paths = ["src"]
only_mutate = ["src/{PACKAGE}/*"]
pytest_add_cli_args_test_selection = ["{TESTS}"]
# It reads the source, which is another with the mutants in it.
pytest_add_cli_args = ["--ignore={TESTS}/test_verify_codes.py"]
use_git_change_detection = false
# By the clock, for who only waits; who works is ended by its processor's seconds, see tests/mutation/quick.py.
timeout_multiplier = 10
"""


def prepare() -> None:
    """Brings the folder up to date. What mutmut noted there stays, as far as it holds for these tests."""
    fixtures = (REPOSITORY / _FIXTURES).read_bytes()
    wanted = {"pyproject.toml": _SETTINGS.encode(), **dict(_files()), f"{TESTS}/conftest.py": fixtures}
    for path in [path for path in FOLDER.glob("*/**/*") if path.is_file() and MUTANTS not in path.parents]:
        if path.relative_to(FOLDER).as_posix() not in wanted:
            path.unlink()
    for name, content in wanted.items():
        _write(FOLDER / name, content)
    tests = hashlib.sha256()
    for name, content in sorted(wanted.items()):
        tests.update(name.encode() + content if name.startswith("tests/") else b"")
    if _write(FOLDER / "tests.sha256", tests.hexdigest().encode()):
        _forget()


def _files() -> Iterator[tuple[str, bytes]]:
    for source, target in _COPIED.items():
        for path in (REPOSITORY / source).rglob("*.py"):
            yield f"{target}/{path.relative_to(REPOSITORY / source).as_posix()}", path.read_bytes()


def _write(path: Path, content: bytes) -> bool:
    """Writes what is not there yet, so that what is not changed keeps its date: mutmut goes by that."""
    if path.exists() and path.read_bytes() == content:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return True


def _forget() -> None:
    """Tests have changed: which of them try what is found out anew, and survivors are tried again."""
    shutil.rmtree(MUTANTS / "tests", ignore_errors=True)
    (MUTANTS / "mutmut-stats.json").unlink(missing_ok=True)
    for meta in MUTANTS.rglob("*.meta"):
        noted = json.loads(meta.read_text())
        codes = noted["exit_code_by_key"]
        noted["exit_code_by_key"] = {name: None if code in _SURVIVED else code for name, code in codes.items()}
        meta.write_text(json.dumps(noted))
