"""Whatever is done to a trail behind its back, verify names it; what nobody touched, it finds in order."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from loyalty.audit.links import LINK_PREFIX, SCOPE_PREFIX, SCOPES_PK, links_pk
from loyalty.audit.store import trail
from loyalty.core.table import Table
from tests.ledgerkit.clock import at
from tests.ledgerkit.trails import ACME, YEAR, Snapshot, Trails

MONDAY, TUESDAY, WEDNESDAY = (at(f"2026-03-{day}T12:00:00Z") for day in (16, 17, 18))


@pytest.fixture(scope="module")
def made() -> list[Snapshot]:
    """The trail as the first test made it; the others begin with a copy."""
    return []


@pytest.fixture
def kept(table: Table, made: list[Snapshot]) -> Trails:
    """Three days of five lines each, linked and exported; it is Wednesday evening, and Tuesday's file was written."""
    trails = Trails(table, MONDAY)
    if made:
        trails.restore(made[0])
    else:
        for day in (MONDAY, TUESDAY, WEDNESDAY):
            records = []
            for number in range(5):
                trails.clock.now = day + timedelta(minutes=number)
                records += trails.write(f"members/mbr_{number}")
            trails.link(*records)
            trails.export()
        made.append(trails.snapshot())
    trails.clock.now = WEDNESDAY + timedelta(hours=6)
    return trails


def test_what_nobody_touched_is_in_order(kept: Trails) -> None:
    proof = kept.verify()
    assert proof.findings == []
    assert (proof.scopes, proof.days, proof.lines, proof.waiting, proof.heads, proof.files) == (1, 3, 15, 0, 3, 2)
    assert kept.verify(bucket=False).findings == []


def line(kept: Trails, place: int, day: str = "2026-03-17") -> tuple[str, str]:
    lines = kept.items(f"A#{ACME}#{day}")
    return lines[place]["pk"]["S"], lines[place]["sk"]["S"]


def change_line(kept: Trails) -> None:
    item = kept.items(f"A#{ACME}#2026-03-17")[2]
    kept.put(item | {"actor": {"S": "eve"}})


def add_to_line(kept: Trails) -> None:
    item = kept.items(f"A#{ACME}#2026-03-17")[2]
    kept.put(item | {"more": {"B": b"\x00"}})


def swap_lines(kept: Trails) -> None:
    first, second = kept.items(f"A#{ACME}#2026-03-17")[1:3]
    keys = ("pk", "sk")
    kept.put(second | {name: first[name] for name in keys})
    kept.put(first | {name: second[name] for name in keys})


def chain(day: str = "2026-03-17") -> str:
    return f"AL#{ACME}#{day}"


def change_link(kept: Trails) -> None:
    item = kept.items(chain())[2]
    kept.put(item | {"line": {"S": line(kept, 4)[1]}})


def swap_links(kept: Trails) -> None:
    first, second = (item for item in kept.items(chain()) if item["sk"]["S"] in {"LINK#00000002", "LINK#00000003"})
    kept.put(second | {"sk": first["sk"]})
    kept.put(first | {"sk": second["sk"]})


def set_head(kept: Trails) -> None:
    item = kept.items(chain())[0]
    kept.put(item | {"number": {"N": "4"}})


def drop_last(kept: Trails, *, day: str, how_many: int = 2, head: bool = False) -> None:
    """Takes the last lines away with their links and marks; and if ``head``, says that the chain ends there."""
    links = [item for item in kept.items(chain(day)) if item["sk"]["S"].startswith(LINK_PREFIX)]
    for item in links[-how_many:]:
        kept.remove(f"A#{ACME}#{day}", item["line"]["S"])
        kept.remove(chain(day), item["sk"]["S"])
        kept.remove(chain(day), item["line"]["S"].replace("LINE#", "LINKED#"))
    if head:
        last = links[-how_many - 1]
        item = kept.items(chain(day))[0]
        kept.put(item | {"number": {"N": str(len(links) - how_many)}, "hash": last["hash"]})


