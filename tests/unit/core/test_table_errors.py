"""AWS's code of what pynamodb raises, whatever its cause."""

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, EndpointConnectionError, ReadTimeoutError
from pynamodb.exceptions import PynamoDBException, UpdateError

from loyalty.core.transactions import error_code

REFUSED = ClientError({"Error": {"Code": "ConditionalCheckFailedException", "Message": "x"}}, "UpdateItem")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UpdateError("x", REFUSED), "ConditionalCheckFailedException"),
        (UpdateError("x", ClientError({}, "UpdateItem")), None),
        (UpdateError("x", ReadTimeoutError(endpoint_url="https://dynamodb")), None),
        (UpdateError("x", ConnectTimeoutError(endpoint_url="https://dynamodb")), None),
        (UpdateError("x", EndpointConnectionError(endpoint_url="https://dynamodb")), None),
        (UpdateError("x"), None),
    ],
)
def test_a_code_is_there_only_where_an_answer_came(error: PynamoDBException, code: str | None) -> None:
    assert error_code(error) == code
