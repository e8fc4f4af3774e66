"""Mutation testing of the ledger: what of it could be wrong, and no test would say so. See docs/mutation.md."""
