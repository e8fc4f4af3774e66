"""Plays the sample day's steps in order and waits, with a limit, for what each must lead to."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from infra.local.sample_access import Access, Partner, SampleDayFailed, Shop, filled
from infra.local.sample_script import (
    Accrue,
    BusEvent,
    Enroll,
    Expected,
    Redeem,
    Script,
    Step,
    ValidateReferral,
    WaitForEntry,
    WaitForReferral,
    WaitForTier,
    sample,
)

WAIT_SECONDS: Final = 90.0
POLL_SECONDS: Final = 0.25

T = TypeVar("T")
Report = Callable[[str], None]


@dataclass
class Standing:
    """Where a member stands after the day."""

    key: str
    name: str
    member_id: str
    wallet: dict[str, Any]
    statement: list[dict[str, Any]]


@dataclass(frozen=True)
class Delivery:
    """A gift card that the supplier delivered; whoever has the link can spend it."""

    member: str
    reward_id: str
    points: int
    link: str


@dataclass
class Day:
    """What the day left behind."""

    script: Script
    standings: list[Standing]
    deliveries: list[Delivery] = field(default_factory=list)


class Player:
    """Speaks for the partner's app and for the shop, and remembers the ids that it was given."""

    def __init__(self, access: Access, *, wait_seconds: float = WAIT_SECONDS) -> None:
        self._access = access
        self._partner = Partner(access)
        self._shop = Shop(access)
        self._wait_seconds = wait_seconds
        self._known: dict[str, str] = {"program": access.program}
        self._deliveries: list[Delivery] = []

    def play(self, script: Script, report: Report) -> Day:
        """The whole day.

        Raises:
            SampleDayFailed: a step, or where a member stands in the end, is not what the script says.
        """
        for number, step in enumerate(script.steps, 1):
            started = time.monotonic()
            try:
                self._play(step)
            except SampleDayFailed as error:
                raise SampleDayFailed(f"step {number}, '{step.caption}': {error}") from error
            report(f"{number:2}/{len(script.steps)}  {step.caption}  ({time.monotonic() - started:.1f} s)")
        standings = [self._standing(key, name, script.expected[key]) for key, name in script.members.items()]
        return Day(script, standings, self._deliveries)

    def _play(self, step: Step) -> None:
        match step:
            case Enroll():
                self._enroll(step)
            case ValidateReferral():
                self._validate(step)
            case BusEvent():
                self._deliver(step)
            case Accrue():
                self._partner.call(self._request(step.file))
            case Redeem():
                self._redeem(step)
            case WaitForTier():
                path = f"/members/{self._known[f'{step.member}.member_id']}/wallet"
                self._wait(f"tier {step.tier}", lambda: self._partner.get(path)["tier"] == step.tier)
            case WaitForEntry():
                self._wait_for_entry(step.member, step.entry_id)
            case WaitForReferral():
                entry_id = f"accrual:referral:{self._known[f'{step.member}.member_id']}"
                for one in (step.referrer, step.member):
                    self._wait_for_entry(one, entry_id)

    def _enroll(self, step: Enroll) -> None:
        answer = self._partner.call(self._request(step.file))
        for name in ("member_id", "referral_code", "created_at"):
            self._known[f"{step.member}.{name}"] = answer[name]

    def _validate(self, step: ValidateReferral) -> None:
        answer = self._partner.call(self._request(step.file))
        if answer["valid"] is not step.valid:
            raise SampleDayFailed(f"the code's validity is {answer['valid']} ({answer.get('reason')})")

    def _deliver(self, step: BusEvent) -> None:
        self._shop.deliver(sample(step.file))
        if step.posts is not None:
            entry = self._wait_for_entry(step.posts.member, step.posts.entry_id)
            if entry["points"] != step.posts.points:
                raise SampleDayFailed(f"{entry['points']} points were posted, not {step.posts.points}")

    def _redeem(self, step: Redeem) -> None:
        held = self._partner.call(self._request(step.file))
        member_id, redemption_id = self._known[f"{step.member}.member_id"], held["redemption_id"]
        if step.end == "delivery":
            path = f"/members/{member_id}/redemptions/{redemption_id}"
            ended = self._wait("the gift card", lambda: _ended(self._partner.get(path)))
            if ended["status"] != "captured":
                raise SampleDayFailed(f"the redemption is {ended['status']}")
            card = self._partner.post(f"{path}/reveal")
            link = self._access.reachable(card["link"])
            self._deliveries.append(Delivery(step.member, ended["reward_id"], ended["points"], link))
        else:
            names = {"member.member_id": member_id, "redemption.redemption_id": redemption_id}
            self._partner.call(filled(sample(f"redemption/{step.end}.json"), self._known | names))

    def _request(self, file: str) -> dict[str, Any]:
        request: dict[str, Any] = filled(sample(file), self._known)
        return request

    def _wait_for_entry(self, member: str, entry_id: str) -> dict[str, Any]:
        member_id = self._known[f"{member}.member_id"]

        def find() -> dict[str, Any] | None:
            return next((entry for entry in self._partner.statement(member_id) if entry["entry_id"] == entry_id), None)

        return self._wait(f"entry {entry_id}", find)

    def _wait(self, what: str, look: Callable[[], T | None]) -> T:
        deadline = time.monotonic() + self._wait_seconds
        while not (found := look()):
            if time.monotonic() > deadline:
                raise SampleDayFailed(f"waited {self._wait_seconds:.0f} s for {what}")
            time.sleep(POLL_SECONDS)
        return found

    def _standing(self, key: str, name: str, expected: Expected) -> Standing:
        """Where the member stands; more lines than the day's own may be there, if somebody went on after it."""
        member_id = self._known[f"{key}.member_id"]

        def settled() -> Standing | None:
            statement = self._partner.statement(member_id)
            wallet = self._partner.get(f"/members/{member_id}/wallet")
            points = Counter(entry["points"] for entry in statement if entry["points"])
            same_moment = bool(statement) and wallet["seq"] == statement[-1]["seq"]
            complete = not Counter(expected.sum) - points
            return Standing(key, name, member_id, wallet, statement) if same_moment and complete else None

        standing = self._wait(f"all entries of {name}", settled)
        moved = [entry["points"] for entry in standing.statement]
        available = standing.wallet["available"]
        untouched = sorted(filter(None, moved)) == sorted(expected.sum)
        if available != sum(moved) or (untouched and available != expected.available):
            raise SampleDayFailed(f"{name} has {available} points; the entries come to {sum(moved)}")
        if untouched and standing.wallet["tier"] != expected.tier:
            raise SampleDayFailed(f"{name} is {standing.wallet['tier']}, not {expected.tier}")
        return standing


def _ended(redemption: dict[str, Any]) -> dict[str, Any] | None:
    return None if redemption["status"] == "held" else redemption
