"""``python -m tests.bench``: what the platform costs, counted and measured, against its bounds."""
