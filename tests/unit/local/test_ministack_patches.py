"""The wraps around ministack, each over a stand-in for what it wraps."""

import traceback
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from pathlib import Path
from threading import Event, Lock
from time import sleep
from types import ModuleType
from typing import Any

import pytest
from ministack.services import stepfunctions  # type: ignore[import-untyped]

from infra.local import ministack_patches as patches
from infra.local import raised_errors, task_tokens
from infra.local.kept_state import keep
from infra.local.task_tokens import TokenOwners


class Outer:
    class Refused(Exception):
        """An exception whose qualified name is not its name."""


def _log(error: Exception, before: str = "") -> str:
    def refuse() -> None:
        raise error

    with pytest.raises(type(error)):
        refuse()
    return before + "".join(traceback.format_exception(error))


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (ValueError("plain"), "ValueError"),
        (Outer.Refused("nested class"), "Refused"),
        (ValueError(""), "ValueError"),
        (ValueError("several\nlines\nOther.Name: of message"), "ValueError"),
        (ValueError("Traceback (most recent call last):\n  x\nFakeError: no"), "FakeError"),
        (KeyError("quoted by str()"), "KeyError"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid"), "UnicodeDecodeError"),
    ],
)
def test_exception_name_is_the_bare_class_name(error: Exception, name: str) -> None:
    assert patches.exception_name(_log(error, before="ERROR: a line of log\n"), str(error)) == name


def test_exception_name_is_that_of_the_last_of_a_chain() -> None:
    effect = Outer.Refused("effect")
    effect.__cause__ = KeyError("cause")
    assert patches.exception_name(_log(effect), "effect") == "Refused"


def test_exception_name_is_none_without_a_traceback() -> None:
    assert patches.exception_name("Worker process died", "Worker process died") is None


def test_named_errors_changes_only_unnamed_errors() -> None:
    results: list[dict[str, Any]] = [
        {"body": {"ok": True}, "log": ""},
        {
            "error": True,
            "body": {"errorType": "Sandbox.Timedout", "errorMessage": "Task timed out after 3.00 seconds"},
            "log": "",
        },
        {
            "error": True,
            "body": {"errorType": patches.UNNAMED_ERROR, "errorMessage": "Worker process died"},
            "log": "Worker process died",
        },
        {
            "error": True,
            "body": {"errorType": patches.UNNAMED_ERROR, "errorMessage": "no"},
            "log": _log(Outer.Refused("no")),
        },
    ]
    queue = iter(results)
    execute = patches.named_errors(lambda _func, _event, _request_id: next(queue))
    types = [(execute({}, {}, "id")["body"]).get("errorType") for _ in results]
    assert types == [None, "Sandbox.Timedout", patches.UNNAMED_ERROR, "Refused"]


def test_only_what_a_handler_raised_becomes_an_error_of_a_process_that_goes_on() -> None:
    told: list[dict[str, Any]] = [
        {"status": "ok", "result": {"raised": "no"}},
        {"status": "ok", "raised": "", "trace": "Traceback", "log": "a line"},
        {"status": "error", "error": "Worker process died"},
    ]
    queue = iter(told)
    invoke = raised_errors.as_errors(lambda _event, *, trace_id: next(queue))  # noqa: ARG005
    answers = [invoke({}, trace_id="1") for _ in told]
    assert [answer["status"] for answer in answers] == ["ok", "error", "error"]
    assert (answers[1]["error"], answers[1]["trace"], answers[1]["log"]) == ("", "Traceback", "a line")
    with pytest.raises(ValueError, match="another way"):
        raised_errors.telling_apart("print()")


def test_hasty_drain_changes_the_defaults_and_nothing_that_is_given() -> None:
    seen: list[dict[str, float]] = []

    def drain(
        _worker: object, first_line_wait: float = 0.05, idle_confirm: float = 0.005, hard_cap: float = 0.25
    ) -> str:
        seen.append({"first": first_line_wait, "idle": idle_confirm, "cap": hard_cap})
        return ""

    hasty = patches.hasty_drain(drain)
    hasty(object())
    hasty(object(), first_line_wait=1.0)
    assert seen[0] == {"first": patches.FIRST_LINE_WAIT, "idle": patches.IDLE_CONFIRM, "cap": 0.25}
    assert seen[1]["first"] == 1.0


def test_encryption_context_becomes_condition_keys_of_kms_only() -> None:
    def no_keys(*_request: object) -> dict[str, Any]:
        return {}

    wrapped = patches.with_encryption_context(no_keys)
    body = b'{"KeyId": "k", "EncryptionContext": {"program": "p", "member": "m"}}'
    assert wrapped("kms", "kms:Decrypt", body, {}) == {
        "kms:EncryptionContext:program": "p",
        "kms:EncryptionContext:member": "m",
        "kms:EncryptionContextKeys": ["program", "member"],
    }
    assert wrapped("sqs", "sqs:SendMessage", body, {}) == {}
    assert wrapped("kms", "kms:Decrypt", b'{"KeyId": "k"}', {}) == {}


