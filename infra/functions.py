"""Every function as data: what starts it is in the stacks, what it may do and is told is here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import loyalty_contract as contract

GET: Final = "dynamodb:GetItem"
PUT: Final = "dynamodb:PutItem"
READ: Final = (GET, "dynamodb:BatchGetItem")
UPDATE: Final = "dynamodb:UpdateItem"
CHECK: Final = "dynamodb:ConditionCheckItem"
DELETE: Final = "dynamodb:DeleteItem"
POST: Final = (*READ, PUT, CHECK, UPDATE)
"""To post to a member: those whom they absorbed are looked at for the same entry, and stock of timed-out holds comes back."""
REPLACE: Final = (*POST, DELETE)
"""Transactions are allowed item by item, by the action of each."""

OPEN: Final = ("kms:Decrypt",)
SEAL: Final = ("kms:GenerateDataKey",)


@dataclass(frozen=True)
class SealedData:
    """What a function does with records of personal data: their purpose, and KMS actions for that purpose alone."""

    purpose: str
    actions: tuple[str, ...]


@dataclass(frozen=True)
class ReportFiles:
    """What a function does with files of one folder of the reports' bucket: the folder, and S3 actions there."""

    folder: str
    actions: tuple[str, ...]


@dataclass(frozen=True)
class FunctionSpec:
    """A Lambda function of ours.

    Args:
        name: its folder under ``functions/``.
        description: for operators, in the console.
        timeout_seconds: after which Lambda stops it.
        memory_mb: also decides its share of a processor; 1,769 MB are one.
        table: DynamoDB actions on the table.
        parts: DynamoDB actions on partitions of some kinds alone, by the pattern of their keys.
        index: DynamoDB actions on the index of entries.
        due_index: DynamoDB actions on the index of what falls due.
        member_index: DynamoDB actions on the index of members.
        sealed: the personal data that it opens or seals.
        lookup: computes keyed hashes (lookups, cursors).
        pictures: S3 actions on the pictures of rewards.
        reports: what it does with reports and lists.
        starts: names of the state machines that it starts.
        environment: names of the variables that it needs beyond those that all get.
        wakes: answers the tokens with which executions of the fulfilment machine wait.
        decides: about fulfilment runs: starts executions of that machine, looks at them, and answers their tokens.
        misses: counts what clients ask for that is not there, in the partitions of these counts alone.
        snap_start: start from a snapshot; only where a caller waits, since snapshots of Python are paid for.
        refuses_by_raising: its errors are answers too, so that their number raises no alarm; it counts what fails by a metric.
    """

    name: str
    description: str
    timeout_seconds: int
    table: tuple[str, ...] = ()
    parts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    index: tuple[str, ...] = ()
    due_index: tuple[str, ...] = ()
    member_index: tuple[str, ...] = ()
    sealed: SealedData | None = None
    lookup: bool = False
    pictures: tuple[str, ...] = ()
    reports: ReportFiles | None = None
    starts: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()
    wakes: bool = False
    decides: bool = False
    misses: bool = False
    snap_start: bool = False
    refuses_by_raising: bool = False
    memory_mb: int = 1024


