"""What transfers refuse, by name. ``core.errors`` says what each kind of refusal means."""

from loyalty.core.errors import Conflict, Unacceptable


class TransfersNotOffered(Unacceptable):
    code = "transfers_not_offered"


class TransferToSelf(Unacceptable):
    code = "transfer_to_self"


class TransferBelowMinimum(Unacceptable):
    code = "transfer_below_minimum"


class TransferAboveMaximum(Unacceptable):
    code = "transfer_above_maximum"


class WalletNotTransferable(Unacceptable):
    code = "wallet_not_transferable"


class DailyTransferLimitExceeded(Conflict):
    code = "daily_transfer_limit_exceeded"
