"""Finding a member by what a commerce platform knows of them."""

from dataclasses import dataclass

from loyalty.core.pii import Lookups, normal_email
from loyalty.members.store import MemberStore


@dataclass(frozen=True, slots=True)
class Match:
    """Who it is, if anybody, and the hashes that were asked for (None where the event named no such thing)."""

    member_id: str | None
    external_digest: str | None
    email_digest: str | None


class Directory:
    """Members by e-mail and by platform's customer id."""

    def __init__(self, store: MemberStore, lookups: Lookups) -> None:
        self._store = store
        self._lookups = lookups

    def resolve(self, program: str, *, external: tuple[str, str] | None = None, email: str | None = None) -> Match:
        """The member whom an event means: its platform's customer id wins, else its e-mail. One round trip.

        ``external`` is (platform, customer id). An e-mail that is no address is as good as none.
        """
        by_external = self._lookups.external(program, *external) if external else None
        by_email = self._email_digest(program, email) if email else None
        digests = [digest for digest in (by_external, by_email) if digest is not None]
        found = self._store.owners(program, *digests)
        member_id = next((found[digest] for digest in digests if digest in found), None)
        return Match(member_id, by_external, by_email)

    def _email_digest(self, program: str, email: str) -> str | None:
        try:
            return self._lookups.email(program, normal_email(email))
        except ValueError:
            return None