_API: Final = (
    FunctionSpec(
        "authorizer", "Lets requests of clients into the API, or not", 15, parts={"C#*": (GET,)}, snap_start=True,
        refuses_by_raising=True, environment=(contract.ENV_CLIENT_ISSUER, contract.ENV_CLIENT_JWKS_URL),
    ),
    FunctionSpec(
        "enrollment", "Members: create, read, change; their segments", 15, misses=True,
        table=(*READ, PUT, CHECK, DELETE), sealed=SealedData(contract.PROFILE, (*OPEN, *SEAL)), lookup=True, snap_start=True,
        environment=(contract.ENV_PII_KEY, contract.ENV_LOOKUP_KEY),
    ),
    FunctionSpec(
        "wallet", "Wallets, statements, health", 10, misses=True,
        table=(GET,), index=("dynamodb:Query",), lookup=True, snap_start=True,
        environment=(contract.ENV_LOOKUP_KEY,),
    ),
    FunctionSpec(
        "accrual", "Accruals and reversals through the API", 10, misses=True, table=(*REPLACE, "dynamodb:Query"), snap_start=True,
    ),
    FunctionSpec(
        "redemption", "Redemptions: hold, capture, release, cancel; the reward catalogue", 10, misses=True,
        table=(*POST, "dynamodb:Query"), lookup=True, pictures=("s3:GetObject",), snap_start=True,
        environment=(contract.ENV_LOOKUP_KEY, contract.ENV_PICTURES),
    ),
    FunctionSpec(
        "reveal", "Shows delivered gift cards and codes, and writes down who saw them", 10,
        table=(*READ, PUT, UPDATE), sealed=SealedData(contract.GIFT_CARD, OPEN), snap_start=True,
        environment=(contract.ENV_VAULT_KEY,),
    ),
    FunctionSpec(
        "stock", "What is left of limited rewards; restocks and withdrawals", 10,
        table=(*READ, "dynamodb:Query", PUT, UPDATE), snap_start=True,
    ),
    FunctionSpec(
        "adjustment", "Points given or taken by staff, and tiers that they grant", 10,
        table=(*POST, "dynamodb:Query"), snap_start=True,
    ),
    FunctionSpec(
        "transfer", "Transfers between members; households and their pools", 10, misses=True, table=REPLACE, snap_start=True,
    ),
    FunctionSpec(
        "merge", "Merges two members who are one person", 10, table=(*REPLACE, "dynamodb:Query"), snap_start=True,
    ),
    FunctionSpec(
        "referral_validation", "Referrals: codes, links, claims, who brought whom", 10, misses=True,
        table=(*READ, "dynamodb:Query", PUT, CHECK, UPDATE, DELETE), lookup=True, snap_start=True,
        environment=(contract.ENV_LOOKUP_KEY, contract.ENV_LINKS_URL),
    ),
    FunctionSpec(
        "referral_link", "Where members' links lead; counts who follows them", 10, snap_start=True,
        parts={
            "P#*": (GET,),
            contract.CODE_PARTITIONS: ("dynamodb:BatchGetItem",),
            f"{contract.CLICKS_PREFIX}*": (PUT, UPDATE),
        },
    ),
    FunctionSpec(
        "referral_review", "Referrals that wait for people, and what people decide", 25,
        table=(*READ, PUT), due_index=("dynamodb:Query",), lookup=True, snap_start=True, environment=(contract.ENV_LOOKUP_KEY,),
    ),
    FunctionSpec(
        "referral_report", "What referrals brought", 25,
        table=(*READ, "dynamodb:Query"), due_index=("dynamodb:Query",), member_index=("dynamodb:Query",), memory_mb=1769,
        snap_start=True,
    ),
    FunctionSpec(
        "program", "Programs: what they offer, drafts, versions", 10,
        table=(GET, "dynamodb:Query", PUT, DELETE), snap_start=True,
    ),
    FunctionSpec(
        "bulk", "Bulk fulfilments: create, start, approve, follow", 10,
        table=(*READ, "dynamodb:Query", PUT), due_index=("dynamodb:Query",), lookup=True, snap_start=True,
        reports=ReportFiles("bulk/", ("s3:GetObject", "s3:PutObject")), starts=(contract.BULK,),
        environment=(contract.ENV_LOOKUP_KEY, contract.ENV_REPORTS, contract.ENV_BULK_MACHINE),
    ),
    FunctionSpec(
        "privacy", "Consents, preferences and restriction; exports and erasures: ask, decide, follow", 10,
        table=(*POST, "dynamodb:Query"), snap_start=True,
        reports=ReportFiles("privacy/exports/", ("s3:GetObject",)), starts=(contract.PRIVACY,),
        environment=(contract.ENV_REPORTS, contract.ENV_PRIVACY_MACHINE, contract.ENV_EXPORT_DAYS),
    ),
    FunctionSpec(
        "supplier_callback", "Takes what suppliers tell of orders by themselves", 10, table=(GET, PUT), wakes=True, snap_start=True,
        environment=(contract.ENV_SUPPLIER_SECRETS, contract.ENV_STATE_MACHINE),
    ),
    FunctionSpec(
        "abuse", "Cases of suspected abuse: list, read, hold, release, confirm", 10,
        table=(*READ, PUT, UPDATE), due_index=("dynamodb:Query",), lookup=True, snap_start=True,
        environment=(contract.ENV_LOOKUP_KEY,),
    ),
    FunctionSpec(
        "finance", "Fulfilment runs for finance: lists, decisions, totals, exports", 25,
        table=(*POST, "dynamodb:Query"), due_index=("dynamodb:Query",), lookup=True, snap_start=True,
        decides=True, environment=(contract.ENV_LOOKUP_KEY, contract.ENV_STATE_MACHINE),
    ),
    FunctionSpec(
        "console", "The console: pages of finance for people who sign in", 25,
        table=(*POST, "dynamodb:Query"), due_index=("dynamodb:Query",), snap_start=True,
        decides=True,
        environment=(
            contract.ENV_STATE_MACHINE, contract.ENV_CONSOLE_KEY, contract.ENV_CONSOLE_URL, contract.ENV_SIGN_IN_URL, contract.ENV_ISSUER,
            contract.ENV_JWKS_URL, contract.ENV_PEOPLE_CLIENT,
        ),
    ),
)  # fmt: skip

