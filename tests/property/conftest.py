from tests.ledgerkit.fixtures import memory_table, table

__all__ = ["memory_table", "table"]
