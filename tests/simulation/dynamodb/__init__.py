"""The parts of the DynamoDB in memory: values, expressions, keys, storage."""
