"""Find what a client of the deployed platform needs, from the stacks' resources."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import boto3


class NotDeployed(LookupError):
    """The stacks do not hold a resource that was looked for."""


@dataclass(frozen=True)
class Resource:
    """A resource of a stack."""

    logical_id: str
    physical_id: str
    type: str


@dataclass(frozen=True)
class Platform:
    """Where the deployed platform is reached, as seen from this machine.

    ``queues`` and ``functions`` map logical ids to queue URLs and function names; ``outputs`` holds the
    outputs of all stacks.
    """

    api_url: str
    token_url: str
    user_pool: str
    people_pool: str
    console_url: str
    client_id: str
    client_secret: str
    table: str
    bus: str
    state_machines: Mapping[str, str]
    queues: Mapping[str, str]
    functions: Mapping[str, str]
    outputs: Mapping[str, str]


def discover(session: "boto3.Session", endpoint: str, stacks: Sequence[str]) -> Platform:
    """Look the platform up in the stacks of these names.

    Raises:
        NotDeployed: a stack lacks what every deployment has.
    """
    cloudformation = session.client("cloudformation", endpoint_url=endpoint)
    found: list[Resource] = []
    outputs: dict[str, str] = {}
    for name in stacks:
        found += [
            Resource(each["LogicalResourceId"], each.get("PhysicalResourceId", ""), each["ResourceType"])
            for each in cloudformation.describe_stack_resources(StackName=name)["StackResources"]
        ]
        for output in cloudformation.describe_stacks(StackName=name)["Stacks"][0].get("Outputs", []):
            outputs[output["OutputKey"]] = output["OutputValue"]
    pool = _output(outputs, "UserPoolId")
    client_id, secret = _partner_client(session, endpoint, pool)
    rest_api, stage = _one(found, "AWS::ApiGateway::RestApi"), _one(found, "AWS::ApiGateway::Stage")
    return Platform(
        api_url=f"{endpoint}/restapis/{rest_api}/{stage.rpartition('/')[2]}/_user_request_",
        token_url=f"{endpoint}/oauth2/token",
        user_pool=pool,
        people_pool=_output(outputs, "PeoplePoolId"),
        console_url=_output(outputs, "ConsoleUrl"),
        client_id=client_id,
        client_secret=secret,
        table=_one(found, "AWS::DynamoDB::GlobalTable", "AWS::DynamoDB::Table"),
        bus=_one(found, "AWS::Events::EventBus"),
        state_machines=_by_id(found, "AWS::StepFunctions::StateMachine"),
        queues=_by_id(found, "AWS::SQS::Queue"),
        functions=_by_id(found, "AWS::Lambda::Function"),
        outputs=outputs,
    )


def _matching(found: Sequence[Resource], *types: str) -> Iterator[Resource]:
    return (each for each in found if each.type in types)


def _by_id(found: Sequence[Resource], resource_type: str) -> dict[str, str]:
    return {each.logical_id: each.physical_id for each in _matching(found, resource_type)}


def _one(found: Sequence[Resource], *types: str) -> str:
    matches = list(_matching(found, *types))
    if not matches:
        raise NotDeployed(f"no {' or '.join(types)} is deployed")
    return matches[0].physical_id


def _output(outputs: Mapping[str, str], name: str) -> str:
    if name not in outputs:
        raise NotDeployed(f"no stack has the output {name}")
    return outputs[name]


def _partner_client(session: "boto3.Session", endpoint: str, pool: str) -> tuple[str, str]:
    """Id and secret of the first client of the pool that may use the client-credentials flow."""
    cognito = session.client("cognito-idp", endpoint_url=endpoint)
    for each in cognito.list_user_pool_clients(UserPoolId=pool, MaxResults=60)["UserPoolClients"]:
        client: Any = cognito.describe_user_pool_client(UserPoolId=pool, ClientId=each["ClientId"])["UserPoolClient"]
        if "client_credentials" in client.get("AllowedOAuthFlows", []) and client["ClientName"] == "partner":
            return client["ClientId"], client["ClientSecret"]
    raise NotDeployed("no client of the client-credentials flow is deployed")
