"""Whether a history was right: what was written is replayed through the plain model, entry by entry."""
