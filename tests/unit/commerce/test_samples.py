"""The samples under ``events/``: each fits its function, and the sample day's sums are the program's."""

import hmac
import json
from collections import defaultdict
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from functions.authorizer.answers import authorization, route
from functions.redemption.views import CaptureBody, RedemptionBody
from functions.referral_validation.routes import ValidationBody
from infra.local.sample_access import filled
from infra.local.sample_script import (
    EVENTS,
    Accrue,
    BusEvent,
    Enroll,
    Redeem,
    Script,
    ValidateReferral,
    WaitForReferral,
    sample,
)
from infra.routes import CONSOLE
from loyalty.accruals.views import AccrualBody
from loyalty.adjustments.views import AdjustmentBody
from loyalty.audit.store import parse_trail
from loyalty.bulk.steps import StepRequest as BatchStep
from loyalty.bulk.views import CampaignBody
from loyalty.commerce.inbound import parse
from loyalty.commerce.model import Ignored, MemberActivity, Purchase, Refund
from loyalty.core.errors import Rejected
from loyalty.finance.views import ReasonBody
from loyalty.fulfillment.model import StepRequest
from loyalty.fulfillment.start import HeldGiftCard
from loyalty.members.views import EnrollmentBody
from loyalty.merging.views import MergeBody
from loyalty.programs.deeds import REFERRAL, REFERRED, Deed, Earner
from loyalty.programs.earning import earn
from loyalty.programs.model import ProgramDocument
from loyalty.programs.views import PublicationBody
from loyalty.publishing.events import PointsEvent
from loyalty.publishing.outbox import events_of
from loyalty.reconciliation.steps import StepRequest as ReportStep
from loyalty.referrals.code_views import CodeBody
from loyalty.referrals.link_views import LinkBody
from loyalty.stock.views import RestockBody
from loyalty.suppliers.webhooks import BadSignature, verify
from loyalty.tiers.steps import StepRequest as RecalculationStep
from loyalty.transfers.views import TransferBody

SCRIPT = Script.load()
AURORA = ProgramDocument.model_validate_json((EVENTS / "programs" / "aurora.json").read_text())
BODIES: dict[str, type[BaseModel]] = {
    "enrollment": EnrollmentBody,
    "referral_validation": ValidationBody,
    "accrual": AccrualBody,
    "redemption": RedemptionBody,
    "adjustment": AdjustmentBody,
    "transfer": TransferBody,
    "merge": MergeBody,
    "program": PublicationBody,
    "bulk": CampaignBody,
    "finance": ReasonBody,
    "stock": RestockBody,
}
KNOWN = {
    "program": SCRIPT.program,
    "nora.referral_code": "K7WQ4M2X",
    "ada.member_id": f"mbr_{'0' * 26}",
    "dario.created_at": "2026-11-20T13:05:00.000Z",
}
OTHER_BODIES: dict[str, type[BaseModel]] = {
    "redemption/capture.json": CaptureBody,
    "redemption/capture_a_part.json": CaptureBody,
    "program/save_a_draft.json": ProgramDocument,
    "referral_validation/choose_a_code.json": CodeBody,
    "referral_validation/share_a_link.json": LinkBody,
}
REFUSED = {
    "a_topic_nobody_handles": "unknown_topic",
    "an_amount_that_is_a_float": "malformed_payload",
    "an_unknown_event": "unknown_event",
}


def files(folder: str) -> list[str]:
    return sorted(f"{folder}/{path.name}" for path in (EVENTS / folder).glob("*.json"))


def test_every_function_has_samples() -> None:
    folders = {path.name for path in EVENTS.iterdir() if path.is_dir()} - {"programs"}
    assert folders == {path.parent.name for path in Path(__file__).parents[3].glob("functions/*/handler.py")}


@pytest.mark.parametrize("file", [file for folder in (*BODIES, "wallet", "reveal") for file in files(folder)])
def test_a_request_fits_its_function(file: str) -> None:
    request = sample(file)
    assert request.keys() <= {"method", "path", "headers", "body"}
    assert request["path"].startswith("/v1/programs/${program}/")
    if "body" in request:
        body = OTHER_BODIES.get(file, BODIES[file.split("/", maxsplit=1)[0]])
        body.model_validate(filled(request["body"], KNOWN))


@pytest.mark.parametrize("file", files("accrual_events"))
def test_an_inbound_event_is_what_its_name_says(file: str) -> None:
    name = Path(file).stem
    if name in REFUSED:
        with pytest.raises(Rejected) as caught:
            parse(sample(file))
        assert caught.value.reason == REFUSED[name]
    else:
        kind = Ignored if "awaiting" in name else Refund if "back" in name else (Purchase, MemberActivity)
        assert isinstance(parse(sample(file)), kind)


def test_both_envelopes_are_sampled() -> None:
    metadata = [sample(file)["detail"].get("metadata", {}) for file in files("accrual_events")]
    assert any("X-Shopify-Topic" in headers for headers in metadata)
    assert any("shopify-topic" in headers for headers in metadata)


