"""The audit trail: who did what, when, from where, written in the transaction of the action itself."""
