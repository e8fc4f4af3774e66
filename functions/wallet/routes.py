"""Wallets and statements."""

from typing import Annotated, Literal

from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import Field

from loyalty.core.clock import Clock, local_date
from loyalty.core.cursor import Cursors
from loyalty.core.errors import MemberNotFound
from loyalty.core.fields import MemberId, ProgramId, ResponseBody
from loyalty.core.http import caller
from loyalty.ledger.store import LedgerStore
from loyalty.ledger.views import EntryView, WalletView
from loyalty.programs.store import ProgramStore


class EntriesPage(ResponseBody):
    """One page of a statement, newest first."""

    items: list[EntryView]
    next_cursor: Annotated[str | None, Field(description="Send it as `cursor` for the next page; null on the last.")]


class Health(ResponseBody):
    """The function answers."""

    status: Literal["ok"]


def routes(programs: ProgramStore, ledger: LedgerStore, cursors: Cursors, clock: Clock) -> Router:
    """``GET …/wallet``, ``GET …/entries``, ``GET /health``."""
    router = Router()

    @router.get("/v1/programs/<program>/members/<member_id>/wallet", summary="Read a wallet", tags=["Wallets"])
    def get_wallet(program: ProgramId, member_id: MemberId) -> WalletView:
        current = programs.for_client(program, caller(router))
        wallet = ledger.wallet(program, member_id)
        if wallet is None:
            raise MemberNotFound(f"There is no member '{member_id}' in program '{program}'.")
        return WalletView.of(wallet, local_date(clock(), current.document.zone))

    @router.get("/v1/programs/<program>/members/<member_id>/entries", summary="Read a statement", tags=["Wallets"])
    def get_entries(
        program: ProgramId,
        member_id: MemberId,
        limit: Annotated[int, Query(ge=1, le=100, description="Entries on a page.")] = 25,
        cursor: Annotated[str | None, Query(max_length=512, description="`next_cursor` of the page before.")] = None,
    ) -> EntriesPage:
        programs.for_client(program, caller(router))
        resource = f"entries/{program}/{member_id}"
        before = int(cursors.read(resource, cursor)["before"]) if cursor else None
        page = ledger.entries(program, member_id, limit=limit, before=before)
        if not page.entries and ledger.wallet(program, member_id) is None:
            raise MemberNotFound(f"There is no member '{member_id}' in program '{program}'.")
        return EntriesPage(
            items=[EntryView.of(entry) for entry in page.entries],
            next_cursor=None if page.next_before is None else cursors.write(resource, {"before": page.next_before}),
        )

    @router.get("/health", summary="Say that the API is up", tags=["Operations"])
    def get_health() -> Health:
        return Health(status="ok")

    return router
