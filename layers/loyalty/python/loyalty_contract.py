"""Names that the infrastructure and the library must agree on, and nothing else.

``infra`` and ``loyalty`` never import each other; both import this module.
"""

from typing import Final

# --- The table -------------------------------------------------------------------------------
PARTITION_KEY: Final = "pk"
SORT_KEY: Final = "sk"
ENTRY_INDEX: Final = "by_seq"
"""Local secondary index on ``seq``: a member's entries in posting order. Only entries carry ``seq``."""
ENTRY_INDEX_KEY: Final = "seq"
DUE_INDEX: Final = "by_due"
"""Global secondary index, keys only: what falls due by itself, by shard and moment. Few items carry its attributes."""
DUE_INDEX_KEY: Final = "due_shard"
DUE_AT: Final = "due_at"
DUE_SHARDS: Final = 16
"""Partitions of the index for each kind of due work. More can be added; fewer would leave work behind."""
MEMBER_INDEX: Final = "by_member"
"""Global secondary index: the members of a program, by shard and partition. Wallets alone carry its attribute."""
MEMBER_INDEX_KEY: Final = "member_shard"
MEMBER_INDEX_HAS: Final = ("tier", "standings")
"""What the index has of a wallet beside its keys: by what members are chosen, and nothing that a posting of points changes."""
MEMBER_SHARDS: Final = 16
"""Partitions of the index for each program. More can be added; fewer would leave members behind."""
TTL_ATTRIBUTE: Final = "ttl"

ENTRY_PREFIX: Final = "ENTRY#"
MEMBER_SK: Final = "MEMBER"
REDEMPTION_PREFIX: Final = "REDEMPTION#"
REFERRAL_SK: Final = "REFERRAL"
"""In the partition of who was brought: the one referral that they can be of."""
REFERRAL_REVIEWS_PREFIX: Final = "REFERRALREVIEW#"
"""Of a shard of the due index: referrals of a program that wait for a person."""
REFERRALS_SK: Final = "REFERRALS"
"""In the partition of who brings others: how many of those were rewarded."""
CLICK_SK: Final = "CLICK"
"""A click on a link, in a partition of its own."""
CLICKS_PREFIX: Final = "V#"
"""Of a partition: one click, or what was counted of links in a day."""
CODE_PARTITIONS: Final = "U#*#referral#*"
"""Pattern of the partitions of referral codes, in each of which is whose it is."""
SHARE_PREFIX: Final = "SHARE#"
"""A link that a member was given to share, by campaign and channel."""
ACCESS_PREFIX: Final = "ACCESS#"
"""A line of the register of who looked at a card."""
CONSENT_PREFIX: Final = "CONSENT#"
"""A line of the log of what a member agreed to, by purpose and moment."""
PROGRAM_VERSION_PREFIX: Final = "CONFIG#"
RUN_SK: Final = "RUN"
"""A fulfilment run, in a partition of its own."""
RISK_SK: Final = "RISK"
"""A member's case of suspected abuse."""
CLIENT_WATCH_PREFIX: Final = "W#"
"""Of a partition: what is counted of a client in one window."""
SUSPECTED_SK: Final = "SUSPECTED"
"""There: the client is suspected."""

AUDIT_PREFIX: Final = "A#"
"""Partitions of the audit trail: its lines are written once, and neither changed nor deleted."""
AUDIT_LINE_PREFIX: Final = "LINE#"
AUDIT_LINKS_PREFIX: Final = "AL#"
"""Partitions of the chains of the trail: one function alone writes them."""
AUDIT_LINK_PREFIX: Final = "LINK"
"""With which the sort keys of links and of their marks begin."""

