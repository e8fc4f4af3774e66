"""How a program has its members bring others, and what it takes for cheating.

What a referral earns is said by earn rules, as of everything else: those of the activity ``referral`` are for who brought
somebody, those of ``referred`` for who was brought. Conditions may ask ``attributes.campaign`` and ``attributes.channel`` of
the link, and ``attributes.number``: which of the referrer's rewarded referrals it is, from "1".
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Final, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from loyalty.core.money import Money
from loyalty.programs.amounts import Amounts
from loyalty.programs.deeds import REFERRAL, REFERRED
from loyalty.programs.fields import DocumentPart, Slug, twice
from loyalty.programs.rules import EarnRule

MAX_CHANNELS: Final = 20
MAX_SCORE: Final = 100
MAX_WORDS: Final = 200
MAX_SEEN: Final = 24
"""So many members of one device, payment, address or network are remembered, and no more."""

_Days = Annotated[int, Field(strict=True, ge=1, le=365)]
_Weight = Annotated[int, Field(strict=True, ge=0, le=MAX_SCORE)]
_Count = Annotated[int, Field(strict=True, ge=1, le=1_000_000)]
_Seen = Annotated[int, Field(strict=True, ge=1, le=MAX_SEEN)]
_Percent = Annotated[int, Field(strict=True, ge=1, le=100)]
_CODE: Final = "{code}"
_NO_APP: Final = frozenset(
    {"about", "blob", "data", "file", "filesystem", "http", "javascript", "vbscript", "view-source"}
)
"""Schemes of no app: who follows a member's link would run a script, read a file, or go without TLS."""


def _with_code(template: str) -> str:
    if template.count(_CODE) != 1:
        raise ValueError(f"a deep link has {_CODE} once, where the code goes: shop://join?ref={_CODE}")
    if (scheme := template.partition(":")[0]) in _NO_APP:
        raise ValueError(
            f"a deep link leads into an app; browsers run or show what '{scheme}:' has, and no app opens it"
        )
    return template


LandingUrl = Annotated[str, StringConstraints(pattern=r"^https://[^\s?#\"<>]{1,200}$")]
"""A page of the business; code, click, campaign and channel come behind it as a query."""
DeepLink = Annotated[
    str, StringConstraints(pattern=r"^[a-z][a-z0-9+.-]{1,30}://[^\s\"<>]{1,200}$"), AfterValidator(_with_code)
]


ReservedWord = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{3,20}$")]


class Touch(StrEnum):
    """Which of several links counts that somebody came by."""

    FIRST = "first"
    LAST = "last"


class Qualifying(DocumentPart):
    """What who was brought does to count: one ``activity``, as soon as they are members and within ``within_days``.

    ``minimum`` is the least amount that it is of, by currency; none: any, or none at all. What is given back is taken
    off it. Rewards are given ``return_days`` after it, if it is still of that amount then; 0: at once.
    """

    activity: Slug = "purchase"
    minimum: Amounts = ()
    within_days: _Days = 30
    return_days: Annotated[int, Field(strict=True, ge=0, le=365)] = 14

    def counts(self, amount: Money | None) -> bool:
        """Whether an activity of this amount, what was given back taken off, is enough."""
        if not self.minimum:
            return True
        if amount is None:
            return False
        least = next((one.value for one in self.minimum if one.currency == amount.currency), None)
        return least is not None and amount.amount >= least


class Bounds(DocumentPart):
    """From how many on a sign counts; what has no bound here counts from one on. Members are counted with who was brought.

    In percent are signs of a pattern: the share of distances between the referrer's new members that are alike, or of those
    others whom the referrer brought who are like who was brought. Such a sign needs some others to be found at all.
    """

    referrer_velocity: _Count = 20
    """Whom the referrer brought on one day, in UTC."""
    device_velocity: _Seen = 3
    """Members on the device within a week of the enrollment, whoever brought them."""
    payment_velocity: _Seen = 6
    """Members who pay by the same within ``remember_days``."""
    network_velocity: _Seen = 15
    """Members behind the network within a week."""
    program_velocity: _Count = 2_000
    """Referrals of the whole program within an hour, as estimated from a sixteenth of them."""
    ring: _Seen = 3
    shared_address: _Seen = 4
    chain: Annotated[int, Field(strict=True, ge=1, le=5)] = 2
    even_timing: _Percent = 80
    alike_emails: _Seen = 2
    disposable_others: _Percent = 30
    one_network: _Percent = 60
    least_purchase: _Percent = 75
    quick_purchase: _Percent = 75
    some_returned: _Percent = 30
    most_returned: _Percent = 60


