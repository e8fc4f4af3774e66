"""``make mutate``: changes the ledger in thousands of ways, one at a time, and counts what the tests notice."""

import argparse
import os
import shutil
import subprocess
import sys
from typing import Final

from tests.mutation.report import Fate, mutants, scores, table
from tests.mutation.stage import FOLDER, MUTANTS, PACKAGE, prepare

LEAST_PERCENT: Final = 85.0


def main() -> int:
    """Runs what is left to run, prints scores and survivors; 1 below :data:`LEAST_PERCENT` or where some are left."""
    parser = argparse.ArgumentParser(prog="make mutate", description=__doc__)
    parser.add_argument("only", nargs="*", help="mutants to try (again), by name: 'loyalty.ledger.views.*'")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes at once")
    parser.add_argument("--fresh", action="store_true", help="forget what earlier runs found")
    parser.add_argument("--report", action="store_true", help="run nothing, print what earlier runs found")
    options = parser.parse_args()
    if options.fresh:
        shutil.rmtree(MUTANTS, ignore_errors=True)
    if not options.report:
        prepare()
        command = [sys.executable, "-m", "tests.mutation.quick", "run", "--max-children", str(options.workers)]
        environment = {**os.environ, "PYTHONHASHSEED": "0"}
        subprocess.run([*command, *options.only], cwd=FOLDER, env=environment, check=True)
    return _tell()


def _tell() -> int:
    found = list(mutants(MUTANTS, PACKAGE))
    for fate in (Fate.ENDLESS, Fate.SURVIVED):
        for mutant in found:
            if mutant.fate is fate:
                print(f"\n{fate}: {mutant.name}\n{mutant.diff}")
    print(f"\n{table(found)}")
    left = sum(mutant.fate is Fate.UNTESTED for mutant in found)
    words = sum(mutant.fate is Fate.WORDS for mutant in found)
    percent = scores(found)[-1].percent
    print(f"\n{percent:.1f} %, at least {LEAST_PERCENT} % are wanted; {words} change only words; {left} not tested yet")
    return 1 if left or not found or percent < LEAST_PERCENT else 0


if __name__ == "__main__":
    sys.exit(main())
