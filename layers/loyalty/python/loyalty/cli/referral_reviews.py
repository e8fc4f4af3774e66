"""``loyalty referrals reviews|show-evidence|approve|reject|revoke|feedback``: people decide, and how well screening did."""

from datetime import UTC, datetime
from typing import Annotated

import typer
from pydantic import TypeAdapter, ValidationError
from rich.table import Table as Columns

from loyalty.abuse.model import Person
from loyalty.abuse.views import Reason
from loyalty.attribution.model import Referral, Screened
from loyalty.cli.console import AsJson, TableName, open_table, out, print_json
from loyalty.cli.operators import known_operator
from loyalty.cli.rule_words import counted
from loyalty.core.clock import system_clock
from loyalty.programs.store import ProgramStore
from loyalty.referrals.decisions import asked
from loyalty.referrals.feedback import Share
from loyalty.referrals.feedback_views import ReferralFeedbackView
from loyalty.referrals.review_views import ReferralReviewView
from loyalty.referrals.reviewing import ReviewService
from loyalty.referrals.words import in_words

Member = Annotated[str, typer.Argument(help="Id of the member who was brought, as they enrolled.")]
ProgramId = Annotated[str, typer.Option("--program", help="Id of the program.")]
Why = Annotated[str, typer.Option("--reason", help="Why, as a code of your own: same_household. No personal data.")]
First = Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="The first day, in the program's zone.")]
Last = Annotated[datetime | None, typer.Option("--until", formats=["%Y-%m-%d"], help="The last. Left out: the first.")]
_REASON: TypeAdapter[str] = TypeAdapter(Reason)


def reviews(
    *,
    table: TableName,
    program: ProgramId,
    limit: Annotated[int, typer.Option(min=1, max=100, help="Referrals, at most.")] = 100,
    json: AsJson = False,
) -> None:
    """List the referrals that wait for a person; who has waited longest first."""
    page = _service(table).page(program, limit=limit)
    if json:
        items = [ReferralReviewView.of(one).model_dump(mode="json") for one in page.items]
        print_json({"items": items, "more": page.next is not None})
        return
    if not page.items:
        out.print("No referral waits for a person.")
        return
    columns = Columns("brought", "waits since (UTC)", "score", "signs", box=None)
    for one in page.items:
        screened = one.screened
        signs = ", ".join(sign.signal for sign in screened.evidence) if screened else ""
        appealed = "appealed; " if one.appealed_at else ""
        score = str(screened.score) if screened else ""
        columns.add_row(one.member_id, _at(one.updated_at or one.claimed_at), score, appealed + signs)
    out.print(columns)
    if page.next is not None:
        out.print("There are more; --limit shows up to 100.")


def show_evidence(member: Member, *, table: TableName, program: ProgramId, json: AsJson = False) -> None:
    """Print what speaks against a referral, in words, and whether the score comes out the same when it is computed again."""
    service = _service(table)
    referral = service.get(program, member)
    _show(referral, json=json, reproduced=service.reproduced(referral))


def approve(member: Member, *, table: TableName, program: ProgramId, reason: Why, json: AsJson = False) -> None:
    """Have a referral rewarded, or where the program wants two people, ask for it; another person's approval agrees."""
    current = ProgramStore(open_table(table), system_clock).current(program)
    by = Person(known_operator())
    _show(_service(table).approve(current, member, by, _code(reason)), json=json)


def reject(member: Member, *, table: TableName, program: ProgramId, reason: Why, json: AsJson = False) -> None:
    """End a referral without a reward. Members see the same as if nothing had qualified."""
    current = ProgramStore(open_table(table), system_clock).current(program)
    by = Person(known_operator())
    _show(_service(table).reject(current, member, by, _code(reason)), json=json)


def revoke(member: Member, *, table: TableName, program: ProgramId, reason: Why, json: AsJson = False) -> None:
    """Take back what both sides of a rewarded referral got, as a fraud; or where the program wants two people, ask for it."""
    current = ProgramStore(open_table(table), system_clock).current(program)
    by = Person(known_operator())
    _show(_service(table).revoke(current, member, by, _code(reason)), json=json)


