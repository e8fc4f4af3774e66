"""Adjustments: points that staff give or take, with a reason; large ones need a second person."""
