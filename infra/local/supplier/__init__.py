"""The sandbox supplier: a real HTTP server that speaks Tremendous' public API v2, with switchable faults."""
