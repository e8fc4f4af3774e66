"""The points ledger: append-only double entries, a wallet that is their running total, and the proof that they agree."""
