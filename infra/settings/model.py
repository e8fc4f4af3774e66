"""What one stage decides for itself. All that stages have in common is in the stacks."""

from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

import loyalty_contract as contract

WAF_WINDOW_SECONDS: Final = 300
"""Over which the firewall counts an address's requests."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Throttle(_Frozen):
    """Limit of the whole API of a stage; above it clients get a 429."""

    rate: int = Field(gt=0, description="requests per second, sustained")
    burst: int = Field(gt=0, description="requests at once")


class WafOn(_Frozen):
    """A web application firewall in front of the API."""

    kind: Literal["on"] = "on"
    requests_per_address: int = Field(
        default=150_000, ge=100, description="from one address in five minutes; above it: 403"
    )


class WafOff(_Frozen):
    """No firewall, and why."""

    kind: Literal["off"] = "off"
    reason: str = Field(min_length=20)


class StageSettings(_Frozen):
    """One stage: one region, a cell of its own.

    Durations are in days unless the name says otherwise.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9-]{1,30}$")
    region: str = Field(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$")
    target: Literal["cloud", "local"] = "cloud"
    retain: bool = Field(default=True, description="data outlives its stack: deletion and termination protection")
    log_retention: Literal[1, 7, 14, 30, 90, 180, 365] = 90
    archive_retention: int = Field(default=30, gt=0, description="how long the bus can be replayed")
    throttle: Throttle = Throttle(rate=500, burst=1000)
    waf: Annotated[WafOn | WafOff, Field(discriminator="kind")] = WafOn()
    default_program: str = Field(
        default="", description="of commerce events that name no program; empty: they are rejected"
    )
    partner_event_sources: tuple[str, ...] = Field(
        default=(),
        description="EventBridge partner sources, aws.partner/...: each gets its bus, without an archive, and feeds the inbound queue",
    )
    console_url: str | None = Field(
        default=None,
        pattern=r"^https://[a-z0-9.-]+(/[a-z0-9/-]*)?/console$",
        description="where people reach the console by a domain of your own; None: at the API's address",
    )
    supplier_url: str | None = Field(
        default=None, description="default of the parameter SupplierUrl; None: the operator must give it at deploy"
    )
    supplier_settle_seconds: int = Field(
        default=60,
        gt=0,
        description="how long an order without an answer may still arrive before the supplier is asked",
    )
    queue_concurrency: int = Field(
        default=10,
        ge=2,
        le=1000,
        description="batches of one queue that are worked off at once, so that a backlog leaves the API its share",
    )
    sweepers: int = Field(
        default=4,
        ge=1,
        le=contract.DUE_SHARDS,
        description="schedules of the sweeper, each with its share of the due index: what they settle side by side",
    )
    recalculated_shards: int = Field(
        default=4,
        ge=1,
        le=contract.MEMBER_SHARDS,
        description="shards of a program's members whose tiers are recalculated side by side, each eight members at a time",
    )
    recalculation_tolerance: int = Field(
        default=25,
        ge=0,
        le=100,
        description="percent of the shards that may fail before a recalculation ends the others",
    )
    gateway_log_role: Literal["ours", "account"] = Field(
        default="ours",
        description="API Gateway writes the logs of all APIs of an account and region under one role: ours sets it, "
        "account leaves the one that is set",
    )
    unmatched_per_hour: int = Field(default=100, gt=0, description="purchases by nobody we know before an alarm")

    @model_validator(mode="after")
    def _one_address_may_use_the_whole_throttle(self) -> Self:
        """A partner's servers may call from one address: what they should meet is the throttle's 429, not a 403."""
        passed = self.throttle.rate * WAF_WINDOW_SECONDS
        if isinstance(self.waf, WafOn) and self.waf.requests_per_address < passed:
            raise ValueError(
                f"waf.requests_per_address must be at least {passed:,}: so many pass the throttle of "
                f"{self.throttle.rate} requests a second in the {WAF_WINDOW_SECONDS} seconds that the firewall counts"
            )
        return self
