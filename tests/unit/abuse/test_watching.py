"""From doings to cases and holds: once for each, in any order, of whom the member was merged into."""

from datetime import timedelta

import pytest

from loyalty.abuse.clients import ClientSignal, window_of
from loyalty.abuse.errors import RedemptionsOnHold
from loyalty.abuse.model import Severity, State
from loyalty.abuse.watch import Kind
from loyalty.core.table import Table
from tests.ledgerkit.moves import ADA, BOB
from tests.unit.abuse.watched import ANN, CLOSE, Watched


@pytest.fixture
def watched(table: Table) -> Watched:
    return Watched(table)


def test_a_spike_opens_a_case_and_holds_the_member(watched: Watched) -> None:
    before = [watched.see(watched.note(Kind.ACCRUAL, str(number))) for number in range(2)]
    assert [seen.case for seen in before] == [None, None]
    assert not watched.world.book(ADA).on_hold
    seen = watched.see(watched.note(Kind.ACCRUAL, "2"))
    assert seen.case is not None
    case = watched.case()
    assert (case.state, case.on_hold, case.severity) == (State.OPEN, True, Severity.HIGH)
    (evidence,) = case.evidence
    assert (evidence.signal, evidence.counted, evidence.references) == ("many_accruals", 3, ("0", "1", "2"))
    assert watched.world.book(ADA).on_hold
    assert [one.member_id for one in watched.store.page("acme", limit=10).items] == [ADA]
    assert watched.lines() == ["risk.flagged"]
    assert watched.world.audit() == []


def test_a_duplicate_changes_nothing(watched: Watched) -> None:
    watched.see(watched.note(Kind.ACCRUAL, "0"))
    watched.see(watched.note(Kind.ACCRUAL, "1"))
    before = watched.world.dump()
    for reference in ("0", "1", "0"):
        assert not watched.see(watched.note(Kind.ACCRUAL, reference)).counted
    assert watched.world.dump() == before


def test_a_case_is_told_once_of_each_signal(watched: Watched) -> None:
    assert watched.spike().case is not None
    revision = watched.case().revision
    assert watched.see(watched.note(Kind.ACCRUAL, "more")).case is None
    assert watched.case().revision == revision
    reveals = [watched.see(watched.note(Kind.REVEAL, str(number))) for number in range(3)]
    assert [seen.case is not None for seen in reveals] == [False, False, True]
    assert [one.signal for one in watched.case().evidence] == ["many_accruals", "many_reveals"]


def test_a_rule_that_flags_holds_nobody(table: Table) -> None:
    watched = Watched(table, abuse={"accrual_spike": {"hours": 2, "count": 3}})
    watched.spike()
    assert (watched.case().on_hold, watched.case().severity) == (False, Severity.LOW)
    assert not watched.world.book(ADA).on_hold
    watched.world.hold("k", member=ADA)
    assert watched.world.audit() == []


def test_what_was_looked_at_does_not_flag_again_and_what_is_new_does(watched: Watched) -> None:
    watched.spike()
    watched.cases.release("acme", ADA, ANN, "called_back", second_person=False)
    watched.world.clock.now += timedelta(seconds=1)
    assert watched.see(watched.note(Kind.ACCRUAL, "late", minutes=-5)).case is None
    assert watched.case().state is State.RELEASED
    watched.see(watched.note(Kind.ACCRUAL, "new 1"))
    watched.see(watched.note(Kind.ACCRUAL, "new 2"))
    assert watched.see(watched.note(Kind.ACCRUAL, "new 3")).case is not None
    assert (watched.case().state, watched.world.book(ADA).on_hold) == (State.OPEN, True)


def test_who_was_merged_into_another_flags_that_one(watched: Watched) -> None:
    watched.moves.merge(BOB, into=ADA)
    seen = watched.spike(BOB)
    assert seen.case is not None
    assert seen.case.member_id == ADA
    assert watched.world.book(ADA).on_hold
    assert not watched.see(watched.note(Kind.ACCRUAL, "2"), member=BOB).counted
    with pytest.raises(RedemptionsOnHold):
        watched.world.hold("k", member=ADA)
    assert watched.world.audit() == []


class TestClients:
    def suspected(self, watched: Watched) -> list[tuple[str, str]]:
        rows = [raw for (_, sk), raw in watched.world.dump().items() if sk == "SUSPECTED"]
        return [(raw["client_id"]["S"], raw["counted"]["N"]) for raw in rows]

    def test_reveals_count_for_their_client_once(self, watched: Watched) -> None:
        notes = [watched.note(Kind.REVEAL, f"rdm:{number}") for number in range(5)]
        members = [ADA, BOB, ADA, BOB, ADA]
        for note, member in zip(notes[:4], members, strict=False):
            assert not watched.see(note, member=member, client="app").suspected
            assert not watched.see(note, member=member, client="app").suspected
        assert self.suspected(watched) == []
        assert watched.see(notes[4], client="app").suspected
        assert self.suspected(watched) == [("app", "5")]
        assert not watched.see(notes[4], client="app").suspected, "once in a window"

    def test_a_window_ends_and_the_next_begins_from_nothing(self, watched: Watched) -> None:
        """Noon to one o'clock."""
        noon = watched.world.clock()
        last = noon + timedelta(minutes=60) - timedelta(milliseconds=1)
        windows = [window_of(watched.rules, "acme", "app", ClientSignal.MEMBERS, at) for at in (noon, last)]
        assert windows[0] == windows[1]
        following = window_of(watched.rules, "acme", "app", ClientSignal.MEMBERS, noon + timedelta(minutes=60))
        assert (following.since, following.minutes) == (noon + timedelta(minutes=60), 60)
        for _ in range(4):
            assert not watched.clients.miss(windows[0], noon)
        assert not watched.clients.miss(following, noon)
        assert [watched.clients.counted(one) for one in (windows[0], following)] == [4, 1]
        assert watched.clients.miss(windows[0], noon)
        assert not watched.clients.miss(windows[0], noon)
        assert self.suspected(watched) == [("app", "5")]

    def test_windows_are_of_the_day(self, watched: Watched) -> None:
        """Of 1,000 minutes, a day has one and the beginning of another."""
        rules = type(watched.rules).model_validate(CLOSE | {"misses_of_client": {"minutes": 1_000}})
        evening = watched.world.clock() + timedelta(hours=8)
        window = window_of(rules, "acme", "app", ClientSignal.CODES, evening)
        assert window.since.isoformat() == "2026-03-15T16:40:00+00:00"
