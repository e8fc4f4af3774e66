"""What of a version takes away a second person: switches that it turns off, and limits above which two were asked that it raises.

Each limit belongs to a switch of ``four_eyes``; where the version in force has that off, one person is enough already, and
whoever raises the limit takes nothing away. Pure.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from loyalty.programs.abuse import Then
from loyalty.programs.amounts import Amount
from loyalty.programs.fulfillment import Velocity
from loyalty.programs.model import ProgramDocument

Path = tuple[str, ...]
_Loosens = Callable[[Any, Any], bool]


@dataclass(frozen=True, slots=True)
class Limit:
    """Something in the document above which two people are asked.

    Args:
        path: of it in the document.
        switch: of ``four_eyes``, with which it asks.
        loosens: whether what was before and is after asks less often.
        beside: a sign's field that has to say ``hold``; empty: it asks always.
    """

    path: Path
    switch: str
    loosens: _Loosens
    beside: str = ""

    @property
    def name(self) -> str:
        """The path as text."""
        return ".".join(self.path)


def loosened(before: ProgramDocument, after: ProgramDocument) -> tuple[str, ...]:
    """Paths of what took two people in the one and would not in the other; none where nothing did."""
    off = [f"four_eyes.{name}" for name, on in before.four_eyes if on and not getattr(after.four_eyes, name)]
    return *off, *_raised(before, after)


def _raised(before: ProgramDocument, after: ProgramDocument) -> Iterator[str]:
    for limit in LIMITS:
        asks = getattr(before.four_eyes, limit.switch)
        if limit.beside:
            asks = asks and _at(before, (*limit.path[:-1], limit.beside)) is Then.HOLD
        if asks and limit.loosens(_at(before, limit.path), _at(after, limit.path)):
            yield limit.name


def _at(document: ProgramDocument, path: Path) -> Any:
    found: Any = document
    for name in path:
        found = getattr(found, name, None)  # a part that a program may do without
    return found


def _more(before: int | None, after: int | None) -> bool:
    """None: no limit at all."""
    return before is not None and (after is None or after > before)


def _fewer(before: int | None, after: int | None) -> bool:
    """Of what asks below it; None: of nothing."""
    return before is not None and (after is None or after < before)


def _other(before: object, after: object) -> bool:
    """Of what can let more through in either direction."""
    return before is not None and before != after


def _no_hold(before: Then, after: Then) -> bool:
    return before is Then.HOLD and after is not Then.HOLD


def _more_of_a_currency(before: Sequence[Amount], after: Sequence[Amount]) -> bool:
    """A currency without an amount has no limit."""
    limits = {amount.currency: amount.value for amount in after}
    return any(one.currency not in limits or limits[one.currency] > one.value for one in before)


def _not_covered(before: Sequence[Velocity], after: Sequence[Velocity]) -> bool:
    """Whether some cards ask no more: each former rule needs one as long or longer, that is as strict or stricter."""

    def strict(one: Velocity, rule: Velocity) -> bool:
        return rule.cards is None or (one.cards is not None and one.cards <= rule.cards)

    def strict_of_value(one: Velocity, rule: Velocity) -> bool:
        if rule.value is None:
            return True
        same = one.value is not None and one.value.currency == rule.value.currency
        return same and one.value is not None and one.value.value <= rule.value.value

    return not all(
        any(one.days >= rule.days and covers(one, rule) for one in after)
        for rule in before
        for covers in (strict, strict_of_value)
    )


def _sign(part: str, bounds: Sequence[str], *, then: str = "then") -> tuple[Limit, ...]:
    """A sign of abuse that may put a member on hold, whom two people release."""
    limits = (Limit(("abuse", part, bound), "releases", _more, beside=then) for bound in bounds)
    hours = Limit(("abuse", part, "hours"), "releases", _other, beside=then)
    return *limits, hours, Limit(("abuse", part, then), "releases", _no_hold)


LIMITS: Final = (
    Limit(("limits", "adjustment_points"), "adjustments", _more),
    Limit(("fulfillment", "approve_above"), "approvals", _more_of_a_currency),
    Limit(("fulfillment", "monthly_budget"), "approvals", _more_of_a_currency),
    Limit(("fulfillment", "velocity"), "approvals", _not_covered),
    Limit(("fulfillment", "new_member_days"), "approvals", _fewer),
    *_sign("accrual_spike", ("points", "times_usual", "unusual_from")),
    *_sign("accrual_spike", ("count",), then="count_then"),
    *_sign("redemptions_after_change", ("redemptions", "points")),
    *_sign("reveals_of_member", ("count",)),
    *_sign("transfers", ("members",)),
    *(Limit(("referrals", "screening", part), "referrals", _other) for part in ("weights", "bounds")),
    Limit(("referrals", "screening", "review_from"), "referrals", _more),
    *(
        Limit(("referrals", "screening", days), "referrals", _fewer)
        for days in ("remember_days", "remember_erased_days")
    ),
)
"""All of them. A field of the document that is neither here nor said to be none of them fails a test."""
