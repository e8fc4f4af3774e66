"""The console: who may make its sessions, and where people may be sent back to."""

from infra.names import resource
from infra.settings import StageSettings
from tests.infra.single import synthesize_one
from tests.infra.templates import Templates, text


def test_people_come_by_code_alone_and_back_to_the_console_alone(stage: Templates, settings: StageSettings) -> None:
    (client,) = stage.properties("AWS::Cognito::UserPoolClient", "api")
    assert client["GenerateSecret"] is False
    assert (client["AllowedOAuthFlows"], client["AllowedOAuthScopes"]) == (["code"], ["openid", "email"])
    assert client["ExplicitAuthFlows"] == ["ALLOW_REFRESH_TOKEN_AUTH"]
    (callback,), (logout,) = client["CallbackURLs"], client["LogoutURLs"]
    assert text(callback).count("/console/signed-in") == 1
    assert text(logout).count("/console") == 1
    assert settings.target == "local" or "https://" in text(callback)


def test_no_other_function_can_make_a_session(stage: Templates, settings: StageSettings) -> None:
    able = [
        policy_id
        for name in stage.stacks
        for policy_id, policy in stage.each("AWS::IAM::Policy", name)
        if "KeysConsole" in text(policy["Properties"]["PolicyDocument"])
    ]
    assert len(able) == 1
    assert able[0].startswith("console")
    told = [
        function["FunctionName"]
        for function in stage.properties("AWS::Lambda::Function")
        if "KeysConsole" in text(function["Environment"]["Variables"])
    ]
    assert told == [resource(settings.name, "console")]


def test_a_domain_of_ones_own_is_where_people_are_sent_back_to() -> None:
    url = "https://finance.example.com/console"
    stage = synthesize_one(StageSettings(name="own", region="eu-south-1", console_url=url))
    (client,) = stage.properties("AWS::Cognito::UserPoolClient", "api")
    assert (client["CallbackURLs"], client["LogoutURLs"]) == ([f"{url}/signed-in"], [url])
