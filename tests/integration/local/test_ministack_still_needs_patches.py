"""Every patch is made for one version of ministack. When one of these fails after an upgrade, ministack has changed:
either the patch is needless and goes, or it is wrong and has to follow."""

import inspect
import json
import subprocess
import sys
from importlib import metadata

import pytest
from ministack import app  # type: ignore[import-untyped]
from ministack.core import iam_actions, iam_evaluator, lambda_runtime  # type: ignore[import-untyped]
from ministack.core.responses import AccountRegionScopedDict  # type: ignore[import-untyped]
from ministack.services import (  # type: ignore[import-untyped]
    apigateway_v1,
    cognito,
    dynamodb,
    lambda_svc,
    stepfunctions,
)
from ministack.services.cloudformation import provisioners  # type: ignore[import-untyped]

from infra.local import ministack_patches as patches
from infra.local.lost_executions import BY_A_STOP
from infra.local.ministack import REPOSITORY

pytestmark = pytest.mark.integration

PROBE = """
import io, json, zipfile
from ministack.services import lambda_svc
from infra.local.ministack_patches import named_errors

packed = io.BytesIO()
with zipfile.ZipFile(packed, "w") as archive:
    archive.writestr("index.py", "class Refused(Exception): pass\\ndef handler(event, context): raise Refused('no')")
arn = "arn:aws:lambda:eu-south-1:000000000000:function:refuses"
config = {"FunctionName": "refuses", "FunctionArn": arn, "Runtime": "python3.14", "Handler": "index.handler", "Timeout": 20}
function = {"config": config, "code_zip": packed.getvalue()}
execute = lambda_svc._execute_function_warm
print(json.dumps([execute(function, {}, "1")["body"], named_errors(execute)(function, {}, "2")["body"]]))
"""


def test_the_version_is_the_one_that_the_patches_are_made_for() -> None:
    assert metadata.version("ministack") == patches.MINISTACK_VERSION


def test_handlers_exceptions_are_still_unnamed_and_the_wrap_names_them() -> None:
    shown = subprocess.run(
        [sys.executable, "-c", PROBE], cwd=REPOSITORY, capture_output=True, text=True, check=True, timeout=60
    )
    plain, wrapped = json.loads(shown.stdout.splitlines()[-1])
    assert plain == {"errorMessage": "no", "errorType": patches.UNNAMED_ERROR}
    assert wrapped == {"errorMessage": "no", "errorType": "Refused"}


RAISES = """
import io, json, zipfile
from ministack.core import lambda_runtime
from ministack.services import lambda_svc
from infra.local.raised_errors import as_errors, telling_apart

packed = io.BytesIO()
with zipfile.ZipFile(packed, "w") as archive:
    archive.writestr("index.py", "import os\\ndef handler(event, context): raise ValueError(os.getpid())")

def pids(name):
    arn = "arn:aws:lambda:eu-south-1:000000000000:function:" + name
    config = {"FunctionName": name, "FunctionArn": arn, "Runtime": "python3.14", "Handler": "index.handler", "Timeout": 20}
    answers = [lambda_svc._execute_function_warm({"config": config, "code_zip": packed.getvalue()}, {}, n) for n in "12"]
    assert all(one["error"] and "ValueError" in one["log"] for one in answers), answers
    return [one["body"]["errorMessage"] for one in answers]

plain = pids("plain")
lambda_runtime._PYTHON_WORKER_SCRIPT = telling_apart(lambda_runtime._PYTHON_WORKER_SCRIPT)
lambda_runtime.Worker.invoke = as_errors(lambda_runtime.Worker.invoke)
print(json.dumps([plain, pids("wrapped")]))
"""


def test_an_exception_still_ends_a_process_and_the_wrap_keeps_it() -> None:
    shown = subprocess.run(
        [sys.executable, "-c", RAISES], cwd=REPOSITORY, capture_output=True, text=True, check=True, timeout=60
    )
    plain, wrapped = json.loads(shown.stdout.splitlines()[-1])
    assert plain[0] != plain[1]
    assert wrapped[0] == wrapped[1]


