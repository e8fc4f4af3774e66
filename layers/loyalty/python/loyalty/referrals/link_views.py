"""Links as the API shows them."""

from typing import Annotated, Self

from pydantic import Field

from loyalty.attribution.codes import Reason
from loyalty.core.clock import to_text
from loyalty.core.fields import RequestBody, ResponseBody
from loyalty.programs.fields import Slug
from loyalty.referrals.sharing import Link, SharedLinks


class LinkBody(RequestBody):
    """By which way a member shares a link."""

    channel: Annotated[Slug, Field(description="One of the program's channels.", examples=["whatsapp"])]
    campaign: Annotated[
        Slug | None, Field(description="One of the program's campaigns that is not over.", examples=["summer"])
    ] = None


class LinkView(ResponseBody):
    """A link with the code that its member shows now."""

    url: Annotated[
        str, Field(description="To share: it leads to the program's page, and whoever follows it is counted.")
    ]
    deep_link: Annotated[str | None, Field(description="Into the business's app, where it has one; uncounted.")]
    campaign: str | None
    channel: str
    shared_at: Annotated[str, Field(description="When it was first made.")]

    @classmethod
    def of(cls, link: Link) -> Self:
        """The view of a link."""
        return cls(
            url=link.url,
            deep_link=link.deep_link,
            campaign=link.source.campaign,
            channel=link.source.channel or "",
            shared_at=to_text(link.shared_at),
        )


class LinksView(ResponseBody):
    """The links of a member."""

    member_id: str
    code: Annotated[str, Field(description="The code in all of them.")]
    reason: Annotated[Reason, Field(description="Whether it may be used now: `valid`, `expired` or `exhausted`.")]
    links: list[LinkView]

    @classmethod
    def of(cls, shared: SharedLinks) -> Self:
        """The view of a member's links."""
        return cls(
            member_id=shared.member_id,
            code=shared.code,
            reason=shared.reason,
            links=[LinkView.of(link) for link in shared.links],
        )
