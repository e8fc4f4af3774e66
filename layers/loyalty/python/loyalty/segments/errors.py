"""What segments refuse, by name. ``core.errors`` says what each kind of refusal means."""

from loyalty.core.errors import Invalid, Unacceptable


class SegmentRepeated(Invalid):
    code = "segment_repeated"


class SegmentUnknown(Unacceptable):
    code = "segment_unknown"
