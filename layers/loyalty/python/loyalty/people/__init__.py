"""People of the business who sign in: which programs they see, and where they may decide."""
