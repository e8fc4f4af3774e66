"""The stacks of a stage: what holds data apart from what can be replaced."""
