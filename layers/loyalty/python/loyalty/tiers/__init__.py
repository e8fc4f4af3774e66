"""Tiers: decided by what was earned, never by the balance."""
