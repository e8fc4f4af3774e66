"""Engines for integration tests: ministack, DynamoDB Local, and a fault proxy in front of either."""
