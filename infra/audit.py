"""Known vulnerabilities of what the locks name: ``python -m infra.audit <pip-audit's executable>``.

It asks a service on the internet. Where that cannot be reached, or does not know a package, nothing is proved, and the
command says so with an exit code of its own: pip-audit alone would end with "none found" and 0 when it skipped all.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from infra import ROOT
from infra.bundling.dependencies import LOCK

FOUND: Final = 1
COULD_NOT_ASK: Final = 3
SERVICES: Final = ("osv", "pypi")
TIMEOUT_SECONDS: Final = 900.0
_LAST_WORDS: Final = 300


def locks() -> list[Path]:
    """Every lock: what ships first, then what builds, checks and measures it."""
    return [LOCK, *sorted((ROOT / "requirements").glob("*.txt")), ROOT / "tests" / "bench" / "cdnow.txt"]


def audit(executable: Path, lock: Path, service: str) -> tuple[int, list[str]]:
    """Asks ``service`` about every package of ``lock``.

    Returns:
        0, :data:`FOUND` or :data:`COULD_NOT_ASK`, and what to tell.
    """
    command = [
        str(executable), "--requirement", str(lock), "--require-hashes", "--disable-pip", "--vulnerability-service", service,
        "--format", "json", "--progress-spinner", "off", "--aliases", "on", "--desc", "off",
    ]  # fmt: skip
    try:
        done = subprocess.run(  # noqa: S603 - paths and words of ours
            command, check=False, capture_output=True, text=True, timeout=TIMEOUT_SECONDS
        )
    except subprocess.TimeoutExpired:
        return COULD_NOT_ASK, [f"{service} did not answer within {TIMEOUT_SECONDS:.0f} s"]
    try:
        known = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return COULD_NOT_ASK, [f"{service} could not be asked: {done.stderr.strip()[-_LAST_WORDS:]}"]
    return verdict(known, service)


def verdict(known: Sequence[dict[str, Any]], service: str) -> tuple[int, list[str]]:
    """What pip-audit's ``dependencies`` mean, as of :func:`audit`."""
    found = [_vulnerable(one, each) for one in known for each in one.get("vulns", ())]
    skipped = [f"not checked, {one['name']}: {one['skip_reason']}" for one in known if "skip_reason" in one]
    if found:
        return FOUND, found + skipped
    if skipped:
        return COULD_NOT_ASK, skipped
    if not known:
        return COULD_NOT_ASK, [f"{service} was asked about no package at all"]
    return 0, [f"{len(known)} packages, none with a known vulnerability"]


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; :data:`FOUND` goes before :data:`COULD_NOT_ASK`."""
    parser = argparse.ArgumentParser(prog="python -m infra.audit", description=__doc__)
    parser.add_argument("executable", type=Path)
    parser.add_argument("--service", choices=SERVICES, default=SERVICES[0])
    parser.add_argument("--lock", type=Path, action="append", help="default: all of them")
    options = parser.parse_args(arguments)
    codes = set()
    for lock in options.lock or locks():
        code, told = audit(options.executable, lock, options.service)
        codes.add(code)
        for line in told:
            print(f"{lock.name}: {line}", file=sys.stderr if code else sys.stdout)
    if FOUND in codes:
        return FOUND
    if COULD_NOT_ASK in codes:
        print(
            f"NOT AUDITED: {options.service} could not be asked about everything, so this says nothing about "
            "vulnerabilities. Run it where the service can be reached, or ask another with --service.",
            file=sys.stderr,
        )
        return COULD_NOT_ASK
    return 0


def _vulnerable(package: dict[str, Any], found: dict[str, Any]) -> str:
    names = ", ".join([found["id"], *found.get("aliases", ())])
    mended = ", ".join(found.get("fix_versions", ())) or "no version yet"
    return f"{package['name']} {package['version']}: {names}; mended in {mended}"


if __name__ == "__main__":
    sys.exit(main())
