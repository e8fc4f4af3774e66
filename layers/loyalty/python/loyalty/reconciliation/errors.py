"""What reconciliation refuses, by name. ``core.errors`` says what each kind of refusal means."""

from loyalty.core.errors import Conflict, Invalid, Missing, Unacceptable


class ReportNotFound(Missing):
    code = "reconciliation_report_not_found"


class DifferenceNotFound(Missing):
    code = "difference_not_found"


class DifferenceAlreadyResolved(Conflict):
    code = "difference_already_resolved"


class ResolutionNoteRequired(Invalid):
    code = "resolution_note_required"


class InvoiceInvalid(Unacceptable):
    code = "invoice_invalid"