def test_a_silent_handler_is_still_waited_for() -> None:
    defaults = inspect.signature(lambda_runtime.Worker._drain_stderr_bounded).parameters
    assert [name for name in defaults if name != "self"] == ["first_line_wait", "idle_confirm", "hard_cap"]
    assert defaults["first_line_wait"].default > patches.FIRST_LINE_WAIT
    assert defaults["idle_confirm"].default > patches.IDLE_CONFIRM


def test_condition_keys_are_still_missing() -> None:
    read = b'{"TableName": "t", "Key": {"pk": {"S": "M#1"}, "sk": {"S": "x"}}}'
    assert "dynamodb:LeadingKeys" not in iam_actions.dynamodb_service_context(read)
    decrypt = b'{"KeyId": "k", "EncryptionContext": {"program": "aurora"}}'
    assert iam_actions.request_tag_context("kms", "kms:Decrypt", decrypt, {}) == {}


def test_the_router_still_takes_condition_keys_from_where_they_are_wrapped() -> None:
    assert not hasattr(app, "dynamodb_service_context")
    assert not hasattr(app, "request_tag_context")
    assert app.pin_request_origin is iam_evaluator.pin_request_origin


def test_loopback_is_still_not_secure() -> None:
    origin = iam_evaluator._request_origin.set(("127.0.0.1", False))
    try:
        iam_evaluator.pin_request_origin("127.0.0.1", False)
        assert iam_evaluator._request_origin.get() == ("127.0.0.1", False)
    finally:
        iam_evaluator._request_origin.reset(origin)


def test_an_authorizers_identity_still_has_no_context() -> None:
    found = apigateway_v1._request_identity_sources("context.httpMethod", {"a": "b"}, {}, {})
    assert found == (False, [""])
    names = [*inspect.signature(apigateway_v1._authorize_request_v1).parameters]
    assert names[:6] == ["api_id", "stage_name", "method_obj", "method", "request_path", "resource"]


def test_the_key_that_an_authorizer_names_is_still_dropped() -> None:
    assert "usageIdentifierKey" not in inspect.getsource(apigateway_v1)
    assert [*inspect.signature(apigateway_v1._api_key_from_request).parameters] == ["headers"]
    assert "_api_key_from_request(headers)" in inspect.getsource(apigateway_v1._check_api_key)


def test_the_source_of_keys_is_still_lost_by_a_template() -> None:
    handlers = provisioners._RESOURCE_HANDLERS["AWS::ApiGateway::RestApi"]
    api_id, _ = handlers["create"]("Api", {"Name": "probe", "ApiKeySourceType": "AUTHORIZER"}, "stack")
    try:
        assert apigateway_v1._rest_apis[api_id]["apiKeySource"] == "HEADER"
    finally:
        apigateway_v1._delete_rest_api(api_id)


def test_a_client_still_has_one_secret() -> None:
    assert "UserPoolClientSecret" not in inspect.getsource(cognito)
    assert "_authenticate_client(headers or {}, form)" in inspect.getsource(cognito._oauth2_token)
    assert "_dispatch_idp(" in inspect.getsource(cognito.handle_request)


def test_a_stop_still_keeps_positions_without_the_records_and_no_tokens() -> None:
    assert "dynamodb_stream_positions" in lambda_svc.get_state()
    assert not [name for name in dynamodb.get_state() if "stream" in name or "record" in name]
    assert not [name for name in stepfunctions.get_state() if "token" in name]


def test_what_runs_at_a_stop_still_ends_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    running = AccountRegionScopedDict()
    running["arn"] = {"status": "RUNNING"}
    monkeypatch.setattr(stepfunctions, "_executions", AccountRegionScopedDict())
    stepfunctions.load_persisted_state({"executions": running})
    (found,) = stepfunctions._executions.all_values()
    assert (found["status"], found["error"]) == ("FAILED", BY_A_STOP)
