"""A copy of everything of a member: what is in it, what is not, for how long."""

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from loyalty.abuse.cases import CaseService
from loyalty.abuse.model import Person
from loyalty.adjustments.model import Asked as Adjusted
from loyalty.adjustments.service import AdjustmentService
from loyalty.adjustments.store import AdjustmentStore
from loyalty.core.errors import MemberErased
from loyalty.core.table import Table
from loyalty.ledger.keys import partition
from loyalty.members.erasure import ErasureReason
from loyalty.members.opening import OwnProfiles
from loyalty.members.vault import MemberVault
from loyalty.privacy.archive import Archive
from loyalty.privacy.errors import ExportNotFound
from loyalty.privacy.export_store import ExportStatus
from loyalty.privacy.parts import FILES
from loyalty.privacy.work import PrivacyWork, StepRequest
from tests.ledgerkit.endless import EndlessStatement, peak
from tests.unit.privacy.rig import ANNA, Rights


@pytest.fixture
def rights(table: Table) -> Rights:
    return Rights(table)


def made(rights: Rights, member: str, key: str = "x-1") -> dict[str, Any]:
    """The files of an export, as a person unpacks them."""
    asked, _ = rights.exports.ask(rights.program, member, client_id="app", idempotency_key=key)
    ready = rights.exports.make(rights.program, asked.member_id, asked.export_id, rights.archive)
    assert ready.status is ExportStatus.READY
    content = rights.files.stored[ready.key]
    assert ready.size == len(content)
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        texts = {name: file.read(name).decode() for name in file.namelist()}
    return {name: json.loads(text) if name.endswith(".json") else text for name, text in texts.items()}


def test_all_that_there_is_of_them_and_whom_they_absorbed(rights: Rights) -> None:
    ada, bob = rights.full_life()
    rights.erasing.ask(rights.program, ada, ErasureReason.REQUEST, ANNA)
    files = made(rights, ada)
    assert files.keys() == {"README.txt", "schema.json", "wallet.json", *(f"{name}.json" for name in FILES)}
    assert [(one["member_id"], one["email"]) for one in files["profile.json"]] == [
        (ada, "ada@example.com"), (bob, "bob@example.com"),
    ]  # fmt: skip
    assert files["profile.json"][0]["external_ids"] == {"shopify": "shop-ada"}
    assert files["wallet.json"]["available"] == 340
    statement = [(one["member_id"], one["seq"]) for one in files["statement.json"]]
    assert statement == [(one, entry.seq) for one in (ada, bob) for entry in rights.world.entries(one)]
    assert [one["purpose"] for one in files["consents.json"]] == ["marketing", "marketing"]
    assert files["preferences.json"] == [{"member_id": ada, "channels": {"marketing": "email"}}]
    assert files["segments.json"] == [{"member_id": ada, "segments": {"staff": {}}}]
    (redemption,) = files["redemptions.json"]
    assert redemption["reward_id"] == "card"
    assert files["cards.json"] == [
        {"redemption_id": redemption["redemption_id"], "stored_at": "2026-11-22T09:00:00.000Z", "shown": []}
    ]
    assert [one["member_id"] for one in files["household.json"]] == [ada]
    assert [(one["member_id"], one["code"]) for one in files["referral_codes.json"]] == [
        (one, found.referral_code) for one in (ada, bob) if (found := rights.members.get("acme", one))
    ]
    assert files["referral_links.json"] == [
        {"member_id": one, "campaign": "summer", "channel": "whatsapp", "shared_at": "2026-11-22T09:00:00.000Z"}
        for one in (ada, bob)
    ]
    assert files["adjustments.json"] == files["reviews.json"] == []
    assert set(files["schema.json"]["files"]) == files.keys() - {"README.txt", "schema.json"}


def test_a_long_statement_takes_no_more_memory_than_a_short_one(rights: Rights, tmp_path: Path) -> None:
    ada, _ = rights.full_life()
    profiles = OwnProfiles(rights.members, MemberVault(rights.key_service, rights.clock))
    entry = next(raw for raw in rights.table.query_all(partition("acme", ada)) if "seq" in raw)

    def work(length: int) -> Callable[[], object]:
        def write() -> None:
            table = EndlessStatement(rights.table, entry, length)
            archive = Archive(table, profiles, rights.clock)
            with archive.written(rights.program, ada) as path, zipfile.ZipFile(path) as file:
                assert file.getinfo("statement.json").file_size > 100 * length

        return write

    assert peak(work(2_000)) < 1.1 * peak(work(500))


