"""The ``conftest.py`` with which mutants are tested: of the fixtures of unit tests those that the ledger's ask for."""

from tests.ledgerkit.fixtures import memory_table, table, world

__all__ = ["memory_table", "table", "world"]
