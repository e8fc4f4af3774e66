"""The proof finds what is planted, by its code, and nothing else."""

from collections.abc import Callable
from typing import Any

import pytest

from loyalty.core.table import Table
from loyalty.ledger.verify import Finding, audit_table
from tests.ledgerkit.world import MEMBER, World

PK = f"M#acme#{MEMBER}"
Stored = dict[str, Any]


class Forger:
    """Changes the table behind the ledger's back."""

    def __init__(self, table: Table, redemption_id: str) -> None:
        self._table = table
        self.redemption = f"REDEMPTION#{redemption_id}"
        self.hold = f"ENTRY#hold#redemption#{redemption_id}"
        self.released = next(sk for sk in self.sks() if sk.startswith("ENTRY#release"))
        self.capture = f"ENTRY#capture#redemption#{redemption_id}"

    def read(self, sk: str, pk: str = PK) -> Stored:
        raw = self._table.read(pk, sk)
        assert raw is not None
        return raw

    def put(self, item: Stored) -> None:
        self._table.client.put_item(TableName=self._table.name, Item=item)

    def change(self, sk: str, **attributes: Stored | None) -> "Forger":
        """Replaces attributes; None removes one."""
        item = {**self.read(sk), **attributes}
        self.put({name: value for name, value in item.items() if value is not None})
        return self

    def add(self, sk: str, attribute: str, points: int) -> "Forger":
        return self.change(sk, **{attribute: number(int(self.read(sk)[attribute]["N"]) + points)})

    def move(self, sk: str, **attributes: int) -> "Forger":
        """Adds to entries of maps, named ``map__key``."""
        for name, points in attributes.items():
            attribute, _, key = name.partition("__")
            mapped = dict(self.read(sk)[attribute]["M"])
            key = key.replace("_", "-") if key[:1].isdigit() else key.replace("_", ":")
            mapped[key] = number(int(mapped.get(key, {"N": "0"})["N"]) + points)
            self.change(sk, **{attribute: {"M": mapped}})
        return self

    def delete(self, *sks: str) -> "Forger":
        for sk in sks:
            self._table.client.delete_item(TableName=self._table.name, Key={"pk": {"S": PK}, "sk": {"S": sk}})
        return self

    def sks(self) -> list[str]:
        return [raw["sk"]["S"] for raw in self._table.query_all(PK)]

    def last_entry(self) -> str:
        entries = [raw for raw in self._table.query_all(PK) if "seq" in raw]
        return str(max(entries, key=lambda raw: int(raw["seq"]["N"]))["sk"]["S"])

    def copy(self, sk: str, to: str, **attributes: Stored) -> "Forger":
        self.put({**self.read(sk), "sk": {"S": to}, **attributes})
        return self


def number(value: int) -> Stored:
    return {"N": str(value)}


def text(value: str) -> Stored:
    return {"S": value}


@pytest.fixture
def forger(world: World) -> Forger:
    """A member with a bit of everything: accruals, a partial refund, a tier, a captured, a released, an open hold."""
    world.accrue("R-1", "600")
    world.recalculate("R-1")
    world.accrue("R-2", "100")
    world.refund("F-1", "R-1", "30")
    captured, _ = world.hold("captured")
    world.capture(captured.redemption_id)
    released, _ = world.hold("released")
    world.release(released.redemption_id)
    world.hold("open", "ten", 2)
    world.enroll("mbr_2").accrue("R-1", member="mbr_2")
    assert world.proven().seq == 9
    return Forger(world.table, captured.redemption_id)


def test_a_clean_table_has_no_finding_and_is_counted(world: World, forger: Forger) -> None:
    seen: list[int] = []
    report = audit_table(world.table, progress=seen.append)
    assert (report.members, report.entries, report.findings) == (2, 10, [])
    assert seen == [1, 2]


def test_an_empty_table_has_no_finding(table: Table) -> None:
    assert audit_table(table).findings == []


WALLET, R2, F1 = "WALLET", "ENTRY#accrual#pos#R-2", "ENTRY#reversal#pos#F-1"
TIER = "ENTRY#tier#tier_recalculation#accrual:pos:R-1"
REVERSED = "REVERSED#pos#R-1"