# --- Environment of the functions ------------------------------------------------------------
ENV_STAGE: Final = "LOYALTY_STAGE"
ENV_TABLE: Final = "LOYALTY_TABLE"
ENV_BUS: Final = "LOYALTY_BUS"
ENV_PII_KEY: Final = "LOYALTY_PII_KEY"
ENV_VAULT_KEY: Final = "LOYALTY_VAULT_KEY"
ENV_LOOKUP_KEY: Final = "LOYALTY_LOOKUP_KEY"
ENV_PICTURES: Final = "LOYALTY_PICTURES"
"""Name of the bucket with the pictures of rewards."""
ENV_REPORTS: Final = "LOYALTY_REPORTS"
"""Name of the bucket with reports of reconciliation, lists of bulk fulfilment, and copies of members' data."""
ENV_BULK_MACHINE: Final = "LOYALTY_BULK_MACHINE"
ENV_PRIVACY_MACHINE: Final = "LOYALTY_PRIVACY_MACHINE"
ENV_EXPORT_DAYS: Final = "LOYALTY_EXPORT_DAYS"
"""Days after which a copy of a member's data is gone."""
ENV_STATE_MACHINE: Final = "LOYALTY_STATE_MACHINE"
ENV_SUPPLIERS: Final = "LOYALTY_SUPPLIERS"
"""JSON: of each supplier of the stage its URL, its secret's ARN, and what else its client needs."""
ENV_SUPPLIER_SECRETS: Final = "LOYALTY_SUPPLIER_SECRETS"
"""JSON: the ARN of each supplier's secret, for whoever does not call suppliers and is called by them."""
ENV_FULFILLMENT: Final = "LOYALTY_FULFILLMENT"
"""How patient and careful fulfilment is: ``loyalty.fulfillment.policy``, as JSON."""
ENV_INBOUND_DLQ: Final = "LOYALTY_INBOUND_DLQ"
ENV_UNPUBLISHED: Final = "LOYALTY_UNPUBLISHED"
ENV_DEFAULT_PROGRAM: Final = "LOYALTY_DEFAULT_PROGRAM"
ENV_AUDIT_TRAIL: Final = "LOYALTY_AUDIT_TRAIL"
"""Name of the bucket with the exported audit trail."""
ENV_CONSOLE_KEY: Final = "LOYALTY_CONSOLE_KEY"
ENV_CONSOLE_URL: Final = "LOYALTY_CONSOLE_URL"
"""Where people reach the console, without a slash at its end."""
ENV_SIGN_IN_URL: Final = "LOYALTY_SIGN_IN_URL"
"""The base URL of the user pool's own pages, on which people sign in."""
ENV_LINKS_URL: Final = "LOYALTY_LINKS_URL"
"""Where the links of members begin, without a slash at its end."""
ENV_ISSUER: Final = "LOYALTY_ISSUER"
ENV_JWKS_URL: Final = "LOYALTY_JWKS_URL"
ENV_PEOPLE_CLIENT: Final = "LOYALTY_PEOPLE_CLIENT"

ENV_CLIENT_ISSUER: Final = "LOYALTY_CLIENT_ISSUER"
"""Who issues the tokens of clients: their user pool."""
ENV_CLIENT_JWKS_URL: Final = "LOYALTY_CLIENT_JWKS_URL"

# --- Personal data ---------------------------------------------------------------------------
SEALED_FOR: Final = "purpose"
"""The key of the encryption context by which a role may open or seal one kind of record and no other."""
PROFILE: Final = "profile"
GIFT_CARD: Final = "gift_card"
CODE_POOL: Final = "code_pool"

EXPORTS_FOLDER: Final = "privacy/exports/"
"""Where copies of members' data lie among the reports, for a few days."""

METRICS_NAMESPACE: Final = "Loyalty"
ACCESS_REFUSED: Final = "AccessRefused"
"""Requests that the authorizer did not let in."""
ACCESS_UNDECIDED: Final = "AccessUndecided"
"""Requests about which it could not decide: the user pool's keys or the registry could not be read."""
CARDS_REVEALED: Final = "CardsRevealed"
"""Cards and codes that were shown to a client."""
CARDS_REVEALED_OFTEN: Final = "CardsRevealedOften"
"""Of these, the ones that had been shown many times before."""
SETTLEMENT_LAG: Final = "SettlementLag"
"""Seconds since the oldest of all that fell due and is not written down; zero where nothing is. Of each run."""
MEMBERS_SETTLED: Final = "MembersSettled"
ENTRIES_SETTLED: Final = "EntriesSettled"
SETTLEMENTS_FAILED: Final = "SettlementsFailed"
"""Members that a run could not settle, and shards that it could not read."""
MEMBERS_RECALCULATED: Final = "MembersRecalculated"
"""Members whom a recalculation of tiers looked at, once it ended."""
MEMBERS_NOT_RECALCULATED: Final = "MembersNotRecalculated"
REFERRALS_QUALIFIED: Final = "ReferralsQualified"
REFERRALS_REWARDED: Final = "ReferralsRewarded"
REFERRALS_REVERSED: Final = "ReferralsReversed"
REFERRALS_WAITING: Final = "ReferralsWaiting"
"""Referrals that began to wait for a person."""
REFERRALS_ENDED: Final = "ReferralsEnded"
"""Referrals that expired, were rejected, or had nobody left to be rewarded."""
REFERRALS_FAILED: Final = "ReferralsFailed"
"""Referrals that a run could not bring on, and shards that it could not read."""
REFERRALS_LAG: Final = "ReferralsLag"
"""Seconds since the oldest of all referrals that are due was to be looked at; zero where none is. Of each run."""
RECONCILIATION_REPORTS: Final = "ReconciliationReports"
"""Reports that were made, or made again, of a supplier's day."""
OPEN_DIFFERENCES: Final = "OpenDifferences"
"""Work items of a report that nobody has resolved, once it was made."""
BULK_LINES_HELD: Final = "BulkLinesHeld"
"""Lines of lists for which points, or none where the program pays, are held."""
BULK_LINES_REFUSED: Final = "BulkLinesRefused"
CODE_POOL_LOW: Final = "CodePoolLow"
"""Codes that were given out of a pool in which few are left."""
MEMBERS_FLAGGED: Final = "MembersFlagged"
"""Signs of abuse that a member's case was opened for, or that came to it."""
MEMBERS_PUT_ON_HOLD: Final = "MembersPutOnHold"
"""Of these, the ones with which the member is on hold."""
CLICKS_NOT_WRITTEN: Final = "ClicksNotWritten"
"""Links that led on, and of which it could not be written down, or counted, that somebody followed them."""
CLIENTS_SUSPECTED: Final = "ClientsSuspected"
"""Clients that did something more often in a window than the program takes for right."""
MISSES_NOT_COUNTED: Final = "MissesNotCounted"
"""Requests for what is not there that could not be counted."""
DELIVERIES_REFUSED: Final = "DeliveriesRefused"
"""Redemptions for which there was nothing to give: their points went back."""