def rewrite(kept: Trails, day: str = "2026-03-18") -> None:
    """Makes a day anew without its second line, every hash as it has to be."""
    lines = kept.items(f"A#{ACME}#{day}")
    kept.remove(*line(kept, 1, day))
    follows = kept.items(chain(day))[0]
    for item in kept.items(chain(day)):
        kept.remove(chain(day), item["sk"]["S"])
    scope = kept.items(SCOPES_PK)[0]
    kept.put(scope | {"day": follows["follows_day"]})
    kept.link(*(kept.told(one) for one in lines if one is not lines[1]))


def remove_day(kept: Trails, day: str) -> None:
    for pk in (f"A#{ACME}#{day}", chain(day)):
        for item in kept.items(pk):
            kept.remove(pk, item["sk"]["S"])


def remove_scope(kept: Trails) -> None:
    for day in ("2026-03-16", "2026-03-17", "2026-03-18"):
        remove_day(kept, day)
    kept.remove(SCOPES_PK, SCOPE_PREFIX + ACME)


@pytest.mark.parametrize(
    ("tamper", "told", "told_without_bucket"),
    [
        (lambda kept: kept.remove(*line(kept, 2)), {"line_removed", "file_differs"}, {"line_removed"}),
        (change_line, {"line_changed", "file_differs"}, {"line_changed"}),
        (add_to_line, {"line_changed", "file_differs"}, {"line_changed"}),
        (swap_lines, {"line_changed", "file_differs"}, {"line_changed"}),
        (
            lambda kept: kept.put(kept.items(f"A#{ACME}#2026-03-17")[0] | {"sk": {"S": "LINE#2026-03-17T12:00:30.000Z#0"}}),
            {"line_unlinked"},
            {"line_unlinked"},
        ),
        (
            lambda kept: kept.remove(chain(), "LINK#00000003"),
            {"link_missing", "line_unlinked", "mark_wrong", "file_differs"},
            {"link_missing", "line_unlinked", "mark_wrong"},
        ),
        (
            change_link,
            {"link_changed", "line_changed", "line_linked_twice", "line_unlinked", "mark_wrong", "file_differs"},
            {"link_changed", "line_changed", "line_linked_twice", "line_unlinked", "mark_wrong"},
        ),
        (
            swap_links,
            {"link_changed", "chain_broken", "mark_wrong", "file_differs"},
            {"link_changed", "chain_broken", "mark_wrong"},
        ),
        (set_head, {"head_wrong"}, {"head_wrong"}),
        (lambda kept: kept.remove(chain(), "HEAD"), {"head_missing"}, {"head_missing"}),
        (lambda kept: drop_last(kept, day="2026-03-18"), {"head_wrong", "chain_rewritten"}, {"head_wrong"}),
        (lambda kept: drop_last(kept, day="2026-03-18", head=True), {"chain_rewritten"}, set()),
        (
            lambda kept: drop_last(kept, day="2026-03-17", head=True),
            {"chain_rewritten", "days_not_joined", "file_differs"},
            {"days_not_joined"},
        ),
        (rewrite, {"chain_rewritten"}, set()),
        (lambda kept: remove_day(kept, "2026-03-17"), {"day_missing", "file_differs"}, {"day_missing"}),
        (lambda kept: remove_day(kept, "2026-03-18"), {"day_missing"}, {"day_missing"}),
        (remove_scope, {"day_missing", "file_differs"}, set()),
        (
            lambda kept: kept.put(kept.items(f"A#{ACME}#2026-03-17")[0] | {"sk": {"S": "NOTE"}}),
            {"item_foreign"},
            {"item_foreign"},
        ),
    ],
    ids=[
        "a line is removed", "a line is changed", "something is added to a line", "two lines are swapped",
        "a line is put in", "a link is removed", "a link is changed", "two links are swapped", "the head is changed",
        "the head is removed", "the last two go, the head stays", "the last two go, with the head",
        "the last two of an earlier day go, with the head", "the last day is made anew", "a day is removed",
        "the last day is removed", "everything is removed", "something else is put in",
    ],
)  # fmt: skip
def test_whatever_is_done_to_it_is_named(
    kept: Trails, tamper: Callable[[Trails], None], told: set[str], told_without_bucket: set[str]
) -> None:
    tamper(kept)
    assert kept.found() == told
    assert kept.found(bucket=False) == told_without_bucket


