"""Codes: imported once for ever, sold once, shown to one member; nothing of them in logs, items or messages."""

import pytest

from loyalty.core.table import Table
from loyalty.delivery.importing import CodeImport, Imported, WrongHeader
from loyalty.delivery.model import Outcome
from loyalty.ledger.model import EntryKind
from loyalty.rewards.errors import OneCodeAtATime
from tests.unit.delivery.rig import Rig


@pytest.fixture
def rig(table: Table) -> Rig:
    return Rig(table).ready()


def held(rig: Rig, key: str = "key", reward: str = "summer", member: str = "mbr_1") -> str:
    return rig.hold(key, reward, member=member)[0].redemption_id


def test_a_code_of_the_pool_is_given_and_captured(rig: Rig) -> None:
    rig.load("SUN-0001")
    redemption_id = held(rig)
    assert rig.deliver(redemption_id) is Outcome.DELIVERED
    assert rig.code(redemption_id) == "SUN-0001"
    assert rig.redemptions.get("acme", "mbr_1", redemption_id).status == "captured"
    assert rig.deliver(redemption_id) is Outcome.ALREADY_DELIVERED
    assert (rig.pool.left("acme", "summer"), list(rig.pool.hashes("acme", "summer"))) == (0, [])
    assert [entry.key.kind for entry in rig.entries()] == [EntryKind.ACCRUAL, EntryKind.HOLD, EntryKind.CAPTURE]
    assert rig.proven().available == 990


def test_nobody_gets_a_code_that_another_has(rig: Rig) -> None:
    rig.load(*(f"SUN-{number:04}" for number in range(12)))
    ids = [held(rig, f"key-{number}") for number in range(12)]
    assert {rig.deliver(one) for one in ids} == {Outcome.DELIVERED}
    assert sorted(rig.code(one) or "" for one in ids) == [f"SUN-{number:04}" for number in range(12)]


def test_where_no_code_is_left_the_points_go_back(rig: Rig) -> None:
    redemption_id = held(rig)
    delivered = rig.deliveries.deliver("acme", "mbr_1", redemption_id)
    assert (delivered.outcome, delivered.reason) == (Outcome.RELEASED, "no_code_left")
    assert rig.deliver(redemption_id) is Outcome.ALREADY_RELEASED
    rig.load("SUN-0001")
    assert rig.deliver(redemption_id) is Outcome.ALREADY_RELEASED
    assert rig.pool.left("acme", "summer") == 1
    assert rig.proven().available == 1000


def test_a_code_comes_once_for_ever_whatever_became_of_it(rig: Rig) -> None:
    lines = rig.load("SUN-0001", "SUN-0002", "SUN-0001")
    assert lines == [Imported(2), Imported(3), Imported(4, "known")]
    for number in range(2):
        rig.deliver(held(rig, f"key-{number}"))
    assert rig.load("SUN-0001", "SUN-0003", "sun-0001") == [Imported(2, "known"), Imported(3), Imported(4)]
    assert rig.load("SUN-0002", reward="winter") == [Imported(2, "known")]
    assert rig.pool.left("acme", "summer") == 2


def test_lines_that_are_no_codes_are_named_by_their_number_alone(rig: Rig) -> None:
    importer = CodeImport(rig.table, rig.vault, rig.lookups, rig.clock)
    text = [
        "\ufeffcode,pin,expires_on\n", "SUN-0001,1234,2026-12-31\n", "\n", "abc,,\n", "SUN 0002,,\n", "SUN-0003,é,\n",
        "SUN-0004,,31.12.2026\n", "SUN-0005,,2026-03-14\n", "SUN-0006,,2026-03-15\n",
    ]  # fmt: skip
    found = {one.line: one.problem for one in importer.run(rig.program, "summer", text)}
    assert found == {
        2: None,
        4: "code_malformed",
        5: "code_malformed",
        6: "pin_malformed",
        7: "expires_on_malformed",
        8: "expired",
        9: None,
    }
    assert [one.line for one in importer.run(rig.program, "summer", text, after=7)] == [8, 9]
    for header in ("", "SUN-0001\n", "code,code\n", "code,secret\n", "pin\n"):
        with pytest.raises(WrongHeader) as refusal:
            list(importer.run(rig.program, "summer", [header]))
        assert "SUN" not in str(refusal.value)


def test_pin_and_last_day_come_with_the_code(rig: Rig) -> None:
    importer = CodeImport(rig.table, rig.vault, rig.lookups, rig.clock)
    list(importer.run(rig.program, "summer", ["code,pin,expires_on\n", "SUN-0001,1234,2026-12-31\n"]))
    redemption_id = held(rig)
    rig.deliver(redemption_id)
    card = rig.cards.reveal("acme", "mbr_1", redemption_id, client_id="app").card
    assert (card.code, card.pin, card.expires_on) == ("SUN-0001", "1234", "2026-12-31")


def test_the_table_has_no_code_in_the_clear(rig: Rig) -> None:
    rig.load("SUN-0001", "SUN-0002")
    rig.deliver(held(rig))
    assert b"SUN-" not in repr(rig.dump()).encode()


def test_made_codes_are_new_and_begin_like_the_reward(rig: Rig) -> None:
    first, second = held(rig, "a", "winter"), held(rig, "b", "winter")
    assert (rig.deliver(first), rig.deliver(second)) == (Outcome.DELIVERED, Outcome.DELIVERED)
    codes = [rig.code(first) or "", rig.code(second) or ""]
    assert codes[0] != codes[1]
    for code in codes:
        prefix, *groups = code.split("-")
        assert prefix == "WINT"
        assert [len(group) for group in groups] == [4] * 5
        assert not set("".join(groups)) & set("01ILO")
    assert rig.proven().available == 980


def test_a_made_code_that_exists_is_made_again(table: Table) -> None:
    made = iter(["WINT-1", "WINT-1", "WINT-1", "WINT-2"])
    rig = Rig(table, make=lambda _: next(made)).ready()
    first, second = held(rig, "a", "winter"), held(rig, "b", "winter")
    rig.deliver(first)
    rig.deliver(second)
    assert (rig.code(first), rig.code(second)) == ("WINT-1", "WINT-2")


def test_what_the_partner_ends_is_left_to_them(rig: Rig) -> None:
    redemption_id = held(rig, reward="plain")
    assert rig.deliver(redemption_id) is Outcome.NOT_OURS
    assert rig.redemptions.get("acme", "mbr_1", redemption_id).status == "held"


def test_one_code_at_a_time(rig: Rig) -> None:
    with pytest.raises(OneCodeAtATime) as refusal:
        rig.hold("key", "summer", 2)
    assert refusal.value.pointer == "/quantity"
    assert rig.wallet().held == 0
