"""How long each function's handler takes to import in a fresh process, in units of importing boto3 with one client.

What is imported is what ships: the bundled layers and function, built for this machine's Python. The baseline is boto3
as pip installs it. A ratio within one run says the same on any machine; the runs of all functions are interleaved, so
that whatever else the machine does falls on all of them alike.
"""

import json
import os
import statistics
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import loyalty_contract as contract
from infra.bundling import LOCAL, Builder
from tests.bench.figures import Figure

ROOT: Final = Path(__file__).parents[2]
FUNCTIONS: Final = ROOT / "functions"
EVENT_FUNCTIONS: Final = frozenset(
    {
        "accrual_events",
        "tier_recalculation",
        "recalculation",
        "sweeper",
        "publisher",
        "fulfillment_start",
        "fulfillment",
        "abuse_watch",
        "referral_events",
        "referral_clock",
    }
)
API_BOUND: Final = 1.8
EVENT_BOUND: Final = 1.5
GOAL: Final = 1.3

# Processor time: importing waits for little else, and other processes on the machine do not count.
_TIMED: Final = "import time; start = time.process_time(); {}; print(time.process_time() - start)"
_BASELINE: Final = "import boto3; boto3.client('dynamodb')"


@dataclass(frozen=True)
class Imports:
    """Medians of one run."""

    baseline_seconds: float
    ratios: dict[str, float]

    def figures(self) -> list[Figure]:
        return [
            Figure(
                f"import_ratio.{name}",
                round(ratio, 3),
                "x boto3",
                EVENT_BOUND if name in EVENT_FUNCTIONS else API_BOUND,
            )
            for name, ratio in self.ratios.items()
        ]


def function_names() -> list[str]:
    return sorted(folder.parent.name for folder in FUNCTIONS.glob("*/handler.py"))


@cache
def _paths() -> dict[str, str]:
    """PYTHONPATH of each function, in the order in which Lambda has it."""
    names = function_names()
    built = Builder(LOCAL).build(names)
    layers = [str(asset.folder / "python") for asset in (built.dependencies, built.library)]
    return {name: os.pathsep.join([*layers, str(built.functions[name].folder)]) for name in names}


def measure(runs: int) -> Imports:
    """The median of so many interleaved ratios for each function; one run before them warms the file cache."""
    names = list(_paths())
    ratios: dict[str, list[float]] = {name: [] for name in names}
    baselines: list[float] = []
    for run in range(runs + 1):
        baseline = _seconds(_BASELINE, "")
        times = {name: _seconds(_import_of(name), path) for name, path in _paths().items()}
        if run:
            baselines.append(baseline)
            for name, seconds in times.items():
                ratios[name].append(seconds / baseline)
    return Imports(statistics.median(baselines), {name: statistics.median(found) for name, found in ratios.items()})


def contributors(name: str, most: int = 6) -> list[tuple[str, float]]:
    """The packages whose own modules take longest while the function is imported, in milliseconds."""
    shown = _run(["-X", "importtime", "-c", _import_of(name)], _paths()[name]).stderr
    totals: Counter[str] = Counter()
    for line in shown.splitlines():
        if line.startswith("import time:") and "self [us]" not in line:
            own, _, module = line.removeprefix("import time:").split("|")
            parts = module.strip().split(".")
            package = ".".join(parts[:2]) if parts[0] in {"loyalty", "functions"} else parts[0]
            totals[package] += int(own)
    return [(package, microseconds / 1000) for package, microseconds in totals.most_common(most)]


def _import_of(name: str) -> str:
    return f"import functions.{name}.handler"


def _seconds(statement: str, path: str) -> float:
    return float(_run(["-c", _TIMED.format(statement)], path).stdout)


def _run(arguments: list[str], path: str) -> subprocess.CompletedProcess[str]:
    # Not in the repository's root, where the sources would be found before what was built of them.
    return subprocess.run(
        [sys.executable, "-P", *arguments],
        cwd=FUNCTIONS,
        env={**_environment(), "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )


def _environment() -> dict[str, str]:
    """All that any function is told: names and addresses that nothing at import time calls."""
    arn = f"arn:aws:service:eu-south-1:{'0' * 12}:thing"
    ours = {name: arn for name in vars(contract) if name.startswith("ENV_")}
    return {
        **{getattr(contract, name): value for name, value in ours.items()},
        contract.ENV_TABLE: "loyalty",
        contract.ENV_STAGE: "bench",
        contract.ENV_SUPPLIERS: json.dumps({"tremendous": {"url": "http://127.0.0.1:9", "secret": arn}}),
        contract.ENV_SUPPLIER_SECRETS: json.dumps({"tremendous": arn}),
        contract.ENV_FULFILLMENT: "{}",
        contract.ENV_INBOUND_DLQ: "http://127.0.0.1:9/queue",
        contract.ENV_DEFAULT_PROGRAM: "aurora",
        "POWERTOOLS_SERVICE_NAME": "bench",
        "POWERTOOLS_METRICS_NAMESPACE": contract.METRICS_NAMESPACE,
        "AWS_DEFAULT_REGION": "eu-south-1",
        "AWS_REGION": "eu-south-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_EC2_METADATA_DISABLED": "true",
        "PATH": os.environ["PATH"],
        "HOME": os.environ.get("HOME", "/"),
    }