def test_what_staff_did_is_told_and_not_who_nor_by_which_signs(rights: Rights) -> None:
    ada = rights.person("ada")
    store = AdjustmentStore(rights.world.table)
    adjusting = AdjustmentService(rights.world.ledger, store, rights.world.clock)
    adjusting.ask(
        rights.program, ada, Adjusted(25, "goodwill", "staff-17", "points"), client_id="desk", idempotency_key="k"
    )
    CaseService(rights.world.table, rights.world.clock).hold(
        rights.program.document.id, ada, Person("person:ann", "client:desk"), "complaint"
    )
    files = made(rights, ada)
    (adjustment,) = files["adjustments.json"]
    assert (adjustment["points"], adjustment["reason"], adjustment["status"]) == (25, "goodwill", "posted")
    (review,) = files["reviews.json"]
    assert review.keys() == {"member_id", "state", "on_hold", "opened_at", "updated_at"}
    assert review["on_hold"] is True
    assert not [name for name in ("staff-17", "desk", "person:ann", "complaint") if name in json.dumps(files)]


def test_neither_codes_nor_keys_nor_who_it_was_on_the_other_side(rights: Rights) -> None:
    ada, _ = rights.full_life()
    text = json.dumps(made(rights, ada))
    for secret in ("PLANTED", "staff-1", "cleo@example.com", "pii_key", "request_hash"):
        assert secret not in text


def test_asked_again_by_the_same_key_it_is_the_same_and_started_until_it_is_made(rights: Rights) -> None:
    ada = rights.person("ada")
    first, replayed = rights.exports.ask(rights.program, ada, client_id="app", idempotency_key="x")
    assert (replayed, rights.exports.link(first)) == (False, None)
    again, replayed = rights.exports.ask(rights.program, ada, client_id="app", idempotency_key="x")
    assert (again, replayed, len(rights.copies)) == (first, True, 2)
    ready = rights.exports.make(rights.program, ada, first.export_id, rights.archive)
    assert rights.exports.make(rights.program, ada, first.export_id, rights.archive) == ready
    assert rights.exports.ask(rights.program, ada, client_id="app", idempotency_key="x") == (ready, True)
    assert len(rights.copies) == 2
    assert rights.exports.link(ready) == f"memory:{ready.key}?900"
    rights.clock.advance(days=7)
    assert rights.exports.link(ready) is None


def test_what_could_not_be_made_says_so(rights: Rights) -> None:
    ada = rights.person("ada")
    asked, _ = rights.exports.ask(rights.program, ada, client_id="app", idempotency_key="x")
    work = PrivacyWork(lambda _: rights.program, rights.exports, rights.archive, rights.erasing)
    request = {"step": "export_failed", "program": "acme", "member_id": ada, "export_id": asked.export_id}
    assert work.take(StepRequest.model_validate(request)) == {"status": "failed"}
    assert work.take(StepRequest.model_validate({**request, "step": "export"})) == {"status": "failed"}
    assert rights.exports.link(rights.exports.get("acme", ada, asked.export_id)) is None
    with pytest.raises(ValueError, match="an export is named"):
        StepRequest.model_validate({"step": "erase", "program": "acme", "member_id": ada, "export_id": asked.export_id})


def test_an_erasure_takes_its_files_and_one_that_is_being_made_does_not_stay(rights: Rights) -> None:
    ada, _ = rights.full_life()
    made(rights, ada)
    asked, _ = rights.exports.ask(rights.program, ada, client_id="app", idempotency_key="late")
    rights.erase(ada)
    assert [key for key in rights.files.stored if key.startswith("privacy/exports/")] == []
    with pytest.raises((MemberErased, ExportNotFound)):
        rights.exports.make(rights.program, ada, asked.export_id, rights.archive)
    with pytest.raises(MemberErased):
        rights.exports.ask(rights.program, ada, client_id="app", idempotency_key="new")


def test_a_member_who_is_erased_while_the_file_is_written_leaves_none(rights: Rights) -> None:
    ada, _ = rights.full_life()
    asked, _ = rights.exports.ask(rights.program, ada, client_id="app", idempotency_key="x")
    put = rights.files.put

    def erased_then(key: str, path: Any, content_type: str) -> None:
        if key.endswith(".zip"):
            rights.erase(ada)
        put(key, path, content_type)

    rights.files.put = erased_then  # type: ignore[method-assign]
    with pytest.raises(ExportNotFound):
        rights.exports.make(rights.program, ada, asked.export_id, rights.archive)
    assert [key for key in rights.files.stored if key.startswith("privacy/exports/")] == []


def test_the_samples_are_steps_that_the_function_takes() -> None:
    samples = sorted((Path(__file__).parents[3] / "events" / "privacy_work").glob("*.json"))
    assert [StepRequest.model_validate_json(sample.read_text()).step for sample in samples] == ["erase"]
