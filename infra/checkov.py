"""checkov over every template of an assembly: ``python -m infra.checkov <its executable> cdk.out``.

It has an environment of its own, since it pins packages that ours need newer (docs/security/supply-chain.md). What is
accepted stands beside its resource, put there by ``infra.constructs.nag.acknowledge``; there is no list of skipped rules.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from infra.lint import templates

TIMEOUT_SECONDS: Final = 600.0
Report = Mapping[str, Any]


def arguments(paths: Sequence[Path]) -> list[str]:
    """What checkov is asked, after its own name: nothing that it would fetch or send."""
    return [
        "--framework", "cloudformation", "--output", "json", "--skip-download", "--file", *map(str, paths),
    ]  # fmt: skip


def findings(report: Report, resources: int) -> Iterator[str]:
    """What is wrong by ``report``, also with the run itself: a text for each.

    A run that read fewer resources than the templates have, or could not read one of them, proves nothing.
    """
    results = report["results"]
    for check in results["failed_checks"]:
        yield f"{check['file_path']} {check['resource']}: {check['check_id']} {check['check_name']}"
    for check in results["skipped_checks"]:
        if not (check["check_result"].get("suppress_comment") or "").strip():
            yield f"{check['file_path']} {check['resource']}: {check['check_id']} is skipped without a reason"
    for path in results["parsing_errors"]:
        yield f"{path}: checkov cannot read it"
    read = report["summary"]["resource_count"]
    if read != resources:
        yield f"checkov looked at {read} resources of {resources}"


def run(executable: Path, paths: Sequence[Path]) -> Report:
    """Its report on ``paths``.

    Raises:
        RuntimeError: it gave none; the message is what it said.
    """
    done = subprocess.run(  # noqa: S603 - our own templates, no shell
        [str(executable), *arguments(paths)],
        check=False, capture_output=True, text=True, timeout=TIMEOUT_SECONDS,
        env={**os.environ, "LOG_LEVEL": "ERROR", "ANSI_COLORS_DISABLED": "1"},
    )  # fmt: skip
    try:
        report: Report = json.loads(done.stdout)
        report["results"]["passed_checks"]
    except (ValueError, KeyError, TypeError) as error:
        raise RuntimeError(f"checkov gave no report: {done.stderr or done.stdout}") from error
    return report


def main(executable: Path, outdir: Path) -> int:
    """1 where there is a finding."""
    paths = [path for found in templates(outdir).values() for path in found]
    report = run(executable, paths)
    resources = sum(len(json.loads(path.read_text())["Resources"]) for path in paths)
    found = list(findings(report, resources))
    for text in found:
        print(text, file=sys.stderr)
    counted = {kind: len(report["results"][f"{kind}_checks"]) for kind in ("passed", "skipped")}
    print(
        f"checkov {report['summary']['checkov_version']}: {resources} resources of {len(paths)} templates, {counted['passed']} checks passed, "
        f"{counted['skipped']} accepted with a reason, {len(found)} findings"
    )
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
