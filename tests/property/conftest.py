from tests.ledgerkit.moto import moto_table, table

__all__ = ["moto_table", "table"]
