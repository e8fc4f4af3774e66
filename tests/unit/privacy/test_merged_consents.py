"""Of members who were merged, the later answer counts, purpose by purpose; a request that is late changes nothing again."""

import pytest

from loyalty.core.table import Table
from loyalty.privacy.consenting import Said
from loyalty.privacy.consents import Consents, Decided, allowed, joined_consents
from loyalty.privacy.errors import PurposeUnknown, WordingUnknown
from loyalty.programs.privacy import Channel
from tests.ledgerkit.clock import at
from tests.ledgerkit.interleaving import interrupted
from tests.unit.privacy.rig import MARKETING, PURPOSES, Rights

YES = MARKETING
NO = Said("marketing", given=False, wording="2026-01", language="it", channel="web")
ADA, BOB = "ada", "bob"


@pytest.fixture
def rights(table: Table) -> Rights:
    """Nobody yet."""
    return Rights(table)


class Two:
    """Ada, into whom Bob is merged."""

    def __init__(self, rights: Rights) -> None:
        self.rights = rights
        self.ids = {name: rights.person(name) for name in (ADA, BOB)}
        self._keys = 0

    def say(self, name: str, said: Said, key: str | None = None) -> bool:
        """Whether an earlier call did it. Each is said a minute after the one before."""
        self.rights.clock.advance(minutes=1)
        self._keys += 1
        return self.rights.consents.say(
            self.rights.program, self.ids[name], said, client_id="app", idempotency_key=key or f"k-{self._keys}"
        )[1]

    def prefer(self, name: str, **channels: tuple[Channel, ...]) -> None:
        self.rights.clock.advance(minutes=1)
        self.rights.consents.prefer(self.rights.program, self.ids[name], list(channels.items()))

    def merge(self) -> None:
        self.rights.merging.merge(self.rights.program, self.ids[ADA], absorbed=self.ids[BOB], actor="staff-1")

    def may(self, purpose: str = "marketing") -> bool:
        """Whether the one who is left may be addressed for it."""
        known = self.rights.program.document.privacy.purpose(purpose)
        assert known is not None
        standing = self.rights.consents.standing(self.rights.program, self.ids[BOB])
        assert standing.book.member_id == self.ids[ADA]
        return allowed(known, standing.consents.decided.get(purpose))

    def state(self) -> set[str]:
        """What of Bob's partition says what is in force."""
        kept = {sk for pk, sk in self.rights.world.dump() if pk.endswith(self.ids[BOB])}
        return kept & {"CONSENTS", "PREFERENCES"}


@pytest.mark.parametrize(
    ("answers", "may"),
    [
        ([(ADA, YES), (BOB, NO)], False),
        ([(BOB, NO), (ADA, YES)], True),
        ([(ADA, NO), (BOB, YES)], True),
        ([(BOB, YES), (ADA, NO)], False),
        ([(BOB, NO)], False),
        ([(BOB, YES)], True),
        ([(ADA, YES)], True),
        ([(BOB, YES), (ADA, YES), (BOB, NO)], False),
        ([(BOB, NO), (ADA, NO), (BOB, YES)], True),
        ([], False),
    ],
)
def test_the_later_answer_of_the_two_counts(rights: Rights, answers: list[tuple[str, Said]], may: bool) -> None:
    two = Two(rights)
    for name, said in answers:
        two.say(name, said)
    two.merge()
    assert two.may() is may
    standing = rights.consents.standing(rights.program, two.ids[ADA])
    assert standing.consents.version == len(answers)
    assert two.state() == set()
    lines = [len(list(rights.consents._store.log("acme", two.ids[name]))) for name in (ADA, BOB)]
    assert lines == [sum(one == name for one, _ in answers) for name in (ADA, BOB)]
    assert rights.world.audit() == []


def test_purpose_by_purpose(rights: Rights) -> None:
    two = Two(rights)
    surveys = Said("surveys", given=False, wording="1", language="it", channel="web")
    two.say(ADA, YES)
    two.say(BOB, surveys)
    two.say(BOB, NO)
    two.say(ADA, YES)
    two.merge()
    assert (two.may(), two.may("surveys")) == (True, False)


