"""How campaigns look from outside, and how they are asked for."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import Field

from loyalty.bulk.model import Campaign, CampaignId, Progress, Sha256
from loyalty.bulk.service import Asked
from loyalty.core.clock import to_text
from loyalty.core.fields import Actor, MoneyBody, OneLine, RequestBody, ResponseBody
from loyalty.programs.fields import Slug
from loyalty.rewards.model import Payer


class CampaignBody(RequestBody):
    """One reward for the members of a list, which is sent afterwards."""

    campaign: Annotated[
        CampaignId, Field(description="A name of your own: under it a line of the list is held once, for ever.")
    ]
    reward_id: Slug
    paid_by: Annotated[
        Payer, Field(description="`member`: each pays with points. `program`: nobody's points move.")
    ] = Payer.MEMBER
    sha256: Annotated[Sha256, Field(description="Of the list, byte by byte: no other file is taken for it.")]
    actor: Actor

    def asked(self, client_id: str) -> Asked:
        """What the client asks for."""
        return Asked(self.campaign, self.reward_id, self.paid_by, self.sha256, self.actor, client_id)


class DecisionBody(RequestBody):
    """Who decides on a campaign: somebody else than whoever started it, through another client."""

    actor: Actor
    note: Annotated[OneLine | None, Field(description="Why.")] = None


class CampaignView(ResponseBody):
    """A campaign. Numbers of its list are there once it was checked."""

    campaign: str
    status: str
    reward_id: str
    paid_by: str
    started_by: str
    created_at: str
    problem: Annotated[str | None, Field(description="What is wrong with the list, line by line.")]
    lines: int | None
    units: Annotated[int | None, Field(description="How many of the reward.")]
    points: Annotated[int | None, Field(description="What the members pay in all, from the reward's wallet.")]
    value: Annotated[MoneyBody | None, Field(description="What all of it is worth, where the reward says so.")]
    decided_by: str | None
    decided_at: str | None
    note: str | None

    @classmethod
    def of(cls, one: Campaign) -> Self:
        """The view of a campaign."""
        totals = one.totals
        return cls(
            campaign=one.campaign,
            status=one.status.value,
            reward_id=one.reward_id,
            paid_by=one.paid_by.value,
            started_by=one.started_by,
            created_at=to_text(one.created_at),
            problem=one.problem,
            lines=totals.lines if totals else None,
            units=totals.units if totals else None,
            points=totals.points if totals else None,
            value=MoneyBody.of(totals.value) if totals and totals.value else None,
            decided_by=one.decided_by,
            decided_at=to_text(one.decided_at) if one.decided_at else None,
            note=one.note,
        )


class CreatedView(CampaignView):
    """A campaign, and where its list is sent."""

    upload_url: Annotated[str, Field(description="PUT the list here, as it is; the URL is good for fifteen minutes.")]


class ProgressView(CampaignView):
    """A campaign, and how far it is."""

    held: Annotated[int, Field(description="Lines that are held; what becomes of each is its redemption's.")]
    refused: Annotated[int, Field(description="Lines that were tried and are not held.")]
    batches: int
    batches_done: int
    ready_at: Annotated[str | None, Field(description="An estimate; null where there is none.")]
    failures_url: Annotated[
        str | None,
        Field(description="CSV of the lines that are not held, for fifteen minutes; null where none is known."),
    ]

    @classmethod
    def progressed(
        cls, one: Campaign, progress: Progress, *, ready_at: datetime | None, failures_url: str | None
    ) -> Self:
        """The view of a campaign with its progress."""
        return cls(
            **CampaignView.of(one).model_dump(),
            held=progress.held,
            refused=progress.refused,
            batches=progress.batches,
            batches_done=progress.batches_done,
            ready_at=to_text(ready_at) if ready_at else None,
            failures_url=failures_url,
        )


class CampaignsPage(ResponseBody):
    """Campaigns of a program, the oldest first."""

    items: list[CampaignView]
    next_cursor: Annotated[str | None, Field(description="Send it as `cursor` for the next page; null on the last.")]