AUDIT_CHAIN: Final = "audit_chain"
"""The function that links the lines of the audit trail."""
AUDIT_EXPORT: Final = "audit_export"
AUDIT_LINES_LINKED: Final = "AuditLinesLinked"
AUDIT_LINES_TOUCHED: Final = "AuditLinesTouched"
"""Lines and links that were changed or removed, though they are for ever."""
AUDIT_LINES_UNREADABLE: Final = "AuditLinesUnreadable"
AUDIT_HEADS_EXPORTED: Final = "AuditHeadsExported"
"""Heads of chains that are in the bucket, new or before, of each run."""

# --- Resources that an operator's commands find by name ---------------------------------------
BUS: Final = "bus"
ROTATED_SUPPLIER: Final = "xoxoday"
"""The supplier whose API makes new credentials: its secret is rotated by itself."""
RECALCULATION: Final = "tier-recalculation"
"""The state machine that recalculates the tiers of many members."""
RECONCILIATION: Final = "reconciliation"
"""The state machine that compares our orders with the suppliers' lists, every day."""
BULK: Final = "bulk"
"""The state machine that holds rewards for the members of a list."""
PRIVACY: Final = "privacy"
"""The state machine that makes copies of members' data, and erases members."""
WORK_QUEUES: Final = (
    "inbound",
    "tier-recalculation",
    "fulfillment-start",
    "reward-delivery",
    "abuse-watch",
    "referrals",
)
"""Each has a dead-letter queue of its own, see :func:`dead_letter_queue`."""
UNDELIVERED_QUEUES: Final = (
    "undelivered",
    "fulfillment-undelivered",
    "delivery-undelivered",
    "abuse-undelivered",
    "referrals-undelivered",
)
"""Events that EventBridge could not bring to a work queue; each says which one."""
UNLINKED_QUEUE: Final = "audit-unlinked"
"""Where in the table's stream lines lie that were not linked in time."""
UNPUBLISHED_QUEUE: Final = "unpublished"
"""Changes of the table that never became events."""


def resource(stage: str, name: str) -> str:
    """Physical name of a stage's resource."""
    return f"loyalty-{stage}-{name.replace('_', '-')}"


def usage_plan(stage: str, plan: str) -> str:
    """Physical name of a usage plan: by it an operator's commands find it."""
    return resource(stage, f"plan-{plan}")


def shared_usage_key(stage: str) -> str:
    """By what the gateway counts the requests of all clients that have no plan of their own. No secret: it opens nothing.

    API Gateway wants twenty letters and digits at least, and no other characters.
    """
    return f"loyalty{stage.replace('-', '')}clientswithoutplan"


def dead_letter_queue(work_queue: str) -> str:
    """Name of the dead-letter queue of a work queue."""
    return f"{work_queue}-dlq"


# --- Events ----------------------------------------------------------------------------------
EVENT_SOURCE: Final = "loyalty"

