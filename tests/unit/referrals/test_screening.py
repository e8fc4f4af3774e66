"""Screening over a table: what is written, once; what is read, within bounds; what comes of it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from loyalty.attribution.claiming import new_referral
from loyalty.attribution.model import Referral, Signal, Verdict
from loyalty.attribution.store import SHARDS, ReferralStore, claim_puts, shard_of
from loyalty.core.clock import to_text
from loyalty.core.errors import WalletBusy
from loyalty.core.table import Operation, RawItem, Table
from loyalty.ledger.keys import partition
from loyalty.programs.referrals import Screening
from loyalty.referrals.remembering import counts_keys, counts_of, seen_key, seen_of
from loyalty.referrals.scoring import verdict_of
from loyalty.referrals.screening import Screener
from loyalty_contract import MEMBER_SK
from tests.bench.sizes import item_bytes
from tests.ledgerkit.clock import SettableClock
from tests.ledgerkit.tables import create_table
from tests.referralkit.playing import with_referrals
from tests.simulation.client import table_over
from tests.simulation.engine import MemoryDynamoDb

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
PROGRAM = with_referrals()
PROGRAM_SCREENING = Screening()
ALL_KINDS = ("address", "device", "email_like", "email_stem", "network", "payment", "phone")


class Wire(MemoryDynamoDb):
    """The engine in memory, counting what is asked of it."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: Counter[str] = Counter()
        self.keys = 0

    def call(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        self.calls[operation] += 1
        self.keys += sum(len(part["Keys"]) for part in request.get("RequestItems", {}).values())
        self.keys += len(request.get("TransactItems", ()))
        return super().call(operation, request)


class Rig:
    """A table, a clock and the screening over them."""

    def __init__(self) -> None:
        self.wire = Wire()
        self.table = table_over(self.wire, "referrals")
        create_table(self.table.client, self.table.name)
        self.clock = SettableClock(NOON)
        self.screener = Screener(self.table, self.clock, sleep=lambda _: None)
        self.store = ReferralStore(self.table)

    def claim(self, member_id: str, referrer: str = "mbr_ada", *, at: datetime = NOON, **likenesses: str) -> Referral:
        new = new_referral(
            PROGRAM, referrer=referrer, code="K7WQ4M2X", member_id=member_id, now=at, likenesses=likenesses
        )
        self.table.write(list(claim_puts(new).values()))
        return replace(new, revision=1)

    def counted(self, member_id: str, referrer: str = "mbr_ada", *, at: datetime = NOON, **likenesses: str) -> Referral:
        return self.screener.count(PROGRAM, self.claim(member_id, referrer, at=at, **likenesses))

    def profile(self, member_id: str, *, at: datetime = NOON, **likenesses: str) -> None:
        item = {
            "pk": {"S": partition("acme", member_id)},
            "sk": {"S": MEMBER_SK},
            "created_at": {"S": to_text(at)},
            "lookups": {"M": {"phone": {"S": likenesses.pop("phone")}} if "phone" in likenesses else {}},
            "likenesses": {"M": {kind: {"S": digest} for kind, digest in likenesses.items()}},
        }
        self.table.client.put_item(TableName=self.table.name, Item=item)

    def remember(self, member_id: str, at: datetime, **likenesses: str) -> None:
        self.profile(member_id, at=at, **likenesses)
        self.screener.remember(PROGRAM, member_id)

    def who_had(self, digest: str) -> list[str]:
        return [one.member_id for one in seen_of(self.table.read(*seen_key("acme", digest))).sightings]

    def features(self, referral: Referral) -> Mapping[str, int]:
        return self.screener.screen(PROGRAM, referral).features

    def items(self) -> list[RawItem]:
        return sorted(self.table.scan(), key=lambda raw: (raw["pk"]["S"], raw["sk"]["S"]))


def test_what_a_stranger_can_bring_about_waits_for_a_person(rig: Rig) -> None:
    """Eve enrolls under Bob's mailbox, dotted otherwise; she brings twenty by Ada's code, evenly. Neither rejects Bob, who comes by it."""
    rig.remember("mbr_eve", NOON - DAY, email_like="bobs")
    for number in range(20):
        rig.counted(f"mbr_{number}", at=NOON - timedelta(minutes=3 * number + 3), email_like=f"e{number}")
    bob = rig.counted("mbr_bob", email_like="bobs")
    said = rig.screener.screen(PROGRAM, bob)
    assert {one.signal for one in said.evidence} == {
        Signal.EXISTING_CUSTOMER, Signal.EVEN_TIMING, Signal.REFERRER_VELOCITY,
    }  # fmt: skip
    of_bob_alone = [one for one in said.evidence if one.signal is Signal.EXISTING_CUSTOMER]
    assert verdict_of(sum(one.weight for one in of_bob_alone), PROGRAM_SCREENING) is Verdict.REVIEW
    of_ada = [one for one in said.evidence if one.signal is not Signal.EXISTING_CUSTOMER]
    assert verdict_of(sum(one.weight for one in of_ada), PROGRAM_SCREENING) is Verdict.REVIEW


@pytest.fixture
def rig() -> Rig:
    return Rig()


def test_a_referral_is_counted_once_whoever_asks_again(rig: Rig) -> None:
    claimed = rig.claim("mbr_friend", device="d1", email_stem="s1")
    counted = rig.screener.count(PROGRAM, claimed)
    assert counted == rig.store.get("acme", "mbr_friend")
    assert (counted.counted, counted.revision) == (True, 2)
    before = rig.items()
    assert rig.screener.count(PROGRAM, claimed) == counted
    assert rig.screener.count(PROGRAM, counted) == counted
    assert rig.items() == before
    assert rig.screener.brought("acme", "mbr_ada") == 1
    assert rig.who_had("d1") == ["mbr_friend"]
    assert rig.who_had("s1") == []


class Meddling:
    """A table on which somebody else writes between what is read and what is written, ``times`` times."""

    def __init__(self, table: Table, meddle: Sequence[Any]) -> None:
        self._table = table
        self._meddle = list(meddle)

    def get_many(self, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], RawItem]:
        found = self._table.get_many(keys)
        if self._meddle:
            self._meddle.pop(0)()
        return found

    def write(self, operations: Sequence[Operation]) -> None:
        self._table.write(operations)


