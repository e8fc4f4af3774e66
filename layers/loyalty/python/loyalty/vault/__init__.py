"""Codes, PINs and links that are worth money: sealed under a key of their own, shown to the member's app alone."""
