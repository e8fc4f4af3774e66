"""Programs: the validated, versioned document that decides what points are worth, and who may speak for it."""
