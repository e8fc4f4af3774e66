"""What finance's views refuse, by name. ``core.errors`` says what each kind of refusal means."""

from loyalty.core.errors import Invalid


class PeriodRefused(Invalid):
    """A period that ends before it begins, is too long, or lies in the future."""

    code = "period_refused"


class FilterRefused(Invalid):
    """Filters that contradict one another."""

    code = "filter_refused"
