"""The generated population and how it is played: nothing of who cheats is known to what is screened, and chance alone differs."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from loyalty.attribution.model import Verdict
from tests.referralkit import abusive, honest
from tests.referralkit.matrix import all_of, rows, shown
from tests.referralkit.people import START, Coming, Draw, Event, Purchase
from tests.referralkit.playing import Decision, Played, memory_table, population

Pattern = Callable[[Draw], None]
PATTERNS = [pattern for groups in (honest.HONEST, abusive.ABUSIVE) for pattern, _ in groups]
SMALL: list[Pattern] = [
    honest.regulars,
    honest.family,
    honest.evening,
    abusive.own_mailbox,
    abusive.second_phone,
    abusive.circle,
    abusive.comeback,
]


def drawn(patterns: list[Pattern], seed: int = 7) -> list[Event]:
    draw = Draw.of(seed)
    for pattern in patterns:
        pattern(draw)
    return draw.events


def test_there_are_patterns_enough_on_either_side() -> None:
    assert len(abusive.ABUSIVE) >= 8
    assert len(honest.HONEST) >= 8
    by_side = {one.pattern: one.abusive for one in drawn(PATTERNS) if isinstance(one, Coming) and one.referrer}
    assert sum(by_side.values()) == len(abusive.ABUSIVE)
    assert len(by_side) == len(abusive.ABUSIVE) + len(honest.HONEST)


def test_a_seed_is_a_population() -> None:
    assert population(5) == population(5)
    assert population(5) != population(6)


def test_the_same_people_are_decided_on_in_the_same_way_under_other_keys() -> None:
    """Each play has a lookup key of its own, so that no digest is the same: only what is alike counts."""
    first, again = (Played(drawn(SMALL)).run() for _ in range(2))
    assert first == again
    assert {one.screened.verdict for one in first if one.screened} == set(Verdict)


def test_the_table_does_not_know_who_cheats() -> None:
    table = memory_table()
    decisions = Played(drawn(SMALL), table=table).run()
    # What screening said has the names of signals, of which a pattern may have one.
    items = [str({name: raw[name] for name in raw.keys() - {"screened", "looked"}}) for raw in table.scan()]
    words = {one.coming.pattern for one in decisions} | {"abus", "honest", "pattern"}
    assert len(items) > 100
    assert [word for word in words for item in items if word in item] == []


def test_who_cheats_is_drawn_as_everybody_is() -> None:
    """Ids and the names of mailboxes say nothing: one draw makes them all."""
    draw = Draw.of(3)
    for _ in range(200):
        draw.member()
        abusive.strangers(draw)
    people = [one for one in draw.events if isinstance(one, Coming)]
    for attribute in ("payment", "device", "address"):
        known = [
            sum(getattr(one.person, attribute) is not None for one in people if one.abusive is side)
            / sum(one.abusive is side for one in people)
            for side in (True, False)
        ]
        assert known[0] == pytest.approx(known[1], abs=0.08)
    assert len({one.person.member_id for one in people}) == len({one.person.email for one in people}) == len(people)


def test_the_matrix_counts_who_came_to_a_payment() -> None:
    draw = Draw.of(1)
    ada = draw.member(email="ada@gmail.com", ip=None, address=None).person.member_id
    bought = Purchase(timedelta(days=1), 5_000)
    in_time, late = (Purchase(timedelta(days=1), 5_000, timedelta(days=days)) for days in (13, 15))
    for place, (email, purchase, cheats) in enumerate(
        [
            ("bob@web.de", bought, False),
            ("eve@web.de", None, False),
            ("joe@web.de", in_time, False),
            ("kim@web.de", late, False),
            ("a.da@gmail.com", bought, True),
            ("ada@gmail.com", bought, True),
        ]
    ):
        person = draw.person(email=email, ip=None, address=None, payment=None, device=None)
        at = START + timedelta(days=9 * place)
        draw.comes(person, at, ada, purchase=purchase, pattern="hand made", abusive=cheats)
    decisions = Played(draw.events).run()
    good, bad = (all_of(decisions, abusive=cheats) for cheats in (False, True))
    assert (good.came, good.decided, good.accepted, good.stopped) == (4, 2, 2, 0.0)
    assert (bad.came, bad.decided, bad.rejected, bad.stopped) == (2, 2, 2, 1.0)
    assert (good.stopped_by_equality, bad.stopped_by_equality) == (0.0, 0.5)
    assert [row.name for row in rows(decisions)] == ["hand made", "hand made"]
    assert "100.0%" in shown([bad])


def test_of_nobody_nothing_is_said() -> None:
    nobody: list[Decision] = []
    assert (all_of(nobody, abusive=True).stopped, rows(nobody)) == (0.0, [])
