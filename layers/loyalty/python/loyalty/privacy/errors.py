"""What privacy refuses, by name. ``core.errors`` says what each kind of refusal means."""

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


class ErasureBlocked(Conflict):
    code = "erasure_blocked"


class ErasureDecided(Conflict):
    code = "erasure_decided"


class ErasureBegun(Conflict):
    code = "erasure_begun"
