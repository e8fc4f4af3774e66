"""Abuse: what of a member or a client looks like it, and holds on redemption until a person has looked."""
