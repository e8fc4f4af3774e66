"""cfn-lint over every template of an assembly, each for its own region: ``python -m infra.lint cdk.out``."""

import json
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Final

ASSEMBLY: Final = "manifest.json"

IGNORED: Final = ("W3005",)
"""A dependency that also follows from a reference: CDK writes both for every function's role."""


def templates(outdir: Path) -> dict[str, list[Path]]:
    """The templates below ``outdir``, by the region that they are for.

    Raises:
        FileNotFoundError: there is no assembly.
    """
    found: dict[str, list[Path]] = defaultdict(list)
    manifests = sorted(outdir.rglob(ASSEMBLY))
    if not manifests:
        raise FileNotFoundError(f"{outdir} holds no assembly: run make synth")
    for manifest in manifests:
        for artifact in json.loads(manifest.read_text())["artifacts"].values():
            if artifact["type"] == "aws:cloudformation:stack":
                region = artifact["environment"].rsplit("/", 1)[1]
                found[region].append(manifest.parent / artifact["properties"]["templateFile"])
    return found


def main(outdir: Path) -> int:
    """The number of regions with a finding."""
    failed = 0
    for region, paths in sorted(templates(outdir).items()):
        command = [
            str(Path(sys.executable).with_name("cfn-lint")), "--regions", region,
            "--non-zero-exit-code", "warning", "--template", *map(str, paths), "--ignore-checks", *IGNORED,
        ]  # fmt: skip
        code = subprocess.run(command, check=False).returncode  # noqa: S603 - our own templates, no shell
        print(f"cfn-lint {region}: {len(paths)} templates, {'clean' if code == 0 else 'findings above'}")
        failed += code != 0
    return failed


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
