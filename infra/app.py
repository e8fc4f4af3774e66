"""The CDK app: ``python -m infra.app`` writes the assembly of every stage that can be deployed to AWS.

The local stage is there only if it is asked for: ``cdk deploy --all`` must not bring it into an account.
"""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import cx_api
from cdk_nag import AwsSolutionsChecks, NIST80053R5Checks

from infra import ROOT
from infra.bundling import CLOUD, LOCAL, Assets, Builder
from infra.bundling.build import FUNCTIONS as FUNCTION_FOLDERS
from infra.functions import FUNCTIONS
from infra.settings import CLOUD_STAGES, STAGES, StageSettings
from infra.stage import LoyaltyStage


def synthesize(
    outdir: Path, *, stages: Sequence[StageSettings] = CLOUD_STAGES, function_folders: Path = FUNCTION_FOLDERS
) -> cx_api.CloudAssembly:
    """Write the assembly of ``stages`` to ``outdir``.

    Args:
        outdir: is created or overwritten.
        stages: settings of each.
        function_folders: holds one folder per function.

    Raises:
        RuntimeError: cdk-nag has a finding that is not acknowledged; its report is on standard error.
        FileNotFoundError: a function has no folder.
    """
    context = json.loads((ROOT / "cdk.json").read_text())["context"]
    app = cdk.App(outdir=str(outdir), context=context)
    assets = _assets(stages, function_folders)
    for settings in stages:
        LoyaltyStage(app, settings, assets[settings.target])
    add_checks(app)
    return app.synth()


def add_checks(app: cdk.App) -> None:
    """Let cdk-nag (AwsSolutions, NIST 800-53) fail the synth for whatever is not acknowledged on its resource."""
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app), NIST80053R5Checks(app))


def _assets(stages: Sequence[StageSettings], function_folders: Path) -> dict[str, Assets]:
    targets = {settings.target for settings in stages}
    return {
        target.name: Builder(target, functions=function_folders).build(FUNCTIONS)
        for target in (CLOUD, LOCAL)
        if target.name in targets
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point; the exit code is 0 only if every stage was written and cdk-nag is content."""
    parser = argparse.ArgumentParser(prog="python -m infra.app", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path(os.environ.get("CDK_OUTDIR", ROOT / "cdk.out")))
    parser.add_argument(
        "--stage", action="append", choices=[settings.name for settings in STAGES], help="default: all but local"
    )
    parser.add_argument("--with-local", action="store_true", help="the local stage too")
    options = parser.parse_args(arguments)
    known = STAGES if options.stage or options.with_local else CLOUD_STAGES
    chosen = [settings for settings in known if not options.stage or settings.name in options.stage]
    assembly = synthesize(options.out, stages=chosen)
    print(f"{assembly.directory}: {', '.join(settings.name for settings in chosen)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
