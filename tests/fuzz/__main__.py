"""``make fuzz N=2000 [SEED=…]``: starts a local cloud, sends at least so many generated requests, tells what came of them.

It goes on with the next seed until it has sent enough. The exit code is 0 only if every check held.
"""

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path

from infra.local.cloud import LocalCloud, synthesize
from infra.routes import ROUTES
from tests.e2e.victims import Tenant
from tests.fuzz.run import Outcome, Target, run

EXAMPLES = 10
"""Of each operation and phase, in one round."""


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="tests.fuzz", description=__doc__)
    parser.add_argument("cases", type=int, nargs="?", default=2_000, help="requests to send, at least")
    parser.add_argument("--seed", type=int, default=0, help="of the first round")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        synthesize(folder / "cdk.out")
        with LocalCloud(folder / "cloud", assembly=folder / "cdk.out", report=print) as cloud:
            tenant = Tenant(cloud, folder, "fuzz")
            target = Target(cloud.api_url, tenant.token(), tenant.ids | {"program": tenant.program})
            failed = _rounds(target, folder, arguments.cases, arguments.seed)
    return 1 if failed else 0


def _rounds(target: Target, folder: Path, cases: int, seed: int) -> bool:
    sent, failed = 0, False
    answers: dict[str, Counter[int]] = {}
    while sent < cases:
        outcome = run(target, folder / f"seed-{seed}", seed=seed, examples=EXAMPLES)
        print(
            f"seed {seed}: {outcome.cases} requests, {'FAILED' if outcome.failed else 'every check held'}", flush=True
        )
        if outcome.failed or not outcome.cases:
            print(outcome.told)
            failed = True
            break
        _add(answers, outcome)
        sent, seed = sent + outcome.cases, seed + 1
    _tell(answers)
    return failed


def _add(answers: dict[str, Counter[int]], outcome: Outcome) -> None:
    for route, found in outcome.answers.items():
        answers.setdefault(route, Counter()).update(found)


def _tell(answers: dict[str, Counter[int]]) -> None:
    """A line for each route of the document; other methods and paths, which are tried too, together."""
    named = [f"{route.method} {route.path}" for route in ROUTES]
    others = sum((found for route, found in answers.items() if route not in named), Counter[int]())
    for route in named:
        print(f"{_told(answers.get(route, Counter())):60} {route}")
    print(f"{_told(others):60} methods and paths that the document does not have")
    everything = sum(answers.values(), Counter[int]())
    print(f"{everything.total()} requests: {_told(everything)}")


def _told(found: Counter[int]) -> str:
    return " ".join(f"{status}:{number}" for status, number in sorted(found.items())) or "none"


if __name__ == "__main__":
    sys.exit(main())