def test_a_day_that_follows_nothing_is_named(kept: Trails) -> None:
    """Somebody made Tuesday anew as the first day there ever was, and Wednesday behind it."""
    days = {day: kept.items(f"A#{ACME}#{day}") for day in ("2026-03-17", "2026-03-18")}
    for day in days:
        for item in kept.items(chain(day)):
            kept.remove(chain(day), item["sk"]["S"])
    kept.remove(SCOPES_PK, SCOPE_PREFIX + ACME)
    kept.link(*(kept.told(one) for lines in days.values() for one in lines))
    assert kept.found(bucket=False, start=MONDAY.date()) == {"days_not_joined"}
    assert kept.found() == {"days_not_joined", "chain_rewritten", "file_differs"}


def test_a_removed_day_is_named_also_where_it_is_the_only_one_asked_for(kept: Trails) -> None:
    remove_day(kept, "2026-03-17")
    (missing, *_) = [one for one in kept.verify(start=WEDNESDAY.date()).findings if one.kind == "day_missing"]
    assert missing.day == TUESDAY.date()


def test_a_finding_names_the_line(kept: Trails) -> None:
    _, sk = line(kept, 2)
    change_line(kept)
    (found,) = kept.verify(bucket=False).findings
    assert (found.scope, found.day, found.what) == (ACME, TUESDAY.date(), sk)
    assert found.detail == "it is not what link 3 was made of"


@pytest.mark.parametrize("kind", ["heads", "days"])
def test_what_is_hidden_in_the_bucket_is_named(kept: Trails, kind: str) -> None:
    file = next(key for key in kept.archive.stored if key.startswith(f"{kind}/"))
    kept.archive.hidden[file] = kept.archive.put_at[file] + YEAR - timedelta(seconds=1)
    assert kept.found() == {"file_hidden"}


def test_a_file_that_is_none_is_named(kept: Trails) -> None:
    key = next(key for key in kept.archive.stored if key.startswith("days/"))
    kept.archive.stored[key].append(b"nothing")
    assert kept.found() == {"file_differs"}


def test_a_new_line_may_still_be_linked_and_an_old_one_may_not(kept: Trails) -> None:
    kept.write("members/mbr_late")
    assert (kept.verify().waiting, kept.found()) == (1, set())
    kept.clock.now += timedelta(minutes=15)
    assert (kept.verify().waiting, kept.found()) == (0, {"line_unlinked"})
    assert kept.chains.catch_up(ACME, WEDNESDAY.date()) == 1
    assert kept.found() == set()


def test_a_line_that_came_late_to_a_day_makes_another_file_of_it(kept: Trails) -> None:
    kept.clock.now = TUESDAY + timedelta(hours=11)
    kept.grow("members/mbr_late")
    kept.clock.now = WEDNESDAY + timedelta(hours=7)
    assert kept.found() == set()
    assert kept.export().days == 1
    assert kept.found() == set()
    assert kept.verify().files == 3
    kept.remove(*line(kept, 5))
    assert kept.found() == {"line_removed", "file_differs"}


def test_days_without_an_act_are_no_gap_and_scopes_are_apart(table: Table) -> None:
    trails = Trails(table, MONDAY)
    trails.grow("a")
    trails.grow("people/ann", scope="_platform")
    trails.clock.now = WEDNESDAY
    trails.grow("b")
    trails.export()
    assert trails.found(start=MONDAY.date() - timedelta(days=3)) == set()
    assert trails.verify().scopes == 2
    kept = trails.chains.head("_platform", MONDAY.date())
    assert kept is not None
    assert kept.number == 1
    assert trails.items(links_pk(ACME, WEDNESDAY.date()))[0]["follows_day"]["S"] == "2026-03-16"


def test_lines_say_who_what_before_after_and_from_where(table: Table) -> None:
    trails = Trails(table, MONDAY)
    trails.grow("members/mbr_1")
    (raw,) = trails.items(trail(ACME, MONDAY.date()))
    said = {name: value["S"] for name, value in raw.items() if name not in {"pk", "sk"}}
    assert said == {
        "action": "member.greeted", "target": "members/mbr_1", "at": "2026-03-16T12:00:00.000Z", "actor": "ann",
        "by": "client:desk", "address": "192.0.2.7", "request_id": "req-1", "before": '{"was":1}', "after": '{"is":2}',
    }  # fmt: skip
