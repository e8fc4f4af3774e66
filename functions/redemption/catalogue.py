"""The catalogue over HTTPS."""

from http import HTTPStatus
from typing import Annotated, TypeVar

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Header, Query

from functions.redemption.views import Country, RewardsPage, RewardView
from loyalty.core.errors import OneOfRequired
from loyalty.core.fields import Locale, MemberId, ProgramId
from loyalty.core.http import caller
from loyalty.programs.brand import Language
from loyalty.programs.fields import Slug
from loyalty.programs.model import Program
from loyalty.programs.offer import negotiated
from loyalty.programs.rewards import RewardType
from loyalty.programs.store import ProgramStore
from loyalty.rewards.catalogue import Asked, Catalogue

V = TypeVar("V")

_REWARDS = "/v1/programs/<program>/rewards"
_Languages = Annotated[
    str | None, Header(alias="Accept-Language", max_length=1000, description="Of the member, as a browser sends it.")
]
_Locale = Annotated[Locale | None, Query(description="Of the member; it goes before Accept-Language.")]
_Country = Annotated[Country | None, Query(description="Where the member is; others leave out what is not there.")]
_Member = Annotated[MemberId | None, Query(description="For whom `affordable`, `available` and `reasons` are told.")]


def add_catalogue(router: Router, programs: ProgramStore, catalogue: Catalogue) -> None:
    """``GET …/rewards`` and ``GET …/rewards/{reward_id}``."""

    @router.get(_REWARDS, summary="Read the catalogue", tags=["Rewards"])
    def get_rewards(
        program: ProgramId,
        *,
        type: Annotated[RewardType | None, Query()] = None,  # noqa: A002 - the parameter's name in the API
        country: _Country = None,
        tier: Annotated[Slug | None, Query(description="Only what members on this tier may redeem.")] = None,
        available: Annotated[bool | None, Query(description="`true`: only what nothing speaks against.")] = None,
        affordable: Annotated[bool | None, Query(description="Asks for `member_id`.")] = None,
        member_id: _Member = None,
        locale: _Locale = None,
        accept_language: _Languages = None,
    ) -> Response[RewardsPage]:
        current = programs.for_client(program, caller(router))
        if affordable is not None and member_id is None:
            raise OneOfRequired("Say with member_id for whom it is to be affordable, or leave affordable out.")
        asked = Asked(type, country, tier, available, affordable)
        language = _language(current, locale, accept_language)
        shown = catalogue.rewards(current, asked, member_id)
        items = [RewardView.of(one, language, catalogue.pictures) for one in shown]
        return _answer(RewardsPage(language=language, items=items), language)

    @router.get(f"{_REWARDS}/<reward_id>", summary="Read a reward", tags=["Rewards"])
    def get_reward(
        program: ProgramId,
        reward_id: Slug,
        *,
        country: _Country = None,
        member_id: _Member = None,
        locale: _Locale = None,
        accept_language: _Languages = None,
    ) -> Response[RewardView]:
        current = programs.for_client(program, caller(router))
        language = _language(current, locale, accept_language)
        shown = catalogue.reward(current, reward_id, Asked(country=country), member_id)
        return _answer(RewardView.of(shown, language, catalogue.pictures), language)


def _language(program: Program, locale: str | None, accept_language: str | None) -> Language:
    return negotiated(locale or accept_language, program.document.locales)


def _answer(body: V, language: Language) -> Response[V]:
    """Of this member and this hour, so kept by nobody."""
    return Response(
        status_code=HTTPStatus.OK,
        content_type="application/json",
        headers={"Content-Language": language, "Vary": "Accept-Language", "Cache-Control": "no-store"},
        body=body,
    )