CORRUPTIONS: dict[str, tuple[Callable[[Forger], object], set[str]]] = {
    "an entry is missing": (lambda f: f.delete(R2), {"seq_gap", "balance_after_wrong", "wallet_available_wrong"}),
    "the last entry is missing": (
        lambda f: f.delete(f.last_entry()),
        {"wallet_seq_wrong", "wallet_held_wrong", "redemption_without_hold"},
    ),
    "all entries are missing": (
        lambda f: f.delete(*(sk for sk in f.sks() if sk.startswith("ENTRY#"))),
        {"wallet_seq_wrong", "wallet_available_wrong", "redemption_without_hold"},
    ),
    "a posting is changed": (lambda f: f.move(R2, postings__member_available=1), {"postings_unbalanced"}),
    "both postings are changed": (
        lambda f: f.move(R2, postings__member_available=1, postings__program_issued=-1),
        {"lots_unbalanced", "balance_after_wrong", "wallet_available_wrong"},
    ),
    "postings and lots are changed": (
        lambda f: f.move(R2, postings__member_available=1, postings__program_issued=-1, lots__2027_03_31=1),
        {"balance_after_wrong", "wallet_available_wrong", "wallet_lots_wrong"},
    ),
    "a balance after is changed": (lambda f: f.add(R2, "available", 1), {"balance_after_wrong"}),
    "a held balance after is changed": (lambda f: f.add(R2, "held", 1), {"balance_after_wrong"}),
    "the wallet is one point off": (
        lambda f: f.add(WALLET, "available", 1),
        {"wallet_available_wrong", "wallet_lots_unbalanced"},
    ),
    "the wallet and its lot are one point off": (
        lambda f: f.add(WALLET, "available", 1).move(WALLET, lots__2027_03_31=1),
        {"wallet_available_wrong", "wallet_lots_wrong"},
    ),
    "held is one point off": (lambda f: f.add(WALLET, "held", -1), {"wallet_held_wrong"}),
    "pending appears": (lambda f: f.add(WALLET, "pending", 1), {"wallet_pending_wrong"}),
    "a debt appears": (lambda f: f.add(WALLET, "debt", 5), {"wallet_debt_wrong", "wallet_lots_unbalanced"}),
    "qualifying points appear": (lambda f: f.move(WALLET, qualifying__2026=500), {"wallet_qualifying_wrong"}),
    "points live longer": (
        lambda f: f.move(WALLET, lots__2027_03_31=-10, lots__2099_12_31=10),
        {"wallet_lots_wrong"},
    ),
    "the tier is another": (lambda f: f.change(WALLET, tier=text("gold")), {"wallet_tier_wrong"}),
    "the tier's entry is another": (lambda f: f.change(TIER, tier_to=text("gold")), {"wallet_tier_wrong"}),
    "the wallet's seq is ahead": (lambda f: f.add(WALLET, "last_seq", 1), {"wallet_seq_wrong"}),
    "the wallet is missing": (lambda f: f.delete(WALLET), {"wallet_missing"}),
    "the wallet cannot be read": (lambda f: f.change(WALLET, available=text("many")), {"wallet_unreadable"}),
    "the wallet lacks a number": (lambda f: f.change(WALLET, held=None), {"wallet_unreadable"}),
    "two entries share a seq": (lambda f: f.change(R2, seq=number(1)), {"seq_gap"}),
    "an entry is posted twice": (
        lambda f: f.copy(R2, "ENTRY#accrual#pos#R-2b", seq=number(10)),
        {"balance_after_wrong", "wallet_available_wrong", "wallet_seq_wrong"},
    ),
    "an entry cannot be read": (lambda f: f.change(R2, postings=None), {"entry_unreadable"}),
    "an entry's account is unknown": (
        lambda f: f.change(R2, postings={"M": {"member:pocket": number(1)}}),
        {"entry_unreadable"},
    ),
    "a refund takes more than the accrual": (
        lambda f: f.move(F1, postings__member_available=-600, postings__program_issued=600),
        {"reversal_over_original"},
    ),
    "a refund names another accrual": (
        lambda f: f.change(F1, reverses=text("accrual:pos:R-0")),
        {"reversal_of_nothing"},
    ),
    "the record of refunds is missing": (lambda f: f.delete(REVERSED), {"reversal_record_missing"}),
    "the record of refunds forgets points": (lambda f: f.add(REVERSED, "points", -1), {"reversal_record_wrong"}),
    "the record of refunds forgets money": (
        lambda f: f.change(REVERSED, amount=text("0.00 EUR")),
        {"reversal_record_wrong"},
    ),
    "the record of refunds cannot be read": (lambda f: f.change(REVERSED, amount=None), {"record_unreadable"}),
    "a hold ended twice": (
        lambda f: f.copy(f.capture, f.capture.replace("capture", "release"), seq=number(10)),
        {"hold_ended_twice", "wallet_seq_wrong"},
    ),
    "a captured redemption is open again": (
        lambda f: f.change(f.redemption, status=text("held")),
        {"redemption_wrong"},
    ),
    "a captured redemption was released": (
        lambda f: f.change(f.redemption, status=text("released")),
        {"redemption_wrong"},
    ),
    "a redemption costs other points": (lambda f: f.add(f.redemption, "points", 1), {"redemption_wrong"}),
    "a redemption gives back to other lots": (
        lambda f: f.move(f.redemption, lots__2027_03_31=-10, lots__2099_12_31=10),
        {"redemption_wrong"},
    ),
    "a redemption cannot be read": (lambda f: f.change(f.redemption, points=None), {"record_unreadable"}),
    "a redemption is missing": (lambda f: f.delete(f.redemption), {"redemption_missing"}),
    "a redemption was never held": (
        lambda f: f.copy(f.redemption, "REDEMPTION#rdm_forged"),
        {"redemption_without_hold"},
    ),
    "a hold is missing": (lambda f: f.delete(f.hold), {"end_without_hold", "redemption_without_hold", "seq_gap"}),
    "a record of refunds appears": (
        lambda f: f.copy(REVERSED, "REVERSED#pos#R-2"),
        {"reversal_record_without_reversal"},
    ),
    "a lot is overdrawn for a while": (
        lambda f: f.move(F1, lots__2027_03_31=30, lots__2028_03_31=-30).move(
            WALLET, lots__2027_03_31=30, lots__2028_03_31=-30
        ),
        {"lot_overdrawn"},
    ),
    "released points live longer": (
        lambda f: f.move(f.released, lots__2027_03_31=-10, lots__2099_12_31=10).move(
            WALLET, lots__2027_03_31=-10, lots__2099_12_31=10
        ),
        {"end_to_other_lots"},
    ),
    "a change of tier starts from another": (
        lambda f: f.copy(TIER, TIER + "b", seq=number(10), tier_to=text("gold"), tier_from=text("platinum")),
        {"tier_chain_broken", "wallet_tier_wrong"},
    ),
    "a capture is of other points": (
        lambda f: f.move(f.capture, postings__member_held=10, postings__program_redeemed=-10),
        {"end_of_other_amount", "wallet_held_wrong"},
    ),
}


