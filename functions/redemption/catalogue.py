"""The catalogue over HTTPS: of a program, for whoever may read it; and as one member meets it, for who may read wallets."""

from http import HTTPStatus
from typing import Annotated, TypeVar

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Header, Query

from functions.redemption.views import Country, MemberRewardsPage, MemberRewardView, RewardsPage, RewardView
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
_OF_MEMBER = "/v1/programs/<program>/members/<member_id>/rewards"
_Languages = Annotated[
    str | None, Header(alias="Accept-Language", max_length=1000, description="Of the member, as a browser sends it.")
]
_Locale = Annotated[Locale | None, Query(description="Of the member; it goes before Accept-Language.")]
_Country = Annotated[Country | None, Query(description="Where the member is; others leave out what is not there.")]
_Type = Annotated[RewardType | None, Query(description="Only rewards of this kind.")]
_Available = Annotated[bool | None, Query(description="`true`: only what nothing speaks against.")]
_Affordable = Annotated[bool | None, Query(description="`true`: only what the member has the points for.")]


def add_catalogue(router: Router, programs: ProgramStore, catalogue: Catalogue) -> None:
    """``GET …/rewards``, ``GET …/rewards/{reward_id}`` and ``GET …/members/{member_id}/rewards``."""

    @router.get(_REWARDS, summary="Read the catalogue", tags=["Rewards"])
    def get_rewards(
        program: ProgramId,
        *,
        type: _Type = None,  # noqa: A002 - the parameter's name in the API
        country: _Country = None,
        tier: Annotated[Slug | None, Query(description="Only what members on this tier may redeem.")] = None,
        available: _Available = None,
        locale: _Locale = None,
        accept_language: _Languages = None,
    ) -> Response[RewardsPage]:
        current = programs.for_client(program, caller(router))
        language = _language(current, locale, accept_language)
        shown = catalogue.rewards(current, Asked(type, country, tier, available))
        items = [RewardView.of(one, language, catalogue.pictures) for one in shown]
        return _answer(RewardsPage(language=language, items=items), language)

    @router.get(f"{_REWARDS}/<reward_id>", summary="Read a reward", tags=["Rewards"])
    def get_reward(
        program: ProgramId,
        reward_id: Slug,
        *,
        country: _Country = None,
        locale: _Locale = None,
        accept_language: _Languages = None,
    ) -> Response[RewardView]:
        current = programs.for_client(program, caller(router))
        language = _language(current, locale, accept_language)
        shown = catalogue.reward(current, reward_id, Asked(country=country))
        return _answer(RewardView.of(shown, language, catalogue.pictures), language)

    @router.get(_OF_MEMBER, summary="Read the catalogue as a member meets it", tags=["Rewards"])
    def get_member_rewards(
        program: ProgramId,
        member_id: MemberId,
        *,
        type: _Type = None,  # noqa: A002 - the parameter's name in the API
        country: _Country = None,
        available: _Available = None,
        affordable: _Affordable = None,
        locale: _Locale = None,
        accept_language: _Languages = None,
    ) -> Response[MemberRewardsPage]:
        current = programs.for_client(program, caller(router))
        language = _language(current, locale, accept_language)
        asked = Asked(type, country, available=available)
        shown = catalogue.of_member(current, member_id, asked, affordable=affordable)
        items = [MemberRewardView.of_member(one, language, catalogue.pictures) for one in shown]
        return _answer(MemberRewardsPage(language=language, items=items), language)


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
