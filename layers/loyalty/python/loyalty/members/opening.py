"""Opening members' profiles, for who shows them and for who copies them."""

from loyalty.core.errors import MemberErased, MemberNotFound
from loyalty.core.pii import Sealed, profile_of
from loyalty.members.model import Profile
from loyalty.members.store import FoundMember, MemberStore
from loyalty.members.vault import MemberVault


def open_profile(vault: MemberVault, found: FoundMember) -> Profile:
    """What a member told of themselves.

    Raises:
        MemberKeyMissing: their key is gone.
    """
    member = found.member
    subject, sealed = profile_of(member.program, member.member_id), member.sealed
    if isinstance(sealed, Sealed):
        return Profile.from_json(vault.open_single(subject, sealed))
    return Profile.from_json(vault.open(subject, found.key, sealed))


class OwnProfiles:
    """Profiles of very members, whoever they were merged into."""

    def __init__(self, store: MemberStore, vault: MemberVault) -> None:
        self._store = store
        self._vault = vault

    def __call__(self, program: str, member_id: str) -> Profile:
        """The profile.

        Raises:
            MemberNotFound, MemberErased: there is no such member, or none any more.
            MemberKeyMissing: their key is gone.
        """
        found = self._store.find(program, member_id)
        if found is None:
            raise MemberNotFound.of(program, member_id)
        if found.member.erased_at is not None:
            raise MemberErased.of(member_id)
        return open_profile(self._vault, found)
