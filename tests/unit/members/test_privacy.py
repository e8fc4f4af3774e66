"""Plants personal values everywhere they can come in, and looks for them everywhere they must not be."""

import json
import logging
from collections.abc import Iterator, Mapping
from io import StringIO

import pytest

from functions.enrollment.routes import routes
from loyalty.core.http import api
from loyalty.core.keys import DataKey
from loyalty.core.telemetry import logger
from tests.apikit.gateway import Gateway
from tests.apikit.keys import FakeKeys
from tests.apikit.members import Members
from tests.ledgerkit.programs import program

PATH = "/v1/programs/acme/members"
PLANTED = {
    "email": "Zoe.Quillfeather@planted-mail.com",
    "phone": "+390698765432",
    "given_name": "Zoëlle",
    "family_name": "Quillfeather",
    "external_ids": {"shopify": "cust-5550001234"},
    "signals": {
        "device": "quillfeather-phone",
        "ip": "203.0.113.241",
        "payment": "fp-quillfeather",
        "address": "Quillfeather Lane 1, Rome",
    },
}
TRACES = ["quillfeather", "planted-mail", "0698765432", "zoë", "zo\\u00eb", "5550001234", "203.0.113"]


def assert_no_trace(text: str) -> None:
    assert [trace for trace in TRACES if trace in text.lower()] == []


@pytest.fixture
def logs() -> Iterator[StringIO]:
    """What the functions log, as CloudWatch would get it."""
    written = StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(logger.registered_formatter)
    logger.addHandler(handler)
    yield written
    logger._logger.removeHandler(handler)


def test_the_table_holds_no_personal_value(members: Members) -> None:
    ada = members.call("POST", PATH, PLANTED | {"locale": "it-IT"})
    assert ada.status == 201
    members.call("PATCH", ada.headers["Location"], {"given_name": "Zoëlle II"})
    text = "\n".join(repr(raw) for raw in members.items().values())
    assert ada.json["member_id"] in text
    assert_no_trace(text)


def test_logs_hold_no_personal_value(members: Members, logs: StringIO, capsys: pytest.CaptureFixture[str]) -> None:
    location = members.call("POST", PATH, PLANTED).headers["Location"]
    members.call("POST", PATH, PLANTED | {"given_name": "Zoëlle II"}).problem(409, "already_enrolled")
    members.call("POST", PATH, PLANTED | {"email": "quillfeather@", "phone": "0698765432"}).problem(422, "invalid")
    members.call("POST", PATH, json.dumps(PLANTED)[:-1]).problem(400, "malformed_json")
    members.call("GET", location)
    members.call("PATCH", location, {"given_name": "Zoëlle II"})
    members.call("POST", "/v1/programs/acme/referrals/validate", {"referral_code": "x", "email": PLANTED["email"]})
    assert logs.getvalue().count("already_enrolled") == 1
    assert_no_trace(logs.getvalue() + capsys.readouterr().out)


def test_a_failure_inside_is_logged_without_its_values(
    members: Members, logs: StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    members.enroll("ada@example.com")

    class Broken(FakeKeys):
        """Fails as pydantic and AWS do: with the values in the text."""

        def new(self, context: Mapping[str, str]) -> DataKey:
            raise ValueError(f"cannot seal {PLANTED} for {context}")

    members.call = Gateway(
        api(routes(members.programs, members.service_with(members.store, keys=Broken()), members.segments))
    )
    members.call("POST", PATH, PLANTED).problem(500, "internal_error")
    printed = capsys.readouterr().out
    assert '"error_type":"ValueError"' in logs.getvalue()
    assert "UnexpectedError" in printed
    assert_no_trace(logs.getvalue() + printed)


def test_problems_repeat_no_personal_value(members: Members) -> None:
    members.call("POST", PATH, PLANTED)
    for body in (
        PLANTED | {"locale": "it"},
        PLANTED | {"email": "Zoe.Quillfeather@planted-mail"},
        PLANTED | {"email": "Zoe Quillfeather <x@planted-mail.com>", "phone": "+0698765432"},
        PLANTED | {"given_name": "Zoë\nlle"},
        PLANTED | {"external_ids": {"shopify": "cust 5550001234"}},
        PLANTED | {"signals": {"payment": "quillfeather fingerprint", "ip": "203.0.113.241:80", "device": "quill"}},
        PLANTED | {"signals": {"quillfeather": "x"}, "referral_clicks": ["quillfeather" * 9]},
        PLANTED | {"external_ids": {"cust-5550001234@shop": "1"}},
        PLANTED | {"external_ids": {"cust-5550001234@shop": 1}},
        PLANTED | {"Quillfeather@planted-mail.com": 1},
        PLANTED | {"quillfeather": 1},
        {"zoë": {"quillfeather": 1}},
    ):
        reply = members.call("POST", PATH, body)
        assert reply.status in {409, 422}
        assert_no_trace(reply.text)


def test_a_member_is_no_trace_in_tracebacks(members: Members) -> None:
    ada = members.call("POST", PATH, PLANTED).json
    assert_no_trace(repr(members.service.get(program(), ada["member_id"])))


def test_lookups_cost_one_call_of_the_key_service_for_each_program(members: Members) -> None:
    members.enroll("ada@example.com", phone="+393331234567", external_ids={"shopify": "1"})
    members.enroll("bob@example.com")
    assert members.keys.calls["mac"] == 1
