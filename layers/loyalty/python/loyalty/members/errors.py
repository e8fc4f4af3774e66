"""What members refuse, by name. ``core.errors`` says what each kind of refusal means."""

from loyalty.core.errors import Conflict, Unacceptable


class ExternalIdsLimitExceeded(Unacceptable):
    code = "external_ids_limit_exceeded"


class AlreadyEnrolled(Conflict):
    code = "already_enrolled"


class MemberChanged(Conflict):
    code = "member_changed"


class MemberKeyMissing(Exception):
    """A member's data key is not in the table, and with it nothing personal of them can be read: for good.

    No refusal with a name for clients: of a member whose key was deleted on purpose, the record says so first.
    """

    def __init__(self, program: str, member_id: str) -> None:
        super().__init__(f"the data key of '{member_id}' in program '{program}' is gone")
        self.program = program
        self.member_id = member_id
