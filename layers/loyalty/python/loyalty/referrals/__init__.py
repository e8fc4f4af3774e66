"""What becomes of a referral: it is screened, qualifies, is paid or rejected, decided on, reported.

By whom somebody came is in :mod:`loyalty.attribution`.
"""
