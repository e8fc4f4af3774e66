"""What merging refuses, by name. ``core.errors`` says what each kind of refusal means."""

from loyalty.core.errors import Conflict, Unacceptable


class MergeWithSelf(Unacceptable):
    code = "merge_with_self"


class MergeLimitExceeded(Unacceptable):
    code = "merge_limit_exceeded"


class MemberHasOpenHolds(Conflict):
    code = "member_has_open_holds"