_EVENTS: Final = (
    FunctionSpec(
        "accrual_events", "Accruals and reversals from commerce events", 60,
        table=(*REPLACE, "dynamodb:Query"), lookup=True,
        environment=(contract.ENV_LOOKUP_KEY, contract.ENV_INBOUND_DLQ, contract.ENV_DEFAULT_PROGRAM),
    ),
    FunctionSpec("tier_recalculation", "Tiers after points were earned or taken back", 30, table=(GET, PUT, CHECK, UPDATE)),
    FunctionSpec(
        "sweeper", "Writes down what fell due: maturity, expiry, warnings, time-outs; refunds of purchases that never came", 300,
        table=(*READ, PUT, DELETE, UPDATE), due_index=("dynamodb:Query",), memory_mb=1769, environment=(contract.ENV_INBOUND_DLQ,),
    ),
    FunctionSpec(
        "abuse_watch", "Signs of abuse in what members and clients do", 30, table=(*READ, PUT, UPDATE, "dynamodb:Query"),
    ),
    FunctionSpec(
        "referral_events", "Referrals: what members do, and people decide", 60,
        table=(*POST, "dynamodb:Query"), index=("dynamodb:Query",),
    ),
    FunctionSpec(
        "referral_clock", "Referrals: deadlines, reminders, payments once the return window is over", 300,
        table=(*POST, "dynamodb:Query"), index=("dynamodb:Query",), due_index=("dynamodb:Query",), memory_mb=1769,
    ),
    FunctionSpec(
        "publisher", "Changes of the table to events on the bus", 30,
        environment=(contract.ENV_BUS, contract.ENV_UNPUBLISHED),
    ),
)  # fmt: skip

_WORKFLOWS: Final = (
    FunctionSpec(
        "delivery", "Gives codes, cashback and donations for held points", 30,
        table=(*REPLACE, "dynamodb:Query"), sealed=SealedData(contract.GIFT_CARD, SEAL), lookup=True,
        environment=(contract.ENV_VAULT_KEY, contract.ENV_LOOKUP_KEY),
    ),
    FunctionSpec(
        "settlement", "Closes the settlement batches of days that are over", 300,
        table=(GET, "dynamodb:Query", PUT), due_index=("dynamodb:Query",), environment=(contract.ENV_REPORTS,),
    ),
    FunctionSpec(
        "fulfillment_start", "Starts the fulfilment of a held gift card", 15, environment=(contract.ENV_STATE_MACHINE,),
    ),
    FunctionSpec(
        "fulfillment", "One step of a gift card's fulfilment", 30,
        table=(*POST, "dynamodb:Query"), sealed=SealedData(contract.GIFT_CARD, SEAL),
        environment=(contract.ENV_VAULT_KEY, contract.ENV_SUPPLIERS, contract.ENV_FULFILLMENT),
    ),
    FunctionSpec(
        "supplier_rotation", "Rotates the tokens of a gift-card supplier", 60, environment=(contract.ENV_SUPPLIERS,),
    ),
    FunctionSpec(
        "recalculation", "One step of a recalculation of the tiers of many members", 300,
        table=POST, member_index=("dynamodb:Query",), memory_mb=1769,
    ),
    FunctionSpec(
        "reconciliation", "Compares a day's orders with a supplier's list", 840,
        table=("dynamodb:BatchGetItem", "dynamodb:Query", PUT), due_index=("dynamodb:Query",), memory_mb=1769,
        reports=ReportFiles("reconciliation/", ("s3:PutObject",)),
        environment=(contract.ENV_REPORTS, contract.ENV_SUPPLIERS),
    ),
    FunctionSpec(
        "bulk_batch", "One step of a bulk fulfilment: checks a list, holds its lines", 300,
        table=(*POST, "dynamodb:Query"), memory_mb=1769,
        reports=ReportFiles("bulk/", ("s3:GetObject", "s3:PutObject")), environment=(contract.ENV_REPORTS,),
    ),
    FunctionSpec(
        "privacy_work", "One step of an export of a member's data, or of an erasure", 840,
        table=(*REPLACE, "dynamodb:Query"), index=("dynamodb:Query",), memory_mb=1769,
        sealed=SealedData(contract.PROFILE, OPEN),
        reports=ReportFiles("privacy/", ("s3:PutObject", "s3:DeleteObjectVersion")),
        environment=(contract.ENV_REPORTS, contract.ENV_PII_KEY, contract.ENV_EXPORT_DAYS),
    ),
)  # fmt: skip

_AUDIT: Final = (
    FunctionSpec(
        contract.AUDIT_CHAIN, "Links the lines of the audit trail", 60, table=(*READ, "dynamodb:Query"), memory_mb=512,
    ),
    FunctionSpec(
        contract.AUDIT_EXPORT, "Exports the audit trail into a bucket that keeps it", 840,
        table=(*READ, "dynamodb:Query"), environment=(contract.ENV_AUDIT_TRAIL,),
    ),
)  # fmt: skip

FUNCTIONS: Final[Mapping[str, FunctionSpec]] = {spec.name: spec for spec in (*_API, *_EVENTS, *_WORKFLOWS, *_AUDIT)}
