"""``loyalty bulk``, ``invoice``, ``rewards picture``, ``card`` and ``person``, as staff meets them: words, JSON, exit codes."""

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from typer.testing import CliRunner

from loyalty.bulk.errors import CampaignNotFound
from loyalty.bulk.service import Campaigns
from loyalty.bulk.store import CampaignStore
from loyalty.cli import people
from loyalty.cli.app import app
from loyalty.core import aws
from loyalty.core.clock import system_clock
from loyalty.core.files import Bucket
from loyalty.core.table import Table
from loyalty.people.store import PersonStore
from loyalty.programs.store import ProgramStore
from loyalty.rewards.pictures import S3Pictures
from loyalty.suppliers.model import SUPPLIERS
from loyalty.suppliers.registry import SuppliersSettings
from loyalty_contract import BULK, resource
from tests.financekit.runs import a_run, write
from tests.ledgerkit.programs import document, program
from tests.ledgerkit.tables import create_table
from tests.reconkit.campaigns import one_each
from tests.reconkit.orders import our, redemption, store

REGION: Final = "eu-south-1"
BUCKET: Final = "reports-test"
FULFILLMENT: Final = {"approve_above": [{"value": "15.00", "currency": "USD"}]}
"""One card of 10 dollars needs nobody, two do."""
CAMPAIGN: Final = ("--program", "acme", "--campaign", "spring")


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> Iterator[Table]:
    settings = {"TABLE": "loyalty-test", "REPORTS": BUCKET, "PICTURES": BUCKET, "STAGE": "test"}
    names = {f"LOYALTY_{name}": value for name, value in settings.items()}
    keys = dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "testing")
    for name, value in (names | keys | {"AWS_DEFAULT_REGION": REGION}).items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        aws.client.cache_clear()
        table = Table("loyalty-test", region=REGION)
        create_table(table.client, table.name)
        ProgramStore(table, system_clock).publish(document(fulfillment=FULFILLMENT), expected_version=0, actor="test")
        boto3.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        yield table
    aws.client.cache_clear()


def run(*words: str, **more: Any) -> Any:
    return CliRunner().invoke(app, list(words), **more)


