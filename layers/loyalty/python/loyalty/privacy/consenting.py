"""Writing down what members agree to, and by what they want to be addressed."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from loyalty.core import ids
from loyalty.core.clock import Clock, from_text, to_text
from loyalty.core.errors import IdempotencyKeyReused, MemberNotFound, Stale
from loyalty.core.retrying import Retries
from loyalty.ledger.service import following
from loyalty.members.presence import require_present
from loyalty.privacy.consent_store import ConsentStore, Standing
from loyalty.privacy.consents import Consent, Consents, Decided, Preferences
from loyalty.privacy.errors import ChannelUnknown, PurposeRepeated, PurposeUnknown, WordingUnknown
from loyalty.programs.model import Program
from loyalty.programs.privacy import Channel, Privacy, Purpose

_RETRIES: Final = Retries(
    6, base=0.02, cap=0.3, busy="This member has many writers at the moment; send the same request again."
)
"""A change is tried while other writers get in first."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a member said of a purpose, as a client tells it. ``language`` is that of the text that they saw."""

    purpose: str
    given: bool
    wording: str
    language: str
    channel: str


class ConsentService:
    """Consents and preferences of members; of a merged one, those of the survivor."""

    def __init__(self, store: ConsentStore, clock: Clock, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._store = store
        self._clock = clock
        self._sleep = sleep

    def standing(self, program: Program, member_id: str) -> Standing:
        """What is in force.

        Raises:
            MemberNotFound, MemberErased: there is no such member, or none any more.
        """
        return following(member_id, lambda holder: self._found(program, holder))

    def say(
        self, program: Program, member_id: str, said: Said, *, client_id: str, idempotency_key: str
    ) -> tuple[Consent, bool]:
        """Writes one yes or no down, once for each idempotency key of a client; True where an earlier call did.

        A no names the wording that the yes was to. The program need not have it any more, nor the purpose: what a
        member said can always be withdrawn.

        Raises:
            PurposeUnknown, WordingUnknown: the program has no such purpose, or asks for it with another text.
            IdempotencyKeyReused: the key was used with another content.
            MemberNotFound, MemberErased: there is no such member, or none any more.
            WalletBusy: others kept writing the member's consents.
        """
        if said.given:
            _require_asked_for(program.document.privacy, said)
        consent_id = ids.consent_id(program.document.id, member_id, client_id, idempotency_key)
        request = ids.request_hash([said.purpose, said.given, said.wording, said.language, said.channel])

        def write(holder: str) -> tuple[Consent, bool]:
            standing = self._found(program, holder, consent_id)
            line = standing.line or self._store.line_of_absorbed(standing.book, consent_id)
            if line is not None:
                return self._replayed(line, request), True
            before, at = standing.consents, self._now()
            if said.purpose not in before.decided:
                known_purpose(program.document.privacy, said.purpose, "/purpose")
            consent = Consent(
                consent_id, said.purpose, said.given, said.wording, said.language, said.channel, client_id, at, request
            )
            decided = {**before.decided, said.purpose: Decided(said.given, said.wording, at)}
            after = Consents(holder, before.version + 1, decided)
            self._store.append(program.document.id, before, after, consent, standing.book.absorbed)
            return consent, False

        return following(member_id, lambda holder: _RETRIES.of(lambda: write(holder), self._sleep))

    def prefer(
        self,
        program: Program,
        member_id: str,
        wanted: Sequence[tuple[str, Sequence[Channel]]],
        *,
        if_version: int | None = None,
    ) -> Standing:
        """Puts these channels in the place of all that the member wanted before. What was so already is no change.

        Raises:
            PurposeUnknown, PurposeRepeated, ChannelUnknown: not of the program, or named twice.
            Stale: the current version is not ``if_version``.
            MemberNotFound, MemberErased: there is no such member, or none any more.
            WalletBusy: others kept writing the member's preferences.
        """
        channels = _known_channels(program.document.privacy, wanted)

        def write(holder: str) -> Standing:
            standing = self._found(program, holder)
            before = standing.preferences
            if if_version not in (None, before.version):
                raise Stale(f"The current version is {before.version}; read the preferences and decide again.")
            if before.version and before.channels == channels:
                return standing
            after = Preferences(holder, before.version + 1, channels, self._now())
            self._store.replace(program.document.id, before, after)
            return replace(standing, preferences=after)

        return following(member_id, lambda holder: _RETRIES.of(lambda: write(holder), self._sleep))

    def _found(self, program: Program, member_id: str, consent_id: str | None = None) -> Standing:
        found = self._store.standing(program.document.id, member_id, consent_id)
        if found is None:
            raise MemberNotFound.of(program.document.id, member_id)
        require_present(found.book)
        return found

    def _replayed(self, line: tuple[str, str], request: str) -> Consent:
        earlier = self._store.line(*line)
        if earlier.request_hash != request:
            raise IdempotencyKeyReused("This Idempotency-Key was used for another consent; send a new key.")
        return earlier

    def _now(self) -> datetime:
        return from_text(to_text(self._clock()))


def known_purpose(privacy: Privacy, purpose_id: str, pointer: str) -> Purpose:
    """The program's purpose of that id.

    Raises:
        PurposeUnknown: it has none.
    """
    purpose = privacy.purpose(purpose_id)
    if purpose is None:
        known = ", ".join(one.id for one in privacy.purposes)
        has = f"asks for these purposes: {known}" if known else "asks for no purposes"
        raise PurposeUnknown(f"The program {has}.", pointer=pointer)
    return purpose


def _require_asked_for(privacy: Privacy, said: Said) -> None:
    purpose = known_purpose(privacy, said.purpose, "/purpose")
    if said.wording not in purpose.wordings:
        raise WordingUnknown(
            f"'{purpose.id}' is asked for with these wordings: {', '.join(purpose.wordings)}.", pointer="/wording"
        )


def _known_channels(
    privacy: Privacy, wanted: Sequence[tuple[str, Sequence[Channel]]]
) -> Mapping[str, tuple[Channel, ...]]:
    found: dict[str, tuple[Channel, ...]] = {}
    for place, (purpose_id, channels) in enumerate(wanted):
        purpose = known_purpose(privacy, purpose_id, f"/purposes/{place}/purpose")
        if purpose_id in found:
            raise PurposeRepeated("Name each purpose once.", pointer=f"/purposes/{place}/purpose")
        if foreign := sorted(set(channels) - set(purpose.channels)):
            has = ", ".join(purpose.channels) or "no channels"
            raise ChannelUnknown(f"'{purpose_id}' has {has}, not {foreign[0]}.", pointer=f"/purposes/{place}/channels")
        found[purpose_id] = tuple(channel for channel in purpose.channels if channel in channels)
    return found