def test_two_who_come_at_once_are_both_counted(rig: Rig) -> None:
    names = [name for name in (f"mbr_{n}" for n in range(200)) if shard_of(name) == 3][:4]
    claimed = [rig.claim(name, network="n1") for name in names]
    others = [lambda one=one: rig.screener.count(PROGRAM, one) for one in claimed[1:]]
    table: Any = Meddling(rig.table, others)
    Screener(table, rig.clock, sleep=lambda _: None).count(PROGRAM, claimed[0])
    assert rig.screener.brought("acme", "mbr_ada") == 4
    assert sorted(rig.who_had("n1")) == sorted(names)


def test_the_same_one_counted_by_two_is_counted_once(rig: Rig) -> None:
    claimed = rig.claim("mbr_friend", network="n1")
    table: Any = Meddling(rig.table, [lambda: rig.screener.count(PROGRAM, claimed)])
    Screener(table, rig.clock, sleep=lambda _: None).count(PROGRAM, claimed)
    assert rig.screener.brought("acme", "mbr_ada") == 1


def test_who_never_gets_through_is_told_so(rig: Rig) -> None:
    names = [name for name in (f"mbr_{n}" for n in range(400)) if shard_of(name) == 3][:9]
    claimed = [rig.claim(name) for name in names]
    table: Any = Meddling(rig.table, [lambda one=one: rig.screener.count(PROGRAM, one) for one in claimed[1:]])
    with pytest.raises(WalletBusy):
        Screener(table, rig.clock, sleep=lambda _: None).count(PROGRAM, claimed[0])
    assert rig.screener.brought("acme", "mbr_ada") == 8


def test_a_hot_network_is_written_two_dozen_times_in_a_week(rig: Rig) -> None:
    for number in range(60):
        rig.counted(f"mbr_{number:02}", f"mbr_r{number % 7}", at=NOON + number * HOUR, network="n1")
    changes = [one for one in rig.wire.changes if one.new is not None and one.new["pk"]["S"].endswith("#n1")]
    assert len(changes) == 24
    assert rig.features(rig.counted("mbr_late", at=NOON + 2 * DAY, network="n1"))["network_velocity"] == 25


@pytest.mark.parametrize("friends", [3, 400])
def test_round_trips_do_not_grow_with_friends(rig: Rig, friends: int) -> None:
    kinds = {kind: f"{kind}-x" for kind in ALL_KINDS}
    for number in range(friends):
        rig.counted(f"mbr_{number:03}", at=NOON + number * HOUR, **kinds)
    claimed = rig.claim("mbr_friend", at=NOON + 401 * HOUR, **{kind: f"{kind}-y" for kind in ALL_KINDS})
    rig.wire.calls.clear()
    rig.wire.keys = 0
    counted = rig.screener.count(PROGRAM, claimed)
    assert rig.wire.calls == {"BatchGetItem": 1, "TransactWriteItems": 1}
    assert rig.wire.keys == 8 + 9
    rig.wire.calls.clear()
    rig.wire.keys = 0
    rig.screener.screen(PROGRAM, counted)
    assert rig.wire.calls == {"BatchGetItem": 2}
    assert rig.wire.keys <= 2 + 1 + 6 + 2 * SHARDS + 24


