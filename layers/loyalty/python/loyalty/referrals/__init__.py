"""Referrals: whose code it is, whether it may be used, and who brought whom."""
