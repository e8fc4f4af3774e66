"""Every code of the proof is planted by a test, and explained to operators; and no other."""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

from loyalty.ledger import verify
from tests.unit.ledger import (
    test_verify,
    test_verify_dues,
    test_verify_holds,
    test_verify_pairs,
    test_verify_records,
    test_verify_reversals,
    test_verify_rules,
    test_verify_sums,
    test_verify_tiers,
)

RUNBOOK = Path(__file__).parents[3] / "docs" / "runbooks" / "ledger-findings.md"
PACKAGE = Path(verify.__file__).parent
TABLES: list[Mapping[str, tuple[Any, Iterable[str]]]] = [
    test_verify.CHANGED,
    test_verify_dues.PLANTED,
    test_verify_holds.PLANTED,
    test_verify_pairs.PLANTED,
    test_verify_records.PLANTED,
    test_verify_reversals.PLANTED,
    test_verify_rules.RULES,
    test_verify_sums.PLANTED,
    test_verify_tiers.PLANTED,
]
BY_THEMSELVES = {
    # Planted in test_verify_records and test_verify_dues, one by one.
    "wallet_missing",
    "wallet_unreadable",
    "entry_unreadable",
    "record_unreadable",
    "due_missing",
    "due_needless",
    "due_at_wrong",
    "due_shard_wrong",
    # Planted in tests/unit/accruals/test_limits.py.
    "budget_wrong",
    # Planted in tests/unit/stock/test_verify.py.
    "stock_restocked_wrong",
    "stock_claimed_wrong",
    "stock_returned_wrong",
    "stock_left_wrong",
    "stock_oversold",
    "end_to_other_stock",
    # Planted in tests/unit/abuse/test_cases.py.
    "wallet_on_hold_wrong",
    # Planted in tests/unit/rewards/test_limits.py.
    "limits_wrong",
    # Planted in tests/unit/referrals/test_verify.py.
    "referral_forgotten",
    "referral_one_sided",
    "referral_reward_kept",
    "referral_reward_wrong",
    "referral_reward_unsaid",
    "referral_reversal_one_sided",
    "referrals_count_wrong",
}
PLACES = {"Problem": 0, "_once": 0, "_at": 1}
"""Of the calls that make a problem: which argument is its code, or has it first."""


def planted() -> set[str]:
    expected = [set(codes) for table in TABLES for _, codes in table.values()]
    return set(chain.from_iterable(expected)) | BY_THEMSELVES


def explained() -> set[str]:
    before, _, _ = RUNBOOK.read_text().partition("`detail` names both sides")
    cells = "\n".join(line.split("|")[1] for line in before.splitlines() if line.startswith("| `"))
    return {*re.findall(r"`([a-z_]+)`", cells), "record_unreadable"}


def written(tree: ast.AST) -> Iterator[str]:
    """Codes that stand in the source as they are."""
    for node in ast.walk(tree):
        name = node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else None
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            name = node.func.attr
        if isinstance(node, ast.Call) and name in PLACES and len(node.args) > PLACES[name]:
            code = node.args[PLACES[name]]
            first = code.elts[0] if isinstance(code, ast.Tuple) else code
            if isinstance(first, ast.Constant):
                yield str(first.value)


def test_every_code_is_planted_and_explained() -> None:
    assert planted() == explained()


def test_no_other_is_in_the_source() -> None:
    found = {code for path in PACKAGE.glob("*.py") for code in written(ast.parse(path.read_text()))}
    assert len(found) > 50
    assert found <= planted()