@pytest.mark.parametrize("corruption", CORRUPTIONS)
def test_a_planted_corruption_is_found_by_its_code(world: World, forger: Forger, corruption: str) -> None:
    plant, expected = CORRUPTIONS[corruption]
    plant(forger)
    findings = world.audit()
    assert expected <= {finding.code for finding in findings}
    assert {(finding.program, finding.member_id) for finding in findings} == {("acme", MEMBER)}
    assert all(finding.where and finding.detail for finding in findings)


def test_a_finding_names_the_entry(world: World, forger: Forger) -> None:
    forger.add(R2, "available", 1)
    assert world.audit() == [
        Finding(
            "acme",
            MEMBER,
            "balance_after_wrong",
            "accrual:pos:R-2",
            "entries add up to (725, 0, 0), it says (726, 0, 0)",
        )
    ]


def test_every_corrupt_member_is_found(world: World, forger: Forger) -> None:
    forger.add(WALLET, "held", 1)
    forger.put({**forger.read(WALLET, "M#acme#mbr_2"), "available": number(7)})
    assert {finding.member_id for finding in world.audit()} == {MEMBER, "mbr_2"}


def test_a_wallet_lost_with_all_its_entries_is_found_by_the_member_left_behind(world: World, table: Table) -> None:
    table.client.put_item(TableName=table.name, Item={"pk": text("M#acme#mbr_3"), "sk": text("MEMBER")})
    assert [(finding.member_id, finding.code) for finding in world.audit()] == [("mbr_3", "wallet_missing")]


def test_what_is_no_member_s_is_passed_over(world: World, table: Table) -> None:
    for pk, sk in [("P#acme", "CONFIG"), ("U#acme#hash", "LOOKUP"), ("C#client", "CLIENT"), ("S#shopify#x", "SHOP")]:
        table.client.put_item(TableName=table.name, Item={"pk": text(pk), "sk": text(sk)})
    assert (audit_table(table).members, world.audit()) == (1, [])