@pytest.fixture
def sign_in(table: Table, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Gives the shell credentials of a user of AWS."""

    def user(name: str) -> None:
        boto3.client("iam").create_user(UserName=name)
        key = boto3.client("iam").create_access_key(UserName=name)["AccessKey"]
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", key["AccessKeyId"])
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", key["SecretAccessKey"])
        boto3.setup_default_session()

    assert table.name
    yield user
    boto3.DEFAULT_SESSION = None


def machine() -> str:
    made = boto3.client("stepfunctions").create_state_machine(
        name=resource("test", BULK), definition="{}", roleArn="arn:aws:iam::123456789012:role/x"
    )
    return str(made["stateMachineArn"])


def started(file: Path, *more: str) -> Any:
    return run(
        "bulk", "start", str(file), *CAMPAIGN, "--reward", "card", "--actor", "ada", "--paid-by", "program", *more
    )


def begin(table: Table) -> None:
    """What the state machine's first step does."""
    desk = Campaigns(CampaignStore(table), Bucket(BUCKET, boto3.client("s3")), system_clock)
    desk.begin(program(fulfillment=FULFILLMENT), "spring")


def test_a_list_is_sent_started_decided_and_followed(
    table: Table, tmp_path: Path, sign_in: Callable[[str], None]
) -> None:
    arn, file = machine(), tmp_path / "list.csv"
    file.write_bytes(one_each(range(2)))
    first = started(file)
    assert (first.exit_code, first.stdout) == (0, "'spring' is created: 0 of 0 lines held.\n"), first.output
    assert "loyalty bulk status --program acme --campaign spring" in first.stderr
    (execution,) = boto3.client("stepfunctions").list_executions(stateMachineArn=arn)["executions"]
    asked = boto3.client("stepfunctions").describe_execution(executionArn=execution["executionArn"])["input"]
    assert json.loads(asked) == {"program": "acme", "campaign": "spring"}

    begin(table)
    told = json.loads(run("bulk", "status", *CAMPAIGN, "--json").stdout)
    assert (told["status"], told["lines"], told["held"], told["value"]) == ("awaiting_approval", 2, 0, "20.00 USD")
    in_words = run("bulk", "status", *CAMPAIGN).stdout
    assert "Somebody else than person:ada decides:\n  loyalty bulk approve --program acme --campaign spring" in in_words
    assert run("bulk", "approve", *CAMPAIGN, "--actor", "bob").exception.code == "second_person_required", "one shell"
    sign_in("bob")
    assert run("bulk", "approve", *CAMPAIGN, "--actor", "ada").exception.code == "second_person_required"
    approved = run("bulk", "approve", *CAMPAIGN, "--actor", "bob", "--note", "budget 7")
    assert (approved.exit_code, approved.stdout) == (0, "✓ 'spring' is running.\n")
    begin(table)
    again = run("bulk", "approve", *CAMPAIGN, "--actor", "bob")
    assert again.stdout == "'spring' was approved by person:bob before, and is running: nothing changed.\n"
    assert len(boto3.client("stepfunctions").list_executions(stateMachineArn=arn)["executions"]) == 2
    other = run("bulk", "approve", *CAMPAIGN, "--actor", "cleo").exception
    assert (other.code, "is running, approved by person:bob" in other.detail) == (
        "campaign_not_awaiting_approval",
        True,
    )
    assert run("bulk", "reject", *CAMPAIGN, "--actor", "bob").exception.code == "campaign_not_awaiting_approval"


def test_who_waits_for_a_campaign_is_told_that_its_machine_failed(table: Table, tmp_path: Path) -> None:
    machine()
    file = tmp_path / "list.csv"
    file.write_bytes(one_each(range(1)))
    assert started(file).exit_code == 0
    desk = Campaigns(CampaignStore(table), Bucket(BUCKET, boto3.client("s3")), system_clock)
    desk.stop("acme", "spring")
    unbegun = run("bulk", "status", *CAMPAIGN, "--wait")
    assert (unbegun.exit_code, unbegun.stdout) == (1, "")
    assert "The list could not be checked" in unbegun.stderr
    begin(table)
    desk.end("acme", "spring")
    unfinished = run("bulk", "status", *CAMPAIGN, "--wait")
    assert unfinished.exit_code == 1
    said = "'spring' is unfinished: 0 of 1 lines held, 1 of 1 batches failed (start it again).\n"
    assert unfinished.stdout == said


def test_what_was_refused_or_rejected_ends_with_exit_code_1(table: Table, tmp_path: Path) -> None:
    machine()
    file = tmp_path / "list.csv"
    file.write_text("member_id,reference\nnobody,A\n")
    assert started(file).exit_code == 0
    begin(table)
    told = run("bulk", "status", *CAMPAIGN)
    assert (told.exit_code, told.stdout) == (1, "")
    assert "line 2: member_id is a member's id" in told.stderr
    as_json = run("bulk", "status", *CAMPAIGN, "--json")
    assert (as_json.exit_code, json.loads(as_json.stdout)["status"]) == (1, "refused")
    file.write_bytes(one_each([1]))
    mended = started(file)
    assert (mended.exit_code, mended.stdout) == (0, "'spring' is created: 0 of 0 lines held.\n"), mended.output
    missing = run("bulk", "status", "--program", "acme", "--campaign", "autumn")
    assert missing.exception.code == "campaign_not_found"


def test_who_is_not_known_to_aws_asks_and_decides_nothing_that_takes_two(
    table: Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``LOGNAME=bob`` makes nobody another person."""
    machine()
    file = tmp_path / "list.csv"
    file.write_bytes(one_each(range(2)))
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:9")
    monkeypatch.setenv("LOGNAME", "bob")
    told = started(file)
    assert told.exit_code == 1
    assert "let sts:GetCallerIdentity be reached" in told.stderr
    with pytest.raises(CampaignNotFound):
        CampaignStore(table).get("acme", "spring")


def test_a_rejected_list_does_not_run(table: Table, tmp_path: Path, sign_in: Callable[[str], None]) -> None:
    machine()
    file = tmp_path / "list.csv"
    file.write_bytes(one_each(range(2)))
    started(file)
    begin(table)
    sign_in("bob")
    rejected = run("bulk", "reject", *CAMPAIGN, "--actor", "bob", "--note", "no budget")
    assert (rejected.exit_code, rejected.stdout) == (0, "✓ 'spring' is rejected.\n")
    assert run("bulk", "status", *CAMPAIGN).exit_code == 1
    assert started(file).exception.code == "campaign_ended"


INVOICE: Final = ("--supplier", "tremendous", "--number", "F-7", "--from", "2026-03-10", "--until", "2026-03-10")


def imported(file: Path, *more: str) -> Any:
    maps = ("--map", "external_id=PO", "--map", "amount=Total")
    return run("invoice", "import", str(file), *INVOICE, "--actor", "ada", *maps, "--currency", "USD", *more)


def test_an_invoice_is_imported_once_and_says_where_it_differs(table: Table, tmp_path: Path) -> None:
    store(table, [our(1), our(2)])
    file = tmp_path / "invoice.csv"
    file.write_text(f"PO,Total\n{our(1).external_id},10.00\n{our(2).external_id},12.00\n")
    first = imported(file)
    assert first.exit_code == 0, first.output
    assert "✓ F-7 was imported: 2 lines, 22.00 USD." in first.stdout
    again = json.loads(imported(file, "--json").stdout)
    assert (again["imported_before"], again["lines"], again["totals"]) == (True, 2, {"USD": "22.00"})
    assert again["differences"] == {"invoiced_amount": 1}
    assert again["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    boto3.client("s3").head_object(Bucket=BUCKET, Key=again["report"])


def test_an_invoice_again_says_that_its_options_were_not_applied(table: Table, tmp_path: Path) -> None:
    store(table, [our(1)])
    file = tmp_path / "invoice.csv"
    file.write_text(f"PO,Total\n{redemption(1)},11.00\n")
    assert "not applied" not in imported(file).stdout
    again = imported(file)
    assert (again.exit_code, "were not applied" in again.stdout) == (0, True)


def test_an_invoice_of_nobody_is_refused_by_whom_there_is(table: Table, tmp_path: Path) -> None:
    file = tmp_path / "invoice.csv"
    file.write_text("PO,Total\n")
    refused = imported(file, "--supplier", "nobody")
    assert refused.exit_code == 2
    assert "tremendous, tango, xoxoday" in " ".join(refused.output.replace("│", " ").split())
    assert set(SUPPLIERS) == set(SuppliersSettings.model_fields)


def test_a_malformed_invoice_is_refused_whole(table: Table, tmp_path: Path) -> None:
    file = tmp_path / "invoice.csv"
    file.write_text("PO,Total\nX,much\n")
    refused = imported(file)
    assert (refused.exit_code, refused.exception.code) == (1, "invoice_invalid")
    assert "line 2" in refused.exception.detail
    assert list(table.query_all("R#tremendous")) == []


@pytest.mark.usefixtures("table")
def test_a_picture_is_stored_once_under_its_hash(tmp_path: Path) -> None:
    file = tmp_path / "mug.png"
    file.write_bytes(b"\x89PNG\r\n\x1a\n" + b"0" * 32)
    key = f"{hashlib.sha256(file.read_bytes()).hexdigest()}.png"
    put = run("rewards", "picture", "put", str(file))
    assert (put.exit_code, put.stdout) == (0, f"✓ {key}\n")
    assert json.loads(run("rewards", "picture", "put", str(file), "--json").stdout) == {"key": key}
    assert S3Pictures(BUCKET).client.head_object(Bucket=BUCKET, Key=key)["ContentType"] == "image/png"
    file.write_text("not a picture")
    assert run("rewards", "picture", "put", str(file)).exception.code == "picture_refused"
    missing = run("rewards", "picture", "put", str(tmp_path / "none.png"))
    assert (missing.exit_code, "cannot be read" in missing.stderr) == (1, True)


def test_nobody_has_looked_at_a_card(table: Table) -> None:
    write(table, a_run(1, "2026-03-15T08:00:00Z", redemption_id=redemption(1)))
    shown = run("card", "accesses", redemption(1), "--program", "acme")
    assert (shown.exit_code, shown.stdout) == (0, f"Nobody has looked at the card of {redemption(1)}.\n")
    assert json.loads(run("card", "accesses", redemption(1), "--program", "acme", "--json").stdout) == []
    missing = run("card", "accesses", "rdm_nope", "--program", "acme")
    assert (missing.exit_code, "no redemption 'rdm_nope' with a card" in missing.stderr) == (1, True)


class Pool:
    """A user pool as far as the commands speak to it; by the ids of people."""

    def __init__(self) -> None:
        self.users: dict[str, dict[str, Any]] = {}

    def admin_create_user(self, *, Username: str, UserAttributes: list[dict[str, str]], **more: Any) -> None:  # noqa: N803
        if Username in self.users:
            raise ClientError({"Error": {"Code": "UsernameExistsException", "Message": ""}}, "AdminCreateUser")
        assert more["TemporaryPassword"]
        self.users[Username] = {"enabled": True, "invited": "MessageAction" not in more, "password": None}
        self.admin_update_user_attributes(Username=Username, UserAttributes=UserAttributes)

    def admin_update_user_attributes(self, *, Username: str, UserAttributes: list[dict[str, str]], **_: Any) -> None:  # noqa: N803
        self.users[Username]["email"] = {one["Name"]: one["Value"] for one in UserAttributes}["email"]

    def list_users(self, *, Filter: str = "", PaginationToken: str = "0", **_: Any) -> dict[str, Any]:  # noqa: N803
        """One at a time, so that pages are turned."""
        wanted = Filter.removeprefix('email = "').removesuffix('"')
        found = [(name, one) for name, one in self.users.items() if wanted in ("", one["email"])]
        place = int(PaginationToken)
        page = [
            {"Username": name, "Enabled": one["enabled"], "Attributes": [{"Name": "email", "Value": one["email"]}]}
            for name, one in found[place : place + 1]
        ]
        return {"Users": page} | ({"PaginationToken": str(place + 1)} if place + 1 < len(found) else {})

    def admin_set_user_password(self, *, Username: str, Password: str, Permanent: bool, **_: Any) -> None:  # noqa: N803
        assert Permanent
        self.users[Username]["password"] = Password

    def admin_enable_user(self, *, Username: str, **_: Any) -> None:  # noqa: N803
        self.users[Username]["enabled"] = True

    def admin_disable_user(self, *, Username: str, **_: Any) -> None:  # noqa: N803
        self.users[Username]["enabled"] = False

    def admin_user_global_sign_out(self, *, Username: str, **_: Any) -> None:  # noqa: N803
        self.users[Username]["signed_out"] = True


def test_a_person_is_let_in_and_shut_out(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    pool, people_store = Pool(), PersonStore(table, system_clock)
    monkeypatch.setattr(people, "user_pools", lambda: pool)
    where = ("--people-pool", "pool-1")
    add = ("person", "add", "staff-17", "ada@example.com", "--program", "acme")
    added = run(*add, "--approver", "--password-stdin", *where, input="Correct-horse-7!\n")
    assert (added.exit_code, added.stdout) == (0, "✓ staff-17 sees and decides about acme.\n"), added.output
    assert "Correct" not in added.output
    ada = {"enabled": True, "invited": False, "password": "Correct-horse-7!", "email": "ada@example.com"}
    assert pool.users == {"staff-17": ada}
    found = people_store.find("staff-17")
    assert found is not None
    assert (set(found.programs), set(found.approves), found.disabled_at) == ({"acme"}, {"acme"}, None)

    assert run("person", "disable", "staff-17", *where).stdout == "✓ staff-17 is shut out.\n"
    assert pool.users["staff-17"] == ada | {"enabled": False, "signed_out": True}
    again = run(*add, *where)
    assert (again.exit_code, again.stdout, pool.users["staff-17"]["enabled"]) == (0, "✓ staff-17 sees acme.\n", True)
    found = people_store.find("staff-17")
    assert found is not None
    assert (set(found.approves), found.disabled_at) == (set(), None)


@pytest.mark.usefixtures("table")
def test_nobody_is_given_the_address_of_another_and_all_are_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    pool, where = Pool(), ("--program", "acme", "--people-pool", "pool-1")
    monkeypatch.setattr(people, "user_pools", lambda: pool)
    for person in ("staff-17", "staff-4"):
        assert run("person", "add", person, f"{person}@example.com", *where).exit_code == 0
    taken = run("person", "add", "staff-9", "staff-4@example.com", *where)
    assert (taken.exit_code, "the address of staff-4" in taken.stderr) == (1, True)
    assert run("person", "add", "staff-9", 'x" or "@example.com', *where).exit_code == 1
    assert run("person", "add", "staff-4", "staff-4@example.com", "--approver", *where).exit_code == 0
    run("person", "disable", "staff-17", "--people-pool", "pool-1")
    listed = json.loads(run("person", "list", "--people-pool", "pool-1", "--json").stdout)
    assert listed == [
        {"id": name, "email": f"{name}@example.com", "programs": ["acme"], "approves": approves, "disabled": disabled}
        for name, approves, disabled in (("staff-17", [], True), ("staff-4", ["acme"], False))
    ]
    assert "shut out" in run("person", "list", "--people-pool", "pool-1").stdout


@pytest.mark.usefixtures("table")
def test_a_person_with_an_odd_id_or_of_no_program_gets_no_account(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = Pool()
    monkeypatch.setattr(people, "user_pools", lambda: pool)
    odd = run("person", "add", "Ada L", "a@example.com", "--program", "acme", "--people-pool", "pool-1")
    assert (odd.exit_code, "small letters" in odd.stderr) == (1, True)
    none = run("person", "add", "staff-18", "b@example.com", "--program", "none", "--people-pool", "pool-1")
    assert none.exception.code == "program_not_found"
    assert run("person", "disable", "staff-19", "--people-pool", "pool-1").exit_code == 1
    assert pool.users == {}
