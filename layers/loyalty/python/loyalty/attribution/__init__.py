"""By whom somebody comes: codes, links, what they share with others, and the referral that is made of it.

Enrollment needs these; what becomes of a referral is in :mod:`loyalty.referrals`.
"""
