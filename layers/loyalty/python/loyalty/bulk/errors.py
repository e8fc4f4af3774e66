"""What bulk fulfilment refuses, by name. ``core.errors`` says what each kind of refusal means."""

from loyalty.core.errors import Conflict, Missing, Unacceptable


class CampaignNotFound(Missing):
    code = "campaign_not_found"


class CampaignDiffers(Conflict):
    code = "campaign_differs"


class CampaignNotAwaitingApproval(Conflict):
    code = "campaign_not_awaiting_approval"


class CampaignEnded(Conflict):
    code = "campaign_ended"


class RewardNotForLists(Unacceptable):
    code = "reward_not_for_lists"


class ListInvalid(Unacceptable):
    code = "list_invalid"


class BatchFailed(Exception):
    """A batch was not written down. The state machine alone sees it, and tells its kinds apart by their bare names."""


class BulkStopped(BatchFailed):
    """Too many of its lines failed for reasons that pass: it is tried again."""


class CampaignNotRunning(BatchFailed):
    """Nobody lets its lines be held: it awaits approval, was rejected, or was not begun. Nothing of the batch is held."""


class RewardChanged(BatchFailed):
    """The reward is not what the list was checked with; started again, the list is checked again."""