def test_the_other_events_fit_their_functions() -> None:
    PointsEvent.model_validate(sample("tier_recalculation/points_accrued.json")["detail"])
    HeldGiftCard.model_validate(sample("fulfillment_start/redemption_held.json"))
    assert {StepRequest.model_validate(sample(file)).step for file in files("fulfillment")} == {
        "order", "query", "capture", "release",
    }  # fmt: skip
    assert {RecalculationStep.model_validate(sample(file)).step for file in files("recalculation")} == {
        "member", "begin", "shard", "sum",
    }  # fmt: skip
    assert {ReportStep.model_validate(sample(file)).step for file in files("reconciliation")} == {"begin", "report"}
    assert {BatchStep.model_validate(sample(file)).step for file in files("bulk_batch")} == {"begin", "batch", "sum"}
    assert {sample(file)["Step"] for file in files("supplier_rotation")} <= {
        "createSecret",
        "setSecret",
        "testSecret",
        "finishSecret",
    }
    (line,) = sample("audit_chain/line_inserted.json")["Records"]
    assert parse_trail(line["dynamodb"]["Keys"]["pk"]["S"]) == ("aurora", date(2026, 11, 20))
    assert sample("referral_link/follow_noras_link.json")["path"].startswith("/r/${program}/${nora.referral_code}?")
    asked = sample("authorizer/without_a_token.json")
    assert (authorization(asked), route(asked).split()[0]) == ([], "GET")
    records = sample("publisher/entry_inserted.json")["Records"]
    assert [event.detail_type for record in records for event in events_of(record)] == ["points.accrued"]


def test_the_days_steps_name_files_and_members_that_exist() -> None:
    assert SCRIPT.program == AURORA.id
    assert SCRIPT.members.keys() == SCRIPT.expected.keys()
    used = {
        step.file for step in SCRIPT.steps if isinstance(step, Accrue | BusEvent | Enroll | Redeem | ValidateReferral)
    }
    assert all((EVENTS / file).is_file() for file in used)
    assert all(expected.available == sum(expected.sum) for expected in SCRIPT.expected.values())


def test_the_days_sums_follow_from_the_program() -> None:
    """Plays the script on paper: the events' amounts, the program's rules, the tier from 500 earned points on."""
    lines: dict[str, list[int]] = defaultdict(list)
    tier = dict.fromkeys(SCRIPT.members, "bronze")
    accruals: dict[str, tuple[str, Purchase, int]] = {}

    def credit(member: str, activity: str, amount: Any) -> int:
        deed = Deed(activity, datetime(2026, 11, 20, tzinfo=UTC), amount=amount)
        (earned,) = earn(AURORA, deed, Earner(tier[member])).earned
        lines[member].append(earned.points)
        tier[member] = AURORA.tier_for(sum(points for points in lines[member] if points > 0)).id
        return lines[member][-1]

    for step in SCRIPT.steps:
        if isinstance(step, BusEvent):
            found = parse(sample(step.file))
            if isinstance(found, Refund):
                member, purchase, points = accruals[found.purchase_source_id]
                lines[member].append(-int(points * found.amount.amount / purchase.refund_basis.amount))
            elif isinstance(found, Purchase) and found.source_id not in accruals:
                member = step.posts.member if step.posts else "tomas"
                accruals[found.source_id] = member, found, credit(member, "purchase", found.amount)
            elif isinstance(found, MemberActivity) and step.posts:
                credit(step.posts.member, found.activity, found.amount)
            assert step.posts is None or step.posts.points == lines[step.posts.member][-1]
        elif isinstance(step, Accrue):
            body = AccrualBody.model_validate(filled(sample(step.file)["body"], KNOWN))
            assert body.amount is not None
            credit(step.member, body.activity, body.amount.to_money())
        elif isinstance(step, WaitForReferral):
            credit(step.referrer, REFERRAL, None)
            credit(step.member, REFERRED, None)
        elif isinstance(step, Redeem):
            reward = AURORA.reward(sample(step.file)["body"]["reward_id"])
            assert reward is not None
            assert reward.points is not None
            lines[step.member] += [-reward.points, reward.points] if step.end == "release" else [-reward.points]
    assert lines == {member: expected.sum for member, expected in SCRIPT.expected.items()}
    assert tier == {member: expected.tier for member, expected in SCRIPT.expected.items()}


def test_a_sampled_callback_is_one_once_it_is_signed() -> None:
    request = sample("supplier_callback/rewards_delivered.json")
    body = json.dumps(request["body"]).encode()
    signature = "sha256=" + hmac.new(b"key", body, "sha256").hexdigest()
    name = next(iter(request["headers"]))
    found = verify({name: signature}, body, "key")
    assert found.reward_id == request["body"]["payload"]["resource"]["id"]
    with pytest.raises(BadSignature):
        verify(request["headers"], body, "key")


def test_the_console_s_sample_asks_for_one_of_its_pages() -> None:
    request = sample("console/queue.json")
    assert (request["method"], request["path"]) in {(route.method, route.path) for route in CONSOLE}


def test_nobody_in_the_samples_is_real() -> None:
    text = "".join(path.read_text() for path in EVENTS.rglob("*.json"))
    addresses = {word for word in text.replace('"', " ").split() if "@" in word}
    assert all(address.endswith("@example.com") for address in addresses)
