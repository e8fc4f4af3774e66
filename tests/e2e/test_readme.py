"""What the README and the pages on security tell a newcomer to type works as printed."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.local.cloud import LocalCloud
from infra.local.envfile import write_env
from tests.e2e.partner import Partner, eventually

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]


def documents(text: str) -> Iterator[Any]:
    """The JSON documents that stand one after the other."""
    while text := text.strip():
        document, end = json.JSONDecoder().raw_decode(text)
        yield document
        text = text[end:]


def shell(page: Path) -> list[str]:
    """The page's blocks that call the API."""
    return [block for block in blocks(page.read_text()) if "curl" in block]


def blocks(text: str) -> list[str]:
    """What is to be typed into a shell."""
    return re.findall(r"```sh\n(.*?)```", text, re.DOTALL)


def section(title: str) -> list[str]:
    """The blocks of a part of the README."""
    _, _, after = (ROOT / "README.md").read_text().partition(f"# {title}\n")
    return blocks(re.split(r"^##", after, maxsplit=1, flags=re.MULTILINE)[0])


def typed(cloud: LocalCloud, folder: Path, *lines: str) -> str:
    """What a shell prints that has these blocks typed into it."""
    write_env(folder / ".local" / "env", cloud.variables)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "\n".join(lines)],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_curl_lines_work_as_printed(cloud: LocalCloud, tmp_path: Path) -> None:
    first, (ask, look) = section("Try it")[-1], section("A gift card, from request to code")
    assert first.startswith("source .local/env\n")
    accrual, redemption, wallet, statement = documents(typed(cloud, tmp_path, first))
    assert accrual["points"] == 105
    assert redemption["status"] == "held"
    assert (wallet["available"], wallet["held"]) == (55, 50)
    assert [entry["points"] for entry in statement["items"]] == [-50, 105]

    asked = typed(cloud, tmp_path, first, ask)
    address = asked.splitlines()[-1]
    assert address.startswith(f"{cloud.platform.console_url}/{cloud.program}/runs/rdm_")
    run = f"/fulfillment-runs/{address.rpartition('/')[2]}"
    # The page's approval has a test of its own (test_gift_card); here another client stands for the person.
    scopes = ["finance.read", "finance.approve"]
    client_id, secret = cloud.new_client("finance-desk", scopes, [cloud.program])
    desk = Partner(cloud, cloud.token(*scopes, client_id=client_id, client_secret=secret))

    def stands(status: str) -> bool | None:
        answer = desk.call("GET", run)
        return (answer.status_code == 200 and answer.json()["run"]["status"] == status) or None

    eventually("a run that waits", lambda: stands("awaiting_approval"))
    approved = desk.call("POST", f"{run}/approve", {})
    assert approved.status_code == 200, approved.text
    eventually("a card", lambda: stands("fulfilled"))
    *_, card, detail, totals = documents(typed(cloud, tmp_path, first, ask, look).replace(address, ""))
    assert card["link"].startswith("http")
    assert [step["name"] for step in detail["timeline"]][-1] == "capture"
    assert sum(line["issued"] for line in totals["days"][0]["lines"]) >= 1


SOON = """soon() {
  for _ in {1..90}; do eval "$1" | grep -E "$2" > /dev/null && return; sleep 1; done
  echo "a minute and more went by without $2 in $1" >&2; return 1
}
"""
"""A moment later, as the README says: once a command prints something."""


def test_friends_by_a_link_and_three_cheats(cloud: LocalCloud, partner: Partner, tmp_path: Path) -> None:
    (tmp_path / ".venv").symlink_to(sys.prefix)
    share, see, cheat, queue, approve = section("A friend, by a link")
    _, reviews, _, evidence = queue.splitlines()
    brought = "soon 'get members/$MEMBER/referrals' '\"rewarded\": ?2'\n"
    waits = f"soon '{reviews}' $EVE; soon '{reviews}' $TRENT; soon '{evidence}' rejected\n"
    paid = "soon 'get members/$EVE/referral' '\"rewarded\"'\nget members/$EVE/wallet\necho $EVE $TRENT $SELF\n"
    begin = section("Try it")[-1] + SOON + f"MEMBER={partner.enroll()['member_id']}\n"
    parts = [begin, share, brought + see, cheat, waits + queue, approve, paid]
    printed = typed(cloud, tmp_path, "\necho -----\n".join(parts))
    _, shared, seen, cheated, queued, approved, last = printed.split("-----\n")

    where, _, bought = shared.partition("\n")
    assert where.startswith("https://aurora.example/join?")
    assert "&click=clk_" in where
    assert [each["points"] for each in documents(bought)] == [60, 60]
    brings, wallet, came, friend = documents(seen)
    assert [(each["status"], each["points"]) for each in brings["items"]] == [("rewarded", 100)] * 2
    assert (wallet["available"], came["status"], came["points"], friend["available"]) == (200, "rewarded", 50, 110)
    claimed, *purchases = documents(cheated)
    assert [claimed["status"], *(each["points"] for each in purchases)] == ["pending", 60, 60, 60, 60]

    eve, trent, itself = last.splitlines()[-1].split()
    told, waiting = next(documents(queued)), queued.partition("\n")[2]
    assert [each["status"] for each in told["items"]] == ["pending"] * 3
    rows = {line.split()[0]: line.split()[-2:] for line in waiting.splitlines() if line.strip().startswith("mbr_")}
    assert (rows[eve], rows[trent]) == (["60", "same_device"], ["40", "in_circle"])
    assert f"{itself}: rejected" in waiting
    assert "has the referrer's mailbox, but for dots and tags" in waiting
    assert approved.startswith(f"{eve}: qualified")
    assert next(documents(last))["available"] == 110


def test_the_lines_of_the_privacy_page_work_as_printed(cloud: LocalCloud, partner: Partner, tmp_path: Path) -> None:
    folder = ROOT / "docs" / "security"
    (setup,) = shell(folder / "README.md")
    (tmp_path / ".venv").symlink_to(sys.prefix)
    answers = list(
        documents(typed(cloud, tmp_path, setup, *shell(folder / "privacy.md"), 'echo; echo "\\"$MEMBER\\""'))
    )
    consent, consents, preferences, export, asked, approved, _, member = answers
    assert (consent["given"], consents["purposes"][0]["allowed"]) == (True, True)
    assert preferences["purposes"][0]["in_force"] == ["email"]
    assert export["status"] in {"running", "ready"}
    assert (asked["status"], approved["decided_by"]) == ("asked", "staff-4")

    def erased() -> bool | None:
        return partner.call("GET", f"/members/{member}/erasure").json()["status"] == "erased" or None

    eventually("an erasure", erased)
