"""What the whole table is asked for. For audits: no request path scans."""

from typing import Any

from loyalty.core.operations import RawItem
from loyalty.core.table import Table
from loyalty_contract import PARTITION_KEY


def partitions(table: Table, *prefixes: str) -> set[str]:
    """The partitions whose key begins with one of ``prefixes``.

    DynamoDB reads the whole table for it and answers with these keys alone: half a read unit for each 4 KB. Eventually
    consistent, so what was written within the last seconds may be missing.
    """
    values = {f":p{place}": {"S": prefix} for place, prefix in enumerate(prefixes)}
    request: dict[str, Any] = {
        "TableName": table.name,
        "ProjectionExpression": "#pk",
        "FilterExpression": " OR ".join(f"begins_with(#pk, {name})" for name in values),
        "ExpressionAttributeNames": {"#pk": PARTITION_KEY},
        "ExpressionAttributeValues": values,
    }
    found: set[str] = set()
    start: RawItem | None = None
    while True:
        answer = table.client.scan(**request | ({"ExclusiveStartKey": start} if start else {}))
        found.update(raw[PARTITION_KEY]["S"] for raw in answer["Items"])
        start = answer.get("LastEvaluatedKey")
        if not start:
            return found
