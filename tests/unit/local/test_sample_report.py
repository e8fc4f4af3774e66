"""What the sample day prints: commands that a shell takes, a statement in the order of its balance, links that answer."""

import io
import re
import subprocess
from typing import Any

from rich.console import Console

from infra.local.sample_access import Access
from infra.local.sample_player import Day, Standing
from infra.local.sample_report import show, what_to_try
from infra.local.sample_script import Script

ACCESS = Access(
    api="http://127.0.0.1:1/api", token_url="http://127.0.0.1:1/token", client_id="c", client_secret="s",
    program="aurora", bus="bus", region="us-east-1", supplier="http://127.0.0.1:4999",
)  # fmt: skip


def entry(seq: int, points: int, occurred_at: str, posted_at: str) -> dict[str, Any]:
    moved = {"entry_id": f"accrual:pos:{seq}", "seq": seq, "points": points}
    return moved | {"kind": "accrual", "activity": "purchase", "occurred_at": occurred_at, "posted_at": posted_at}


def printed(*entries: dict[str, Any]) -> str:
    balance = sum(each["points"] for each in entries)
    wallet = {"available": balance, "held": 0, "tier": "base"}
    console = Console(file=io.StringIO(), width=120)
    show(Day(Script.load(), [Standing("nora", "Nora", "m-1", wallet, list(entries))]), console)
    return str(console.file.getvalue())  # type: ignore[attr-defined]


def test_commands_are_short_lines_that_a_shell_takes() -> None:
    text = what_to_try("m-1", "Nora Lindqvist")
    assert max(map(len, text.splitlines())) <= 120
    checked = subprocess.run(["bash", "-n"], input=text, capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stderr) == (0, "")
    assert "MEMBER=m-1\n" in text
    assert "# Nora Lindqvist's wallet" in text


def test_each_command_that_goes_on_says_so_and_none_ends_in_a_stray_backslash() -> None:
    lines = what_to_try("m-1", "Nora").splitlines()
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        assert line.endswith("\\") == bool(re.match(r"  -[Hd] ", following)), line


def test_what_a_referral_brought_is_said_of_both_sides() -> None:
    told = {"activity": "referral", "channel": "whatsapp"}, {"activity": "referred"}
    lines = [entry(number, 100, "2026-11-20T09:00:00.000Z", "2026-11-22T04:00:01.100Z") for number in (1, 2)]
    text = printed(*(line | more for line, more in zip(lines, told, strict=True)))
    assert re.search(r"Brought a friend \(whatsapp\) .* \+100 .* 100 ", text)
    assert re.search(r"Came by a friend .* \+100 .* 200 ", text)


def test_lines_of_a_statement_bear_the_time_that_they_were_posted_in() -> None:
    text = printed(
        entry(1, 100, "2026-11-20T09:00:00.000Z", "2026-11-22T04:00:01.100Z"),
        entry(2, 50, "2026-11-19T09:00:00.000Z", "2026-11-22T04:00:02.200Z"),
    )
    assert re.findall(r"2026-11-\d\d \d\d:\d\d:\d\d", text) == ["2026-11-22 04:00:01", "2026-11-22 04:00:02"]
    assert re.findall(r"\+\d+ .* (\d+) ", text) == ["100", "150"]


def test_a_link_of_the_sandbox_leads_to_where_it_listens_now() -> None:
    assert ACCESS.reachable("http://127.0.0.1:4570/rewards/payout/abc") == "http://127.0.0.1:4999/rewards/payout/abc"


def test_a_link_of_a_real_supplier_stays_as_it_is() -> None:
    link = "https://reward.example.com/rewards/payout/abc?x=1"
    assert ACCESS.reachable(link) == link
