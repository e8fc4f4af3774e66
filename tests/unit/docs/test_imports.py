"""Imports point one way: functions → features → ledger → core, and no two features import each other, in however many steps."""

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[3]
LIBRARY = REPOSITORY / "layers" / "loyalty" / "python" / "loyalty"
BELOW = {"core": set[str](), "ledger": {"core"}}
"""What the lowest packages may import of the library."""


def imported(path: Path) -> Iterator[str]:
    """Names of the modules that a file imports, also within functions."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def packages(library: Path) -> dict[str, set[str]]:
    """Each package of a library with the other packages that it imports."""
    found = defaultdict[str, set[str]](set)
    for path in library.rglob("*.py"):
        package = path.relative_to(library).parts[0].removesuffix(".py")
        parts = (name.split(".") for name in imported(path))
        found[package] |= {name[1] for name in parts if name[0] == library.name and len(name) > 1} - {package}
    return found


def circle(graph: dict[str, set[str]]) -> list[str]:
    """Packages that import each other; empty where none do."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as found:
        return list(found.args[1])
    return []


def test_no_features_import_each_other() -> None:
    assert circle(packages(LIBRARY)) == []


@pytest.mark.parametrize("package", BELOW)
def test_the_lowest_packages_know_no_feature(package: str) -> None:
    assert packages(LIBRARY)[package] <= BELOW[package]


DOCUMENTS = {"generate.py", "openapi.py"}
"""Of ``infra``: they write documents from the library's code, and are no part of what is deployed."""
COMMANDS = LIBRARY / "cli"
"""Operators' own machines have boto3; functions start sooner without it."""


@pytest.mark.parametrize(
    ("files", "outside"),
    [
        (LIBRARY.rglob("*.py"), {"functions", "infra", "tests", "aws_cdk"}),
        ((path for path in LIBRARY.rglob("*.py") if COMMANDS not in path.parents), {"boto3"}),
        ((REPOSITORY / "functions").rglob("*.py"), {"infra", "tests", "aws_cdk", "boto3"}),
        (
            (path for path in (REPOSITORY / "infra").rglob("*.py") if path.name not in DOCUMENTS),
            {"loyalty", "functions", "tests"},
        ),
    ],
    ids=["library", "library without boto3", "functions", "infra"],
)
def test_no_part_imports_what_is_not_below_it(files: Iterable[Path], outside: set[str]) -> None:
    found = [(path, {name.split(".")[0] for name in imported(path)}) for path in files]
    assert len(found) > 20
    assert {str(path) for path, names in found if names & outside} == set()


def test_a_circle_is_found(tmp_path: Path) -> None:
    library = tmp_path / "shop"
    for package, line in {
        "a": "from shop.b import x",
        "b": "import shop.c",
        "c": "def f():\n    from shop.a import y",
    }.items():
        (library / package).mkdir(parents=True)
        (library / package / "one.py").write_text(line)
    assert packages(library) == {"a": {"b"}, "b": {"c"}, "c": {"a"}}
    assert set(circle(packages(library))) == {"a", "b", "c"}
