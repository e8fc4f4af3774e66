"""What finance's views refuse, by name. ``core.errors`` says what each kind of refusal means."""

from loyalty.core.errors import Invalid


class FilterRefused(Invalid):
    """Filters that contradict one another."""

    code = "filter_refused"
