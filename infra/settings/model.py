"""What one stage decides for itself. All that stages have in common is in the stacks."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

import loyalty_contract as contract

WAF_WINDOW_SECONDS: Final = 300
"""Over which the firewall counts an address's requests."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Throttle(_Frozen):
    """Limit of each method of the API by itself, which is how API Gateway takes a stage's; above it clients get a 429.

    All methods of all APIs of an account in a region share AWS's own limit besides: 2,500 requests a second in our regions,
    unless it was raised.
    """

    rate: int = Field(gt=0, description="requests per second, sustained")
    burst: int = Field(gt=0, description="requests at once")


class Plan(_Frozen):
    """What one client may ask for, of all methods together. API Gateway takes it as a target, not as a guarantee."""

    rate: int = Field(gt=0, description="requests per second, sustained")
    burst: int = Field(gt=0, description="requests at once")
    requests_a_day: int | None = Field(default=None, gt=0, description="from midnight to midnight, UTC; None: no quota")


class WafOn(_Frozen):
    """A web application firewall in front of the API."""

    kind: Literal["on"] = "on"
    requests_per_address: int = Field(
        default=150_000, ge=100, description="from one address in five minutes; above it: 403"
    )
    links_per_address: int = Field(
        default=3_000,
        ge=10,
        description="links that one address may follow in five minutes; above it: 403. Many telephones share the address of a carrier",
    )


class WafOff(_Frozen):
    """No firewall, and why."""

    kind: Literal["off"] = "off"
    reason: str = Field(min_length=20)


class AuditSettings(_Frozen):
    """How long nobody can take the audit trail out of its bucket.

    In ``compliance`` not even the account's root can before the time is over, nor make it shorter: the bucket is there as
    long. In ``governance`` whoever has ``s3:BypassGovernanceRetention`` can, which the bucket's policy refuses where data are
    retained.
    """

    mode: Literal["compliance", "governance"] = "compliance"
    years: int = Field(default=7, ge=0, le=30, description="for which what was exported stays")
    days: int = Field(default=0, ge=0, le=366, description="beside the years")

    @property
    def retention_days(self) -> int:
        """In days: years are of 366."""
        return self.years * 366 + self.days

    @model_validator(mode="after")
    def _keeps_something(self) -> Self:
        if not self.retention_days:
            raise ValueError("say for how many years or days the audit trail is locked")
        return self


class Fulfillment(_Frozen):
    """How patient a stage is with suppliers of gift cards, and how careful with its money there."""

    retry_seconds: int = Field(default=2, gt=0, description="the first wait before the same order is sent again")
    funds_seconds: int = Field(default=300, gt=0, description="the first wait for money")
    settle_hours: int = Field(
        default=24, gt=0, description="how long a supplier may leave an order open, or stay away, before a person looks"
    )
    permits_per_second: int = Field(default=5, gt=0, description="orders that one supplier is sent in a second")
    breaker_failures: int = Field(default=5, gt=0, description="failures in a row after which it is left alone")
    breaker_seconds: int = Field(default=60, gt=0, description="for how long")
    floors: dict[str, str] = Field(
        default_factory=dict,
        description="what must be left of a supplier's balance after an order, in major units by currency",
    )


_SupplierUrl = Annotated[str, Field(pattern=r"^https://[^\s]+[^/\s]$")]

XOXODAY_ANSWERS_WITHIN_SECONDS: Final = 120
"""How long an order may take there, by its documentation."""


class _Supplier(_Frozen):
    url: _SupplierUrl | None = Field(
        description="where its API is reached, without a slash at the end; None: a parameter of the deployment says it"
    )
    read_seconds: float = Field(default=10.0, gt=0, le=10, description="of silence, after which an answer is given up")


class TremendousSettings(_Supplier):
    """A supplier of gift cards whose balance is kept in US dollars."""

    rates: Mapping[str, Decimal] = Field(
        default={},
        description="US dollars that one unit of a currency costs at most: what is left for cards in it is reckoned so",
    )


class TangoSettings(_Supplier):
    """A supplier of gift cards; the account that pays, and the customer it belongs to."""

    customer: str = Field(min_length=5, max_length=100)
    account: str = Field(min_length=5, max_length=100)


class XoxodaySettings(_Supplier):
    """A supplier of gift cards whose tokens are rotated every week."""

    utc_offset_minutes: int = Field(
        default=0, gt=-1440, lt=1440, description="of the moments that it writes without a time zone"
    )


