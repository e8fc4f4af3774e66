"""What became of the mutants: the score of each module, and the survivors."""

import ast
import json
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import unified_diff
from enum import StrEnum
from itertools import zip_longest
from pathlib import Path

_NO_TESTS = 33
_TIMED_OUT = frozenset({36, 24, -24, 152, 255})
_SIGKILLED = -9
"""The kernel ends what goes on for a second more after it was told to stop."""


class Fate(StrEnum):
    """What the tests made of a mutant."""

    KILLED = "killed"
    ENDLESS = "endless"
    """It went on for many times as long as the code does: counted as killed."""
    SURVIVED = "survived"
    WORDS = "words"
    """It changes only what people read: not counted."""
    UNTESTED = "not tested yet"


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change of one function. ``module`` is its path under the package, ``diff`` what is changed."""

    name: str
    module: str
    fate: Fate
    diff: str


@dataclass(frozen=True, slots=True)
class Score:
    """Of one module, or of all."""

    module: str
    fates: Mapping[Fate, int]

    @property
    def counted(self) -> int:
        """Mutants that count."""
        return sum(self.fates[fate] for fate in (Fate.KILLED, Fate.ENDLESS, Fate.SURVIVED))

    @property
    def percent(self) -> float:
        """Of the mutants that count, those that were noticed."""
        return 100 * (self.counted - self.fates[Fate.SURVIVED]) / self.counted if self.counted else 100.0


def mutants(folder: Path, package: str) -> Iterator[Mutant]:
    """What mutmut wrote of the mutants of ``package``, in ``folder`` (its ``mutants``)."""
    for meta in sorted(folder.glob(f"src/{package}/**/*.meta")):
        source = Mutated(meta.with_suffix(""))
        module = source.path.relative_to(folder / "src" / package).as_posix()
        for name, code in json.loads(meta.read_text())["exit_code_by_key"].items():
            before, after = source.functions(name)
            yield Mutant(name, module, _fate(code, before, after), _diff(before, after))


class Mutated:
    """A source file with all of its mutants in it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._spans = json.loads(path.with_name(f"{path.name}.spans").read_text())["spans"]
        self._lines = path.read_text().splitlines(keepends=True)

    def functions(self, name: str) -> tuple[str, str]:
        """The function as it is, and as the mutant of that name has it."""
        mutated = name.rpartition(".")[2]
        original = f"{mutated.partition('__mutmut_')[0]}__mutmut_orig"
        return self._function(original), self._function(mutated)

    def _function(self, name: str) -> str:
        start, end = self._spans[name]
        source = textwrap.dedent("".join(self._lines[start - 1 : end]))
        head, _, rest = source.partition("__mutmut_")
        _, bracket, body = rest.partition("(")
        return f"{head}{bracket}{body}"


def scores(found: Sequence[Mutant]) -> list[Score]:
    """One for each module, and one of all at the end."""
    modules = [*dict.fromkeys(mutant.module for mutant in found), ""]
    return [
        Score(
            module or "all",
            {fate: sum(mutant.fate is fate and module in {"", mutant.module} for mutant in found) for fate in Fate},
        )
        for module in modules
    ]


def table(found: Sequence[Mutant]) -> str:
    """The scores as a table in Markdown."""
    lines = ["| module | mutants | killed | endless | survived | score |", "|---|---:|---:|---:|---:|---:|"]
    for score in scores(found):
        fates = score.fates
        numbers = (score.counted, fates[Fate.KILLED], fates[Fate.ENDLESS], fates[Fate.SURVIVED])
        lines.append(f"| {score.module} | {' | '.join(map(str, numbers))} | {score.percent:.1f} % |")
    return "\n".join(lines)


def only_words(before: str, after: str) -> bool:
    """Whether two sources are the same but for texts with a space in them, or with None in the place of such a text.

    Keys, codes, names and formats have no space; what has one is a sentence for people.
    """
    return _same(ast.parse(before), ast.parse(after))


def _same(before: object, after: object) -> bool:
    if isinstance(before, ast.Constant | ast.JoinedStr) and _has_space(before):
        return isinstance(after, ast.JoinedStr) or (
            isinstance(after, ast.Constant) and isinstance(after.value, str | None)
        )
    if isinstance(before, ast.AST):
        return type(before) is type(after) and all(
            _same(value, getattr(after, name, None)) for name, value in ast.iter_fields(before)
        )
    if isinstance(before, list) and isinstance(after, list):
        return all(_same(one, other) for one, other in zip_longest(before, after))
    return before == after


def _has_space(text: ast.Constant | ast.JoinedStr) -> bool:
    parts = text.values if isinstance(text, ast.JoinedStr) else [text]
    return any(isinstance(one, ast.Constant) and isinstance(one.value, str) and " " in one.value for one in parts)


def _fate(code: int | None, before: str, after: str) -> Fate:
    if only_words(before, after):
        return Fate.WORDS
    if code is None:
        return Fate.UNTESTED
    if code in _TIMED_OUT or code == _SIGKILLED:
        return Fate.ENDLESS
    return Fate.SURVIVED if code in {0, _NO_TESTS} else Fate.KILLED


def _diff(before: str, after: str) -> str:
    lines = unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=0)
    return "\n".join(line for line in lines if not line.startswith(("---", "+++", "@@")))
