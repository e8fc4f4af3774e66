"""What fulfilment refuses, by name. ``core.errors`` says what each kind of refusal means.

::

    Missing          FulfillmentRunNotFound, SupplierUnknown
    Unauthenticated  CallbackRefused       a callback without the supplier's signature
    Invalid          CallbackMalformed     a callback that is none of the supplier's API
    Unacceptable     NoteRequired
    Conflict         RunEnded              it is over, and what is asked for is not for what is over
                     NotAwaitingApproval   nobody has to approve it, somebody has decided, or the deadline has passed
                     SelfApproval          who asked for it may not approve it
                     NotRetryable          it is under way, or nothing is wrong with it
                     NotResolvable         it needs nobody's attention
                     NotReissuable         no card was issued that another could replace
                     RecipientErased       nobody could be shown another card: the member was erased, or is about to be
                     RunChanged            others decided at the same moment, every time
"""

from loyalty.core.errors import Conflict, Invalid, Missing, Unacceptable, Unauthenticated


class FulfillmentRunNotFound(Missing):
    code = "fulfillment_run_not_found"


class SupplierUnknown(Missing):
    code = "supplier_unknown"


class CallbackRefused(Unauthenticated):
    code = "callback_refused"


class CallbackMalformed(Invalid):
    code = "callback_malformed"


class NoteRequired(Unacceptable):
    code = "note_required"


class RunEnded(Conflict):
    code = "run_ended"


class NotAwaitingApproval(Conflict):
    code = "not_awaiting_approval"


class SelfApproval(Conflict):
    code = "self_approval"


class NotRetryable(Conflict):
    code = "not_retryable"


class NotResolvable(Conflict):
    code = "not_resolvable"


class NotReissuable(Conflict):
    code = "not_reissuable"


class RecipientErased(Conflict):
    code = "recipient_erased"


class RunChanged(Conflict):
    code = "run_changed"
