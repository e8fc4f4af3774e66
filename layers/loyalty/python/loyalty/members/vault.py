"""Everything personal of a member, sealed and opened under the member's own data key."""

from collections.abc import Mapping
from typing import Any

from loyalty.core.clock import Clock
from loyalty.core.key_cache import KeyCache
from loyalty.core.keys import DataKeyPort
from loyalty.core.pii import Ciphertext, Sealed, Subject, Vault, decrypt, encrypt, profile_of
from loyalty.members.errors import MemberKeyMissing
from loyalty.members.keys import MemberKey


def wrapping_context(program: str, member_id: str) -> dict[str, str]:
    """The encryption context that KMS checks whenever it wraps, unwraps or wraps anew a member's data key."""
    return profile_of(program, member_id).context


class MemberVault:
    """Seals and opens records of members: a call to KMS for a new key, and for one that was not used of late.

    A key comes from the table each time, so that no record opens once its member's key is deleted there, whatever this
    process remembers.
    """

    def __init__(self, keys: DataKeyPort, clock: Clock, *, cache: KeyCache | None = None) -> None:
        self._keys = keys
        self._clock = clock
        self._cache = KeyCache(clock) if cache is None else cache
        self._single = Vault(keys)

    def new_key(self, program: str, member_id: str) -> MemberKey:
        """A data key for a member who has none: one call of ``GenerateDataKey``. It is nobody's until it is stored."""
        made = self._keys.new(wrapping_context(program, member_id))
        self._cache.put((program, member_id, made.wrapped), made.plain)
        return MemberKey(made.stored, created_at=self._clock())

    def seal(self, subject: Subject, key: MemberKey | None, data: Mapping[str, Any]) -> Ciphertext:
        """Encrypts a JSON object of the subject's member under their key.

        Raises:
            MemberKeyMissing: ``key`` is None: the member has no key any more.
            botocore.exceptions.ClientError: KMS does not unwrap it, as where it is another member's.
        """
        return encrypt(self._plain(subject, key), subject, data)

    def open(self, subject: Subject, key: MemberKey | None, sealed: Ciphertext) -> dict[str, Any]:
        """Decrypts what :meth:`seal` made for the same subject.

        Raises:
            MemberKeyMissing, botocore.exceptions.ClientError: see :meth:`seal`.
            cryptography.exceptions.InvalidTag: it was changed, or sealed for another subject.
        """
        return decrypt(self._plain(subject, key), subject, sealed)

    def open_single(self, subject: Subject, sealed: Sealed) -> dict[str, Any]:
        """Decrypts a record from before members had keys, which carries one of its own; raises as :meth:`Vault.open`."""
        return self._single.open(subject, sealed)

    def _plain(self, subject: Subject, key: MemberKey | None) -> bytes:
        if key is None:
            raise MemberKeyMissing(subject.program, subject.member_id)
        name = (subject.program, subject.member_id, key.stored.wrapped)
        plain = self._cache.get(name)
        if plain is None:
            context = wrapping_context(subject.program, subject.member_id)
            plain = self._keys.unwrap(key.stored.wrapped, context, key_id=key.stored.key_id)
            self._cache.put(name, plain)
        return plain
