"""Fulfilment of gift cards: ordered from a supplier for points that are held, then captured, or released."""
