"""Rewards and redemptions: points are held, then captured or released, once."""
