"""Merging two members who are one person: one goes on with everything that both had."""
