"""Counts, measures, prints, writes ``build/bench.json``; exit code 1 where a bound is missed."""

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from time import monotonic

from infra.local.ministack import ACCESS_KEY, REPOSITORY, SECRET_KEY
from tests.bench import (
    assets,
    bulk,
    cdnow,
    coming,
    commerce,
    fulfillment,
    imports,
    kms,
    ledger,
    operations,
    programs,
    recalculation,
    referrals,
    rules,
    stock,
    stream,
    sweep,
)
from tests.bench.engine import Running, running_engine
from tests.bench.figures import Figure, matrix, table, write
from tests.referralkit.matrix import shown

RESULT = REPOSITORY / "build" / "bench.json"
LEAST_RUNS = 7


def main() -> int:
    """The parts that were asked for, one after the other; all of them say what they do."""
    options = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parts = (*ON_AN_ENGINE, "rules", "imports", "assets")
    options.add_argument("--only", nargs="+", choices=parts, default=parts, metavar="PART", help=", ".join(parts))
    options.add_argument("--runs", type=int, default=LEAST_RUNS, help="import runs of each function, at least 7")
    options.add_argument("--out", type=Path, default=RESULT)
    chosen = options.parse_args()
    start = monotonic()
    figures = _on_an_engine([part for part in ON_AN_ENGINE if part in chosen.only])
    if "rules" in chosen.only:
        figures += _rules()
    if "imports" in chosen.only:
        figures += _imports(max(chosen.runs, LEAST_RUNS))
    if "assets" in chosen.only:
        figures += _assets()
    write(figures, chosen.out)
    missed = [figure.name for figure in figures if not figure.kept]
    _say(
        f"\n{len(figures)} figures in {chosen.out}, in {monotonic() - start:.0f} s; "
        + (f"missed: {', '.join(missed)}" if missed else "all bounds kept")
    )
    return 1 if missed else 0


def _on_an_engine(parts: Sequence[str]) -> list[Figure]:
    if not parts:
        return []
    # The library takes its credentials from the environment, as in a function.
    os.environ.update(AWS_ACCESS_KEY_ID=ACCESS_KEY, AWS_SECRET_ACCESS_KEY=SECRET_KEY)
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory() as workdir, running_engine(Path(workdir)) as running:
        for part in parts:
            figures += ON_AN_ENGINE[part](running)
    return figures


def _ledger(running: Running) -> list[Figure]:
    _say(
        f"Round trips and capacity units of one operation, on {running}, agreed with the items' bytes.\n"
        f"growth: the difference in any of them at {ledger.LONG:,} entries of history from those at {ledger.SHORT}"
    )
    figures = list(ledger.LedgerBench(running).figures())
    of_operations = [figure for figure in figures if figure.name.partition(".")[0] in operations.MOST]
    _say(matrix(of_operations, [*ledger.MEASURES, "growth"]))
    _say(table([figure for figure in figures if figure not in of_operations]))
    return figures


def _batch(running: Running) -> list[Figure]:
    _say(f"\n{commerce.EVENTS} purchases of {commerce.MEMBERS} members, through the queue's batches, on {running}")
    return _shown(list(commerce.figures(running)))


def _programs(running: Running) -> list[Figure]:
    _say(f"\nWhat knowing the program, and {programs.LADDERS} ladders of tiers, adds to an accrual, on {running}")
    return _shown(list(programs.figures(running)))


def _sweep(running: Running) -> list[Figure]:
    _say(f"\nA sweep where {sweep.DUE} members are due, on {running}")
    return _shown(list(sweep.figures(running)))


def _recalculation(running: Running) -> list[Figure]:
    _say(
        f"\nRecalculating the tiers of {recalculation.MEMBERS} members with {recalculation.SHORT} and with "
        f"{recalculation.LONG} entries each, and once more, on {running}"
    )
    return _shown(list(recalculation.figures(running)))


def _stock(running: Running) -> list[Figure]:
    _say(f"\n{stock.CLAIMS:,} members at once want one of the last {stock.LEFT}, on {running}")
    return _shown(list(stock.figures(running)))


def _referrals(running: Running) -> list[Figure]:
    _say(
        f"\nA generated population of honest and abusive referrals, seeds {referrals.SEEDS}, through the screening, in memory"
    )
    tuned = referrals.play(referrals.SEEDS, "seeds that weights were chosen with")
    _say(shown(referrals.by_pattern(tuned)))
    _say(f"Seeds that nothing was chosen with, {referrals.UNSEEN}")
    unseen = referrals.play(referrals.UNSEEN, "seeds that they were not chosen with")
    _say(shown(referrals.by_pattern(unseen)))
    _say(f"What one referral costs on {running}, and {referrals.HOT:,} of one code in memory")
    costs = [*coming.of_coming(running), *referrals.of_one(running), *referrals.of_a_hot_code()]
    found = [*referrals.of_population(tuned, unseen), *costs]
    return _shown(found)


def _kms(running: Running) -> list[Figure]:
    _say(f"\nCalls to KMS by {kms.EACH:,} of each, on {running}")
    return _shown(list(kms.figures(running)))


def _bulk(running: Running) -> list[Figure]:
    _say(f"\nA list of {bulk.SHORT:,} and one of {bulk.LONG:,} lines, each held once, on {running}")
    return _shown(list(bulk.figures(running)))


def _fulfillment(running: Running) -> list[Figure]:
    _say(f"\nOne gift card through the state machine, on {running}")
    return _shown(list(fulfillment.figures(running)))


def _stream(running: Running) -> list[Figure]:
    _say(
        f"\n{cdnow.PURCHASES:,} real purchases, {stream.TOLD_TWICE:.0%} told twice, shuffled within their day, in batches "
        f"of up to {stream.BATCH}:\nthe first {stream.SLICE:,} on {running}, then all of them on the engine in memory"
    )
    try:
        return _shown(list(stream.figures(running)))
    except cdnow.NotFetched as why:
        _say(f"  SKIPPED: {why}")
        return []


def _rules() -> list[Figure]:
    _say(f"\n{rules.RULES} rules for an order of {rules.LINES} lines, in units of validating that order")
    return _shown(list(rules.figures()))


def _imports(runs: int) -> list[Figure]:
    _say(
        f"\nImport of each handler as it ships over boto3 and a client: fresh processes, median of {runs} interleaved runs"
    )
    measured = imports.measure(runs)
    figures = _shown(measured.figures())
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
    return _shown(assets.figures(imports.function_names()))


def _shown(figures: list[Figure]) -> list[Figure]:
    _say(table(figures))
    return figures


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


ON_AN_ENGINE: dict[str, Callable[[Running], list[Figure]]] = {
    "ledger": _ledger,
    "programs": _programs,
    "batch": _batch,
    "sweep": _sweep,
    "recalculation": _recalculation,
    "stock": _stock,
    "referrals": _referrals,
    "kms": _kms,
    "bulk": _bulk,
    "fulfillment": _fulfillment,
    "stream": _stream,
}

if __name__ == "__main__":
    sys.exit(main())
