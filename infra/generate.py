"""Writes the files that are generated from the code, or with ``--check`` says which are not current.

A tool for developers and CI. The CDK app never imports it: it alone reads the library's models.
"""

import argparse
import difflib
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel

from infra import authorization, sbom
from infra.openapi import ROOT, codes_by_status, document, tidy
from infra.routes import ROUTES
from loyalty.commerce import activity_events
from loyalty.core import problems
from loyalty.programs.model import ProgramDocument
from loyalty.publishing.events import EVENTS

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
SCOPES_FILE: Final = "functions/authorizer/scopes.json"
"""The scope of each route, as the authorizer is packaged with it: its environment would have no room."""
EVENTS_FOLDER: Final = "docs/events"
EVENT_MODELS: Final[Mapping[str, type[BaseModel]]] = {
    **EVENTS,
    activity_events.DETAIL_TYPE: activity_events.ActivityRecorded,
}
"""Detail-type → the shape of ``detail``: every event that leaves the platform, and the one of ours that comes in."""
DIFF_LINES: Final = 12

_PROBLEMS_HEAD: Final = """\
# Problems

Every refusal is a problem detail (RFC 9457, `application/problem+json`). Its `code` is stable, its `type` is
`{prefix}` followed by the code, its `instance` names the request. `errors` points at each field that is wrong.

What the gateway refuses has no `errors`. It answers 401 `unauthenticated` for a token that is missing, over or of a client that is shut
out, and 403 `insufficient_scope` for one without the route's scope, which its words cannot name: it stands in [openapi.json](openapi.json)
under `security` of the route and method. A client has the scopes that the operator gave it, and a token those of them that it was asked
for with ([access](security/access.md)).

| status | code | title |
|---|---|---|
"""


def generated() -> dict[str, str]:
    """Every generated file: path from the repository's root → content."""
    packages = sbom.shipped()
    return {
        SCOPES_FILE: _json({f"{one.method} {one.path}": one.scope for one in ROUTES if one.scope}),
        "docs/sbom.cdx.json": sbom.bill(packages),
        "docs/licences.md": sbom.page(packages),
        "docs/openapi.json": _json(document()),
        "docs/problems.md": _problem_list(),
        "docs/authorization.md": authorization.page(),
        "docs/program.schema.json": _schema(ProgramDocument),
        **{f"{EVENTS_FOLDER}/{name}.json": _schema(model, name) for name, model in sorted(EVENT_MODELS.items())},
    }


def differences(files: Mapping[str, str], root: Path) -> Iterator[str]:
    """What is not current under ``root``, a short text for each file."""
    for path, content in files.items():
        on_disk = root / path
        if not on_disk.is_file():
            yield f"{path}: missing"
            continue
        present = on_disk.read_text()
        if present != content:
            lines = difflib.unified_diff(
                present.splitlines(), content.splitlines(), "on disk", "generated", "", "", 0, ""
            )
            yield "\n".join([f"{path}: not current", *[f"  {line}" for line in list(lines)[:DIFF_LINES]]])
    for stale in _stale(files, root):
        yield f"{stale.relative_to(root)}: no longer generated"


def write(files: Mapping[str, str], root: Path) -> None:
    """Makes every file current and removes those that are no longer generated."""
    for path, content in files.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content)
    for stale in _stale(files, root):
        stale.unlink()


def main(arguments: list[str] | None = None) -> int:
    """The command; 1 where ``--check`` found differences."""
    parser = argparse.ArgumentParser(prog="infra.generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; exit with 1 where a file is not current")
    check = parser.parse_args(arguments).check
    files = generated()
    found = list(differences(files, ROOT))
    if not check:
        write(files, ROOT)
    for text in found:
        print(text, file=sys.stderr if check else sys.stdout)
    if check and found:
        print('Generated files are not current: run "make generate" and commit them.', file=sys.stderr)
        return 1
    print(f"{len(files)} generated files are current.")
    return 0


def _stale(files: Mapping[str, str], root: Path) -> list[Path]:
    return [path for path in sorted((root / EVENTS_FOLDER).glob("*.json")) if str(path.relative_to(root)) not in files]


def _schema(model: type[BaseModel], name: str | None = None) -> str:
    schema: dict[str, Any] = tidy(model.model_json_schema())
    return _json({"$schema": DIALECT} | schema | ({"title": name} if name else {}))


def _problem_list() -> str:
    rows = [
        f"| {status} | `{code}` | {problems.title(code)} |"
        for status, codes in codes_by_status().items()
        for code in codes
    ]
    return _PROBLEMS_HEAD.format(prefix=problems.TYPE_PREFIX) + "\n".join(rows) + "\n"


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.exit(main())
