"""The usual recipe: Powertools' idempotency utility around a plain transaction that posts the same accrual.

It is what most services on Lambda do. What it costs stands beside ours; what it does not give (once for ever, and not
until the record's expiry; nothing twice when the last update is lost) does not show in a number.
"""

from typing import Any

from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)

from tests.bench.meter import Cost, Engine, Look, metered

RECORDS = "idempotency"
MEMBER = "M#aurora-sample#mbr_01jd0000000000000000000000p"
LOT = "2029-02-28"


class _Context:
    """As much of a Lambda context as the utility asks for."""

    def get_remaining_time_in_millis(self) -> int:
        return 10_000


class PowertoolsRecipe:
    """An accrual of ten points, once per source id for an hour."""

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table
        client.create_table(
            TableName=RECORDS,
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        client.get_waiter("table_exists").wait(TableName=RECORDS)

    def measure(self, look: Look, engine: Engine) -> Cost:
        """The cost of one accrual; the member has points already."""
        self._client.put_item(
            TableName=self._table,
            Item={
                "pk": {"S": MEMBER},
                "sk": {"S": "WALLET"},
                "last_seq": {"N": "1"},
                "tier": {"S": "bronze"},
                "available": {"N": "10"},
                "lots": {"M": {LOT: {"N": "10"}}},
                "qualifying": {"M": {"2026": {"N": "10"}}},
            },
        )
        config = IdempotencyConfig(event_key_jmespath="source_id", use_local_cache=True)
        config.register_lambda_context(_Context())  # type: ignore[arg-type]
        store = DynamoDBPersistenceLayer(table_name=RECORDS, boto3_client=self._client)

        def accrue(request: dict[str, str]) -> dict[str, Any]:
            return self._accrue(request["source_id"])

        once = idempotent_function(accrue, data_keyword_argument="request", persistence_store=store, config=config)
        with metered(self._client, look, engine) as cost:
            once(request={"source_id": "R-000000105"})
        return cost

    def _accrue(self, source_id: str) -> dict[str, Any]:
        """Reads the wallet, adds ten points to it and to its one lot, and writes both items: no condition on an identity."""
        wallet = self._client.get_item(
            TableName=self._table, Key={"pk": {"S": MEMBER}, "sk": {"S": "WALLET"}}, ConsistentRead=True
        )["Item"]
        seq = int(wallet["last_seq"]["N"])
        entry = self._entry(source_id, wallet, seq + 1)
        wallet["last_seq"] = {"N": str(seq + 1)}
        wallet["available"] = entry["available"]
        wallet["lots"] = {"M": {LOT: wallet["available"]}}
        self._client.transact_write_items(
            TransactItems=[
                {
                    "Put": {
                        "TableName": self._table,
                        "Item": wallet,
                        "ConditionExpression": "last_seq = :seq",
                        "ExpressionAttributeValues": {":seq": {"N": str(seq)}},
                    }
                },
                {"Put": {"TableName": self._table, "Item": entry}},
            ]
        )
        return {"entry_id": f"accrual:pos:{source_id}", "points": 10, "available": int(wallet["available"]["N"])}

    @staticmethod
    def _entry(source_id: str, wallet: dict[str, Any], seq: int) -> dict[str, Any]:
        return {
            "pk": {"S": MEMBER},
            "sk": {"S": f"ENTRY#accrual#pos#{source_id}"},
            "seq": {"N": str(seq)},
            "postings": {"M": {"member:available": {"N": "10"}, "program:issued": {"N": "-10"}}},
            "lots": {"M": {LOT: {"N": "10"}}},
            "available": {"N": str(int(wallet["available"]["N"]) + 10)},
            "amount": {"S": "105.00 USD"},
            "activity": {"S": "purchase"},
            "channel": {"S": "web"},
            "rule": {"S": "shop"},
            "program_version": {"N": "1"},
            "occurred_at": {"S": "2026-03-15T12:00:00.000Z"},
            "posted_at": {"S": "2026-03-15T12:00:00.000Z"},
        }
