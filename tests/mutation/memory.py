"""The ``conftest.py`` with which mutants are tested: of the fixtures of unit tests those that the ledger's ask for."""

from tests.ledgerkit.moto import moto_table, table, world

__all__ = ["moto_table", "table", "world"]