def test_loopback_counts_as_secure_transport_and_nothing_else_does() -> None:
    seen: list[tuple[str, bool]] = []
    pin = patches.secure_on_loopback(lambda source, secure: seen.append((source, secure)))
    pin("127.0.0.1", False)
    pin("10.0.0.1", False)
    pin("10.0.0.1", True)
    assert seen == [("127.0.0.1", True), ("10.0.0.1", False), ("10.0.0.1", True)]


def test_bounded_lets_no_more_run_at_a_time_than_it_says() -> None:
    running, most, lock = [0], [0], Lock()

    def execute(_func: dict[str, Any], _event: object, _request_id: str) -> dict[str, Any]:
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        sleep(0.01)
        with lock:
            running[0] -= 1
        return {}

    wrapped = patches.bounded(execute, max_concurrency=2)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: wrapped({"FunctionName": "f"}, {}, "id"), range(20)))
    assert most[0] == 2


def test_another_version_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(metadata, "version", lambda _name: "9.9.9")
    with pytest.raises(patches.UnsupportedMinistackVersion, match=r"9\.9\.9"):
        patches.apply(1, tmp_path, tmp_path / "calls.jsonl")


def test_a_wait_takes_its_time_from_an_expression(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    monkeypatch.setattr(stepfunctions, "_apply_jsonata_template", lambda _text, given, _context: given["wait"])
    wrapped = patches.with_evaluated_timeout(lambda state, *_: seen.append(state))
    wrapped({"TimeoutSeconds": "{% $states.input.wait %}", "Type": "Task"}, {"wait": 7}, None, {})
    wrapped({"TimeoutSeconds": 60}, {}, None, {})
    assert seen == [{"TimeoutSeconds": 7.0, "Type": "Task"}, {"TimeoutSeconds": 60}]


def test_a_function_that_fails_ends_the_wait_for_the_token_it_was_given(monkeypatch: pytest.MonkeyPatch) -> None:
    waiting: dict[str, Any] = {"event": Event(), "error": None}
    monkeypatch.setattr(stepfunctions, "_task_tokens", {"t-1": waiting})

    def fail(_function: str, _event: Any) -> None:
        raise stepfunctions._ExecutionError("NothingAwaited", "cause")

    for event in ({"token": "t-1"}, {"token": "t-2"}, {}, None):
        with pytest.raises(stepfunctions._ExecutionError):
            patches.failing_its_token(fail)("worker", event)
    assert waiting["event"].is_set()
    assert waiting["error"] == {"Error": "NothingAwaited", "Cause": "cause"}


def test_a_token_is_answered_for_the_machine_that_waits_with_it() -> None:
    owners = TokenOwners()
    asked: tuple[str, str, str, dict[str, str]] = ("states", "POST", "/", {})
    found = owners.naming(lambda service, *_: "*" if service == "states" else "queue")
    seen: list[str] = []

    def wait(_state: Any, _input: Any, _execution: Any, context: dict[str, Any]) -> None:
        context["Task"] = {"Token": "t-1"}
        seen.extend(
            found(*asked, body) for body in (b'{"taskToken": "t-1"}', b'{"taskToken": "t-2"}', b"{}", b"[]", b"x")
        )
        seen.append(found("sqs", "POST", "/", {}, b'{"taskToken": "t-1"}'))

    owners.remembering(wait)({}, {}, None, {"StateMachine": {"Id": "machine"}})
    assert seen == ["machine", "*", "*", "*", "*", "queue"]
    assert found(*asked, b'{"taskToken": "t-1"}') == "machine"  # it is over: who may ask is told so


def test_a_token_that_was_waited_with_before_a_stop_is_still_its_machines() -> None:
    before, after = TokenOwners(), TokenOwners()
    kept: list[dict[str, str]] = []

    def stopped(_state: Any, _input: Any, _execution: Any, context: dict[str, Any]) -> None:
        context["Task"] = {"Token": "t-1"}
        kept.append(before.known())

    before.remembering(stopped)({}, {}, None, {"StateMachine": {"Id": "machine"}})
    after.learn(kept[0])
    assert [after.machine_of(b'{"taskToken": "%s"}' % token) for token in (b"t-1", b"t-2")] == ["machine", "*"]


def test_of_tokens_that_are_over_the_oldest_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(task_tokens, "REMEMBERED", 2)
    owners = TokenOwners()
    for number in range(3):
        owners.remembering(lambda *_: None)(
            {}, {}, None, {"StateMachine": {"Id": "m"}, "Task": {"Token": f"t-{number}"}}
        )
    assert owners.known() == {"t-1": "m", "t-2": "m"}


def test_what_is_kept_lies_beside_a_services_own_state_and_is_there_before_it() -> None:
    loaded: list[Any] = []
    service = ModuleType("service")
    service.__dict__.update(get_state=lambda: {"own": 1}, load_persisted_state=loaded.append)
    keep(service, "more", lambda: [2], lambda kept: loaded.append(("restored", kept)))
    assert service.get_state() == {"own": 1, "more": [2]}
    service.load_persisted_state({"own": 1, "more": [2]})
    service.load_persisted_state({"own": 1})
    assert loaded == [("restored", [2]), {"own": 1, "more": [2]}, {"own": 1}]