def feedback(*, table: TableName, program: ProgramId, first: First, last: Last = None, json: AsJson = False) -> None:
    """Say how well screening did by what people decided, of the referrals that were claimed on these days."""
    current = ProgramStore(open_table(table), system_clock).current(program)
    days = first.date(), (last or first).date()
    found = _service(table).feedback(current, *days, bounded=False)
    if json:
        print_json(ReferralFeedbackView.of(found).model_dump(mode="json"))
        return
    out.print(
        f"{counted(found.referrals, 'referral')} claimed from {days[0]} to {days[1]}, {found.screened:,} of them screened."
    )
    columns = Columns("screening says", "people: fraud", "people: honest", "waiting", "nobody decided", box=None)
    for verdict, row in found.rows.items():
        columns.add_row(verdict, *map(str, (row.known.fraud, row.known.honest, row.waiting, row.undecided)))
    out.print(columns)
    out.print(f"precision {_share(found.precision)} of those it stopped and people decided on are frauds")
    out.print(f"recall    {_share(found.recall)} of the frauds that people found it stopped; nobody knows of others")
    appeals = found.appeals
    out.print(f"appeals: {appeals.made:,} made, {appeals.granted:,} granted, {appeals.refused:,} refused")
    out.print(f"revoked after their reward: {found.revoked:,}")
    if found.signs:
        signs = Columns("sign", "fraud", "honest", "right", box=None)
        for signal, known in found.signs.items():
            signs.add_row(signal, str(known.fraud), str(known.honest), _share(known.right))
        out.print(signs)


def _service(table: str) -> ReviewService:
    return ReviewService(open_table(table), system_clock)


def _code(text: str) -> str:
    try:
        return _REASON.validate_python(text)
    except ValidationError:
        raise typer.BadParameter("Give a code: small letters, digits, - and _.", param_hint="--reason") from None


def _show(one: Referral, *, json: bool, reproduced: bool | None = None) -> None:
    if json:
        print_json(ReferralReviewView.of(one, reproduced=reproduced).model_dump(mode="json"))
        return
    waits = f", in review since {_at(one.updated_at or one.claimed_at)}" if one.waits else ""
    out.print(f"{one.member_id}: {one.status}{waits}")
    via = ", ".join(part for part in (one.source.campaign, one.source.channel) if part)
    out.print(f"  brought by {one.referrer} on {_at(one.claimed_at)}{f' by {via}' if via else ''}")
    if one.qualified is not None:
        amount = f", {one.qualified.amount}" if one.qualified.amount else ""
        out.print(f"  qualified by {one.qualified.entry_id}{amount}, payable from {_at(one.qualified.pays_at)}")
    if one.screened is not None:
        _show_screening(one.screened, reproduced=reproduced)
    if one.appealed_at is not None:
        out.print(f"  appealed on {_at(one.appealed_at)}: {one.appealed_because}")
    for decided in one.decisions:
        done = "approved" if decided.approved else "rejected"
        through = f" through {decided.through}" if decided.through else ""
        out.print(f"  {done} by {decided.actor}{through} on {_at(decided.at)}: {decided.reason}")
    if (proposed := asked(one)) is not None:
        what = "Approval" if proposed.approved else "Revocation"
        out.print(f"[bold yellow]![/] {what} asked for by {proposed.actor}: another person has to agree.")


def _show_screening(screened: Screened, *, reproduced: bool | None) -> None:
    again = {None: "", True: "; computed again, it is the same", False: "; computed again, it is NOT the same"}[
        reproduced
    ]
    out.print(
        f"  score {screened.score} of 100, {screened.verdict}, by version {screened.program_version} on {_at(screened.at)}{again}"
    )
    for sign in screened.evidence:
        out.print(f"  {sign.weight:>5}  {sign.signal}: {in_words(sign)}")
        for member in sign.members:
            out.print(f"         {member}")


def _share(share: Share) -> str:
    return "-" if share.percent is None else f"{share.percent}% ({share.part:,} of {share.of:,})"


def _at(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M}"
