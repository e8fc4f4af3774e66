"""What the tests of the ledger share: a settable clock, sample programs, a world of services over one table, dumps."""
