"""Runs schemathesis over ``docs/openapi.json`` against a deployed program, and counts what it sent and got.

The ids of path parameters are those of real things most of the time: most cases are answered by what is behind the lookups.
"""

import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from infra.openapi import ROOT

DOCUMENT: Final = ROOT / "docs" / "openapi.json"
CHECKS: Final = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)
REAL: Final = 0.85
"""How often an id is that of a real thing."""


@dataclass(frozen=True)
class Target:
    """Where requests go.

    Args:
        url: of the API.
        token: with every scope.
        ids: of real things, by the name of the path parameter; the program's among them.
    """

    url: str
    token: str
    ids: Mapping[str, str]


@dataclass(frozen=True)
class Outcome:
    """What came of a run.

    Args:
        answers: how many of each status, by route.
        failed: a check failed, or schemathesis itself did.
        told: what schemathesis printed: failures, each with a curl line.
    """

    answers: Mapping[str, Counter[int]]
    failed: bool
    told: str

    @property
    def cases(self) -> int:
        """Requests sent."""
        return sum(answers.total() for answers in self.answers.values())


def run(
    target: Target, folder: Path, *, seed: int, examples: int, seconds: int = 0, phases: Sequence[str] = ()
) -> Outcome:
    """Generate requests, send them, check the answers.

    Args:
        target: the deployed API.
        folder: for configuration and report.
        seed: the same gives the same requests, as far as answers allow: links go on from them.
        examples: of each operation and phase, at most.
        seconds: after which it stops; 0: when it has done them all.
        phases: of schemathesis; none means all.
    """
    folder.mkdir(parents=True, exist_ok=True)
    settings, report = folder / "schemathesis.toml", folder / "report.har"
    settings.write_text(_settings(target.ids))
    options = {
        "--url": target.url,
        "--header": f"Authorization: Bearer {target.token}",
        "--checks": ",".join(CHECKS),
        "--seed": str(seed),
        "--max-examples": str(examples),
        "--workers": "1",  # with more, the parser of Python 3.11 fails now and then
        "--request-timeout": "60",
        "--report-har-path": str(report),
        "--warnings": "off",
        "--generation-database": "none",
        "--suppress-health-check": "all",
    }
    options |= {"--max-time": str(seconds)} if seconds else {}
    options |= {"--phases": ",".join(phases)} if phases else {}
    words = [word for option in options.items() for word in option]
    command = [
        str(Path(sys.executable).with_name("schemathesis")),
        "--config-file",
        str(settings),
        "run",
        str(DOCUMENT),
    ]
    done = subprocess.run(
        [*command, *words, "--continue-on-failure", "--no-color"],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
    )
    return Outcome(_answers(report), done.returncode != 0, done.stdout + done.stderr)


def _settings(ids: Mapping[str, str]) -> str:
    """Real ids for path parameters: the program's always, the others' most of the time."""
    lines = ["[parameters]", f'"path.program" = {json.dumps(ids["program"])}']
    others = {name: value for name, value in ids.items() if name != "program"}
    lines += [f'"path.{name}" = {{ dictionary = "{name}", probability = {REAL} }}' for name in others]
    for name, value in others.items():
        lines += ["", f"[dictionaries.{name}]", f"values = [{json.dumps(value)}]"]
    return "\n".join(lines) + "\n"


def _answers(report: Path) -> dict[str, Counter[int]]:
    routes = [(re.compile(re.sub(r"\\{\w+\\}", "[^/]*", re.escape(path)) + "$"), path) for path in _paths()]
    found: dict[str, Counter[int]] = {}
    for entry in json.loads(report.read_text())["log"]["entries"]:
        path = urlsplit(entry["request"]["url"]).path
        route = next((path_of for pattern, path_of in routes if pattern.search(path)), "no route of the document")
        found.setdefault(f"{entry['request']['method']} {route}", Counter())[entry["response"]["status"]] += 1
    return found


def _paths() -> list[str]:
    document: dict[str, Any] = json.loads(DOCUMENT.read_text())
    return sorted(document["paths"], key=lambda path: path.count("{"))
