"""Calls a function's API as the gateway does, with keys that need no KMS."""
