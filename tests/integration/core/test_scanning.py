"""Partitions by how their keys begin, over pages that have none of them."""

import pytest

from loyalty.core.scanning import partitions
from loyalty.core.table import Table

pytestmark = pytest.mark.integration


def test_it_names_each_partition_once_page_after_page(table: Table) -> None:
    text = {"S": "x" * 300_000}
    for number in range(8):
        # Two megabytes and a half: a page of a scan is of one.
        table.client.put_item(
            TableName=table.name, Item={"pk": {"S": f"M#{number}"}, "sk": {"S": "MEMBER"}, "text": text}
        )
    for pk, sk in (("A#one#2026-03-16", "a"), ("A#one#2026-03-16", "b"), ("AL#one#2026-03-16", "a"), ("A", "a")):
        table.client.put_item(TableName=table.name, Item={"pk": {"S": pk}, "sk": {"S": sk}})
    assert partitions(table, "A#", "AL#") == {"A#one#2026-03-16", "AL#one#2026-03-16"}
    assert partitions(table, "A#") == {"A#one#2026-03-16"}
    assert partitions(table, "Z#") == set()
