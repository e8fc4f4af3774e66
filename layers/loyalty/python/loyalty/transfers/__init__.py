"""Transfers: points that go from one member to another, lots and all."""
