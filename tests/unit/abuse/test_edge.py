"""Misses at the edge: what counts, whose it is, and that a count that fails costs nobody their answer."""

import json
from typing import Any

import pytest

from loyalty.abuse.clients import ClientCounts, ClientSignal, Window, window_of
from loyalty.abuse.edge import Misses
from loyalty.core.table import Table
from tests.unit.abuse.watched import Watched


class Edge:
    """Answers of a function to the client ``app``, which is bound to the program."""

    def __init__(self, table: Table) -> None:
        self.watched = Watched(table)
        self.watched.programs.clients.bind("app", {"acme"})
        self.misses = Misses(table, self.watched.programs, self.watched.world.clock)

    def answers(self, status: int, body: object, *, program: str | None = "acme", client: str | None = "app") -> None:
        answer: dict[str, Any] = {"statusCode": status, "body": json.dumps(body)}
        self.misses.answered(program, client, answer)

    def counted(self) -> dict[str, int]:
        now = self.watched.world.clock()
        windows = [window_of(self.watched.rules, "acme", "app", signal, now) for signal in ClientSignal]
        counts = {window.signal.value: self.watched.clients.counted(window) for window in windows}
        return {signal: number for signal, number in counts.items() if number}


@pytest.fixture
def edge(table: Table) -> Edge:
    return Edge(table)


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (404, "member_not_found", {"members_not_found": 1}),
        (422, "referral_code_unknown", {"codes_unknown": 1}),
        (409, "already_enrolled", {"already_enrolled": 1}),
        (404, "redemption_not_found", {}),
        (409, "insufficient_points", {}),
        (500, "internal_error", {}),
    ],
)
def test_misses_are_counted_and_nothing_else_writes(
    edge: Edge, status: int, code: str, expected: dict[str, int]
) -> None:
    before = edge.watched.world.dump()
    edge.answers(status, {"code": code})
    assert edge.counted() == expected
    assert (edge.watched.world.dump() != before) == bool(expected)


def test_an_answer_that_is_none_costs_nothing(edge: Edge) -> None:
    before = edge.watched.world.dump()
    edge.answers(200, {"code": "member_not_found"})
    edge.answers(404, {"code": "member_not_found"}, client=None)
    edge.answers(404, {"code": "member_not_found"}, program=None)
    assert edge.watched.world.dump() == before


def test_of_a_program_that_is_not_the_clients_nothing_is_counted(edge: Edge, caplog: pytest.LogCaptureFixture) -> None:
    before = edge.watched.world.dump()
    edge.answers(404, {"code": "member_not_found"}, client="stranger")
    assert edge.watched.world.dump() == before
    assert caplog.messages == [], "nor is anybody woken for it"


def test_the_fifth_miss_is_suspicious_whichever_shards_they_fall_into(table: Table) -> None:
    """All in one shard, and spread over all four."""
    watched = Watched(table)
    window = window_of(watched.rules, "acme", "app", ClientSignal.MEMBERS, watched.world.clock())
    for client, shards in (("one", [0, 0, 0, 0, 0]), ("all", [0, 1, 2, 3, 0])):
        drawn = iter(shards)
        counts = ClientCounts(table, draw=lambda _, drawn=drawn: next(drawn))  # type: ignore[misc]
        of_client = Window(window.program, client, window.signal, window.since, window.minutes, window.bound)
        told = [counts.miss(of_client, watched.world.clock()) for _ in shards]
        assert told == [False, False, False, False, True]


def test_a_count_that_fails_costs_nobody_the_answer(table: Table, caplog: pytest.LogCaptureFixture) -> None:
    edge = Edge(table)
    edge.misses = Misses(Table("none", region="eu-south-1"), edge.watched.programs, edge.watched.world.clock)
    edge.answers(404, {"code": "member_not_found"})
    assert "miss not counted" in caplog.messages
