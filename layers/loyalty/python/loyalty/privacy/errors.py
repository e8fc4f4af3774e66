"""What privacy refuses, by name. ``core.errors`` says what each kind of refusal means."""

from typing import Self

from loyalty.core.errors import Conflict, Missing, Unacceptable


class PurposeUnknown(Unacceptable):
    code = "purpose_unknown"


class WordingUnknown(Unacceptable):
    code = "wording_unknown"


class PurposeRepeated(Unacceptable):
    code = "purpose_repeated"


class ChannelUnknown(Unacceptable):
    code = "channel_unknown"


class ExportNotFound(Missing):
    code = "export_not_found"


class ErasureNotFound(Missing):
    code = "erasure_not_found"

    @classmethod
    def of(cls, member_id: str) -> Self:
        """Nobody asked for this member's."""
        return cls(f"Nobody asked for the erasure of '{member_id}'; ask for it by POST …/members/{member_id}/erasure.")


class ErasureBlocked(Conflict):
    code = "erasure_blocked"


class ErasureDecided(Conflict):
    code = "erasure_decided"


class ErasureBegun(Conflict):
    code = "erasure_begun"
