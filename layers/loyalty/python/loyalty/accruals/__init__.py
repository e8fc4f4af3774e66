"""Accruals: points for what members do, and their reversal when it is undone."""
