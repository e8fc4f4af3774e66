"""Purchases, refunds and other activity that reach the platform as events of other systems."""
