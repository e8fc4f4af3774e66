"""A deterministic simulator: the real library over a DynamoDB in memory, with seeded faults and interleavings."""
