"""Suppliers of gift cards: one port, and an adapter for each supplier's published API."""