class Weights(DocumentPart):
    """How much each sign adds to the score, which ends at 100; 0: it is not looked at.

    What families, offices and students share weighs little: alone and all together it stays below a review.
    """

    same_email: _Weight = 100
    same_phone: _Weight = 100
    same_device: _Weight = 60
    same_payment: _Weight = 15
    same_address: _Weight = 8
    same_network: _Weight = 4
    existing_customer: _Weight = 70
    erased_customer: _Weight = 60
    disposable_email: _Weight = 20
    disposable_others: _Weight = 40
    referrer_velocity: _Weight = 8
    device_velocity: _Weight = 50
    payment_velocity: _Weight = 50
    network_velocity: _Weight = 3
    program_velocity: _Weight = 3
    circle: _Weight = 100
    in_circle: _Weight = 40
    ring: _Weight = 60
    shared_address: _Weight = 4
    chain: _Weight = 40
    even_timing: _Weight = 40
    alike_emails: _Weight = 40
    one_network: _Weight = 5
    least_purchase: _Weight = 24
    quick_purchase: _Weight = 16
    some_returned: _Weight = 20
    most_returned: _Weight = 25


class Screening(DocumentPart):
    """What speaks against a referral. From ``review_from`` on a person decides, from ``reject_from`` on it is rejected.

    ``remember_days`` is how long phones, devices, networks, payments and addresses are remembered, as keyed hashes; mailboxes
    are for as long as their owner is a member. ``remember_erased_days`` is how long it is known that a customer was erased;
    0: not at all.
    """

    review_from: Annotated[int, Field(strict=True, ge=1, le=MAX_SCORE)] = 40
    reject_from: Annotated[int, Field(strict=True, ge=1, le=MAX_SCORE)] = 80
    weights: Weights = Weights()
    bounds: Bounds = Bounds()
    remember_days: _Days = 90
    remember_erased_days: Annotated[int, Field(strict=True, ge=0, le=730)] = 365

    @model_validator(mode="after")
    def _review_before_rejection(self) -> Self:
        if self.review_from > self.reject_from:
            raise ValueError(f"review_from ({self.review_from}) must not be above reject_from ({self.reject_from})")
        return self


class Referrals(DocumentPart):
    """Members bring others. Links lead to ``landing_url``, in an app to ``deep_link``.

    ``touch`` says which link counts of several that were followed within ``attribution_days``. A code may be named until
    ``claim_days`` after enrollment; 0: with it alone. ``code_days``: how old a member's code may be; ``code_uses``: how many
    it may bring; without them there is no such bound. ``reserved_words`` are in no code that a member chooses, nor is what looks
    like them. ``channels``: where links are shared. Who was brought is reminded
    ``reminder_days`` before their time to qualify ends.
    """

    landing_url: LandingUrl
    deep_link: DeepLink | None = None
    touch: Touch = Touch.LAST
    attribution_days: _Days = 30
    claim_days: Annotated[int, Field(strict=True, ge=0, le=90)] = 0
    code_days: _Days | None = None
    code_uses: _Count | None = None
    reserved_words: Annotated[tuple[ReservedWord, ...], Field(max_length=MAX_WORDS)] = ()
    channels: Annotated[tuple[Slug, ...], Field(min_length=1, max_length=MAX_CHANNELS)] = ("link",)
    qualifying: Qualifying = Qualifying()
    reminder_days: Annotated[tuple[_Days, ...], Field(max_length=3)] = ()
    screening: Screening = Screening()

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if same := twice(list(self.channels)):
            raise ValueError(f"channels names '{same}' twice")
        if len(set(self.reminder_days)) != len(self.reminder_days):
            raise ValueError("reminder_days names a number of days twice")
        if late := [days for days in self.reminder_days if days >= self.qualifying.within_days]:
            raise ValueError(
                f"reminder_days has {late[0]}, and there are {self.qualifying.within_days} days to qualify; name fewer days"
            )
        return self


def require_what_counts(referrals: Referrals, rules: Sequence[EarnRule]) -> None:
    """Checks that what qualifies is posted: nobody can look up what no rule gives anything for.

    Raises:
        ValueError: it is not, or is itself what referrals earn.
    """
    activity = referrals.qualifying.activity
    if activity in {REFERRAL, REFERRED}:
        raise ValueError(
            f"referrals qualify by '{activity}', which they earn themselves; name what a new customer does"
        )
    if not any(rule.activity == activity for rule in rules):
        raise ValueError(
            f"no earn rule has the activity '{activity}', by which referrals qualify; add one, of 0 points or more"
        )


def require_rewards_of_both(rules: Sequence[EarnRule]) -> None:
    """Checks that a program with referrals says what either side earns.

    Raises:
        ValueError: it does not.
    """
    for activity, who in ((REFERRAL, "who brings a customer"), (REFERRED, "the customer who is brought")):
        if not any(rule.activity == activity for rule in rules):
            raise ValueError(f"no earn rule has the activity '{activity}', for {who}; add one, or leave referrals out")
        if by_amount := [rule.id for rule in rules if rule.activity == activity and rule.rates]:
            raise ValueError(f"earn rule '{by_amount[0]}' has rates, and '{activity}' has no amount; use fixed_points")
