"""Bulk fulfilments: create, start, approve, reject, follow."""

from http import HTTPStatus
from typing import Annotated, Final

from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Body, Query

from loyalty.bulk.model import Campaign, CampaignId, CampaignStatus
from loyalty.bulk.service import Campaigns
from loyalty.bulk.store import CampaignStore
from loyalty.bulk.views import CampaignBody, CampaignsPage, CampaignView, CreatedView, DecisionBody, ProgressView
from loyalty.core.cursor import Cursors
from loyalty.core.fields import ProgramId
from loyalty.core.files import Files
from loyalty.core.http import caller
from loyalty.core.telemetry import count, logger
from loyalty.programs.store import ProgramStore

LINK_SECONDS: Final = 15 * 60
_ALL: Final = "/v1/programs/<program>/bulk-fulfillments"
_ONE: Final = f"{_ALL}/<campaign>"
_TAGS: Final = ["Bulk fulfilments"]
_REPORTED: Final = frozenset({CampaignStatus.DONE, CampaignStatus.UNFINISHED})


def _log(what: str, campaign: Campaign) -> None:
    logger.info(what, extra={"campaign": campaign.campaign, "status": campaign.status})


def routes(
    programs: ProgramStore, campaigns: Campaigns, store: CampaignStore, files: Files, cursors: Cursors
) -> Router:
    """Everything under ``…/bulk-fulfillments``."""
    router = Router()

    @router.post(_ALL, summary="Create a bulk fulfilment", tags=_TAGS, status_code=HTTPStatus.CREATED)
    def post_campaign(program: ProgramId, body: Annotated[CampaignBody, Body()]) -> CreatedView:
        client_id = caller(router)
        created = campaigns.create(programs.for_client(program, client_id), body.asked(client_id))
        count("CampaignsCreated")
        _log("campaign created", created)
        url = files.upload_link(created.list_key, seconds=LINK_SECONDS)
        return CreatedView(**CampaignView.of(created).model_dump(), upload_url=url)

    @router.get(_ALL, summary="List bulk fulfilments", tags=_TAGS)
    def get_campaigns(
        program: ProgramId,
        limit: Annotated[int, Query(ge=1, le=100)] = 25,
        cursor: Annotated[str | None, Query(max_length=512, description="`next_cursor` of the page before.")] = None,
    ) -> CampaignsPage:
        programs.for_client(program, caller(router))
        resource = f"bulk-fulfillments:{program}"
        after = str(cursors.read(resource, cursor)["after"]) if cursor else None
        page = store.page(program, limit=limit, after=after)
        return CampaignsPage(
            items=[CampaignView.of(one) for one in page.items],
            next_cursor=None if page.next is None else cursors.write(resource, {"after": page.next}),
        )

    @router.get(_ONE, summary="Follow a bulk fulfilment", tags=_TAGS)
    def get_campaign(program: ProgramId, campaign: CampaignId) -> ProgressView:
        programs.for_client(program, caller(router))
        found = store.get(program, campaign)
        progress = campaigns.progress(found)
        reported = found.status in _REPORTED and progress.refused > 0
        return ProgressView.progressed(
            found,
            progress,
            ready_at=campaigns.ready_at(found, progress),
            failures_url=files.link(found.failures_key, seconds=LINK_SECONDS) if reported else None,
        )

    @router.post(f"{_ONE}/start", summary="Start or go on with a bulk fulfilment", tags=_TAGS, status_code=202)
    def start_campaign(program: ProgramId, campaign: CampaignId) -> CampaignView:
        programs.for_client(program, caller(router))
        started = campaigns.start(program, campaign)
        count("CampaignsStarted")
        _log("campaign started", started)
        return CampaignView.of(started)

    @router.post(f"{_ONE}/approve", summary="Approve a bulk fulfilment as the second person", tags=_TAGS)
    def approve_campaign(
        program: ProgramId, campaign: CampaignId, body: Annotated[DecisionBody, Body()]
    ) -> CampaignView:
        return _decided(program, campaign, body, approve=True)

    @router.post(f"{_ONE}/reject", summary="Reject a bulk fulfilment as the second person", tags=_TAGS)
    def reject_campaign(
        program: ProgramId, campaign: CampaignId, body: Annotated[DecisionBody, Body()]
    ) -> CampaignView:
        return _decided(program, campaign, body, approve=False)

    def _decided(program: str, campaign: str, body: DecisionBody, *, approve: bool) -> CampaignView:
        client_id = caller(router)
        current = programs.for_client(program, client_id)
        decided = campaigns.decide(
            current, campaign, actor=body.actor, client_id=client_id, approve=approve, note=body.note
        )
        count("CampaignsApproved" if approve else "CampaignsRejected")
        _log("campaign decided", decided)
        return CampaignView.of(decided)

    return router
