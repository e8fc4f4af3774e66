"""A client as the registry has it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Client:
    """An OAuth2 client of a partner app, or of a tool of the business's own. Moments are in UTC.

    Args:
        id: as the user pool gave it.
        programs: that it may speak for.
        bound_at: when that was last said.
        name: for people; None, as all that follows, of a client that was bound before the registry knew more of clients.
        scopes: that it may use at most, short (``wallet.read``); None: all that its tokens have.
        plan: name of its usage plan; None: it shares the allowance of all who have none.
        created_at: when it was made.
        disabled_at: since when it is shut out.
        secrets: id of each secret that it may authenticate with, and when that was made; never a secret itself.
        revision: counts its changes.
    """

    id: str
    programs: frozenset[str]
    bound_at: datetime
    name: str | None = None
    scopes: frozenset[str] | None = None
    plan: str | None = None
    created_at: datetime | None = None
    disabled_at: datetime | None = None
    secrets: Mapping[str, datetime] = field(default_factory=dict)
    revision: int = 0

    @property
    def disabled(self) -> bool:
        """Whether it is shut out."""
        return self.disabled_at is not None

    def may(self, scope: str) -> bool:
        """Whether the registry lets it use a scope; its token must have that too."""
        return self.scopes is None or scope in self.scopes