class SuppliersSettings(_Frozen):
    """The suppliers of gift cards that a stage has: programs name them so."""

    tremendous: TremendousSettings | None = None
    tango: TangoSettings | None = None
    xoxoday: XoxodaySettings | None = None

    def all(self) -> dict[str, TremendousSettings | TangoSettings | XoxodaySettings]:
        """Those that there are, by name."""
        each = {name: getattr(self, name) for name in type(self).model_fields}
        return {name: settings for name, settings in each.items() if settings is not None}

    def environment(self, urls: Mapping[str, str], secrets: Mapping[str, str]) -> dict[str, Any]:
        """What the functions are told of them: the document of one environment variable.

        Args:
            urls: where those are reached that say nothing of it themselves.
            secrets: ARN of each one's secret.
        """
        return {
            name: {**settings.model_dump(mode="json"), "url": settings.url or urls[name], "secret": secrets[name]}
            for name, settings in self.all().items()
        }


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
    open_throttle: Throttle = Field(
        default=Throttle(rate=50, burst=100),
        description="of each method that asks for no token: health, the console's pages, callbacks of suppliers",
    )
    link_throttle: Throttle = Field(
        default=Throttle(rate=200, burst=400),
        description="of members' links, which ask for no token either",
    )
    plans: Mapping[Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,29}$")], Plan] = Field(
        default={
            "standard": Plan(rate=100, burst=200, requests_a_day=2_000_000),
            "large": Plan(rate=500, burst=1_000),
            "trial": Plan(rate=5, burst=10, requests_a_day=10_000),
        },
        description="usage plans, of which each client has one",
    )
    shared_plan: str = Field(
        default="standard", description="the plan that all clients share that have none of their own: one allowance"
    )
    endpoint_access: Literal["BASIC", "STRICT"] = Field(
        default="BASIC",
        description="STRICT: API Gateway refuses who reaches the API by another kind of endpoint or another name than TLS was "
        "made for, such as a distribution in front of it",
    )
    waf: Annotated[WafOn | WafOff, Field(discriminator="kind")] = WafOn()
    default_program: str = Field(
        default="", description="of commerce events that name no program; empty: they are rejected"
    )
    partner_event_sources: tuple[str, ...] = Field(
        default=(),
        description="EventBridge partner sources, aws.partner/...: each gets its bus, without an archive, and feeds the inbound queue",
    )
    suppliers: SuppliersSettings = SuppliersSettings(tremendous=TremendousSettings(url="https://www.tremendous.com"))
    fulfillment: Fulfillment = Fulfillment()
    console_url: str | None = Field(
        default=None,
        pattern=r"^https://[a-z0-9.-]+(/[a-z0-9/-]*)?/console$",
        description="where people reach the console by a domain of your own; None: at the API's address",
    )
    links_url: str | None = Field(
        default=None,
        pattern=r"^https://[a-z0-9.-]+(/[a-z0-9/-]*[a-z0-9-])?$",
        description="where members' links begin by a domain of your own, without a slash at the end; None: at the API's address",
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
    audit: AuditSettings = AuditSettings()
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
    reconciliation_hour: int = Field(
        default=3, ge=0, le=23, description="of UTC at which the day before is compared with the suppliers' lists"
    )
    reconciliation_days: int = Field(
        default=4, ge=1, le=14, description="days back that are compared each time: what was late is picked up by then"
    )
    bulk_batches: int = Field(
        default=4, ge=1, le=40, description="batches of a list that are worked off side by side, one hundred lines each"
    )
    bulk_tolerance: int = Field(
        default=25, ge=0, le=100, description="percent of a list's batches that may fail before the others are ended"
    )
    export_days: int = Field(
        default=7, ge=1, le=30, description="for which a copy of a member's data can be fetched; then it is deleted"
    )
    gateway_log_role: Literal["ours", "account"] = Field(
        default="ours",
        description="API Gateway writes the logs of all APIs of an account and region under one role: ours sets it, "
        "account leaves the one that is set",
    )
    cards_revealed_per_hour: int = Field(
        default=1_000, gt=0, description="gift cards and codes shown to clients before an alarm"
    )
    flagged_per_hour: int = Field(default=20, gt=0, description="members with new signs of abuse before an alarm")
    unmatched_per_hour: int = Field(default=100, gt=0, description="purchases by nobody we know before an alarm")

    @model_validator(mode="after")
    def _a_supplier_is_not_asked_before_it_must_have_answered(self) -> Self:
        """Its "no such order" is believed then, and the points go back: one still under way would be a card for nothing."""
        if self.suppliers.xoxoday is not None and self.supplier_settle_seconds < XOXODAY_ANSWERS_WITHIN_SECONDS:
            raise ValueError(
                f"supplier_settle_seconds must be at least {XOXODAY_ANSWERS_WITHIN_SECONDS}: so long an order of Xoxoday's "
                "may take to appear"
            )
        return self

    @model_validator(mode="after")
    def _clients_without_a_plan_share_one_that_there_is(self) -> Self:
        if self.shared_plan not in self.plans:
            raise ValueError(f"shared_plan must be one of plans: {', '.join(sorted(self.plans))}")
        return self

    @model_validator(mode="after")
    def _one_address_may_use_a_whole_method(self) -> Self:
        """A partner's servers may call from one address: what they should meet is a method's 429, not the firewall's 403.

        Who calls several methods at their limits at once does meet the firewall: all of an address's requests count there.
        """
        passed = self.throttle.rate * WAF_WINDOW_SECONDS
        if isinstance(self.waf, WafOn) and self.waf.requests_per_address < passed:
            raise ValueError(
                f"waf.requests_per_address must be at least {passed:,}: so many pass a method's throttle of "
                f"{self.throttle.rate} requests a second in the {WAF_WINDOW_SECONDS} seconds that the firewall counts"
            )
        return self

    @model_validator(mode="after")
    def _no_address_uses_up_what_links_take(self) -> Self:
        """What links take is one for everybody who follows one."""
        half = self.link_throttle.rate * WAF_WINDOW_SECONDS // 2
        if isinstance(self.waf, WafOn) and self.waf.links_per_address > half:
            raise ValueError(
                f"waf.links_per_address must be at most {half:,}: half of what link_throttle lets through in the "
                f"{WAF_WINDOW_SECONDS} seconds that the firewall counts, or one address shuts out all others"
            )
        return self
