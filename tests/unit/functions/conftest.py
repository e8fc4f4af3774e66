from tests.ledgerkit.moto import moto_table, table, world

__all__ = ["moto_table", "table", "world"]
