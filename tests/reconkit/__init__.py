"""What tests of reconciliation and of bulk fulfilment have in common: orders of both sides, a supplier, a bucket in memory."""