def test_a_code_is_exhausted_by_all_whom_its_owner_brought(rig: Rig) -> None:
    bounded = with_referrals(code_uses=3)
    said = [rig.screener.exhausted(bounded, rig.counted(f"mbr_{number}")) for number in range(4)]
    assert said == [None, None, 3, 4]
    last = rig.counted("mbr_last")
    rig.wire.calls.clear()
    assert rig.screener.exhausted(PROGRAM, last) is None
    assert not rig.wire.calls


def test_what_a_referrer_has_stays_small_with_very_many_friends(rig: Rig) -> None:
    for number in range(600):
        rig.counted(f"mbr_{number:026}", at=NOON + number * HOUR, email_stem="s" * 40)
    shards = [counts_of(rig.table.read(*key)) for key in counts_keys("acme", "mbr_ada")]
    assert sum(shard.total for shard in shards) == 600
    assert all(len(shard.claims) == 8 and len(shard.days) <= 14 for shard in shards)
    assert all(item_bytes(raw) < 1024 for raw in rig.items() if raw["sk"]["S"] == "COUNTS")


@pytest.mark.parametrize(("above", "trips"), [(0, 1), (1, 2), (2, 3), (4, 5), (5, 5), (9, 5)])
def test_ancestors_are_followed_five_times_at_most(rig: Rig, above: int, trips: int) -> None:
    for depth in range(above):
        rig.counted(f"mbr_{depth}", f"mbr_{depth + 1}", at=NOON - depth * DAY)
    friend = rig.claim("mbr_friend", "mbr_0")
    rig.wire.calls.clear()
    rig.screener.screen(PROGRAM, friend)
    assert rig.wire.calls == {"BatchGetItem": trips}


@pytest.mark.parametrize(("members", "found"), [(2, 1), (3, 1), (6, 1), (7, None)])
def test_who_closes_a_circle_of_six_is_rejected_and_the_others_are_looked_at(
    rig: Rig, members: int, found: int | None
) -> None:
    names = [f"mbr_{n}" for n in range(members)]
    ring = [rig.counted(name, names[place - 1], at=NOON + place * DAY) for place, name in enumerate(names)]
    screened = [rig.screener.screen(PROGRAM, one) for one in ring]
    assert [one.features.get("in_circle") for one in screened] == [found] * (members - 1) + [None]
    assert [one.features.get("circle") for one in screened] == [None] * (members - 1) + [found]
    if found:
        assert [one.verdict for one in screened] == [Verdict.REVIEW] * (members - 1) + [Verdict.REJECT]


def test_the_top_of_a_chain_is_found_from_below(rig: Rig) -> None:
    chain = [rig.counted(f"mbr_{n}", f"mbr_{n - 1}", at=NOON + n * timedelta(minutes=20)) for n in range(1, 6)]
    assert [rig.features(one).get("chain") for one in chain] == [2, 3, 4, 4, 4]


def test_the_same_mailbox_is_rejected_and_a_stranger_accepted(rig: Rig) -> None:
    rig.profile("mbr_ada", email_like="e1", device="d1")
    own, stranger = rig.counted("mbr_own", email_like="e1"), rig.counted("mbr_new", email_like="e2", device="d2")
    rejected, accepted = rig.screener.screen(PROGRAM, own), rig.screener.screen(PROGRAM, stranger)
    assert (rejected.verdict, rejected.score, rejected.program_version) == (Verdict.REJECT, 100, 3)
    assert [one.signal for one in rejected.evidence] == [Signal.SAME_EMAIL]
    assert (accepted.verdict, accepted.score, accepted.evidence) == (Verdict.ACCEPT, 0, ())


def test_who_came_without_a_code_is_known_when_they_come_again(rig: Rig) -> None:
    for _ in range(2):
        rig.remember("mbr_old", NOON - DAY, email_like="e1", email_stem="s1")
    rig.screener.remember(PROGRAM, "mbr_nobody")
    assert rig.who_had("e1") == ["mbr_old"]
    assert rig.features(rig.counted("mbr_again", email_like="e1"))["existing_customer"] == 1


def test_who_was_remembered_too_long_ago_is_not_counted(rig: Rig) -> None:
    for age, found in ((91, None), (90, 1)):
        rig.remember(f"mbr_old{age}", NOON - age * DAY, phone=f"t{age}")
        again = rig.claim(f"mbr_again{age}", phone=f"t{age}")
        assert rig.features(again).get("existing_customer") == found


