"""Grants that no call in the local cloud uses, each with its reason. One that is used, or that nobody has, fails the comparison.

The first part is what AWS does and the local cloud does not. The second is what the e2e suite has no step for: needed by
the code, as the reason says, and proved below the API by the tests that it names.
"""

from typing import Final

from infra.functions import FUNCTIONS
from tests.privileges.compare import Excused

_CONSUME: Final = frozenset({"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"})
_ACCOUNT_LOGS: Final = frozenset(
    {
        "logs:CreateLogDelivery", "logs:GetLogDelivery", "logs:UpdateLogDelivery", "logs:DeleteLogDelivery",
        "logs:ListLogDeliveries", "logs:PutResourcePolicy", "logs:DescribeResourcePolicies", "logs:DescribeLogGroups",
        "xray:PutTraceSegments", "xray:PutTelemetryRecords", "xray:GetSamplingRules", "xray:GetSamplingTargets",
    }
)  # fmt: skip


def _children(machine: str) -> tuple[tuple[str, frozenset[str]], ...]:
    """What a distributed map does: on its machine, on its children, on itself."""
    return (
        (f"*:stateMachine:*-{machine}", frozenset({"states:StartExecution"})),
        (
            f"*:execution:*-{machine}/*",
            frozenset({"states:DescribeExecution", "states:StopExecution", "states:RedriveExecution"}),
        ),
        (f"*:execution:*-{machine}:*", frozenset({"states:DescribeExecution"})),
    )


_MACHINES: Final = ("FulfillmentRole*", "Recalculating*", "Bulk*", "ReconcilingReconciliation*", "PrivacyPrivacyRole*")
_CHECK_AND_STOCK: Final = frozenset({"dynamodb:ConditionCheckItem", "dynamodb:UpdateItem"})
_SURVIVOR: Final = (
    "A posting checks those whom the member absorbed, and gives back scarce stock whose hold ran out. Here it is not done to "
    "such a member by this function; by six others it is (test_rare_paths.py), with the code that they share "
    "(loyalty.ledger, tests/unit/ledger)."
)

AWS_ALONE: Final = (
    *(Excused(f"{name.replace('_', '')}Role*", frozenset({"logs:CreateLogStream", "logs:PutLogEvents"}), "Lambda writes a function's "
              "log by its role; the local cloud keeps it by itself.", f"*:log-group:/loyalty/*/{name}:*") for name in FUNCTIONS),
    *(Excused(role, _CONSUME, "Lambda's poller takes messages by the function's role; the local cloud's asks nobody.")
      for role in ("accrualeventsRole*", "tierrecalculationRole*", "deliveryRole*", "fulfillmentstartRole*", "abusewatchRole*", "referraleventsRole*")),
    *(Excused(role, frozenset({"dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams"}),
              "Lambda's poller reads the stream by the function's role; the local cloud's asks nobody.")
      for role in ("publisherRole*", "auditchainRole*")),
    *(Excused(role, _ACCOUNT_LOGS, "A state machine writes its log and its traces by its role; the local cloud does neither.")
      for role in _MACHINES),
    *(Excused(role, actions, "A distributed map starts its children by the machine's role; here they run within their parent.", on)
      for role, machine in (("Recalculating*", "tier-recalculation"), ("Bulk*", "bulk")) for on, actions in _children(machine)),
    *(Excused(role, frozenset({"sqs:SendMessage"}), "A schedule leaves a start that failed in a queue; the local scheduler loses it.")
      for role in ("SweepingRole*", "DeliveringRole*", "AuditingRole*", "ReferringRole*")),
    *(Excused(role, frozenset({"s3:ListBucket"}), "S3 says 404 for a file that is not there to who may list, and 403 to others; "
              "the local cloud asks for no such right.") for role in ("bulkRole*", "bulkbatchRole*", "privacyRole*")),
    Excused("auditchainRole*", frozenset({"sqs:SendMessage"}), "Lambda's poller leaves by the function's role where in the stream lies what "
            "was not linked in time; none is here."),
)  # fmt: skip

WITHOUT_A_STEP: Final = (
    *(Excused(role, frozenset({"dynamodb:Query"}), "Of a referral that was claimed under an earlier version of its program, that version is "
              "looked for: tests/unit/referrals/test_lifecycle.py.")
      for role in ("referraleventsRole*", "referralclockRole*")),
    Excused("referralclockRole*", frozenset({"dynamodb:UpdateItem"}), "It counts a referral whose enrollment no event told of: "
            "tests/unit/referrals/test_lifecycle.py."),
    *(Excused(role, _CHECK_AND_STOCK, _SURVIVOR)
      for role in ("bulkbatchRole*", "financeRole*", "recalculationRole*", "tierrecalculationRole*")),
    Excused("consoleRole*", frozenset({"dynamodb:ConditionCheckItem"}), _SURVIVOR),
    Excused("accrualeventsRole*", frozenset({"dynamodb:UpdateItem"}), _SURVIVOR),
    Excused("mergeRole*", frozenset({"dynamodb:DeleteItem", "dynamodb:Query"}), "A refund that waits for its purchase goes to the "
            "survivor with it: tests/unit/merging."),
    Excused("sweeperRole*", frozenset({"dynamodb:BatchGetItem", "dynamodb:DeleteItem", "sqs:SendMessage"}), "A refund whose purchase never came leaves after "
            "days, which no run here lasts: tests/unit/sweeping."),
    Excused("settlementRole*", frozenset({"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "s3:PutObject"}), "It closes "
            "the batches of days that are over; here every batch is today's: tests/unit/delivery/test_settlements.py."),
    Excused("bulkbatchRole*", frozenset({"dynamodb:BatchGetItem"}), _SURVIVOR),
    Excused("programRole*", frozenset({"dynamodb:DeleteItem"}), "A version without a shop that the one before had lets it go: "
            "tests/unit/programs."),
    Excused("referralvalidationRole*", frozenset({"dynamodb:DeleteItem"}), "A code that has expired goes where a member would have more "
            "than five, after days, which no run here lasts: tests/unit/referrals/test_choosing.py."),
    Excused("redemptionRole*", frozenset({"s3:GetObject"}), "Addresses of pictures are signed by the role and fetched by the "
            "member's app: none of the demo programs has a picture."),
    Excused("consoleRole*", frozenset({"states:StartExecution", "states:DescribeExecution"}), "A person lets a failed run be tried "
            "again, as clients do through the function finance (test_restart.py)."),
    Excused("auditexportRole*", frozenset({"dynamodb:BatchGetItem"}), "It reads the lines of a day that is over; here every line is "
            "today's: tests/unit/audit."),
    Excused("financeRole*", frozenset({"states:StartExecution"}), "A decision about a run whose execution is "
            "gone starts another: test_restart.py, in a cloud of its own, whose calls are not counted."),
)  # fmt: skip

EXCUSED: Final = (*AWS_ALONE, *WITHOUT_A_STEP)
