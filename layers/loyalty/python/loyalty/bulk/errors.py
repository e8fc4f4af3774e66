"""What bulk fulfilment refuses, by name. ``core.errors`` says what each kind of refusal means."""

from loyalty.core.errors import Conflict, LoyaltyError, Missing, Unacceptable


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


class BulkStopped(LoyaltyError):
    """A batch was given up before it was written down: the state machine tries it again. No caller sees it."""

    code = "bulk_stopped"


class RewardChanged(LoyaltyError):
    """The reward is not what the list was checked with; start it again, and it is checked again. No caller sees it."""

    code = "reward_changed"