def test_a_mailbox_is_remembered_for_ever_and_by_whom_it_was_first(rig: Rig) -> None:
    for number in range(30):
        rig.remember(f"mbr_{number:02}", NOON - (900 - number) * DAY, email_like="e1")
    assert rig.who_had("e1") == [f"mbr_{number:02}" for number in range(24)]
    assert rig.features(rig.claim("mbr_again", email_like="e1"))["existing_customer"] == 24
    assert not any("ttl" in raw for raw in rig.items() if raw["sk"]["S"] == "SEEN")


def test_what_is_not_needed_any_more_expires(rig: Rig) -> None:
    rig.counted("mbr_friend", device="d1")
    (seen,) = [raw for raw in rig.items() if raw["sk"]["S"] == "SEEN"]
    assert int(seen["ttl"]["N"]) == int((NOON + 90 * DAY).timestamp())
    (hour,) = [raw for raw in rig.items() if raw["sk"]["S"].startswith("HOUR#")]
    assert (hour["sk"]["S"], int(hour["ttl"]["N"])) == ("HOUR#2026-11-22T12", int((NOON + 3 * DAY).timestamp()))


def test_who_is_erased_is_forgotten_and_known_if_they_come_back(rig: Rig) -> None:
    likenesses = {kind: f"{kind}-1" for kind in ALL_KINDS}
    rig.counted("mbr_gone", at=NOON, **likenesses)
    rig.profile("mbr_gone", at=NOON, **likenesses)
    rig.clock.advance(days=1)
    for _ in range(2):
        rig.screener.forget(PROGRAM, "mbr_gone")
    left = [raw for raw in rig.items() if raw["sk"]["S"] in {"SEEN", "COUNTS"}]
    assert not any("mbr_gone" in str(raw) for raw in left if raw["sk"]["S"] == "SEEN")
    assert not any("email_stem-1" in str(raw) or "email_stem-1"[:12] in str(raw) for raw in left)
    assert {raw["pk"]["S"] for raw in left if raw["sk"]["S"] == "SEEN"} == {
        f"U#acme#{kind}-1" for kind in ("email_like", "payment", "phone")
    }
    for kind, found in (("email_like", 1), ("phone", 1), ("payment", 1), ("device", None)):
        likeness: dict[str, str] = {kind: f"{kind}-1"}
        back = rig.claim(f"mbr_{kind}", "mbr_eve", at=NOON + 2 * DAY, **likeness)
        assert rig.features(back).get("erased_customer") == found
    assert {raw["ttl"]["N"] for raw in left if raw["sk"]["S"] == "SEEN"} == {str(int((NOON + 366 * DAY).timestamp()))}
    late = rig.claim("mbr_late", "mbr_eve", at=NOON + 367 * DAY, email_like="email_like-1")
    assert "erased_customer" not in rig.features(late)


def test_of_a_stub_what_the_referral_knows_is_forgotten_and_nothing_again(rig: Rig) -> None:
    rig.counted("mbr_gone", email_like="e1")
    rig.profile("mbr_gone")
    rig.screener.forget(PROGRAM, "mbr_gone")
    assert rig.who_had("e1") == []
    before = rig.items()
    rig.clock.advance(days=1)
    rig.screener.forget(PROGRAM, "mbr_gone")
    rig.screener.forget(PROGRAM, "mbr_nobody")
    assert rig.items() == before


def test_a_program_may_keep_nothing_of_who_was_erased(rig: Rig) -> None:
    rig.counted("mbr_gone", email_like="e1", phone="t1")
    rig.profile("mbr_gone", email_like="e1", phone="t1")
    rig.screener.forget(with_referrals(remember_erased_days=0), "mbr_gone")
    assert [raw for raw in rig.items() if raw["sk"]["S"] == "SEEN"] == []


def test_the_programs_referrals_of_an_hour_are_estimated_from_a_shard(rig: Rig) -> None:
    names = [name for name in (f"mbr_{n}" for n in range(200)) if shard_of(name) == 3][:5]
    came = [rig.counted(name, f"mbr_r{n}", at=NOON + n * timedelta(minutes=14)) for n, name in enumerate(names)]
    assert rig.features(came[-1])["program_velocity"] == 5 * SHARDS
    assert rig.features(rig.counted("mbr_x", at=NOON + HOUR)).get("program_velocity") == SHARDS


def test_the_same_table_gives_the_same_answer(rig: Rig) -> None:
    came = [rig.counted(f"mbr_{n}", device=f"d{n % 3}", at=NOON + n * HOUR) for n in range(30)]
    first, again = (rig.screener.screen(PROGRAM, came[-1]) for _ in range(2))
    assert first == again
    assert first.verdict is Verdict.REJECT
