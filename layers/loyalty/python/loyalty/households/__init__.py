"""Households: members who pool points in a book of its own."""
