"""People: what they see, what they decide, and that disabling shuts them out."""

from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from loyalty.cli import people as command
from loyalty.cli.app import app
from loyalty.core.table import Table
from loyalty.people.errors import PersonNotFound
from loyalty.people.store import PersonStore
from loyalty.programs.store import ProgramStore
from tests.ledgerkit.clock import SettableClock, at
from tests.ledgerkit.programs import document

CLOCK = SettableClock(at("2026-03-15T12:00:00Z"))


class FakePool:
    """Remembers what it was asked to do about accounts; there are none yet."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def list_users(self, **_: str) -> dict[str, Any]:
        return {"Users": []}

    def __getattr__(self, name: str) -> Any:
        return lambda **arguments: self.calls.append((name, arguments))


@pytest.fixture
def pool(table: Table, monkeypatch: pytest.MonkeyPatch) -> FakePool:
    pool = FakePool()
    monkeypatch.setattr(command, "boto3", SimpleNamespace(client=lambda _: pool))
    monkeypatch.setattr(command, "open_table", lambda _: table)
    ProgramStore(table, CLOCK).publish(document(id="acme"), expected_version=0, actor="test")
    return pool


def run(*words: str, given: str | None = None) -> int:
    options = ["--table", "t", "--people-pool", "p"]
    return CliRunner().invoke(app, ["person", *words, *options], input=given).exit_code


def test_who_was_added_sees_and_decides_what_was_said(table: Table) -> None:
    store = PersonStore(table, CLOCK)
    person = store.add("staff-17", {"acme", "aurora"}, {"acme"})
    assert store.find("staff-17") == person
    assert [person.may_read(one) for one in ("acme", "aurora", "other")] == [True, True, False]
    assert [person.may_decide(one) for one in ("acme", "aurora", "other")] == [True, False, False]
    with pytest.raises(ValueError, match="only about programs that they see"):
        store.add("staff-17", {"acme"}, {"aurora"})
    shut = store.disable("staff-17")
    assert [shut.may_read("acme"), shut.may_decide("acme")] == [False, False]
    assert store.add("staff-17", set(), set()).programs == frozenset()
    with pytest.raises(PersonNotFound):
        store.disable("nobody")


def test_signing_out_stays_known_whatever_is_said_of_the_person_later(table: Table) -> None:
    store = PersonStore(table, CLOCK)
    store.add("staff-17", {"acme"}, set())
    store.sign_out("staff-17")
    assert store.add("staff-17", {"acme"}, {"acme"}).signed_out_at == CLOCK()
    assert store.disable("staff-17").signed_out_at == CLOCK()


def test_who_was_shut_out_and_is_added_again_has_to_sign_in_again(table: Table) -> None:
    store = PersonStore(table, CLOCK)
    store.add("staff-17", {"acme"}, set())
    store.disable("staff-17")
    assert store.add("staff-17", {"acme"}, set()).signed_out_at == CLOCK()


def test_differences_of_no_program_are_for_who_sees_suppliers(table: Table) -> None:
    store = PersonStore(table, CLOCK)
    one, all_of_them = store.add("staff-1", {"acme"}, set()), store.add("staff-2", {"acme"}, set(), suppliers=True)
    assert store.find("staff-2") == all_of_them
    assert [one.may_see_difference(program) for program in ("acme", "other", None)] == [True, False, False]
    assert [all_of_them.may_see_difference(program) for program in ("acme", "other", None)] == [True, False, True]
    assert not store.disable("staff-2").may_see_difference(None)


def test_the_command_invites_a_reader(table: Table, pool: FakePool) -> None:
    assert run("add", "staff-17", "ada@example.com", "--program", "acme") == 0
    ((name, said),) = pool.calls
    assert (name, said["Username"], said["DesiredDeliveryMediums"]) == ("admin_create_user", "staff-17", ["EMAIL"])
    person = PersonStore(table, CLOCK).find("staff-17")
    assert person is not None
    assert person.programs == {"acme"}
    assert not person.approves
    assert "ada@example.com" not in str(list(table.scan()))


def test_the_command_takes_a_password_and_makes_an_approver(table: Table, pool: FakePool) -> None:
    assert (
        run(
            "add",
            "staff-4",
            "b@example.com",
            "--program",
            "acme",
            "--approver",
            "--suppliers",
            "--password-stdin",
            given="secret\n",
        )
        == 0
    )
    assert [name for name, _ in pool.calls] == ["admin_create_user", "admin_set_user_password"]
    assert pool.calls[1][1]["Password"] == "secret"
    person = PersonStore(table, CLOCK).find("staff-4")
    assert person is not None
    assert person.approves == {"acme"}
    assert person.suppliers


@pytest.mark.parametrize("words", [("Ada Lovelace", "acme"), ("ada@example.com", "acme"), ("staff-1", "nowhere")])
def test_the_command_makes_nobody_of_a_name_or_for_no_program(pool: FakePool, words: tuple[str, str]) -> None:
    assert run("add", words[0], "x@example.com", "--program", words[1]) == 1
    assert pool.calls == []


def test_the_command_shuts_out(table: Table, pool: FakePool) -> None:
    PersonStore(table, CLOCK).add("staff-17", {"acme"}, set())
    assert run("disable", "staff-17") == 0
    assert [name for name, _ in pool.calls] == ["admin_disable_user", "admin_user_global_sign_out"]
    assert run("disable", "nobody") == 1
