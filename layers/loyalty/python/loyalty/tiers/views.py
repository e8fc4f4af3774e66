"""How tiers look from outside, and how they are granted."""

from datetime import date
from typing import Annotated, Self

from pydantic import Field

from loyalty.core.clock import to_text
from loyalty.core.fields import Actor, RequestBody, ResponseBody
from loyalty.ledger.ladders import STATUS
from loyalty.ledger.model import Entry
from loyalty.programs.fields import Slug
from loyalty.tiers.grants import Asked
from loyalty.tiers.progress import Progress, Target

_ZONE = "in the program's zone"


class TierGrantBody(RequestBody):
    """A tier to grant, through a day."""

    tier: Annotated[Slug, Field(description="Of the ladder, above its first.")]
    until: Annotated[date, Field(description=f"Last day {_ZONE}; five years away at most.", examples=["2027-03-31"])]
    reason: Annotated[Slug, Field(description="One of the program's `adjustment_reasons`.")]
    actor: Actor

    def asked(self, ladder: str, client_id: str, idempotency_key: str) -> Asked:
        """What is asked for."""
        return Asked(ladder, self.reason, self.actor, client_id, idempotency_key)


class TierGrantEndBody(RequestBody):
    """Who ends a grant, and why."""

    reason: Annotated[Slug, Field(description="One of the program's `adjustment_reasons`.")]
    actor: Actor

    def asked(self, ladder: str, client_id: str, idempotency_key: str) -> Asked:
        """What is asked for."""
        return Asked(ladder, self.reason, self.actor, client_id, idempotency_key)


class GrantView(ResponseBody):
    """A tier that staff granted: the member has at least this one."""

    tier: str
    until: Annotated[date, Field(description=f"Its last day, {_ZONE}.")]


class TierGrantView(ResponseBody):
    """Where a member stood right after a grant, or its end."""

    entry_id: str
    ladder: str
    tier: Annotated[str, Field(description="The higher of the granted and the earned one.")]
    earned: str
    grant: Annotated[GrantView | None, Field(description="null: nothing is granted any more.")]
    reason: str
    actor: str
    posted_at: str

    @classmethod
    def of(cls, entry: Entry) -> Self:
        """The view of its entry."""
        ladder = entry.facts.ladder or STATUS
        standing = entry.movement.standings.get(ladder)
        granted = standing.granted if standing else None
        until = standing.granted_until if standing else None
        return cls(
            entry_id=entry.entry_id,
            ladder=ladder,
            tier=entry.tier_to or "",
            earned=standing.earned if standing else entry.tier_to or "",
            grant=GrantView(tier=granted, until=until) if granted and until else None,
            reason=entry.facts.reason or "",
            actor=entry.facts.actor or "",
            posted_at=to_text(entry.posted_at),
        )


class PerkView(ResponseBody):
    """Something that members of the tier have."""

    perk_id: str
    name: str


class TargetView(ResponseBody):
    """A tier that can be reached or kept."""

    tier: str
    threshold: Annotated[int, Field(description="In units of the tally.")]
    missing: Annotated[int, Field(description="What must still be counted; zero: it is enough already.")]
    by: Annotated[date | None, Field(description=f"Last day to earn it, {_ZONE}; null: none is fixed.")]

    @classmethod
    def of(cls, target: Target | None) -> Self | None:
        """The view of a target, where there is one."""
        if target is None:
            return None
        return cls(tier=target.tier, threshold=target.threshold, missing=target.missing, by=target.by)


class LadderView(ResponseBody):
    """Where the member stands on one ladder."""

    ladder: Annotated[str, Field(description="`status` is the main one.")]
    name: str
    tier: Annotated[str, Field(description="The higher of the earned and the granted one.")]
    tier_name: str
    perks: list[PerkView]
    earned: Annotated[str, Field(description="The tier without any grant.")]
    valid_until: Annotated[
        date | None, Field(description=f"Last day of the earned tier, {_ZONE}; null: nothing ends it by itself.")
    ]
    kept_until: Annotated[date | None, Field(description="The same with its days of grace.")]
    grant: GrantView | None
    metric: Annotated[str, Field(description="What counts: `points`, `spend` or `activities`.")]
    currency: Annotated[str | None, Field(description="Of spend: the tally is in minor units of it.")]
    tally: Annotated[int, Field(description="What counts in the running period.")]
    period_from: date | None
    period_until: date | None
    next: Annotated[TargetView | None, Field(description="The tier above; null on the highest.")]
    keep: Annotated[TargetView | None, Field(description="What keeps the earned tier for longer.")]

    @classmethod
    def of(cls, shown: Progress) -> Self:
        """The view of a member's progress."""
        standing, qualification = shown.standing, shown.parts.qualification
        tier = shown.parts.tier(standing.tier)
        granted, until = standing.granted, standing.granted_until
        return cls(
            ladder=shown.ladder,
            name=shown.parts.name,
            tier=tier.id,
            tier_name=tier.name,
            perks=[PerkView(perk_id=perk.id, name=perk.name) for perk in tier.perks],
            earned=standing.earned,
            valid_until=standing.valid_until if shown.last_day else None,
            kept_until=shown.last_day,
            grant=GrantView(tier=granted, until=until) if granted and until else None,
            metric=qualification.metric,
            currency=qualification.currency,
            tally=shown.tally,
            period_from=shown.begins,
            period_until=shown.ends,
            next=TargetView.of(shown.next),
            keep=TargetView.of(shown.keep),
        )


class TierView(ResponseBody):
    """Where a member stands on every ladder, as of now; the main ladder first."""

    member_id: str
    ladders: list[LadderView]