POINTS_ACCRUED: Final = "points.accrued"
POINTS_REVERSED: Final = "points.reversed"
POINTS_HELD: Final = "points.held"
POINTS_CAPTURED: Final = "points.captured"
POINTS_RELEASED: Final = "points.released"
POINTS_EXPIRED: Final = "points.expired"
POINTS_EXPIRING: Final = "points.expiring"
POINTS_RENEWED: Final = "points.renewed"
POINTS_MATURED: Final = "points.matured"
POINTS_TIMED_OUT: Final = "points.timed_out"
POINTS_CANCELLED: Final = "points.cancelled"
POINTS_ADJUSTED: Final = "points.adjusted"
POINTS_FORFEITED: Final = "points.forfeited"
POINTS_SENT: Final = "points.sent"
POINTS_RECEIVED: Final = "points.received"
MEMBER_MERGED: Final = "member.merged"
MEMBER_ABSORBED: Final = "member.absorbed"
TIER_CHANGED: Final = "tier.changed"
TIER_EXPIRING: Final = "tier.expiring"
MEMBER_ENROLLED: Final = "member.enrolled"
MEMBER_UPDATED: Final = "member.updated"
MEMBER_ERASED: Final = "member.erased"
CONSENT_CHANGED: Final = "consent.changed"
REDEMPTION_HELD: Final = "redemption.held"
REDEMPTION_CAPTURED: Final = "redemption.captured"
REDEMPTION_RELEASED: Final = "redemption.released"
REDEMPTION_CANCELLED: Final = "redemption.cancelled"
CARD_RESENT: Final = "card.resent"
CARD_REVEALED: Final = "card.revealed"
MEMBER_FLAGGED: Final = "member.flagged"
MEMBER_RELEASED: Final = "member.released"
CLIENT_SUSPECTED: Final = "client.suspected"
FULFILLMENT_CHANGED: Final = "fulfillment.changed"
PROGRAM_PUBLISHED: Final = "program.published"
PROGRAM_UNSCHEDULED: Final = "program.unscheduled"
REFERRAL_SHARED: Final = "referral.shared"
REFERRAL_CLICKED: Final = "referral.clicked"
REFERRAL_ENROLLED: Final = "referral.enrolled"
REFERRAL_QUALIFIED: Final = "referral.qualified"
REFERRAL_RETURNED: Final = "referral.returned"
"""What qualified was given back before the reward; something else may still qualify."""
REFERRAL_REVIEWED: Final = "referral.reviewed"
"""A referral waits for a person, or a person has decided on it."""
REFERRAL_REWARDED: Final = "referral.rewarded"
REFERRAL_REVERSED: Final = "referral.reversed"
REFERRAL_ENDED: Final = "referral.ended"
"""It will not be rewarded: too late, rejected, or nobody is left to reward."""
REFERRAL_REMINDER: Final = "referral.reminder"
"""Who was brought has not qualified yet, and the time for it ends soon."""

# --- OAuth2 scopes ---------------------------------------------------------------------------
SCOPE_SERVER: Final = "loyalty"
SCOPES: Final = {
    "members.read": "Read members",
    "members.write": "Enroll and change members",
    "members.merge": "Merge two members who are one person",
    "wallet.read": "Read wallets and statements",
    "accruals.write": "Post accruals and reversals",
    "redemptions.read": "Read redemptions",
    "redemptions.write": "Hold, capture and release points, cancel redemptions",
    "adjustments.read": "Read adjustments",
    "adjustments.write": "Give and take points by hand, or propose it",
    "adjustments.approve": "Approve or reject proposed adjustments as the second person",
    "tiers.grant": "Grant tiers by hand for a time, and end such grants",
    "transfers.write": "Give points of a member to another",
    "households.read": "Read households",
    "households.write": "Found and change households, pool points",
    "rewards.read": "Read the reward catalogue",
    "rewards.reveal": "Read delivered gift cards and coupon codes",
    "rewards.stock": "Restock rewards, import coupon codes and pictures",
    "finance.read": "Read fulfilment runs, totals and reconciliation reports",
    "finance.approve": "Approve, reject, retry, cancel and resolve fulfilment runs",
    "bulk.write": "Create and start bulk fulfilments of lists",
    "referrals.read": "Validate referral codes, read referrals and their links",
    "referrals.write": "Claim referral codes, make links, give members codes of their own choice",
    "referrals.review": "Read what speaks against referrals, and decide on them",
    "reports.read": "Read reports of how a program does",
    "risk.read": "Read cases of suspected abuse",
    "risk.release": "Hold members for suspected abuse, release them, confirm",
    "privacy.read": "Read consents, preferences and where exports and erasures stand",
    "privacy.write": "Write consents and preferences, ask for exports, restrict processing",
    "privacy.erase": "Ask for the erasure of a member, and decide on it",
    "programs.read": "Read what a program offers to its members",
    "programs.write": "Read and change the draft of a program, read its versions",
    "programs.publish": "Publish, schedule and roll back versions of a program",
}
STAFF_SCOPES: Final = frozenset(
    {
        "members.merge",
        "adjustments.read",
        "adjustments.write",
        "adjustments.approve",
        "programs.write",
        "programs.publish",
        "tiers.grant",
        "rewards.reveal",
        "rewards.stock",
        "bulk.write",
        "finance.read",
        "finance.approve",
        "risk.read",
        "risk.release",
        "referrals.review",
        "reports.read",
        "privacy.read",
        "privacy.write",
        "privacy.erase",
    }
)
"""For tools of the business's own staff: a client has them only where they are named."""
