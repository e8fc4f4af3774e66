"""Wallets, statements, and balances explained."""

from typing import Annotated, Literal

from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import Field

from functions.wallet.tiers import add_tiers
from loyalty.core.clock import Clock, from_text, to_text
from loyalty.core.cursor import Cursors
from loyalty.core.errors import MemberNotFound, MomentInFuture, WalletNotFound
from loyalty.core.fields import MemberId, ProgramId, ResponseBody, UtcDatetime
from loyalty.core.http import caller
from loyalty.explaining.service import ExplainService
from loyalty.explaining.views import ExplainedView
from loyalty.explaining.words import Unit
from loyalty.ledger.model import POINTS, EntryKind
from loyalty.ledger.settlement import as_of
from loyalty.ledger.store import LedgerStore
from loyalty.ledger.views import EntryView, WalletView
from loyalty.programs.model import Slug
from loyalty.programs.store import ProgramStore

_MEMBER = "/v1/programs/<program>/members/<member_id>"
_Limit = Annotated[int, Query(ge=1, le=100, description="Entries on a page.")]
_Cursor = Annotated[str | None, Query(max_length=512, description="`next_cursor` of the page before.")]


_ENDS = frozenset({EntryKind.FORFEITURE, EntryKind.MERGE_OUT})
"""The last entry of who was erased, or merged into somebody who may be: of others the first page costs no look at the book."""


class EntriesPage(ResponseBody):
    """One page of a statement, newest first."""

    items: list[EntryView]
    next_cursor: Annotated[str | None, Field(description="Send it as `cursor` for the next page; null on the last.")]


class Health(ResponseBody):
    """The function answers."""

    status: Literal["ok"]


def routes(programs: ProgramStore, ledger: LedgerStore, cursors: Cursors, clock: Clock) -> Router:
    """``GET …/wallet``, ``GET …/wallet/explain``, ``GET …/tier``, ``GET …/entries``, ``GET /health``."""
    router = Router()
    explaining = ExplainService(ledger)
    add_tiers(router, programs, ledger, clock)

    @router.get(f"{_MEMBER}/wallet", summary="Read a wallet", tags=["Wallets"])
    def get_wallet(program: ProgramId, member_id: MemberId) -> WalletView:
        scope = programs.for_client(program, caller(router)).scope
        book = ledger.current(program, member_id)
        if book is None:
            raise MemberNotFound.of(program, member_id)
        return WalletView.of(as_of(book, scope, clock()), scope, member_id)

    @router.get(f"{_MEMBER}/wallet/explain", summary="Explain a balance", tags=["Wallets"])
    def explain_wallet(
        program: ProgramId,
        member_id: MemberId,
        *,
        at: Annotated[UtcDatetime | None, Query(description="Any past moment; without it, now.")] = None,
        wallet: Annotated[Slug, Query(description="Which of the member's wallets.")] = POINTS,
        limit: _Limit = 25,
        cursor: _Cursor = None,
    ) -> ExplainedView:
        current = programs.for_client(program, caller(router))
        document, scope = current.document, current.scope
        if wallet not in document.wallet_ids:
            raise WalletNotFound(f"The program has these wallets: {', '.join(document.wallet_ids)}.", pointer="/wallet")
        unit = Unit(document.currency_of(wallet))
        resource = f"explain/{program}/{member_id}/{wallet}"
        page = cursors.read(resource, cursor) if cursor else {}
        moment = from_text(str(page["at"])) if page else at or clock()
        if moment > clock():
            raise MomentInFuture("`at` lies in the future; ask for a moment that has passed.", pointer="/at")
        before = int(page["before"]) if page else None
        explained = explaining.explain(scope, member_id, moment, limit=limit, before=before)
        older = explained.next_before
        next_cursor = cursors.write(resource, {"at": to_text(moment), "before": older}) if older else None
        return ExplainedView.of(explained, wallet, unit, scope, at=moment, next_cursor=next_cursor)

    @router.get(f"{_MEMBER}/entries", summary="Read a statement", tags=["Wallets"])
    def get_entries(program: ProgramId, member_id: MemberId, limit: _Limit = 25, cursor: _Cursor = None) -> EntriesPage:
        programs.for_client(program, caller(router))
        resource = f"entries/{program}/{member_id}"
        before = int(cursors.read(resource, cursor)["before"]) if cursor else None
        page = ledger.entries(program, member_id, limit=limit, before=before)
        if not page.entries and ledger.book(program, member_id) is None:
            raise MemberNotFound.of(program, member_id)
        if before is not None or (page.entries and page.entries[0].key.kind in _ENDS):
            ledger.current(program, member_id)  # it says where they were erased
        return EntriesPage(
            items=[EntryView.of(entry) for entry in page.entries],
            next_cursor=None if page.next_before is None else cursors.write(resource, {"before": page.next_before}),
        )

    @router.get("/health", summary="Say that the API is up", tags=["Operations"])
    def get_health() -> Health:
        return Health(status="ok")

    return router