@pytest.mark.parametrize("ada_says", [True, False])
def test_of_two_answers_at_one_moment_the_no(ada_says: bool) -> None:
    now = at("2026-11-22T09:00:00Z")
    ada = Consents("mbr_ada", 1, {"marketing": Decided(ada_says, "1", now)})
    bob = Consents("mbr_bob", 2, {"marketing": Decided(not ada_says, "1", now)})
    joined = joined_consents(ada, bob)
    assert (joined.member_id, joined.version, joined.decided["marketing"].given) == ("mbr_ada", 3, False)


def test_what_is_said_in_the_moment_of_the_merge_is_not_lost(rights: Rights) -> None:
    two = Two(rights)
    two.say(ADA, YES)
    with interrupted(rights.table.client, lambda: two.say(BOB, NO)):
        two.merge()
    assert not two.may()


def test_a_request_from_before_the_merge_that_is_late_changes_nothing_again(rights: Rights) -> None:
    """It names the absorbed one, and its answer is in that one's log: a yes that comes twice is no yes after a no."""
    two = Two(rights)
    two.say(BOB, YES, "first")
    two.say(BOB, NO, "second")
    two.merge()
    before = rights.world.dump()
    assert two.say(BOB, YES, "first")
    assert rights.world.dump() == before
    assert not two.may()
    assert not two.say(BOB, YES, "third")
    assert two.may()


def test_a_late_request_in_the_moment_of_the_merge_is_found_too(rights: Rights) -> None:
    two = Two(rights)
    two.say(BOB, YES, "first")
    two.say(BOB, NO, "second")
    with interrupted(rights.table.client, two.merge):
        two.say(ADA, YES, "of-ada")  # it was decided on while nobody was absorbed
    assert two.may()
    assert two.say(BOB, YES, "first")


@pytest.mark.parametrize(
    ("ada", "bob", "bob_is_later", "wanted"),
    [
        ({"marketing": ("email", "sms")}, {"marketing": ()}, True, {"marketing": ()}),
        ({"marketing": ("email",)}, {"marketing": ("sms",)}, False, {"marketing": ("email",)}),
        ({"marketing": ("email",)}, {"surveys": ()}, True, {"marketing": ("email",), "surveys": ()}),
        ({"marketing": ("email",)}, None, True, {"marketing": ("email",)}),
        (None, {"marketing": ("sms",)}, True, {"marketing": ("sms",)}),
    ],
)
def test_channels_as_they_were_said_later(
    rights: Rights,
    ada: dict[str, tuple[Channel, ...]] | None,
    bob: dict[str, tuple[Channel, ...]] | None,
    bob_is_later: bool,
    wanted: dict[str, tuple[str, ...]],
) -> None:
    two = Two(rights)
    said = [(ADA, ada), (BOB, bob)]
    for name, channels in said if bob_is_later else reversed(said):
        if channels is not None:
            two.prefer(name, **{purpose: tuple(map(Channel, some)) for purpose, some in channels.items()})
    two.merge()
    preferences = rights.consents.standing(rights.program, two.ids[ADA]).preferences
    assert preferences.channels == wanted
    assert preferences.version == sum(one is not None for one in (ada, bob))
    assert two.state() == set()


def test_what_was_agreed_to_for_a_purpose_that_is_gone_can_be_withdrawn(rights: Rights) -> None:
    two = Two(rights)
    two.say(BOB, YES, "yes")
    rights.publish(privacy={"purposes": PURPOSES[1:]})
    with pytest.raises(PurposeUnknown, match="surveys, profiling"):
        two.say(ADA, NO)  # there is nothing to withdraw
    with pytest.raises(PurposeUnknown):
        two.say(BOB, YES)
    assert not two.say(BOB, NO, "no")
    assert two.say(BOB, NO, "no")
    two.merge()
    assert not two.say(ADA, NO)  # nor of who absorbed them
    rights.publish()
    assert not two.may()
    with pytest.raises(WordingUnknown):
        two.say(ADA, Said("marketing", given=True, wording="1", language="it", channel="web"))
