"""The commands, put together."""

from functools import cache

import typer
from botocore.exceptions import BotoCoreError, ClientError, NoRegionError
from pynamodb.exceptions import PynamoDBException

from loyalty.cli import (
    audit,
    bulk,
    cards,
    clients,
    codes,
    drafting,
    invoices,
    members,
    people,
    pii,
    privacy,
    programs,
    purchases,
    redrive,
    referral_reports,
    referral_reviews,
    referrals,
    rewards,
    risk,
    settlements,
    simulating,
    sweeping,
    tiers,
    verify,
)
from loyalty.cli.console import fail, take_region
from loyalty.cli.operators import operator
from loyalty.core.errors import LoyaltyError
from loyalty.core.origin import coming_from

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Run and prove a loyalty platform.")
app.command("verify")(verify.verify)
app.command("redrive")(redrive.redrive)
app.command("sweep")(sweeping.sweep)
app.command("settle")(sweeping.settle)
programs.app.command("simulate")(simulating.simulate)
programs.app.command("draft")(drafting.draft)
programs.app.command("publish-draft")(drafting.publish_draft)
referrals.app.command("reviews")(referral_reviews.reviews)
referrals.app.command("show-evidence")(referral_reviews.show_evidence)
referrals.app.command("approve")(referral_reviews.approve)
referrals.app.command("reject")(referral_reviews.reject)
referrals.app.command("revoke")(referral_reviews.revoke)
referrals.app.command("feedback")(referral_reviews.feedback)
referrals.app.command("report")(referral_reports.report)
app.add_typer(programs.app, name="program", help="Programs: validate, compare, simulate, publish, schedule, roll back.")
app.add_typer(members.app, name="members", help="Members of a program, all of them.")
app.add_typer(pii.app, name="pii", help="Keys under which personal data of members lies.")
app.add_typer(tiers.app, name="tiers", help="Where members stand on the ladders of tiers.")
app.add_typer(purchases.app, name="purchase", help="Purchases that came as events, and refunds that wait for theirs.")
app.add_typer(cards.app, name="card", help="Delivered gift cards and codes: who looked at one.")
app.add_typer(audit.app, name="audit", help="The audit trail: verify it, read it.")
app.add_typer(bulk.app, name="bulk", help="One reward for the members of a list.")
app.add_typer(invoices.app, name="invoice", help="Invoices of suppliers, held against our orders.")
app.add_typer(rewards.app, name="rewards", help="What the catalogue shows of rewards.")
app.add_typer(risk.app, name="risk", help="Members who show signs of abuse: list, show, hold, release.")
app.add_typer(
    referrals.app, name="referrals", help="Members whom others brought: explain one, decide, work off what is due."
)
app.add_typer(clients.app, name="client", help="OAuth2 clients of partner apps, and the programs they speak for.")
app.add_typer(codes.app, name="codes", help="Pools of coupon codes.")
app.add_typer(settlements.app, name="settlements", help="Batches of cashback and donations, which the business pays.")
app.add_typer(privacy.app, name="privacy", help="Members who were erased, and who was quiet for long.")
app.add_typer(people.app, name="person", help="People who sign in to the console, and the programs they see.")


@app.callback()
def loyalty(context: typer.Context) -> None:
    """Before any command."""
    take_region()
    context.with_resource(coming_from(cache(operator)))


def main() -> None:
    """Runs one command. What goes wrong is one line on standard error, and exit code 1."""
    try:
        app()
    except LoyaltyError as error:
        fail(f"{error.code}: {error.detail}")
    except (BotoCoreError, ClientError, PynamoDBException) as error:
        # pynamodb's errors carry what caused them.
        if isinstance(getattr(error, "cause", error), NoRegionError):
            fail("Nobody says in which AWS region the stage is: set AWS_REGION, as in AWS_REGION=eu-south-1.")
        fail(f"AWS did not do it: {error}")
