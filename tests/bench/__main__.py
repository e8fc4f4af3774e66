"""Counts, measures, prints, writes ``build/bench.json``; exit code 1 where a bound is missed."""

import argparse
import os
import sys
import tempfile
from pathlib import Path

from infra.local.ministack import ACCESS_KEY, SECRET_KEY
from tests.bench import assets, imports
from tests.bench.figures import Figure, table, write
from tests.bench.ledger import LedgerBench, running_engine

RESULT = imports.ROOT / "build" / "bench.json"
LEAST_RUNS = 7


def main() -> int:
    """Everything; the slow parts say what they do."""
    options = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    options.add_argument("--runs", type=int, default=LEAST_RUNS, help="import runs of each function, at least 7")
    options.add_argument("--out", type=Path, default=RESULT)
    chosen = options.parse_args()
    figures = _ledger() + _imports(max(chosen.runs, LEAST_RUNS)) + _assets()
    write(figures, chosen.out)
    missed = [figure.name for figure in figures if not figure.kept]
    _say(
        f"\n{len(figures)} figures in {chosen.out}; "
        + (f"missed: {', '.join(missed)}" if missed else "all bounds kept")
    )
    return 1 if missed else 0


def _ledger() -> list[Figure]:
    # The library takes its credentials from the environment, as in a function.
    os.environ.update(AWS_ACCESS_KEY_ID=ACCESS_KEY, AWS_SECRET_ACCESS_KEY=SECRET_KEY)
    with tempfile.TemporaryDirectory() as workdir, running_engine(Path(workdir)) as (engine, endpoint, why):
        _say(f"Round trips and capacity units, on {engine}{f' ({why})' if why else ''}, agreed with the items' bytes")
        figures = LedgerBench(endpoint, engine).figures()
    _say(table(figures))
    return figures


def _imports(runs: int) -> list[Figure]:
    _say(
        f"\nImport of each handler as it ships over boto3 and a client: fresh processes, median of {runs} interleaved runs"
    )
    measured = imports.measure(runs)
    figures = measured.figures()
    _say(table(figures))
    _say(
        f"  (boto3 and a client: {measured.baseline_seconds * 1000:.0f} ms.) What it would take to come to {imports.GOAL}:"
    )
    for name, ratio in sorted(measured.ratios.items(), key=lambda item: -item[1]):
        over = (ratio - imports.GOAL) * measured.baseline_seconds * 1000
        parts = ", ".join(f"{package} {spent:.0f}" for package, spent in imports.contributors(name))
        distance = f"{over:4.0f} ms over" if over > 0 else f"{-over:4.0f} ms under"
        _say(f"  {name:<20} {distance}; own ms by package: {parts}")
    return figures


def _assets() -> list[Figure]:
    _say("\nAssets for the cloud, unpacked")
    figures = assets.figures(imports.function_names())
    _say(table(figures))
    return figures


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


sys.exit(main())
